// Many clients, and rude ones: watchers by the thousand, floods, resets, readers that do not read. The server keeps
// answering others, and its memory has a bound.
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ApiClient } from '../process/client.ts'
import { bundleProgram, type Program, residentMiB, type Server, startServer } from '../process/server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
/** What is written past the watchers that do not read: several times the 16 MiB that one may leave unread. */
const LARGE = 500_000
const WRITES = 100
/** Somebody else's request while the crowd is there: far more than it takes, far less than a hang. */
const PATIENCE_MS = 45_000

let program: Program
let server: Server
let bystander: ApiClient
beforeAll(async () => {
  program = await bundleProgram()
  server = await startServer(program, ['--memory', '--log-level', 'error'])
  bystander = new ApiClient(server)
  await bystander.send('GET', MAPS)
})
afterAll(async () => {
  bystander.close()
  expect(server.stderr()).toBe('')
  await server.kill()
  program?.remove()
})

const memory = (): number => residentMiB(server.pid) ?? 0

function session(): ClientHttp2Session {
  const { host, port, ca, cert, key } = server
  const made = connect(`https://${host}:${port}`, { ca, cert, key })
  made.on('error', () => undefined)
  return made
}

/** The bystander is served, and how fast. */
async function isServed(): Promise<void> {
  const before = performance.now()
  expect((await bystander.send('GET', '/api/v1/namespaces/default')).status).toBe(200)
  expect(performance.now() - before).toBeLessThan(PATIENCE_MS)
}

/** Resolves when the check holds; the test's timeout is its bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

it('1,000 watchers all hear of a change', async () => {
  const before = memory()
  const clients = Array.from({ length: 10 }, () => new ApiClient(server))
  let heard = 0
  const watches = clients.flatMap((client) =>
    Array.from({ length: 100 }, () =>
      client.watch(`${MAPS}?watch=1&fieldSelector=metadata.name%3Dcrowd`, () => void heard++),
    ),
  )
  // Each client's last watch is served when an answer to a later request of it is there.
  await Promise.all(clients.map((client) => client.send('GET', MAPS)))
  const name = 'crowd'
  expect((await bystander.send('POST', MAPS, { metadata: { name } })).status).toBe(201)
  await until(() => heard >= 1000)
  await isServed()
  expect(memory() - before).toBeLessThan(150)
  for (const client of clients) client.close()
  await Promise.all(watches.map((watch) => watch.ended))
})

it('250 requests of a connection are served at once; more wait for their turn', async () => {
  const crowded = session()
  const streams = Array.from({ length: 300 }, () => crowded.request({ ':path': `${MAPS}?watch=1` }))
  let begun = 0
  for (const stream of streams) stream.on('response', () => void begun++).on('error', () => undefined)
  await until(() => begun === 250)
  await isServed()
  expect(begun).toBe(250)
  for (const stream of streams.slice(0, 50)) stream.close(constants.NGHTTP2_CANCEL)
  await until(() => begun === 300)
  crowded.destroy()
})

it('bodies of one empty frame are answered, however many come at once', async () => {
  const crowded = new ApiClient(server)
  const codes = new Set<number>()
  const type = { 'content-type': 'application/cbor' }
  for (let round = 0; round < 3; round++) {
    const posts = Array.from({ length: 600 }, () => [
      crowded.sendBytes('POST', MAPS, Buffer.alloc(0), type),
      crowded.sendBytes('POST', MAPS, Buffer.from('x'), type),
    ])
    for (const { status } of await Promise.all(posts.flat())) codes.add(status)
  }
  expect([...codes]).toEqual([415])
  crowded.close()
})

it('64 flooding clients do not keep others from being served', async () => {
  const before = memory()
  const end = performance.now() + 2_000
  const codes = new Set<number>()
  const flood = async (n: number): Promise<void> => {
    const client = new ApiClient(server)
    for (let turn = 0; performance.now() < end; turn++) {
      const path = turn % 3 ? MAPS : '/api/v1/pods'
      const replies = await Promise.all([
        client.send('GET', path),
        client.send('POST', MAPS, { metadata: { name: `flood-${n}-${turn % 5}` } }),
      ])
      for (const { status } of replies) codes.add(status)
    }
    client.close()
  }
  const floods = Array.from({ length: 64 }, (_, n) => flood(n))
  for (let n = 0; n < 5; n++) await isServed()
  await Promise.all(floods)
  expect([...codes].filter((code) => ![200, 201, 409, 429].includes(code))).toEqual([])
  expect(memory() - before).toBeLessThan(250)
})

it('a flood of resets ends its connection, and nothing else', async () => {
  const before = memory()
  const hostile = session()
  const gone = new Promise((resolve) => hostile.once('close', resolve))
  // Far more than any client that cancels watches.
  for (let n = 0; n < 50_000 && !hostile.destroyed; n++) {
    const stream = hostile.request({ ':path': '/api/v1/pods' })
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_CANCEL)
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await gone
  await isServed()
  expect(memory() - before).toBeLessThan(150)
})

it('watchers that do not read are closed; memory stays within bounds', async () => {
  const before = memory()
  const lazy = Array.from({ length: 40 }, () => session())
  const watch = async (own: ClientHttp2Session, n: number) => {
    // Each selects by itself, so that they share as little as they can.
    const stream = own.request({ ':path': `${MAPS}?watch=1&labelSelector=x%21%3D${n}` })
    await new Promise((resolve) => stream.on('error', () => undefined).once('response', resolve))
    return stream
  }
  const streams = await Promise.all(lazy.map(watch))
  const metadata = { name: 'large' }
  await bystander.send('POST', MAPS, { metadata })
  for (let n = 0; n < WRITES; n++) {
    const data = { n: String(n), text: 'x'.repeat(LARGE) }
    expect((await bystander.send('PUT', `${MAPS}/large`, { metadata, data })).status).toBe(200)
  }
  await isServed()
  // One backlog's worth that all of them share, and what has not been collected yet.
  expect(memory() - before).toBeLessThan(350)
  for (const stream of streams) {
    let size = 0
    stream.on('data', (chunk: Buffer) => void (size += chunk.length))
    await new Promise((resolve) => stream.once('close', resolve))
    expect(size).toBeLessThan((WRITES * LARGE) / 2)
  }
  for (const own of lazy) own.destroy()
})
