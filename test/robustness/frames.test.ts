// HTTP/2 frames that cost the sender little and a careless server much: header blocks without an end, headers that unpack
// to more than they are, floods of pings and settings, windows that never open. The server keeps answering others.
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ApiClient } from '../process/client.ts'
import { frame, headerBlock, PREFACE } from '../process/frames.ts'
import { bundleProgram, type Program, residentMiB, type Server, startServer } from '../process/server.ts'

const PATIENCE_MS = 45_000
const GROWTH_MIB = 150

let program: Program
let server: Server
let bystander: ApiClient
beforeAll(async () => {
  program = await bundleProgram()
  server = await startServer(program, ['--memory', '--log-level', 'error'])
  bystander = new ApiClient(server)
  await bystander.send('GET', '/api/v1/pods')
})
afterAll(async () => {
  bystander.close()
  expect(server.stderr()).toBe('')
  await server.kill()
  program?.remove()
})

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0))
const END_HEADERS = 4
const END_STREAM = 1
const requestTo = (path: string): Buffer =>
  headerBlock([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'x'],
    [':path', path],
  ])

/** A connection that has said hello, and whether the server has ended it. */
function hostile(): { socket: TLSSocket; over: () => boolean } {
  const { host, port, ca, cert, key } = server
  const socket = connectTls({ host, port, ca, cert, key, ALPNProtocols: ['h2'] })
  let over = false
  socket.on('error', () => (over = true))
  socket.on('close', () => (over = true))
  socket.write(Buffer.concat([PREFACE, SETTINGS]))
  return { socket, over: () => over }
}

/** Writes pieces as fast as the server takes them, until it ends the connection or there are no more. */
async function flood(pieces: Iterable<Buffer>, reads = true): Promise<{ over: boolean }> {
  const { socket, over } = hostile()
  if (reads) socket.resume()
  for (const piece of pieces) {
    if (over()) break
    if (socket.write(piece)) continue
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        socket.off('drain', done).off('close', done)
        resolve()
      }
      const timer = setTimeout(done, 200)
      socket.once('drain', done).once('close', done)
    })
  }
  const ended = over()
  socket.destroy()
  return { over: ended }
}

/** Others are served meanwhile and afterwards, and memory does not grow with the flood. */
async function bears(attack: () => Promise<unknown>, growthMiB = GROWTH_MIB): Promise<void> {
  const before = residentMiB(server.pid) ?? 0
  const attacks = attack()
  for (let n = 0; n < 3; n++) {
    const began = performance.now()
    expect((await bystander.send('GET', '/api/v1/namespaces/default')).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS)
  }
  await attacks
  expect((await bystander.send('GET', '/api/v1/namespaces/default')).status).toBe(200)
  expect((residentMiB(server.pid) ?? 0) - before).toBeLessThan(growthMiB)
}

function* repeated(piece: Buffer, times: number): Generator<Buffer> {
  for (let n = 0; n < times; n++) yield piece
}

it('header blocks without an end', async () => {
  const block = headerBlock(Array.from({ length: 16 }, (_, n) => [`x-${n}`, 'y'.repeat(900)] as const))
  function* endless(): Generator<Buffer> {
    yield frame(1, END_STREAM, 1, requestTo('/version'))
    yield* repeated(frame(9, 0, 1, block), 5_000)
  }
  await bears(async () => expect((await flood(endless())).over).toBe(true))
})

it('headers that unpack to a thousand times their size', async () => {
  // A literal that goes into the table, and then one byte for each time that it is meant.
  const value = Buffer.alloc(4_000, 97)
  const length = Buffer.from([127, ((value.length - 127) & 127) | 128, (value.length - 127) >> 7])
  const literal = Buffer.concat([Buffer.from([0x40, 1, 120]), length, value])
  const bomb = Buffer.concat([requestTo('/version'), literal, Buffer.alloc(12_000, 0x80 | 62)])
  function* bombs(): Generator<Buffer> {
    for (let stream = 1; stream < 400; stream += 2) yield frame(1, END_STREAM | END_HEADERS, stream, bomb)
  }
  await bears(() => flood(bombs()))
})

it.each([
  ['pings', frame(6, 0, 0, Buffer.alloc(8))],
  ['settings', frame(4, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0]))],
  ['empty data', frame(0, 0, 1, Buffer.alloc(0))],
  ['priorities', frame(2, 0, 3, Buffer.from([0, 0, 0, 1, 16]))],
])('a flood of %s, the answers unread', async (_, piece) => {
  function* pieces(): Generator<Buffer> {
    yield frame(1, END_HEADERS, 1, requestTo('/version'))
    yield* repeated(Buffer.concat(Array.from({ length: 1_000 }, () => piece)), 500)
  }
  await bears(() => flood(pieces(), false))
})

it('windows that never open', async () => {
  await bystander.send('POST', '/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'large' },
    data: { text: 'x'.repeat(900_000) },
  })
  // The initial window is none: not a byte of any answer may go out.
  const closed = frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))
  function* pieces(): Generator<Buffer> {
    yield closed
    for (let stream = 1; stream < 500; stream += 2)
      yield frame(1, END_STREAM | END_HEADERS, stream, requestTo('/api/v1/namespaces/default/configmaps'))
  }
  // Nearly 2 GiB of answers were asked for.
  await bears(() => Promise.all(Array.from({ length: 8 }, () => flood(pieces(), false))), 700)
})
