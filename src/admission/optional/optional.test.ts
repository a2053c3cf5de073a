// The plugins that are off by default.
import { beforeEach, describe, expect, it } from 'vitest'
import type { AuthorizationAttributes } from '../../machinery/attributes.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { attributesOf, FakeLister, type Write } from '../fixture.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import type { Pod } from '../shapes.ts'
import { AlwaysDeny } from './always.ts'
import { AlwaysPullImages } from './alwayspullimages.ts'
import { DenyServiceExternalIPs } from './denyserviceexternalips.ts'
import { EventRateLimit } from './eventratelimit.ts'
import { ExtendedResourceToleration } from './extendedresourcetoleration.ts'
import { LimitPodHardAntiAffinityTopology } from './limitpodhardantiaffinitytopology.ts'
import { NamespaceAutoProvision, NamespaceExists } from './namespaces.ts'
import { OwnerReferencesPermissionEnforcement } from './ownerreferencespermissionenforcement.ts'
import { PodNodeSelector } from './podnodeselector.ts'
import { PodTolerationRestriction } from './podtolerationrestriction.ts'

let lister: FakeLister
beforeEach(() => {
  lister = new FakeLister()
})
const namespace = (annotations: Record<string, string> = {}): void =>
  lister.put('namespaces', { metadata: { name: 'ns', annotations } })
const pod = (spec: JsonObject = {}): JsonObject => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i', imagePullPolicy: 'Never' }], ...spec },
})

/** The object as both rounds leave it. */
async function pass(plugin: AdmissionPlugin, write: Write): Promise<Pod> {
  const attributes = attributesOf(write)
  expect(plugin.handles(attributes)).toBe(true)
  await plugin.admit?.(attributes, lister)
  await plugin.validate?.(attributes, lister)
  return attributes.object as Pod
}

describe('AlwaysPullImages', () => {
  const plugin = new AlwaysPullImages()
  it('has every image pulled', async () => {
    const volumes = [{ name: 'v', image: { reference: 'r', pullPolicy: 'Never' } }]
    const { spec } = await pass(plugin, { object: pod({ volumes }) })
    expect(spec.containers).toMatchObject([{ imagePullPolicy: 'Always' }])
    expect(spec.volumes).toMatchObject([{ image: { pullPolicy: 'Always' } }])
  })
  it('leaves updates without new images alone', async () => {
    const { spec } = await pass(plugin, { operation: 'UPDATE', object: pod(), old: pod() })
    expect(spec.containers).toMatchObject([{ imagePullPolicy: 'Never' }])
  })
  it('refuses what was changed after it', () => {
    const why = 'spec.containers[0].imagePullPolicy: Unsupported value: "Never": supported values: "Always"'
    expect(() => plugin.validate(attributesOf({ object: pod() }))).toThrow(`pods "p" is forbidden: ${why}`)
  })
})

describe('PodNodeSelector', () => {
  const selectors = { clusterDefaultNodeSelector: 'zone=a', ns: 'zone=a,env=test' }
  const plugin = new PodNodeSelector({ podNodeSelectorPluginConfig: selectors })
  it('takes the default over', async () => {
    namespace()
    const { spec } = await pass(plugin, { object: pod({ nodeSelector: { env: 'test' } }) })
    expect(spec.nodeSelector).toEqual({ zone: 'a', env: 'test' })
  })
  it.each([
    [{ zone: 'b' }, 'pod node label selector conflicts with its namespace node label selector'],
    [{ other: 'b' }, 'pod node label selector labels conflict with its namespace whitelist'],
  ])('refuses %j', async (nodeSelector, why) => {
    namespace()
    await expect(pass(plugin, { object: pod({ nodeSelector }) })).rejects.toThrow(
      `pods "p" is forbidden: ${why}`,
    )
  })
  it('reads the annotation, and says what it cannot be', async () => {
    namespace({ 'scheduler.alpha.kubernetes.io/node-selector': 'env=x, zone=q' })
    const { spec } = await pass(new PodNodeSelector(), { object: pod() })
    expect(spec.nodeSelector).toEqual({ env: 'x', zone: 'q' })
    lister = new FakeLister()
    namespace({ 'scheduler.alpha.kubernetes.io/node-selector': 'env' })
    await expect(pass(plugin, { object: pod() })).rejects.toThrow('invalid selector: [env]')
  })
})

