// What fits into a namespace's quotas, in upstream's words, and that requests at once cannot take more together.
import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { conflict } from '../machinery/status.ts'
import { attributesOf, FakeLister, type Write } from './fixture.ts'
import { limitedResources } from './limitedresources.ts'
import { ResourceQuota } from './resourcequota.ts'

type Amounts = Record<string, string>

/** A store of quotas that swaps by their versions, slowly. */
class Store extends FakeLister implements Lister {
  readonly quotas = new Map<string, KubeObject>()
  writes = 0
  /** Others' writes that come in between. */
  losses = 0

  quota(name: string, hard: Amounts, used: Amounts, spec: JsonObject = {}): void {
    const metadata = { name, namespace: 'ns', resourceVersion: '1' }
    this.quotas.set(name, { metadata, spec: { hard, ...spec }, status: { hard, used } })
  }

  override list(): readonly KubeObject[] {
    return [...this.quotas.values()]
  }

  used(name: string): Amounts {
    return (this.quotas.get(name)?.status as { used: Amounts }).used
  }

  async write(quota: KubeObject): Promise<void> {
    await new Promise(setImmediate)
    const { name = '', resourceVersion = '' } = quota.metadata
    const current = this.quotas.get(name)?.metadata.resourceVersion
    if (this.losses-- > 0 || current !== resourceVersion) {
      throw conflict({ group: '', resource: 'resourcequotas' }, name, 'lost')
    }
    this.writes++
    const metadata = { ...quota.metadata, resourceVersion: String(Number(resourceVersion) + 1) }
    this.quotas.set(name, { ...quota, metadata })
  }
}

let store: Store
let plugin: ResourceQuota
beforeEach(() => {
  store = new Store()
  plugin = new ResourceQuota((quota) => store.write(quota))
})

const ask = async (write: Write, more: object = {}): Promise<void> => {
  const attributes = { ...attributesOf(write), ...more }
  expect(plugin.handles(attributes)).toBe(true)
  await plugin.validate(attributes, store)
}
const pod = (requests: Amounts = {}, limits: Amounts = {}, spec: JsonObject = {}): JsonObject => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources: { requests, limits } }], ...spec },
})

describe('ResourceQuota', () => {
  it('costs nothing where there is no quota', () => {
    expect(plugin.validate(attributesOf({ object: pod() }), store)).toBeUndefined()
  })

  it.each([
    ['CREATE', 'events', '', false],
    ['CREATE', 'localsubjectaccessreviews.authorization.k8s.io', '', false],
    ['CREATE', 'deployments.apps', '', true],
    ['UPDATE', 'deployments.apps', '', false],
    ['UPDATE', 'pods', 'status', false],
    ['UPDATE', 'pods', 'resize', true],
    ['UPDATE', 'persistentvolumeclaims', 'status', true],
    ['CREATE', 'nodes', '', false],
  ] as const)('looks at %s of %s/%s: %s', (operation, resource, subresource, looks) => {
    expect(plugin.handles(attributesOf({ operation, resource, subresource }))).toBe(looks)
  })

  it('reserves what fits, and says what does not', async () => {
    const hard = { 'requests.cpu': '1', pods: '5', 'count/pods': '5' }
    store.quota('q', hard, { 'requests.cpu': '300m', pods: '1', 'count/pods': '1' })
    await ask({ object: pod({ cpu: '600m' }) })
    expect(store.used('q')).toEqual({ 'requests.cpu': '900m', pods: '2', 'count/pods': '2' })
    const why =
      'exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1'
    await expect(ask({ object: pod({ cpu: '200m' }) })).rejects.toThrow(`pods "p" is forbidden: ${why}`)
    expect(store.writes).toBe(1)
  })

  it('checks a dry run, but reserves nothing', async () => {
    store.quota('q', { secrets: '1' }, { secrets: '0' })
    const secret = { resource: 'secrets', object: { metadata: { name: 's' } } }
    await ask(secret, { dryRun: true })
    await ask(secret)
    await expect(ask(secret, { dryRun: true })).rejects.toThrow('exceeded quota')
    expect(store.writes).toBe(1)
  })

  it('demands of containers what a quota of cpu or memory counts', async () => {
    store.quota('q', { 'limits.cpu': '1', memory: '1Gi' }, { 'limits.cpu': '0', memory: '0' })
    const init = { initContainers: [{ name: 'b', resources: { requests: { memory: '1' } } }] }
    const why = 'failed quota: q: must specify limits.cpu for: b,c; memory for: c'
    await expect(ask({ object: pod({}, {}, init) })).rejects.toThrow(why)
    await ask({ object: pod({}, {}, { ...init, resources: { requests: { cpu: '1' } } }) })
  })

  it('waits for the first count', async () => {
    store.quota('q', { secrets: '1', 'count/secrets': '1' }, { secrets: '0' })
    const why = 'status unknown for quota: q, resources: count/secrets,secrets'
    await expect(ask({ resource: 'secrets', object: { metadata: { name: 's' } } })).rejects.toThrow(why)
  })

  it('charges only what a quota’s scopes hold', async () => {
    store.quota('best', { pods: '0' }, { pods: '0' }, { scopes: ['BestEffort'] })
    const matchExpressions = [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }]
    store.quota('high', { pods: '0' }, { pods: '0' }, { scopeSelector: { matchExpressions } })
    await ask({ object: pod({ cpu: '1' }) })
    await expect(ask({ object: pod({ cpu: '0' }) })).rejects.toThrow('exceeded quota: best')
    const high = pod({ cpu: '1' }, {}, { priorityClassName: 'high' })
    await expect(ask({ object: high })).rejects.toThrow('exceeded quota: high')
  })

  it('charges an update for its growth, and gives nothing back', async () => {
    const service = (type: string, ports: number): JsonObject => ({
      metadata: { name: 's', resourceVersion: '1' },
      spec: { type, ports: Array.from({ length: ports }, (_, i) => ({ port: i + 1 })) },
    })
    store.quota(
      'q',
      { services: '1', 'services.nodeports': '2' },
      { services: '1', 'services.nodeports': '1' },
    )
    const update = (old: JsonObject, object: JsonObject): Promise<void> =>
      ask({ operation: 'UPDATE', resource: 'services', old, object })
    await update(service('NodePort', 1), service('NodePort', 2))
    expect(store.used('q')).toEqual({ services: '1', 'services.nodeports': '2' })
    await update(service('NodePort', 2), service('ClusterIP', 2))
    expect(store.used('q')).toEqual({ services: '1', 'services.nodeports': '2' })
    await expect(update(service('ClusterIP', 1), service('NodePort', 1))).rejects.toThrow('exceeded quota')
  })

  it('lets no more in than fit, however many ask at once, with few writes', async () => {
    store.quota('q', { pods: '10' }, { pods: '0' })
    store.quota('other', { 'count/pods': '1k' }, { 'count/pods': '0' })
    const asked = Array.from({ length: 100 }, () => ask({ object: pod() }))
    const results = await Promise.allSettled(asked)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(store.used('q')).toEqual({ pods: '10' })
    expect(store.used('other')).toEqual({ 'count/pods': '10' })
    expect(store.writes).toBeLessThan(8)
  })

  it('tries again when others wrote the quota, four times in all', async () => {
    store.quota('q', { pods: '10' }, { pods: '0' })
    store.losses = 3
    await ask({ object: pod() })
    expect(store.used('q')).toEqual({ pods: '1' })
    store.losses = 4
    await expect(ask({ object: pod() })).rejects.toMatchObject({ status: { reason: 'Conflict' } })
    expect(store.used('q')).toEqual({ pods: '1' })
  })
})

