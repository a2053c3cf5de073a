import { PassThrough, Writable } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { StreamSink } from './sink.ts'

/** Takes nothing until it is let. */
function stuck(): Writable & { release(): void } {
  let release = (): void => undefined
  const stream = new Writable({ highWaterMark: 4, write: (_chunk, _encoding, done) => void (release = done) })
  return Object.assign(stream, { release: () => release() })
}

it('tells of its end once, whoever ends it', async () => {
  const stream = new PassThrough()
  const sink = new StreamSink(stream)
  const listener = vi.fn()
  sink.onClose(listener)
  stream.destroy()
  await new Promise((resolve) => stream.once('close', resolve))
  sink.end()
  expect(listener).toHaveBeenCalledTimes(1)
  expect(sink.closed).toBe(true)
})

it('is closed from the beginning where the client has gone already', async () => {
  const stream = new PassThrough()
  stream.destroy()
  await new Promise((resolve) => stream.once('close', resolve))
  const sink = new StreamSink(stream)
  const listener = vi.fn()
  sink.onClose(listener)
  expect(listener).toHaveBeenCalledTimes(1)
  sink.write(Buffer.from('x'))
})

it('knows what a slow client has not taken, and when it has', async () => {
  const stream = stuck()
  const sink = new StreamSink(stream)
  sink.write(Buffer.from('123'))
  expect(sink.drained()).toBe(undefined)
  sink.write(Buffer.from('456'))
  expect(sink.backlog).toBe(6)
  const drained = sink.drained()
  expect(drained).toBeDefined()
  stream.release()
  stream.release()
  await drained
})

it('drops at once what a client has not taken', async () => {
  const stream = stuck()
  const sink = new StreamSink(stream)
  sink.write(Buffer.from('123456'))
  const drained = sink.drained()
  sink.abort()
  await drained
  expect(sink.closed).toBe(true)
  expect(stream.destroyed).toBe(true)
})
