// Two servers on one etcd: what one writes the other reads at once, nobody gives out an address twice, and clients may
// go from one to the other. Needs an etcd (see findEtcd); skips, saying so, where there is none.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from '../../src/cmd/cluster.ts'
import { isObject, type JsonObject } from '../../src/machinery/json.ts'
import { openEtcd } from '../../src/storage/etcd/storage.ts'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { Client, eventually, metadataOf, nameOf, versionOf } from './client.ts'

const binary = findEtcd()
if (binary === undefined) console.warn('no etcd found: replicas are not tested ($DINGHY_ETCD names one)')

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const SERVICES = '/api/v1/namespaces/default/services'
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses'

const configMap = (name: string, value: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
})

const service = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
})

const specOf = (object: JsonObject): JsonObject => (isObject(object['spec']) ? object['spec'] : {})
const dataOf = (object: JsonObject): JsonObject => (isObject(object['data']) ? object['data'] : {})
const itemsOf = (list: JsonObject): readonly JsonObject[] => (list['items'] ?? []) as JsonObject[]
const addressOf = (object: JsonObject): string => String(specOf(object)['clusterIP'])
const portsOf = (object: JsonObject): number[] =>
  (specOf(object)['ports'] as JsonObject[]).map((port) => Number(port['nodePort']))

interface Replica {
  readonly cluster: Cluster
  readonly client: Client
  stop(): Promise<void>
}

async function startReplica(etcd: EtcdServer, options: ClusterOptions = {}): Promise<Replica> {
  const cluster = await startCluster({ storage: { etcdServers: [etcd.url] }, ...options })
  const { url, caCert: ca, clientCert: cert, clientKey: key } = cluster
  const client = new Client({ url, ca, cert, key })
  const stop = async (): Promise<void> => {
    client.close()
    await cluster.stop()
  }
  return { cluster, client, stop }
}

/** Few enough that draws collide: 14 addresses, 12 ports. */
const NARROW: ClusterOptions = {
  serviceClusterIpRange: ['10.9.0.0/28'],
  serviceNodePortRange: [30000, 30011],
}

