// Requests that are none, at the front door, over both protocols: who asks, for whom, and for what must not depend on
// which reader cuts them. Answers are kube-apiserver's, but where node's parsers are the stricter (docs/compatibility.md).
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from '../process/client.ts'
import { type Access, readAccess } from '../process/server.ts'

const NODES = '/api/v1/nodes'
const MANY = 3_000

let cluster: Cluster
let access: Access
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster({ logLevel: 'error' })
  access = readAccess(cluster.kubeconfig)
  client = new ApiClient(access)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

/** Sends the bytes over HTTP/1.1; all that comes until the server hangs up. */
function converse(head: string): Promise<string> {
  const { host, port, ca, cert, key } = access
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (text += chunk)).on('error', () => undefined)
    socket.on('close', () => resolve(text))
    socket.write(head, 'latin1')
  })
}

const get = (path: string, headers: readonly string[] = [], version = 'HTTP/1.1'): string =>
  [`GET ${path} ${version}`, ...headers, 'connection: close', '', ''].join('\r\n')
const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `x-${n}: y`)

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['no host', get('/version'), '400 Bad Request: missing required Host header'],
  ['two hosts', get('/version', ['host: a', 'host: b']), '400 Bad Request'],
  ['a host with a blank', get('/version', ['host: a b']), '400 Bad Request: malformed Host header'],
  ['HTTP/0.9', 'GET /version\r\n\r\n', '400 Bad Request'],
  [
    'HTTP/2.0 without TLS saying so',
    get('/version', ['host: x'], 'HTTP/2.0'),
    '505 HTTP Version Not Supported: unsupported protocol version',
  ],
  ['no HTTP', 'NO HTTP AT ALL\r\n\r\n', '400 Bad Request'],
  [
    'a header of 2 MiB',
    get('/version', ['host: x', `x: ${'y'.repeat(2 << 20)}`]),
    '431 Request Header Fields Too Large',
  ],
  [
    'more headers than are read',
    get('/version', ['host: x', ...many(5_000)]),
    '431 Request Header Fields Too Large',
  ],
]

describe('over HTTP/1.1', () => {
  it.each(REFUSED)('refuses and hangs up: %s', async (_, bytes, line) => {
    const text = await converse(bytes)
    // Who still sends when the connection is closed may not hear why.
    if (text === '' && bytes.length > 1 << 20) return
    expect(text.split('\r\n', 1)).toEqual([`HTTP/1.1 ${line}`])
    expect(text.endsWith(`\r\n\r\n${line}`)).toBe(true)
  })

  it('takes 1.0, which needs no host', async () => {
    expect(await converse(get('/version', [], 'HTTP/1.0'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('the last of many headers counts as the first does', async () => {
    const headers = ['host: x', ...many(MANY), 'impersonate-user: nobody']
    expect(await converse(get(NODES, headers))).toMatch(/^HTTP\/1\.1 403 .*User \\"nobody\\" cannot list/s)
  })

  it('a path behind a host is that path, and is authorized as such', async () => {
    const path = '/api/v1/namespaces/default'
    const [whole, short] = [`https://elsewhere${path}`, 'http://elsewhere?pretty=1']
    expect(await converse(get(whole, ['host: x']))).toMatch(/^HTTP\/1\.1 200 .*"kind":"Namespace"/s)
    expect(await converse(get(short, ['host: x']))).toMatch(/^HTTP\/1\.1 200 .*"paths"/s)
    const forbidden = await converse(get(whole, ['host: x', 'impersonate-user: nobody']))
    expect(forbidden).toMatch(/^HTTP\/1\.1 403 .*cannot get resource \\"namespaces\\"/s)
  })

  it('a number sign is part of the path', async () => {
    for (const path of ['/version#x', '/metrics#', `${NODES}#`])
      expect(await converse(get(path, ['host: x']))).toMatch(/^HTTP\/1\.1 404 /)
  })
})

describe('over HTTP/2', () => {
  /** The code of the answer; "reset N" where there is none. */
  const ask = (headers: Record<string, string | string[]>): Promise<number | string> => {
    const { host, port, ca, cert, key } = access
    const session = connectHttp2(`https://${host}:${port}`, { ca, cert, key })
    return new Promise<number | string>((resolve) => {
      session.on('error', () => resolve('over'))
      const stream = session.request(headers)
      stream.on('error', () => undefined)
      stream.on('response', (answer) => resolve(answer[':status'] ?? 0))
      stream.on('close', () => resolve(`reset ${stream.rstCode}`))
      stream.end()
    }).finally(() => session.destroy())
  }
  const fields = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'y']))

  it('the last of many headers counts as the first does', async () => {
    expect(await ask({ ':path': NODES, ...fields(MANY) })).toBe(200)
    expect(await ask({ ':path': NODES, ...fields(MANY), 'impersonate-user': 'nobody' })).toBe(403)
    const groups = Array.from({ length: 1_000 }, (_, n) => `g${n}`)
    const impersonation = {
      'impersonate-user': 'somebody',
      'impersonate-group': [...groups, 'system:masters'],
    }
    expect(await ask({ ':path': NODES, ...impersonation })).toBe(200)
  })

  it('no request has more headers than are read', async () => {
    expect(await ask({ ':path': NODES, ...fields(5_000) })).not.toBe(200)
    expect((await client.send('GET', NODES)).status).toBe(200)
  })

  it('a number sign is part of the path; CONNECT goes nowhere', async () => {
    for (const path of ['/version#x', '/metrics#', `${NODES}#`])
      expect(await ask({ ':path': path })).toBe(404)
    expect(await ask({ ':method': 'CONNECT', ':authority': 'x:1' })).toBe(404)
  })
})
