// Lists over real sockets: pages at one snapshot, versions, encodings, compression.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gunzipSync } from 'node:zlib'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, configMap, namespaceFor } from './client.ts'

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

async function filled(count: number): Promise<string> {
  const path = `/api/v1/namespaces/${await namespaceFor(client)}/configmaps`
  const names = Array.from({ length: count }, (_, i) => `c-${String(i).padStart(3, '0')}`)
  await Promise.all(names.map((name) => client.ask('POST', path, { body: configMap(name, { k: '1' }, { even: String(Number(name.slice(2)) % 2 === 0) }) })))
  return path
}

const namesOf = (list: { items: { metadata: { name: string } }[] }): string[] => list.items.map((item) => item.metadata.name)

it('pages show one snapshot, whatever is written meanwhile', async () => {
  const path = await filled(25)
  const names: string[] = []
  let token = ''
  let version = ''
  const remaining = [] as (number | undefined)[]
  do {
    const { body } = await client.ask('GET', `${path}?limit=10&continue=${token}`)
    names.push(...namesOf(body))
    if (version) expect(body.metadata.resourceVersion).toBe(version)
    version = body.metadata.resourceVersion
    remaining.push(body.metadata.remainingItemCount)
    token = body.metadata.continue ?? ''
    await client.ask('POST', path, { body: configMap(`c-0${names.length}x`) })
    await client.ask('DELETE', `${path}/c-024`)
  } while (token)
  expect(names).toHaveLength(25)
  expect(names).toEqual([...names].sort())
  expect(names).toContain('c-024')
  expect(remaining).toEqual([15, 5, undefined])
})

it('selectors hold across pages, without a count of what remains', async () => {
  const path = await filled(20)
  const first = await client.ask('GET', `${path}?limit=4&labelSelector=even%3Dtrue`)
  expect(first.body.items).toHaveLength(4)
  expect(first.body.metadata.remainingItemCount).toBeUndefined()
  const rest = await client.ask('GET', `${path}?labelSelector=even%3Dtrue&continue=${first.body.metadata.continue}`)
  expect([...namesOf(first.body), ...namesOf(rest.body)]).toEqual(Array.from({ length: 10 }, (_, i) => `c-${String(i * 2).padStart(3, '0')}`))
})

it('an exact version shows the past, a version to come is waited for and then refused', async () => {
  const path = await filled(3)
  const { body } = await client.ask('GET', path)
  await client.ask('DELETE', `${path}/c-001`)
  const past = await client.ask('GET', `${path}?resourceVersion=${body.metadata.resourceVersion}&resourceVersionMatch=Exact`)
  expect(namesOf(past.body)).toEqual(['c-000', 'c-001', 'c-002'])
  const future = await client.ask('GET', `${path}?resourceVersion=99999999`)
  expect([future.status, future.body.reason, future.body.details.causes[0].reason]).toEqual([504, 'Timeout', 'ResourceVersionTooLarge'])
})

it('items of a list come without kind, in the bytes of upstream’s order', async () => {
  const path = await filled(1)
  const { bytes } = await client.ask('GET', path)
  expect(bytes.toString()).toMatch(
    /^\{"kind":"ConfigMapList","apiVersion":"v1","metadata":\{"resourceVersion":"\d+"\},"items":\[\{"metadata":\{"name":"c-000","namespace":"t-\w+","uid":"[-\w]+","resourceVersion":"\d+","creationTimestamp":/,
  )
  expect(bytes.toString().endsWith(']}\n')).toBe(true)
})

it('large answers are compressed for those who take it, on both protocols', async () => {
  const path = `/api/v1/namespaces/${await namespaceFor(client)}/configmaps`
  await client.ask('POST', path, { body: configMap('large', { k: 'x'.repeat(300_000) }) })
  for (const ask of [client.ask.bind(client), client.ask1.bind(client)]) {
    const { headers, bytes } = await ask('GET', path, { headers: { 'accept-encoding': 'gzip' } })
    expect(headers['content-encoding']).toBe('gzip')
    expect(JSON.parse(gunzipSync(bytes).toString()).items[0].data.k).toHaveLength(300_000)
    const small = await ask('GET', `${path}?limit=0&labelSelector=a%3Db`, { headers: { 'accept-encoding': 'gzip' } })
    expect(small.body.items).toEqual([])
  }
})

it('answers alike in JSON, YAML and protobuf, pretty where asked', async () => {
  const path = await filled(2)
  const yaml = await client.ask('GET', path, { headers: { accept: 'application/yaml' } })
  expect([yaml.headers['content-type'], yaml.bytes.toString().split('\n')[0]]).toEqual(['application/yaml', 'apiVersion: v1'])
  const protobuf = await client.ask('GET', path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })
  expect(protobuf.headers['content-type']).toBe('application/vnd.kubernetes.protobuf')
  expect(protobuf.bytes.subarray(0, 4).toString('latin1')).toBe('k8s\0')
  const pretty = await client.ask('GET', `${path}?pretty=true`)
  expect(pretty.bytes.toString()).toBe(JSON.stringify(pretty.body, null, 2))
})

it('metadata alone, and tables', async () => {
  const path = await filled(2)
  const partial = await client.ask('GET', path, { headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } })
  expect(partial.body.kind).toBe('PartialObjectMetadataList')
  expect(Object.keys(partial.body.items[0])).toEqual(['kind', 'apiVersion', 'metadata'])
  const table = await client.ask('GET', path, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } })
  expect(table.body.rows.map((row: { cells: unknown[] }) => row.cells.slice(0, 2))).toEqual([
    ['c-000', 1],
    ['c-001', 1],
  ])
})

it('ends continue tokens when the history is compacted, and gives one that goes on at the present', async () => {
  const compacting = await startCluster({ etcdCompactionIntervalMs: 100 })
  const asking = new ApiClient(compacting)
  try {
    const path = `/api/v1/namespaces/${await namespaceFor(asking)}/configmaps`
    for (const name of ['a', 'b', 'c']) await asking.ask('POST', path, { body: configMap(name, {}) })
    const first = await asking.ask('GET', `${path}?limit=1`)
    await asking.ask('POST', path, { body: configMap('d', {}) })
    const next = async (): Promise<number> =>
      (await asking.ask('GET', `${path}?limit=1&continue=${first.body.metadata.continue}`)).status
    await expect.poll(next).toBe(410)
    const { body } = await asking.ask('GET', `${path}?continue=${first.body.metadata.continue}`)
    expect(body.reason).toBe('Expired')
    const rest = await asking.ask('GET', `${path}?continue=${body.metadata.continue}`)
    expect(namesOf(rest.body)).toEqual(['b', 'c', 'd'])
  } finally {
    asking.close()
    await compacting.stop()
  }
})

it('give whoever takes any state all of it at once', async () => {
  const path = await filled(5)
  const { body } = await client.ask('GET', `${path}?limit=2&resourceVersion=0`)
  expect(body.items.length).toBeGreaterThan(2)
  expect(body.metadata.continue).toBeUndefined()
})
