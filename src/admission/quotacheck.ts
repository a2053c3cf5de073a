// What one request would use of a namespace's quotas, and whether it may. Pure; resourcequota.ts reserves what it finds.
// Follows CheckRequest in k8s.io/apiserver/pkg/admission/plugin/resourcequota, and the evaluators' constraints in
// k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { totalsOf } from '../machinery/podresources.ts'
import { compareQuantities, formatQuantity, newQuantity, subtractQuantities } from '../machinery/quantity.ts'
import { addAll, countedBy, isInScopes, type Usage, usageList, usageOf } from '../machinery/quotausage.ts'
import { plainError } from '../machinery/status.ts'
import { forbid } from './forbid.ts'
import { type LimitedResource, type Limits, limitsOf, shownScopes } from './limitedresources.ts'
import type { AdmissionAttributes } from './plugin.ts'
import { type Container, isPodLevelResourced, type Pod } from './shapes.ts'

/** A quota as the store has it. */
export interface Quota extends KubeObject {
  spec: { [key: string]: never } & {
    scopes?: string[]
    scopeSelector?: { matchExpressions?: { scopeName: string; operator: string; values?: string[] }[] }
  }
  status: { hard?: Record<string, string>; used?: Record<string, string> }
}

/** A quota with what requests of the same batch have taken already. */
export interface RunningQuota {
  readonly quota: Quota
  readonly used: Usage
}

/** Of these a quota demands that every container says them: a mistake of early versions that clients rely on. */
const DEMANDED: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
])
const ZERO = newQuantity(0, 'DecimalSI')

export const running = (quota: Quota): RunningQuota => ({ quota, used: totalsOf(quota.status?.used) })

/**
 * The quotas as they would be with this request; the same array where it changes none. Throws the 403 of the first quota
 * that refuses, or of what none covers.
 */
export function checkQuotas(
  quotas: readonly RunningQuota[],
  attributes: AdmissionAttributes,
  { now, limited }: Surroundings,
): readonly RunningQuota[] {
  const of = { group: attributes.resource.group, resource: attributes.resource.name }
  const object = attributes.object as KubeObject
  const concerned = quotas.filter((one) => isConcerned(one, of, object, attributes))
  if (concerned.length === 0 && limited.length === 0) return quotas
  const whole = usageOf(of, object, now)
  const added = attributes.old ? grown(whole, usageOf(of, attributes.old, now)) : whole
  if (limited.length > 0 && isMore(added))
    refuseUncovered(limitsOf(limited, of, { object, usage: whole }), { quotas, concerned, of }, attributes)
  let changed = false
  const next = quotas.map((one) => {
    if (!concerned.includes(one)) return one
    const wasCharged = attributes.old !== undefined && matches(one.quota, of, attributes.old)
    const after = charge(one, wasCharged ? added : whole, attributes)
    changed ||= after !== one
    return after
  })
  return changed ? next : quotas
}

/** What a check depends on besides: ms since 1970, and what only quotas let anybody use. */
export interface Surroundings {
  readonly now: number
  readonly limited: readonly LimitedResource[]
}

const isMore = (usage: Usage): boolean =>
  [...usage.values()].some((amount) => compareQuantities(amount, ZERO) !== 0)

/** Throws where something is limited that no quota covers. */
function refuseUncovered(
  { names, scopes }: Limits,
  {
    quotas,
    concerned,
    of,
  }: {
    readonly quotas: readonly RunningQuota[]
    readonly concerned: readonly RunningQuota[]
    readonly of: GroupResource
  },
  attributes: AdmissionAttributes,
): void {
  const covered = new Set(concerned.flatMap(({ quota }) => restricted(quota, of)))
  const open = [...new Set(names)].filter((name) => !covered.has(name)).sort()
  if (open.length > 0) throw forbid(attributes, `insufficient quota to consume: ${open.join(',')}`)
  const object = attributes.object as KubeObject
  const inScopes = quotas
    .flatMap(({ quota }) => scopesOf(quota))
    .filter((scope) => isInScopes(of, object, [scope]))
  const bare = scopes.filter(({ scopeName }) => !inScopes.some((one) => one.scopeName === scopeName))
  if (bare.length === 0) return
  // Upstream does not say that it is forbidden.
  const message = `insufficient quota to match these scopes: ${shownScopes(bare)}`
  throw plainError(message)
}

