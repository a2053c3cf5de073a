// Clients that are slow, or leave half way, or want another protocol: each gets its answer or its end in time.
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from '../process/client.ts'
import { type Access, readAccess } from '../process/server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

let cluster: Cluster
let access: Access
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster()
  access = readAccess(cluster.kubeconfig)
  client = new ApiClient(access)
  // No controller makes it here.
  await client.send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  const { status } = await client.send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec,
  })
  expect(status).toBe(201)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

/** Sends the bytes over HTTP/1.1, ends its side where told, and gathers what comes until the end or `enough`. */
function say(bytes: string, { half = false, enough = /\r\n\r\n/ } = {}): Promise<string> {
  const { host, port, ca, cert, key } = access
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (enough.test(text)) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    if (half) socket.end(bytes)
    else socket.write(bytes)
  })
}

it('a client that closes its side after the request is answered or let go', async () => {
  expect(await say('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n', { half: true })).toMatch(/^$|^HTTP\/1\.1 200 /)
})

it('a body that does not come is not waited for beyond the time of the request', async () => {
  const head = `POST ${MAPS}?timeout=1s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`
  const text = await say(`${head}content-length: 100\r\n\r\n{"metadata":`, { enough: /allotted/ })
  expect(text).toMatch(/^HTTP\/1\.1 504 /)
  expect(text).toContain('request did not complete within the allotted timeout')
  const slow = client.sendBytes('POST', `${MAPS}?timeout=1s`, Buffer.alloc(0), { 'content-length': '100' })
  // Node's client ends a body that is shorter than it said by itself; either way nobody hangs.
  await expect(
    slow.then(
      ({ status }) => status,
      () => 'broken',
    ),
  ).resolves.toSatisfy((outcome) => outcome === 'broken' || (Number(outcome) >= 400 && Number(outcome) < 600))
})

const POD = '/api/v1/namespaces/default/pods/p'
const UPGRADES = {
  websocket:
    'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: v5.channel.k8s.io\r\n',
  SPDY: 'upgrade: SPDY/3.1\r\nconnection: upgrade\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n',
  nothing: 'upgrade: frob\r\nconnection: upgrade\r\n',
}
const PLACES = [
  ['GET', `${POD}/exec?command=ls&stdout=1`],
  ['POST', `${POD}/exec?command=ls&stdout=1`],
  ['GET', `${POD}/attach?stdout=1`],
  ['POST', `${POD}/portforward?ports=80`],
  ['GET', `${POD}/proxy/x`],
  ['GET', '/api/v1/namespaces/default/services/kubernetes/proxy/'],
  ['GET', '/api/v1/nodes/n/proxy/'],
  ['GET', `${MAPS}?watch=1&timeoutSeconds=1`],
  ['GET', '/version'],
] as const

for (const [protocol, headers] of Object.entries(UPGRADES))
  it(`an upgrade to ${protocol} is answered everywhere`, async () => {
    for (const [method, path] of PLACES) {
      const text = await say(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`)
      expect(text, `${method} ${path}`).toMatch(/^HTTP\/1\.1 (200|400|403|404|503) /)
    }
    expect((await client.send('GET', POD)).status).toBe(200)
  })
