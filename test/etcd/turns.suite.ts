// Writes of this server and of upstream's on the same objects, in turn and at once: part of upstream.test.ts.
import { expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../src/machinery/json.ts'
import { type Client, eventually, metadataOf, nameOf, versionOf } from './client.ts'
import { both, itemsOf, type Together } from './together.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const SERVICES = '/api/v1/namespaces/default/services'
const EVENTS = '/api/v1/namespaces/default/events'
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses'

const configMap = (name: string, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data: { value: '0' },
})

const specOf = (object: JsonObject): JsonObject => (isObject(object['spec']) ? object['spec'] : {})

/** `together` is called within tests only. */
export function takingTurns(together: () => Together): void {
  it('updates in turn by revision, and answers stale ones alike', async () => {
    const { ours, theirs } = together()
    const path = `${CONFIG_MAPS}/turns`
    let { body } = await ours.post(CONFIG_MAPS, configMap('turns'))
    for (let i = 1; i <= 10; i++) {
      const [writer, other] = i % 2 ? [theirs, ours] : [ours, theirs]
      const stale = body
      const written = await writer.put(path, { ...body, data: { value: String(i) } })
      expect(written.status, written.text).toBe(200)
      body = written.body
      expect(Number(versionOf(body))).toBeGreaterThan(Number(versionOf(stale)))
      expect((await other.get(path)).body).toEqual(body)
      const refused = await Promise.all([ours, theirs].map((client) => client.put(path, stale)))
      expect(refused[0]).toEqual(refused[1])
      expect(refused[0]?.status).toBe(409)
    }
    const patches = Array.from({ length: 10 }, (_, i) =>
      (i % 2 ? ours : theirs).patch(path, { data: { [`k${i}`]: 'v' } }),
    )
    for (const { status } of await Promise.all(patches)) expect(status).toBe(200)
    const [a, b] = await both(together(), path)
    expect(a).toEqual(b)
    expect(Object.keys(a['data'] as JsonObject)).toHaveLength(11)
  })

  it('leaves alone what upstream stored when an update changes nothing', async () => {
    const { ours, theirs } = together()
    const { body } = await theirs.post(CONFIG_MAPS, configMap('same'))
    const again = await ours.put(`${CONFIG_MAPS}/same`, body)
    expect(again.body).toEqual(body)
  })

  it('tells watchers of either the changes of both, in order', async () => {
    const { ours, theirs } = together()
    const start = versionOf((await ours.get(CONFIG_MAPS)).body)
    const path = `${CONFIG_MAPS}?watch=1&resourceVersion=${start}`
    const watches = await Promise.all([ours.watch(path), theirs.watch(path)])
    const steps = async (client: Client, name: string): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await client.post(CONFIG_MAPS, configMap(`${name}-${i}`))
        await client.patch(`${CONFIG_MAPS}/${name}-${i}`, { data: { value: '1' } })
        await client.delete(`${CONFIG_MAPS}/${name}-${i}`)
      }
    }
    await Promise.all([steps(ours, 'o'), steps(theirs, 't')])
    for (const watch of watches) await watch.until((w) => w.story().length >= 30)
    const [a, b] = watches
    expect(a?.events).toEqual(b?.events)
    const revisions = a?.events.map(({ object }) => Number(versionOf(object))) ?? []
    expect(revisions).toEqual([...revisions].sort((x, y) => x - y))
    for (const watch of watches) watch.close()
  })

  it('waits for finalizers, whoever deletes and whoever lets go', async () => {
    const { ours, theirs } = together()
    for (const [one, other, name] of [
      [ours, theirs, 'final-1'],
      [theirs, ours, 'final-2'],
    ] as const) {
      const path = `${CONFIG_MAPS}/${name}`
      await one.post(CONFIG_MAPS, configMap(name, { finalizers: ['example.com/hold'] }))
      expect((await other.delete(path)).status).toBe(200)
      const [a, b] = await both(together(), path)
      expect(a).toEqual(b)
      expect(metadataOf(a)['deletionTimestamp']).toBeDefined()
      expect((await one.patch(path, { metadata: { finalizers: null } })).status).toBe(200)
      for (const client of [ours, theirs]) expect((await client.get(path)).status).toBe(404)
    }
  })

  it('gives no cluster IP and no node port that the other gave', async () => {
    const { ours, theirs } = together()
    const service = (name: string, spec: JsonObject): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type: 'NodePort', ports: [{ port: 80 }], ...spec },
    })
    const made: JsonObject[] = []
    for (let i = 0; i < 10; i++) {
      const answer = await (i % 2 ? ours : theirs).post(SERVICES, service(`shared-${i}`, {}))
      expect(answer.status, answer.text).toBe(201)
      made.push(answer.body)
    }
    const addresses = made.map((object) => String(specOf(object)['clusterIP']))
    expect(new Set(addresses).size).toBe(10)
    const claimed = itemsOf((await both(together(), ADDRESSES))[1]).map(nameOf)
    expect(claimed).toEqual(expect.arrayContaining(addresses))
    for (const i of [0, 1]) {
      const { clusterIP, ports } = specOf(made[i] as JsonObject) as { clusterIP: string; ports: JsonObject[] }
      const nodePort = (ports[0] as JsonObject)['nodePort'] as number
      for (const wanted of [{ clusterIP }, { ports: [{ port: 80, nodePort }] }]) {
        const refused = await Promise.all(
          [ours, theirs].map((c) => c.post(SERVICES, service('wanted', wanted))),
        )
        expect(refused[0]).toEqual(refused[1])
        expect(refused[0]?.status).toBe(422)
      }
      // Deleted by the other, wanted by both one after the other.
      expect((await (i ? theirs : ours).delete(`${SERVICES}/shared-${i}`)).status).toBe(200)
      for (const client of [ours, theirs]) {
        const again = service('wanted', { clusterIP, ports: [{ port: 80, nodePort }] })
        const taken = await eventually(
          () => client.post(SERVICES, again),
          ({ status }) => status === 201,
        )
        expect(specOf(taken.body)['clusterIP']).toBe(clusterIP)
        expect((await client.delete(`${SERVICES}/wanted`)).status).toBe(200)
      }
    }
  })

  it('lets events expire that either wrote', async () => {
    const { ours, theirs } = together()
    const start = versionOf((await ours.get(EVENTS)).body)
    const watches = await Promise.all(
      [ours, theirs].map((client) => client.watch(`${EVENTS}?watch=1&resourceVersion=${start}`)),
    )
    for (const [client, name] of [
      [ours, 'brief-1'],
      [theirs, 'brief-2'],
    ] as const) {
      const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' }
      const event = { apiVersion: 'v1', kind: 'Event', metadata: { name }, involvedObject, reason: 'R' }
      expect((await client.post(EVENTS, event)).status).toBe(201)
    }
    for (const watch of watches) {
      const gone = ({ events }: typeof watch): number =>
        events.filter(({ type, object }) => type === 'DELETED' && nameOf(object).startsWith('brief')).length
      await watch.until((w) => gone(w) === 2)
      watch.close()
    }
    for (const client of [ours, theirs]) {
      for (const name of ['brief-1', 'brief-2'])
        expect((await client.get(`${EVENTS}/${name}`)).status).toBe(404)
    }
  })
}