describe('what only quotas let anybody use', () => {
  const limited = (...resources: JsonObject[]) => ({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'ResourceQuotaConfiguration',
    limitedResources: resources,
  })
  const use = (configuration: JsonObject): void => {
    plugin = new ResourceQuota((quota) => store.write(quota), Date.now, limitedResources(configuration))
  }
  const SCOPE = { scopeName: 'PriorityClass', operator: 'In', values: ['high'] }

  it('by its name: any quota that counts it will do', async () => {
    use(limited({ resource: 'pods', matchContains: ['requests.cpu'] }))
    const why = 'pods "p" is forbidden: insufficient quota to consume: requests.cpu'
    await expect(ask({ object: pod({ cpu: '1' }) })).rejects.toThrow(why)
    await ask({ object: pod() })
    await ask({ resource: 'secrets', object: { metadata: { name: 's' } } })
    store.quota('other', { pods: '9' }, { pods: '0' })
    await expect(ask({ object: pod({ cpu: '1' }) })).rejects.toThrow(why)
    store.quota('q', { 'requests.cpu': '2' }, { 'requests.cpu': '0' })
    await ask({ object: pod({ cpu: '1' }) })
    expect(store.used('q')).toEqual({ 'requests.cpu': '1' })
  })

  it('by its scope: a quota of that scope has to be there', async () => {
    use(limited({ resource: 'pods', matchScopes: [SCOPE] }))
    const high = { object: pod({ cpu: '1' }, {}, { priorityClassName: 'high' }) }
    const message = 'insufficient quota to match these scopes: [{PriorityClass In [high]}]'
    await expect(ask(high)).rejects.toMatchObject({ code: 500, message })
    await ask({ object: pod({ cpu: '1' }, {}, { priorityClassName: 'low' }) })
    store.quota('q', { pods: '9' }, { pods: '0' }, { scopeSelector: { matchExpressions: [SCOPE] } })
    await ask(high)
  })

  it.each([
    [{ kind: 'Other' }, 'no ResourceQuotaConfiguration'],
    [limited({ matchContains: ['x'] }), 'limitedResources[0].resource: Required value'],
    [limited({ resource: 'pods', more: 1 }), 'unknown field "limitedResources[0].more"'],
  ])('%j cannot be told to it', (configuration, why) => {
    expect(() => limitedResources(configuration)).toThrow(why)
  })
})
