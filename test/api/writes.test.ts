// Writes over real sockets: concurrency, dry runs, finalizers, generated names, both protocols.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, configMap, namespaceFor } from './client.ts'

let cluster: Cluster
let client: ApiClient
let path: string

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
  path = `/api/v1/namespaces/${await namespaceFor(client)}/configmaps`
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

const merge = { 'content-type': 'application/merge-patch+json' }

it('all of many patches to one object take effect', async () => {
  await client.ask('POST', path, { body: configMap('busy') })
  const patches = Array.from({ length: 60 }, (_, i) =>
    client.ask('PATCH', `${path}/busy`, { body: { data: { [`k${i}`]: 'v' } }, headers: merge }),
  )
  expect(new Set((await Promise.all(patches)).map((reply) => reply.status))).toEqual(new Set([200]))
  const { body } = await client.ask('GET', `${path}/busy`)
  expect(Object.keys(body.data)).toHaveLength(60)
})

it('of many updates from one version one wins', async () => {
  const { body } = await client.ask('POST', path, { body: configMap('raced') })
  const updates = Array.from({ length: 20 }, (_, i) => client.ask('PUT', `${path}/raced`, { body: { ...body, data: { winner: String(i) } } }))
  const codes = (await Promise.all(updates)).map((reply) => reply.status).sort()
  expect(codes).toEqual([200, ...Array<number>(19).fill(409)])
})

it('of many creates of one name one wins', async () => {
  const creates = Array.from({ length: 20 }, () => client.ask('POST', path, { body: configMap('once') }))
  const codes = (await Promise.all(creates)).map((reply) => reply.status).sort()
  expect(codes).toEqual([201, ...Array<number>(19).fill(409)])
})

it('dry runs answer as the write would, and leave nothing', async () => {
  const made = await client.ask('POST', `${path}?dryRun=All`, { body: configMap('dry') })
  expect([made.status, made.body.metadata.resourceVersion, typeof made.body.metadata.uid]).toEqual([201, undefined, 'string'])
  expect((await client.ask('GET', `${path}/dry`)).status).toBe(404)
})

it('a write that changes nothing keeps its version', async () => {
  const { body } = await client.ask('POST', path, { body: configMap('same', { a: '1' }) })
  const again = await client.ask('PATCH', `${path}/same`, { body: { data: { a: '1' } }, headers: merge })
  expect(again.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion)
})

it('finalizers hold an object that is deleted until the last is gone', async () => {
  const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/x'] } }
  await client.ask('POST', path, { body: held })
  const marked = await client.ask('DELETE', `${path}/held`)
  expect(marked.body.metadata.deletionTimestamp).toBeDefined()
  const added = await client.ask('PATCH', `${path}/held`, { body: { metadata: { finalizers: ['example.com/x', 'example.com/y'] } }, headers: merge })
  expect([added.status, added.body.reason]).toEqual([422, 'Invalid'])
  expect((await client.ask('PATCH', `${path}/held`, { body: { metadata: { finalizers: null } }, headers: merge })).status).toBe(200)
  expect((await client.ask('GET', `${path}/held`)).status).toBe(404)
})

it('generated names differ', async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } }
  const made = await Promise.all(Array.from({ length: 30 }, () => client.ask('POST', path, { body })))
  expect(new Set(made.map((reply) => reply.body.metadata.name as string)).size).toBe(30)
})

it('the older protocol does the same', async () => {
  const headers = { 'content-type': 'application/json' }
  const made = await client.ask1('POST', path, { body: configMap('one'), headers })
  const read = await client.ask1('GET', `${path}/one`)
  expect([made.status, read.status, read.body.metadata.uid]).toEqual([201, 200, made.body.metadata.uid])
  expect((await client.ask1('DELETE', `${path}/one`)).body.status).toBe('Success')
})

it('bodies beyond 3 MiB are refused, and the connection goes on', async () => {
  const huge = await client.ask('POST', path, { body: configMap('huge', { k: 'x'.repeat(3 * 1024 * 1024) }) })
  expect([huge.status, huge.body.reason]).toEqual([413, 'RequestEntityTooLarge'])
  expect((await client.ask('GET', '/version')).status).toBe(200)
})
