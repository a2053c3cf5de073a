// Watches over real sockets: beginnings, selectors, resuming, ends.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, configMap, namespaceFor, type Stream } from './client.ts'

let cluster: Cluster
let client: ApiClient

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

const collection = async (): Promise<string> => `/api/v1/namespaces/${await namespaceFor(client)}/configmaps`
const create = (path: string, name: string, labels?: Record<string, string>) =>
  client.ask('POST', path, { body: configMap(name, {}, labels) })
const label = (path: string, name: string, labels: Record<string, string | null>) =>
  client.ask('PATCH', `${path}/${name}`, { body: { metadata: { labels } }, headers: { 'content-type': 'application/merge-patch+json' } })

async function take(stream: Stream, count: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < count; i++) {
    const { type, object } = await stream.next()
    seen.push(`${type} ${object.metadata.name ?? ''}`.trim())
  }
  return seen
}

it('begins with what is there, and goes on with what comes', async () => {
  const path = await collection()
  await create(path, 'a')
  const stream = await client.watch(`${path}?watch=true`)
  await create(path, 'b')
  await client.ask('DELETE', `${path}/a`)
  expect(await take(stream, 3)).toEqual(['ADDED a', 'ADDED b', 'DELETED a'])
})

it('resumes after a version without a gap and without a repetition', async () => {
  const path = await collection()
  const { body } = await create(path, 'a')
  for (let i = 0; i < 50; i++) await label(path, 'a', { n: String(i) })
  const stream = await client.watch(`${path}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
  const writes = Array.from({ length: 20 }, (_, i) => create(path, `b-${i}`))
  const versions: number[] = []
  for (let i = 0; i < 70; i++) versions.push(Number((await stream.next()).object.metadata.resourceVersion))
  await Promise.all(writes)
  expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y))
})

it('shows objects that enter a selection and leave it', async () => {
  const path = await collection()
  await create(path, 'a', { in: 'no' })
  const stream = await client.watch(`${path}?watch=true&labelSelector=in%3Dyes`)
  await label(path, 'a', { in: 'yes' })
  await label(path, 'a', { other: 'x' })
  await label(path, 'a', { in: null })
  await label(path, 'a', { in: 'yes' })
  expect(await take(stream, 4)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a'])
})

it('streams the list first where asked, and says when it is over', async () => {
  const path = await collection()
  await create(path, 'a')
  await create(path, 'b')
  const stream = await client.watch(`${path}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`)
  expect(await take(stream, 2)).toEqual(['ADDED a', 'ADDED b'])
  const { type, object } = await stream.next()
  expect([type, object.metadata.annotations]).toEqual(['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }])
  await create(path, 'c')
  expect(await take(stream, 1)).toEqual(['ADDED c'])
})

it('refuses a version that is forgotten with an event of 410', async () => {
  const path = await collection()
  await create(path, 'a')
  const { type, object } = await (await client.watch(`${path}?watch=true&resourceVersion=1`)).next()
  expect([type, object.code, object.reason]).toEqual(['ERROR', 410, 'Expired'])
  expect(object.message).toMatch(/^too old resource version: 1 \(\d+\)$/)
})

it('ends when its time is over', async () => {
  const stream = await client.watch(`${await collection()}?watch=true&timeoutSeconds=1`)
  await expect(stream.next()).rejects.toThrow('ended')
})

it('ends cleanly when the server stops', async () => {
  const own = await startCluster()
  const watcher = new ApiClient(own)
  const stream = await watcher.watch('/api/v1/configmaps?watch=true&resourceVersion=0&labelSelector=none')
  const end = expect(stream.next()).rejects.toThrow('ended')
  await own.stop()
  await end
  watcher.close()
})