describe('PodTolerationRestriction', () => {
  const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
  const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
  const any = (key: string) => ({ key, operator: 'Exists' })
  it('gives the namespace’s tolerations, or the cluster’s', async () => {
    const plugin = new PodTolerationRestriction({ default: [any('d')] })
    namespace()
    expect((await pass(plugin, { object: pod() })).spec.tolerations).toEqual([any('d')])
    lister = new FakeLister()
    namespace({ [DEFAULTS]: JSON.stringify([any('n')]) })
    expect((await pass(plugin, { object: pod() })).spec.tolerations).toEqual([any('n')])
    const requests = { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }
    const pressure = { ...any('node.kubernetes.io/memory-pressure'), effect: 'NoSchedule' }
    expect((await pass(plugin, { object: pod(requests) })).spec.tolerations).toEqual([any('n'), pressure])
  })
  it('bounds them', async () => {
    const why = 'pod tolerations (possibly merged with namespace default tolerations) conflict with its'
    const object = pod({ tolerations: [any('b')] })
    namespace()
    const plugin = new PodTolerationRestriction({ whitelist: [any('a')] })
    await expect(pass(plugin, { object })).rejects.toThrow(`${why} cluster whitelist`)
    lister = new FakeLister()
    namespace({ [WHITELIST]: JSON.stringify([any('c')]) })
    await expect(pass(plugin, { object })).rejects.toThrow(`${why} namespace whitelist`)
    lister = new FakeLister()
    namespace({ [WHITELIST]: '' })
    await pass(plugin, { object })
  })
})

describe('EventRateLimit', () => {
  const configured = (limits: JsonObject[]): JsonObject => ({
    apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
    kind: 'Configuration',
    limits,
  })
  it('lets a burst through, and then as many as come again', () => {
    let now = 0
    const plugin = new EventRateLimit(configured([{ type: 'Namespace', qps: 2, burst: 3 }]), () => now)
    const ask = (where = 'ns', dryRun = false): string => {
      const attributes = { ...attributesOf({ resource: 'events', object: {} }), namespace: where, dryRun }
      try {
        plugin.validate(attributes)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    const why = 'Too many requests: limit reached on type Namespace for key ns'
    expect([ask(), ask(), ask(), ask()]).toEqual(['', '', '', why])
    expect([ask('other'), ask('ns', true)]).toEqual(['', ''])
    now = 1000
    expect([ask(), ask(), ask()]).toEqual(['', '', why])
  })
  it.each([
    [configured([]), 'limits: Invalid value: []: must not be empty'],
    [configured([{ type: 'X', qps: 1, burst: 0 }]), 'limits[0].type: Unsupported value: "X"'],
    [{}, 'no Configuration of eventratelimit.admission.k8s.io/v1alpha1'],
  ])('refuses %j', (given, why) => expect(() => new EventRateLimit(given)).toThrow(why))
})

it('ExtendedResourceToleration tolerates the taints of devices', async () => {
  const requests = { 'example.com/b': '1', cpu: '1', 'kubernetes.io/x': '1' }
  const tolerations = [{ key: 'example.com/a', operator: 'Equal', value: 'v', effect: 'NoSchedule' }]
  const containers = [{ name: 'c', resources: { requests: { ...requests, 'example.com/a': '1' } } }]
  const { spec } = await pass(new ExtendedResourceToleration(), { object: pod({ containers, tolerations }) })
  const added = (key: string) => ({ key, operator: 'Exists', effect: 'NoSchedule' })
  expect(spec.tolerations).toEqual([...tolerations, added('example.com/a'), added('example.com/b')])
})

it('LimitPodHardAntiAffinityTopology knows hosts only', async () => {
  const affinity = (topologyKey: string) => ({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] } },
  })
  const plugin = new LimitPodHardAntiAffinityTopology()
  await pass(plugin, { object: pod(affinity('kubernetes.io/hostname')) })
  const why = 'has TopologyKey zone but only key kubernetes.io/hostname is allowed'
  await expect(pass(plugin, { object: pod(affinity('zone')) })).rejects.toThrow(why)
})

