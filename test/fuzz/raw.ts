// What is no request: noise on the socket, before TLS and inside it; HTTP/1.1 that does not parse or means two things;
// HTTP/2 frames out of order. Whatever comes, the server answers or closes, and lives on.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Access } from '../process/server.ts'
import { frame, headerBlock, PREFACE } from '../process/frames.ts'
import { PATIENCE_MS } from './clients.ts'
import { Random } from './random.ts'

/** After the bytes are out the client lingers this long, then hangs up. */
const LINGER_MS = 8

/** Sends number `index`; resolves with a complaint where the server neither answered nor let the client go. */
export function sendRaw(access: Access, seed: number, index: number): Promise<string | undefined> {
  const random = new Random(seed, index)
  return random.weighted<() => Promise<string | undefined>>([
    [1, () => overTcp(access, tcpNoise(random))],
    [3, () => overTls(access, 'http/1.1', http1Noise(random), random)],
    [4, () => overTls(access, 'h2', http2Noise(random), random)],
  ])()
}

function tcpNoise(random: Random): Buffer {
  if (random.chance(0.3)) return Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  // A TLS record header, so that some of it is read further.
  return Buffer.concat([
    Buffer.from([22, 3, 1, random.int(256), random.int(256)]),
    random.bytes(random.int(600)),
  ])
}

const HTTP1: readonly string[] = [
  'GET / HTTP/1.1\r\n\r\n',
  'GET /version HTTP/1.0\r\n\r\n',
  'GET  /version  HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /version HTTP/9.9\r\nhost: x\r\n\r\n',
  'FROB /version HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /version\r\n\r\n',
  '\r\n\r\n\r\n',
  'GET http://evil.example/version HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET * HTTP/1.1\r\nhost: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n',
  'CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nhttp2-settings: AAAA\r\nconnection: upgrade\r\n\r\n',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\nexpect: frob\r\ncontent-length: 2\r\n\r\n{}',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n{}',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n',
  'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\n: empty\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\nx: a\u0000b\r\n\r\n',
  'GET /ver\u0000sion HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /version HTTP/1.1\r\nhost: x\r\n x: folded\r\n\r\n',
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  `GET /version HTTP/1.1\r\nhost: x\r\n${'x: y\r\n'.repeat(5000)}\r\n`,
  `GET /version HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  'GET /version HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(50),
  'GET /version HTTP/1.1\nhost: x\n\n',
]

function http1Noise(random: Random): Buffer {
  const bytes = Buffer.from(random.pick(HTTP1), 'latin1')
  return random.chance(0.3) ? scrambled(bytes, random) : bytes
}

function scrambled(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  for (let n = 1 + random.int(4); n > 0; n--) copy[random.int(copy.length)] = random.int(256)
  return random.chance(0.3) ? copy.subarray(0, random.int(copy.length)) : copy
}

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0))

function http2Noise(random: Random): Buffer {
  if (random.chance(0.1)) return random.bytes(random.int(500))
  const parts = [PREFACE, SETTINGS]
  for (let n = 1 + random.int(12); n > 0; n--) parts.push(oddFrame(random))
  const bytes = Buffer.concat(parts)
  return random.chance(0.1) ? bytes.subarray(0, random.int(bytes.length)) : bytes
}

const ODD_HEADERS: readonly (readonly [string, string])[] = [
  [':path', ''],
  [':path', 'no-slash'],
  [':path', '/api/v1/\u0000'],
  [':path', '*'],
  [':path', '/x y\r\nz'],
  [':method', ''],
  [':method', 'G E T'],
  [':method', 'CONNECT'],
  [':scheme', 'gopher'],
  [':protocol', 'websocket'],
  [':status', '200'],
  [':bogus', 'x'],
  ['UPPER', 'x'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['te', 'gzip'],
  ['content-length', '-5'],
  ['content-length', '5'],
  ['host', 'evil'],
  ['cookie', 'a'.repeat(20_000)],
  ['x\u0000y', 'z'],
  ['x', 'a\r\nb: c'],
  ['', 'x'],
  ['expect', '100-continue'],
]

function oddFrame(random: Random): Buffer {
  const stream = random.pick([0, 1, 1, 3, 3, 5, 7, 2, 0x7fffffff])
  switch (random.int(9)) {
    case 0:
      return frame(random.int(16), random.int(256), stream, random.bytes(random.int(40)))
    case 1:
      return frame(3, 0, stream, Buffer.from([0, 0, 0, random.int(16)]))
    case 2:
      return frame(
        8,
        0,
        stream,
        Buffer.from(
          random.pick([
            [0, 0, 0, 0],
            [127, 255, 255, 255],
            [0, 0, 1, 0],
          ]),
        ),
      )
    case 3:
      return frame(0, random.int(2), stream, random.bytes(random.int(100)))
    case 4:
      return frame(9, random.pick([0, 4]), stream, random.bytes(random.int(60)))
    case 5:
      return frame(
        4,
        0,
        0,
        Buffer.from([0, random.int(10), random.int(256), random.int(256), random.int(256), 0]),
      )
    default: {
      const headers: (readonly [string, string])[] = [
        [':method', random.pick(['GET', 'POST', 'PUT'])],
        [':scheme', 'https'],
        [':authority', 'x'],
        [':path', random.pick(['/version', '/api/v1/pods', '/api/v1/namespaces', '/api/v1/pods?watch=1'])],
      ]
      const odd = random.pick(ODD_HEADERS)
      const same = headers.findIndex(([name]) => name === odd[0])
      if (same >= 0 && random.chance(0.7)) headers[same] = odd
      else headers.splice(random.int(headers.length + 1), 0, odd)
      return frame(1, random.pick([4, 5, 5, 0, 0x2d]), stream, headerBlock(headers))
    }
  }
}

function overTcp({ host, port }: Access, bytes: Buffer): Promise<string | undefined> {
  return converse(connectTcp({ host, port }), bytes, true)
}

function overTls(
  access: Access,
  protocol: 'h2' | 'http/1.1',
  bytes: Buffer,
  random: Random,
): Promise<string | undefined> {
  const { host, port, ca, cert, key } = access
  const credentials = random.chance(0.5) ? { cert, key } : {}
  const socket = connectTls({ host, port, ca, ALPNProtocols: [protocol], ...credentials })
  // After a fault in its frames the server may be deaf to the end of an HTTP/2 connection, until its next heartbeat.
  return converse(socket, bytes, protocol === 'http/1.1')
}

/** Sends, lingers, and ends its side; where `expectEnd` says so the other side must end in time, too. */
function converse(socket: Socket, bytes: Buffer, expectEnd: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (complaint?: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(complaint)
    }
    const timer = setTimeout(() => settle('the connection stays open'), PATIENCE_MS)
    const leave = (): void => void (expectEnd && socket.writable ? socket.end() : settle())
    socket.on('error', () => settle())
    socket.on('close', () => settle())
    socket.resume()
    socket.write(bytes, () => setTimeout(leave, LINGER_MS))
  })
}
