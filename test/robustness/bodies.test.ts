// Bodies at and beyond the limit, and HTTP/1.1 requests that two readers would cut differently: one answer, one meaning.
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from '../process/client.ts'
import { type Access, readAccess } from '../process/server.ts'

const LIMIT = 3 * 1024 * 1024
const MAPS = '/api/v1/namespaces/default/configmaps'

let cluster: Cluster
let access: Access
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster()
  access = readAccess(cluster.kubeconfig)
  client = new ApiClient(access)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

const socket = (): TLSSocket => {
  const { host, port, ca, cert, key } = access
  return connectTls({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
}

/** Sends the bytes over HTTP/1.1 and gathers what comes until the server hangs up or says nothing more. */
function converse(bytes: string | Buffer, lastRequest = true): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = socket()
    let text = ''
    connection.setEncoding('latin1')
    connection.on('data', (chunk: string) => (text += chunk))
    connection.on('error', (error) => (text ? resolve(text) : reject(error)))
    connection.on('close', () => resolve(text))
    connection.write(bytes)
    // One more, which asks for the end of the connection where it is still good.
    if (lastRequest) connection.write('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  })
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code))

it('a body of 3 MiB is read, one byte more is refused, and the connection goes on', async () => {
  const fitting = JSON.stringify({ metadata: { name: 'x' } }).padEnd(LIMIT, ' ')
  expect((await client.sendBytes('POST', `${MAPS}?dryRun=All`, Buffer.from(fitting))).status).toBe(201)
  const { status, json } = await client.sendBytes('POST', MAPS, Buffer.alloc(LIMIT + 1, ' '))
  expect({ ...json, status }).toMatchObject({ status: 413, reason: 'RequestEntityTooLarge', code: 413 })
  expect((await client.send('GET', '/version')).status).toBe(200)
})

it('the same over HTTP/1.1, with a length and in chunks', async () => {
  const head = `POST ${MAPS}?dryRun=All HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`
  const body = ' '.repeat(LIMIT + 1)
  const whole = await converse(`${head}content-length: ${body.length}\r\n\r\n${body}`)
  expect(statuses(whole)).toEqual([413, 200])
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  expect(statuses(await converse(`${head}transfer-encoding: chunked\r\n\r\n${chunk}`))).toEqual([413, 200])
})

it('waits for the client that waits to be asked for its body', async () => {
  const body = JSON.stringify({ metadata: { name: 'asked' } })
  const { status } = await client.sendBytes('POST', MAPS, Buffer.from(body), { expect: '100-continue' })
  expect(status).toBe(201)
})

it('answers pipelined requests in their order', async () => {
  const paths = ['/version', '/api/v1/namespaces/nope', '/livez', '/apis/nope/v1/x', '/version']
  const text = await converse(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''))
  expect(statuses(text)).toEqual([200, 404, 200, 404, 200, 200])
})

/** A request within a request: who reads only the other header takes it for the next one. */
const INNER = `POST ${MAPS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 34\r\n\r\n{"metadata":{"name":"smuggled-in"}}`
const POST = `POST ${MAPS}?dryRun=All HTTP/1.1\r\nhost: x\r\n`
const CHUNKED = `0\r\n\r\n${INNER}`

const SMUGGLING: Readonly<Record<string, string>> = {
  'a length beside chunks': `${POST}content-length: ${CHUNKED.length}\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKED}`,
  'chunks beside a length': `${POST}transfer-encoding: chunked\r\ncontent-length: ${CHUNKED.length}\r\n\r\n${CHUNKED}`,
  'two lengths': `${POST}content-length: 0\r\ncontent-length: ${INNER.length}\r\n\r\n${INNER}`,
  'a list of lengths': `${POST}content-length: 0, ${INNER.length}\r\n\r\n${INNER}`,
  'a signed length': `${POST}content-length: +0\r\n\r\n${INNER}`,
  'a hexadecimal length': `${POST}content-length: 0x0\r\n\r\n${INNER}`,
  'two encodings': `${POST}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n${CHUNKED}`,
  'an unknown encoding': `${POST}transfer-encoding: xchunked\r\n\r\n${CHUNKED}`,
  'chunks that are not last': `${POST}transfer-encoding: chunked, identity\r\n\r\n${CHUNKED}`,
  'a blank before the colon': `${POST}transfer-encoding : chunked\r\n\r\n${CHUNKED}`,
  'a folded header': `${POST}x: y\r\n transfer-encoding: chunked\r\ncontent-length: 0, 1\r\n\r\n${CHUNKED}`,
  'a bare line feed in a chunk': `${POST}transfer-encoding: chunked\r\n\r\n0\n\n${INNER}`,
  'a chunk size that overflows': `${POST}transfer-encoding: chunked\r\n\r\n10000000000000000\r\n${INNER}`,
  'a NUL in a header': `${POST}transfer-encoding: chunked\0\r\n\r\n${CHUNKED}`,
  'a bare carriage return': `${POST}x: y\rcontent-length: 0, 1\r\n\r\n${INNER}`,
}

for (const [shape, bytes] of Object.entries(SMUGGLING)) {
  it(`refuses and hangs up: ${shape}`, async () => {
    const text = await converse(bytes)
    expect(statuses(text)).toEqual([400])
    expect((await client.send('GET', `${MAPS}/smuggled-in`)).status).toBe(404)
  })
}

it('a body that goes with a GET is no request', async () => {
  const text = await converse(
    `GET /version HTTP/1.1\r\nhost: x\r\ncontent-length: ${INNER.length}\r\n\r\n${INNER}`,
  )
  expect(statuses(text)).toEqual([200, 200])
  expect((await client.send('GET', `${MAPS}/smuggled-in`)).status).toBe(404)
})