it('DenyServiceExternalIPs keeps what is there', async () => {
  const plugin = new DenyServiceExternalIPs()
  const service = (...externalIPs: string[]) => ({ metadata: { name: 's' }, spec: { externalIPs } })
  const resource = 'services'
  await pass(plugin, { resource, object: service() })
  await pass(plugin, {
    resource,
    operation: 'UPDATE',
    old: service('1.1.1.1', '2.2.2.2'),
    object: service('2.2.2.2'),
  })
  const more = pass(plugin, { resource, object: service('1.1.1.1') })
  await expect(more).rejects.toThrow('Use of external IPs is denied by admission control')
})

it('NamespaceAutoProvision makes what NamespaceExists misses', async () => {
  const made: string[] = []
  const create = (name: string): Promise<void> =>
    Promise.resolve(namespace()).then(() => void made.push(name))
  const [provision, exists] = [new NamespaceAutoProvision(create), new NamespaceExists()]
  await expect(pass(exists, { object: pod() })).rejects.toThrow('namespaces "ns" not found')
  await provision.admit({ ...attributesOf({ object: pod() }), dryRun: true }, lister)
  expect(made).toEqual([])
  await pass(provision, { object: pod() })
  await pass(provision, { object: pod() })
  expect(made).toEqual(['ns'])
  await pass(exists, { object: pod() })
})

describe('OwnerReferencesPermissionEnforcement', () => {
  const asked: string[] = []
  const may = (...allowed: string[]) =>
    new OwnerReferencesPermissionEnforcement({
      authorize({ verb, resource, subresource }: AuthorizationAttributes) {
        const what = `${verb} ${resource}${subresource && `/${subresource}`}`
        asked.push(what)
        return { decision: allowed.includes(what) ? 'allow' : 'noOpinion', reason: '' } as const
      },
    })
  const owned = (...owners: JsonObject[]): JsonObject => ({
    metadata: { name: 'c', ownerReferences: owners },
  })
  const owner = { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'u' }
  const blocking = { ...owner, blockOwnerDeletion: true }
  const update = (now: JsonObject, old: JsonObject): Write => ({
    operation: 'UPDATE',
    resource: 'configmaps',
    name: 'c',
    object: now,
    old,
  })
  it('asks who may delete', async () => {
    await pass(may(), update(owned(owner), owned(owner)))
    expect(asked).toEqual([])
    const why = `cannot set an ownerRef on a resource you can't delete: , <nil>`
    await expect(pass(may(), update(owned(), owned(owner)))).rejects.toThrow(why)
    await pass(may('delete configmaps'), update(owned(), owned(owner)))
    await pass(may(), { resource: 'configmaps', object: owned(owner) })
  })
  it('asks who may hold up', async () => {
    const create = { resource: 'configmaps', object: owned(blocking) }
    const why = `an ownerReference refers to a resource you can't set finalizers on: , <nil>`
    await expect(pass(may(), create)).rejects.toThrow(why)
    await pass(may('update secrets/finalizers'), create)
    await pass(may('update */finalizers'), create)
    await pass(may('delete configmaps'), update(owned(blocking, owner), owned(blocking)))
    const unknown = { resource: 'configmaps', object: owned({ ...blocking, kind: 'Nope' }) }
    await expect(pass(may(), unknown)).rejects.toThrow('no matches for kind "Nope" in version "v1"')
  })
})

it('AlwaysDeny denies', async () => {
  const why = 'pods "p" is forbidden: admission control is denying all modifications'
  await expect(pass(new AlwaysDeny(), { object: pod() })).rejects.toThrow(why)
})