/** Throws where the object lacks what the quota demands, or nobody has counted yet. */
function isConcerned(
  { quota, used }: RunningQuota,
  of: GroupResource,
  object: KubeObject,
  attributes: AdmissionAttributes,
): boolean {
  if (!matches(quota, of, object)) return false
  const name = quota.metadata.name ?? ''
  const names = restricted(quota, of)
  if (of.group === '' && of.resource === 'pods') {
    const missing = unspecified(object as Pod, names)
    if (missing !== '') throw forbid(attributes, `failed quota: ${name}: must specify ${missing}`)
  }
  if (!names.every((one) => used.has(one))) {
    throw forbid(attributes, `status unknown for quota: ${name}, resources: ${names.join(',')}`)
  }
  return true
}

const matches = (quota: Quota, of: GroupResource, object: JsonObject): boolean =>
  restricted(quota, of).length > 0 && isInScopes(of, object, scopesOf(quota))

/** The names of the quota that objects of this resource use, in order. */
const restricted = ({ status }: Quota, of: GroupResource): string[] =>
  Object.keys(status?.hard ?? {})
    .filter((name) => {
      const by = countedBy(name)
      return by?.resource === of.resource && by.group === of.group
    })
    .sort()

const scopesOf = ({ spec }: Quota) => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
]

/** "limits.cpu for: a,b; requests.cpu for: a", or "". */
function unspecified(pod: Pod, names: readonly string[]): string {
  if (isPodLevelResourced(pod)) return ''
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]
  return names
    .filter((name) => DEMANDED.has(name))
    .flatMap((name) => {
      const lacking = containers.filter((container) => !specifies(container, name)).map((one) => one.name)
      return lacking.length === 0 ? [] : [`${name} for: ${[...new Set(lacking)].sort().join(',')}`]
    })
    .join('; ')
}

function specifies({ resources }: Container, name: string): boolean {
  if (name.startsWith('limits.')) return Object.hasOwn(resources?.limits ?? {}, name.slice('limits.'.length))
  const bare = name.startsWith('requests.') ? name.slice('requests.'.length) : name
  return Object.hasOwn(resources?.requests ?? {}, bare)
}

/** What an update takes more than before: what it gives back is counted by the controller. */
function grown(now: Usage, before: Usage): Usage {
  const more: Usage = new Map()
  for (const [name, amount] of now) {
    const rest = subtractQuantities(amount, before.get(name) ?? ZERO)
    if (compareQuantities(rest, ZERO) > 0) more.set(name, rest)
  }
  return more
}

/** The quota with this usage added, or itself where that adds nothing to it. */
function charge(one: RunningQuota, usage: Usage, attributes: AdmissionAttributes): RunningQuota {
  const hard = one.quota.status?.hard ?? {}
  const requested: Usage = new Map()
  for (const [name, amount] of usage) {
    if (Object.hasOwn(hard, name) && compareQuantities(amount, ZERO) !== 0) requested.set(name, amount)
  }
  if (requested.size === 0) return one
  const used: Usage = new Map(one.used)
  addAll(used, requested)
  if (attributes.subresource !== 'status') refuseExcess({ one, requested, used }, attributes)
  return { quota: one.quota, used }
}

interface Charge {
  readonly one: RunningQuota
  readonly requested: Usage
  readonly used: Usage
}

function refuseExcess({ one, requested, used }: Charge, attributes: AdmissionAttributes): void {
  const hard = totalsOf(one.quota.status.hard)
  const over = [...requested.keys()]
    .filter((name) => compareQuantities(used.get(name) ?? ZERO, hard.get(name) ?? ZERO) > 0)
    .sort()
  if (over.length === 0) return
  const shown = (usage: Usage): string =>
    over.map((name) => `${name}=${formatQuantity(usage.get(name) ?? ZERO)}`).join(',')
  const amounts = `requested: ${shown(requested)}, used: ${shown(one.used)}, limited: ${shown(hard)}`
  throw forbid(attributes, `exceeded quota: ${one.quota.metadata.name ?? ''}, ${amounts}`)
}

/** The object to write, where it differs from what is stored. */
export function reserved({ quota, used }: RunningQuota): Quota | undefined {
  const before = totalsOf(quota.status?.used)
  const same = [...used].every(([name, amount]) => {
    const known = before.get(name)
    return known !== undefined && compareQuantities(known, amount) === 0
  })
  return same ? undefined : { ...quota, status: { ...quota.status, used: usageList(used) } }
}
