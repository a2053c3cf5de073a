import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { readAll } from './body.ts'
import { BODY_TIMEOUT_MS } from './exchange.ts'

// One timer looks after all bodies: it is there from the first one on.
beforeAll(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterAll(() => void vi.useRealTimers())

const LIMIT = 10

it('gathers pieces up to the limit', async () => {
  const stream = new PassThrough()
  const body = readAll(stream, LIMIT)
  stream.write('01234')
  stream.end('56789')
  expect((await body).toString()).toBe('0123456789')
})

it('refuses what is longer, and reads the rest to nowhere', async () => {
  const stream = new PassThrough()
  const body = readAll(stream, LIMIT)
  stream.write('0123456789a')
  await expect(body).rejects.toMatchObject({ status: { code: 413, reason: 'RequestEntityTooLarge' } })
  stream.end('x'.repeat(100_000))
  await new Promise((resolve) => stream.once('end', resolve))
})

it('refuses a body that takes too long', async () => {
  const body = readAll(new PassThrough(), LIMIT)
  const refused = expect(body).rejects.toMatchObject({ status: { code: 408, reason: 'Timeout' } })
  vi.advanceTimersByTime(2 * BODY_TIMEOUT_MS)
  await refused
})

it('refuses a body that breaks off, before or after it was asked for', async () => {
  const brokenOff = { status: { code: 400, message: 'the request body broke off' } }
  const stream = new PassThrough()
  const body = readAll(stream, LIMIT)
  stream.destroy()
  await expect(body).rejects.toMatchObject(brokenOff)
  await expect(readAll(stream, LIMIT)).rejects.toMatchObject(brokenOff)
})

it('an empty body may be over before anybody listens', async () => {
  const stream = new PassThrough()
  stream.end()
  stream.resume()
  await new Promise((resolve) => stream.once('end', resolve))
  expect((await readAll(stream, LIMIT)).length).toBe(0)
})
