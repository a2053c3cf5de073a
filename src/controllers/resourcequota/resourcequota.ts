// Quotas know how much is used. Follows k8s.io/kubernetes/pkg/controller/resourcequota.
import { isDeepStrictEqual } from 'node:util'
import { type Controller, type ControllerContext, queueOf, TryLater, work } from '../../client/controller.ts'
import { discover } from '../../client/discovery.ts'
import { type Informer, Informers } from '../../client/informer.ts'
import type { Pod, ResourceQuota } from '../../client/kinds/core.v1.gen.ts'
import { isPodTerminal } from '../../client/podstate.ts'
import { type ApiObject, keyOf, type Resource } from '../../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PODS, RESOURCE_QUOTAS, SERVICES } from '../../client/resources.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import { heldSpec } from '../../machinery/heldresources.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { newQuantity, parseQuantity } from '../../machinery/quantity.ts'
import { addAll, countedBy, isInScopes, type Usage, usageList, usageOf } from '../../machinery/quotausage.ts'

const NAME = 'resourcequota-controller'

export interface QuotaOptions {
  readonly workers: number
  /** How often everything is counted anew. */
  readonly syncMs: number
}

export function resourceQuotaController(context: ControllerContext, options: QuotaOptions): Controller {
  const { api, informers, clock, log } = context
  const queue = queueOf(context, 'resourcequota_primary')
  const quotas = informers.of(RESOURCE_QUOTAS)
  const see = (quota: ResourceQuota): void => queue.add(keyOf(quota))
  quotas.handle({
    added: see,
    updated: (quota, before) => {
      // What admission reserves may not be here to be counted yet: what it wrote stays.
      if (!isDeepStrictEqual(quota.spec, before.spec)) see(quota)
    },
  })
  const watched = new Watched(context, (of, namespace) => {
    for (const quota of quotas.reader.inNamespace(namespace)) if (charges(quota, of)) see(quota)
  })
  const reconcile = async (key: string): Promise<void> => {
    const quota = quotas.reader.get(key)
    if (!quota) return
    const used = await usedOf(quota, watched, clock.now())
    const status = { hard: canonical(quota.spec?.hard), used: usageList(used) }
    if (!isSameStatus(status, quota.status)) await api.updateStatus(RESOURCE_QUOTAS, { ...quota, status })
    queue.addAfter(key, options.syncMs)
  }
  return {
    name: NAME,
    async run(signal) {
      watched.start(signal)
      await work({ name: NAME, queue, workers: options.workers, reconcile, log }, signal)
    },
  }
}

const canonical = (hard: Readonly<Record<string, string>> = {}): Record<string, string> =>
  usageList(new Map(Object.entries(hard).map(([name, text]) => [name, parseQuantity(text)])))

const charges = ({ spec }: ResourceQuota, of: GroupResource): boolean =>
  Object.keys(spec?.hard ?? {}).some((name) => {
    const by = countedBy(name)
    return by?.group === of.group && by.resource === of.resource
  })

const scopesOf = ({ spec }: ResourceQuota) => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
]

/** Of each name of the quota; names that nothing uses keep what was said of them. */
async function usedOf(quota: ResourceQuota, watched: Watched, now: number): Promise<Usage> {
  const names = Object.keys(quota.spec?.hard ?? {})
  const scopes = scopesOf(quota)
  const sum: Usage = new Map()
  const known = new Map<string, GroupResource>()
  for (const name of names) {
    const of = countedBy(name)
    if (of && (await watched.has(of))) known.set(name, of)
  }
  for (const of of new Map([...known.values()].map((one) => [`${one.group}/${one.resource}`, one])).values())
    for (const object of watched.objects(of, quota.metadata.namespace ?? ''))
      if (isInScopes(of, object, scopes)) addAll(sum, usageOf(of, object, now))
  const used: Usage = new Map()
  for (const name of names) {
    const before = quota.status?.used?.[name]
    if (known.has(name)) used.set(name, sum.get(name) ?? newQuantity(0, 'DecimalSI'))
    else if (before !== undefined) used.set(name, parseQuantity(before))
  }
  return used
}

/** What quotas count: pods, services and claims as the process sees them; of other things, when one asks, the metadata. */
class Watched {
  readonly #context: ControllerContext
  readonly #changed: (of: GroupResource, namespace: string) => void
  readonly #metadata: Informers
  readonly #informers = new Map<string, Informer<ApiObject>>()

  constructor(context: ControllerContext, changed: (of: GroupResource, namespace: string) => void) {
    this.#context = context
    this.#changed = changed
    this.#metadata = new Informers({ ...context, api: context.api.metadataOnly() })
    for (const resource of [PODS, SERVICES, PERSISTENT_VOLUME_CLAIMS])
      this.#watch(context.informers.of(resource as Resource))
  }

  start(signal: AbortSignal): void {
    void this.#metadata.start(signal)
  }

  /** Whether the server has this resource. Rejects while it is not known yet what there is of it. */
  async has(of: GroupResource): Promise<boolean> {
    let informer = this.#informers.get(keyOfGroupResource(of))
    if (!informer) {
      const { resources } = await discover(this.#context.api)
      const found = resources.find(({ group, resource }) => group === of.group && resource === of.resource)
      if (!found?.namespaced || !found.verbs.has('watch')) return false
      const { informers } = this.#context
      informer = this.#watch((informers.has(found) ? informers : this.#metadata).of(found as Resource))
    }
    if (!informer.hasSynced) throw new TryLater(`${of.resource} are not counted yet`)
    return true
  }

  objects(of: GroupResource, namespace: string): readonly JsonObject[] {
    const informer = this.#informers.get(keyOfGroupResource(of))
    return (informer?.reader.inNamespace(namespace) ?? []) as unknown as readonly JsonObject[]
  }

  #watch(informer: Informer<ApiObject>): Informer<ApiObject> {
    const { group, resource } = informer.resource
    const known = this.#informers.get(keyOfGroupResource({ group, resource }))
    if (known) return known
    this.#informers.set(keyOfGroupResource({ group, resource }), informer)
    const changed = ({ metadata }: ApiObject): void =>
      this.#changed({ group, resource }, metadata.namespace ?? '')
    // What is made was reserved by admission: counting it anew could forget what is reserved and not stored yet.
    informer.handle({
      deleted: changed,
      updated: (object, before) => {
        if (changesUse(resource, object, before)) changed(object)
      },
    })
    return informer
  }
}

const keyOfGroupResource = ({ group, resource }: GroupResource): string => `${group}/${resource}`

/** It holds something else than it asks for: what that is changes with its status. */
const isResizing = ({ spec, status }: Pod): boolean =>
  heldSpec(spec as unknown as JsonObject, status) !== (spec as unknown)

/** Kubelets and others write statuses all the time: few of these changes free or take anything. */
function changesUse(resource: string, object: ApiObject, before: ApiObject): boolean {
  if (resource === 'pods') {
    const [now, then] = [object as Pod, before as Pod]
    return (
      isPodTerminal(now) !== isPodTerminal(then) ||
      now.metadata.deletionTimestamp !== then.metadata.deletionTimestamp ||
      now.metadata.generation !== then.metadata.generation ||
      isResizing(now) ||
      isResizing(then)
    )
  }
  return resource === 'services' || resource === 'persistentvolumeclaims'
}