describe.skipIf(binary === undefined)('two replicas', { timeout: 300_000 }, () => {
  let etcd: EtcdServer
  let replicas: readonly [Replica, Replica]
  let a: Client
  let b: Client

  beforeAll(async () => {
    etcd = await startEtcd(binary as string)
    // At the same moment, on nothing: both make what must be there at start.
    replicas = await Promise.all([startReplica(etcd, NARROW), startReplica(etcd, NARROW)])
    ;[a, b] = [replicas[0].client, replicas[1].client]
  })
  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.stop()))
    await etcd?.stop()
  })

  it('shows at the other what was written at one', async () => {
    for (let i = 0; i < 30; i++) {
      const [writer, reader] = i % 2 ? [a, b] : [b, a]
      const name = `read-${i}`
      const written = await writer.post(CONFIG_MAPS, configMap(name, 'first'))
      expect(written.status).toBe(201)
      const [read, listed] = await Promise.all([
        reader.get(`${CONFIG_MAPS}/${name}`),
        reader.get(CONFIG_MAPS),
      ])
      expect(read.body).toEqual(written.body)
      expect(itemsOf(listed.body).map(nameOf)).toContain(name)
      expect(Number(versionOf(listed.body))).toBeGreaterThanOrEqual(Number(versionOf(written.body)))
      expect((await reader.delete(`${CONFIG_MAPS}/${name}`)).status).toBe(200)
      expect((await writer.get(`${CONFIG_MAPS}/${name}`)).status).toBe(404)
    }
  })

  it('lets exactly one update of each revision win', async () => {
    await a.post(CONFIG_MAPS, configMap('counter', '0'))
    const path = `${CONFIG_MAPS}/counter`
    const won: string[] = []
    const count = async (client: Client): Promise<void> => {
      for (let wins = 0; wins < 10;) {
        const { body } = await client.get(path)
        const next = { ...body, data: { value: String(Number(dataOf(body)['value']) + 1) } }
        const { status } = await client.put(path, next)
        expect([200, 409]).toContain(status)
        if (status !== 200) continue
        wins++
        won.push(versionOf(body))
      }
    }
    await Promise.all([count(a), count(b), count(a), count(b)])
    expect(new Set(won).size).toBe(40)
    expect(dataOf((await a.get(path)).body)['value']).toBe('40')
  })

  it('patches of both all count', async () => {
    await a.post(CONFIG_MAPS, configMap('patched', ''))
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    const answers = await Promise.all(
      keys.map((key, i) => (i % 2 ? a : b).patch(`${CONFIG_MAPS}/patched`, { data: { [key]: key } })),
    )
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200))
    expect(Object.keys(dataOf((await b.get(`${CONFIG_MAPS}/patched`)).body)).sort()).toEqual(
      ['value', ...keys].sort(),
    )
  })

  it('gives no cluster IP and no node port twice, and all there are', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `svc-${i}`)
    const answers = await Promise.all(
      names.map((name, i) => (i % 2 ? a : b).post(SERVICES, service(name, { type: 'NodePort' }))),
    )
    expect(answers.map(({ status, text }) => (status === 201 ? status : text))).toEqual(names.map(() => 201))
    expect(new Set(answers.map(({ body }) => addressOf(body))).size).toBe(12)
    expect(new Set(answers.flatMap(({ body }) => portsOf(body))).size).toBe(12)
    const full = await a.post(SERVICES, service('one-too-many', { type: 'NodePort' }))
    expect([full.status, full.text]).toEqual([500, expect.stringContaining('range is full')])

    const claimed = itemsOf((await b.get(ADDRESSES)).body).map(nameOf)
    const held = itemsOf((await b.get(SERVICES)).body).map(addressOf)
    expect(claimed.sort()).toEqual(held.sort())

    await Promise.all(names.map((name, i) => (i % 2 ? b : a).delete(`${SERVICES}/${name}`)))
    expect(itemsOf((await a.get(ADDRESSES)).body)).toHaveLength(1)
    const again = await Promise.all(
      names.map((name, i) => (i % 2 ? a : b).post(SERVICES, service(name, { type: 'NodePort' }))),
    )
    expect(again.map(({ status, text }) => (status === 201 ? status : text))).toEqual(names.map(() => 201))
    await Promise.all(names.map((name) => a.delete(`${SERVICES}/${name}`)))
  })

  it('lets one of two have the address, or the port, that both ask for', async () => {
    for (const wanted of [
      { clusterIP: '10.9.0.9' },
      { type: 'NodePort', ports: [{ port: 80, nodePort: 30005 }] },
    ]) {
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(
          [a, b, a, b].map((client, i) => client.post(SERVICES, service(`want-${i}`, wanted))),
        )
        expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422, 422])
        const refused = answers.find(({ status }) => status === 422)
        expect(refused?.text).toContain(
          'provided ' + ('clusterIP' in wanted ? 'IP' : 'port') + ' is already allocated',
        )
        await Promise.all(
          answers.flatMap(({ status }, i) => (status === 201 ? [b.delete(`${SERVICES}/want-${i}`)] : [])),
        )
      }
    }
  })

  it('gives back what an update lets go', async () => {
    const wanted = { type: 'NodePort', ports: [{ port: 80, nodePort: 30007 }] }
    await a.post(SERVICES, service('changing', wanted))
    const other = service('other', wanted)
    expect((await b.post(SERVICES, other)).status).toBe(422)
    expect((await b.patch(`${SERVICES}/changing`, { spec: { type: 'ClusterIP' } })).status).toBe(200)
    expect((await a.post(SERVICES, other)).status).toBe(201)
    await Promise.all(['changing', 'other'].map((name) => a.delete(`${SERVICES}/${name}`)))
  })

  it('claims nothing for a dry run', async () => {
    const before = (await a.get(ADDRESSES)).body
    expect((await b.post(`${SERVICES}?dryRun=All`, service('dry', { type: 'NodePort' }))).status).toBe(201)
    expect(itemsOf((await a.get(ADDRESSES)).body)).toEqual(itemsOf(before))
  })

  it('goes on with a watch at the other when one stops', async () => {
    const third = await startReplica(etcd)
    const start = versionOf((await third.client.get(CONFIG_MAPS)).body)
    const first = await third.client.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${start}`)
    const expected: string[] = []
    const write = async (client: Client, i: number): Promise<void> => {
      const { body } = await client.post(CONFIG_MAPS, configMap(`seen-${i}`, String(i)))
      expected.push(`ADDED seen-${i}@${versionOf(body)}`)
    }
    for (let i = 0; i < 10; i++) await write(i % 2 ? a : b, i)
    await first.until((w) => w.story().length >= 5)
    const seen = first.story()
    await Promise.all([
      third.stop(),
      (async () => {
        for (let i = 10; i < 20; i++) await write(i % 2 ? a : b, i)
      })(),
    ])
    await first.until((w) => w.ended)
    const all = first.story()
    expect(all.slice(0, seen.length)).toEqual(seen)
    const last = all[all.length - 1]?.split('@')[1]
    const second = await a.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${last}`)
    await second.until((w) => all.length + w.story().length >= 20)
    expect([...all, ...second.story()]).toEqual(expected)
    second.close()
  })

  it('keeps watches over a compaction, and refuses what is forgotten', async () => {
    const old = versionOf((await a.post(CONFIG_MAPS, configMap('before', '1'))).body)
    const watch = await b.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${old}`)
    const written = await a.post(CONFIG_MAPS, configMap('between', '1'))
    const storage = await openEtcd({ servers: [etcd.url] })
    await storage.compact(await storage.currentRevision())
    await storage.close()
    const after = await a.post(CONFIG_MAPS, configMap('after', '1'))
    await watch.until((w) => w.story().length >= 2)
    expect(watch.story()).toEqual([
      `ADDED between@${versionOf(written.body)}`,
      `ADDED after@${versionOf(after.body)}`,
    ])
    watch.close()

    const late = await startReplica(etcd)
    try {
      const gone = await late.client.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${old}`)
      await gone.until((w) => w.events.length > 0)
      expect(gone.events[0]).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
      gone.close()
      const exact = `${CONFIG_MAPS}?resourceVersion=${old}&resourceVersionMatch=Exact`
      expect((await late.client.get(exact)).status).toBe(410)
    } finally {
      await late.stop()
    }
  })

  it('is not ready without etcd, and goes on when it is back', async () => {
    const start = versionOf((await a.get(CONFIG_MAPS)).body)
    const watch = await a.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${start}`)
    await etcd.kill()
    await eventually(
      () => a.get('/readyz'),
      ({ status, text }) => status === 500 && text.includes('[-]etcd failed'),
    )
    expect((await a.get('/livez/ping')).status).toBe(200)
    const [write, read, first] = await Promise.all([
      a.post(`${CONFIG_MAPS}?timeout=1s`, configMap('lost', '1')),
      a.get(`${CONFIG_MAPS}/before?timeout=1s`),
      // A kind whose objects nobody has read so far.
      a.get('/apis/node.k8s.io/v1/runtimeclasses?timeout=1s'),
    ])
    for (const { status } of [write, read, first]) expect(status).toBe(504)
    await etcd.start()
    await Promise.all(
      [a, b].map((client) =>
        eventually(
          () => client.get('/readyz'),
          ({ status }) => status === 200,
        ),
      ),
    )
    expect((await a.get('/apis/node.k8s.io/v1/runtimeclasses')).status).toBe(200)
    // Who was told that it took too long was told so for good.
    expect((await a.get(`${CONFIG_MAPS}/lost`)).status).toBe(404)
    const back = await b.post(CONFIG_MAPS, configMap('back', '1'))
    expect(back.status).toBe(201)
    await watch.until((w) => w.story().length >= 1)
    expect(watch.story()).toEqual([`ADDED back@${versionOf(back.body)}`])
    expect(metadataOf((await a.get(`${CONFIG_MAPS}/back`)).body)['uid']).toBe(metadataOf(back.body)['uid'])
    watch.close()
  })
})
