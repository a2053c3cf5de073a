import { connect } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { ensurePki, type Pki } from '../pki/pki.ts'
import type { Exchange } from './exchange.ts'
import { listen, type Listening } from './listen.ts'

let pki: Pki
beforeAll(async () => {
  pki = await ensurePki({ hosts: ['127.0.0.1'] })
})

let listening: Listening | undefined
afterEach(() => listening?.close())

async function open(
  handle: (exchange: Exchange) => void,
  heartbeatMs?: number,
  idleMs?: number,
): Promise<number> {
  const tls = { cert: pki.servingCert, key: pki.servingKey, clientCa: pki.caCert }
  const times = {
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(idleMs === undefined ? {} : { idleMs }),
  }
  listening = await listen({ host: '127.0.0.1', port: 0, ...tls, handle, ...times })
  return listening.port
}

const tls = (port: number, protocol: string): TLSSocket =>
  connectTls({ host: '127.0.0.1', port, ca: pki.caCert, ALPNProtocols: [protocol] })

const closed = (socket: TLSSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', resolve))

it('ends an HTTP/2 connection that broke the protocol, though node hears no more of it', async () => {
  const port = await open(() => undefined, 20)
  const socket = tls(port, 'h2')
  socket.on('error', () => undefined).resume()
  // Preface, SETTINGS, and a CONTINUATION that continues nothing.
  const frames = '000000040000000000' + '000001090000000007ac'
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from(frames, 'hex')]))
  await closed(socket)
})

it('leaves an HTTP/2 connection alone that answers its heartbeats', async () => {
  const port = await open((exchange) => exchange.answer(200, {}, Buffer.from('x')), 250)
  const session = connect(`https://127.0.0.1:${port}`, { ca: pki.caCert })
  let pings = 0
  const beaten = new Promise<void>((resolve) => session.on('ping', () => ++pings === 5 && resolve()))
  await beaten
  const status = await new Promise((resolve) =>
    session.request({ ':path': '/' }).on('response', (headers) => resolve(headers[':status'])),
  )
  expect(status).toBe(200)
  session.destroy()
})

it('answers what is no HTTP with 400, and takes long headers', async () => {
  const port = await open((exchange) => exchange.answer(200, {}, Buffer.from(String(exchange.url.length))))
  const talk = async (text: string): Promise<string> => {
    const socket = tls(port, 'http/1.1')
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString())).on('error', () => undefined)
    socket.write(text)
    await closed(socket)
    return got
  }
  expect(await talk('NO HTTP AT ALL\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  const path = `/${'x'.repeat(100_000)}`
  expect(await talk(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).toContain(
    '\r\n\r\n100001',
  )
})

const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

it('closes an HTTP/1.1 connection that nobody uses, and none with a request under way', async () => {
  const held: Exchange[] = []
  const port = await open(
    (exchange) => {
      if (exchange.url === '/') exchange.answer(200, {}, Buffer.from('x'))
      else held.push(exchange)
    },
    20,
    20,
  )
  const [idle, busy] = [tls(port, 'http/1.1'), tls(port, 'http/1.1')]
  // The first answer is out while the second request waits: as long as that one does, the connection is in use.
  busy.write(GET + GET.replace('/ ', '/held '))
  let ended = false
  busy.resume().once('close', () => (ended = true))
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  idle.resume().write(GET)
  await closed(idle)
  expect(ended).toBe(false)
  held[0]?.answer(200, {}, Buffer.from('y'))
  await closed(busy)
})

it('closes an HTTP/2 connection that nobody uses', async () => {
  const port = await open((exchange) => exchange.answer(200, {}), 20, 20)
  const session = connect(`https://127.0.0.1:${port}`, { ca: pki.caCert })
  session.request({ ':path': '/' }).resume()
  await new Promise((resolve) => session.once('close', resolve))
})
