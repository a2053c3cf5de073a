// What the fuzzer once found, each by itself.
import { type ClientHttp2Session, connect, constants } from 'node:http2'
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
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

function session(): ClientHttp2Session {
  const { host, port, ca, cert, key } = access
  return connect(`https://${host}:${port}`, { ca, cert, key })
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

function page(path: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const own = session()
    const stream = own.request({ ':path': path })
    let [status, type, text] = [0, '', '']
    stream.setEncoding('utf8')
    stream.on('response', (headers) => {
      status = Number(headers[':status'])
      type = String(headers['content-type'])
    })
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('error', reject)
    stream.on('end', () => {
      resolve({ status, type, text })
      own.destroy()
    })
  })
}

it('a group that nobody serves is a plain page', async () => {
  for (const path of ['/apis/nope/v1/things', '/apis/%ff/v1/x'])
    expect(await page(path)).toMatchObject({ status: 404, text: '404 page not found\n' })
})

it('a path that cannot be decoded is refused, without a page of HTML', async () => {
  expect(await page('/healthz/%zz')).toEqual({
    status: 400,
    type: 'text/plain; charset=utf-8',
    text: '400 Bad Request',
  })
  const undecodable = await page('/healthz/%ff')
  expect(undecodable.status).toBeLessThan(500)
  expect(undecodable.type).not.toContain('html')
})

it('a job with an operator that is none is invalid', async () => {
  const containers = [{ name: 'c', image: 'i' }]
  const selector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'b' }] }
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers, restartPolicy: 'Never' } }
  const { status, json } = await client.send('POST', '/apis/batch/v1/namespaces/default/jobs', {
    metadata: { name: 'j' },
    spec: { selector, template },
  })
  expect(status).toBe(422)
  expect(JSON.stringify(json)).toContain('not a valid selector operator')
})

it('a create with a version that is none is a create; with one that could be, upstream says 500', async () => {
  for (const resourceVersion of ['x', '0', '00', '-1', '18446744073709551616']) {
    const metadata = { generateName: 'v-', resourceVersion }
    expect((await client.send('POST', MAPS, { metadata })).status).toBe(201)
  }
  const metadata = { name: 'v', resourceVersion: '12' }
  const { status, json } = await client.send('POST', MAPS, { metadata })
  expect([status, json['message']]).toEqual([
    500,
    'resourceVersion should not be set on objects to be created',
  ])
  expect((await client.send('POST', `${MAPS}?dryRun=All`, { metadata })).status).toBe(201)
})

it("names of JavaScript's own are names like any other", async () => {
  const limits = [{ type: 'Container', default: { 'example.com/toString': '1', constructor: '1' } }]
  const { status } = await client.send('POST', '/api/v1/namespaces/default/limitranges', {
    metadata: { name: 'l' },
    spec: { limits: [...limits, { type: 'Pod', max: { toString: '1', valueOf: '2' } }] },
  })
  expect(status).toBeLessThan(500)
})

it('a connection with large answers under way takes further requests', async () => {
  await client.send('POST', MAPS, { metadata: { name: 'big' }, data: { text: 'x'.repeat(900_000) } })
  const own = session()
  // Nobody reads these answers.
  const large = Array.from({ length: 30 }, () => own.request({ ':path': `${MAPS}/big` }))
  await Promise.all(large.map((stream) => new Promise((resolve) => stream.once('response', resolve))))
  const status = await new Promise((resolve, reject) => {
    own
      .request({ ':path': '/version' })
      .on('response', (headers) => resolve(headers[':status']))
      .on('error', reject)
  })
  expect(status).toBe(200)
  for (const stream of large) stream.on('error', () => undefined).close(constants.NGHTTP2_CANCEL)
  own.destroy()
})

it('metrics: places that are served, each series once, however often they are read', async () => {
  for (let n = 0; n < 50; n++) await client.send('GET', `/api/v1/namespaces/default/made-up-${n}`)
  for (let n = 0; n < 2; n++) await client.send('POST', '/api/v1/namespaces', { metadata: { name: 'twice' } })
  for (let n = 0; n < 20; n++) await page('/metrics')
  const { status, text } = await page('/metrics')
  expect(status).toBe(200)
  expect(text).not.toContain('made-up')
  const names = text
    .split('\n')
    .flatMap((line) => (line.startsWith('#') || line === '' ? [] : [line.replace(/ \S+$/, '')]))
  expect(names.length).toBe(new Set(names).size)
  expect(text).toMatch(/apiserver_request_total\{verb="POST",.*resource="namespaces".*code="409"\} 1/)
})
