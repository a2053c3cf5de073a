// What an object uses of a ResourceQuota. Follows k8s.io/kubernetes/pkg/quota/v1/evaluator/core and
// k8s.io/apiserver/pkg/quota/v1.
import type { GroupResource } from './gvk.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { isNumeric } from './numbers.ts'
import { heldSpec } from './heldresources.ts'
import { containerTotals, isPodLevelResource, type ResourceTotals, totalsOf } from './podresources.ts'
import { addQuantities, formatQuantity, newQuantity, type Quantity } from './quantity.ts'

/** Amounts by the names that quotas have for them: "requests.cpu", "count/deployments.apps". */
export type Usage = Map<string, Quantity>

/** Objects that quotas count under names of their own, beside "count/…". */
const COUNTED: ReadonlySet<string> = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
])
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const DEVICE_CLASS_SUFFIX = '.deviceclass.resource.k8s.io/devices'
/** What a request for all devices may get at most. */
const MOST_DEVICES = 32
const EXTENDED_PREFIXES = ['requests.', 'limits.']

const amount = (n: number): Quantity => newQuantity(n, 'DecimalSI')

/** "count/deployments.apps" */
export const countName = ({ group, resource }: GroupResource): string =>
  `count/${group === '' ? resource : `${resource}.${group}`}`

/** The resource whose objects use this name of a quota; undefined for a name that nothing uses. */
export function countedBy(name: string): GroupResource | undefined {
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.')
    return { group: group.join('.'), resource }
  }
  const core = (resource: string): GroupResource => ({ group: '', resource })
  if (COUNTED.has(name)) return core(name)
  if (name.startsWith('services.')) return core('services')
  if (name === 'requests.storage' || name.includes(STORAGE_CLASS_SUFFIX))
    return core('persistentvolumeclaims')
  if (name.endsWith(DEVICE_CLASS_SUFFIX)) return { group: 'resource.k8s.io', resource: 'resourceclaims' }
  const bare = EXTENDED_PREFIXES.reduce(
    (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text),
    name,
  )
  const isCompute =
    isPodLevelResource(bare) || bare === 'ephemeral-storage' || (bare !== name && bare.includes('/'))
  return isCompute ? core('pods') : undefined
}

/** `now` in ms since 1970: pods that do not stop in time are not charged any more. */
export function usageOf(of: GroupResource, object: JsonObject, now: number): Usage {
  const usage: Usage = new Map([[countName(of), amount(1)]])
  if (of.group === 'resource.k8s.io' && of.resource === 'resourceclaims')
    addAll(usage, deviceUsage(inner(object, 'spec')))
  if (of.group !== '') return usage
  if (of.resource === 'pods') {
    if (isCharged(object, now)) addAll(usage, podUsage(heldSpec(inner(object, 'spec'), object['status'])))
    return usage
  }
  if (COUNTED.has(of.resource)) usage.set(of.resource, amount(1))
  if (of.resource === 'services') addAll(usage, serviceUsage(inner(object, 'spec')))
  if (of.resource === 'persistentvolumeclaims') addAll(usage, claimUsage(object))
  return usage
}

/** The sum of two amounts of everything. */
export function addAll(sum: Usage, more: Usage): void {
  for (const [name, one] of more) {
    const known = sum.get(name)
    sum.set(name, known ? addQuantities(known, one) : one)
  }
}

/** As a resource list of the API. */
export const usageList = (usage: Usage): Record<string, string> =>
  Object.fromEntries([...usage].map(([name, one]) => [name, formatQuantity(one)]))

const inner = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}

function isCharged(pod: JsonObject, now: number): boolean {
  const { phase } = inner(pod, 'status')
  if (phase === 'Failed' || phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = inner(pod, 'metadata')
  if (typeof deletionTimestamp !== 'string' || !isNumeric(deletionGracePeriodSeconds)) return true
  return now <= Date.parse(deletionTimestamp) + Number(deletionGracePeriodSeconds) * 1000
}

/** Containers' together; what the pod says as a whole goes before; then the overhead of its runtime. */
function podTotals(spec: JsonObject, which: 'requests' | 'limits'): ResourceTotals {
  const totals = containerTotals(spec, which)
  for (const [name, one] of totalsOf(inner(spec, 'resources')[which])) totals.set(name, one)
  for (const [name, one] of totalsOf(spec['overhead'])) {
    const known = totals.get(name)
    if (known || which === 'requests') totals.set(name, known ? addQuantities(known, one) : one)
  }
  return totals
}

function podUsage(spec: JsonObject): Usage {
  const usage: Usage = new Map([['pods', amount(1)]])
  for (const [name, one] of podTotals(spec, 'requests')) {
    const isKnown = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage'
    if (isKnown || name.startsWith('hugepages-')) usage.set(name, one)
    if (isKnown || name.startsWith('hugepages-') || isExtended(name)) usage.set(`requests.${name}`, one)
  }
  for (const [name, one] of podTotals(spec, 'limits'))
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(`limits.${name}`, one)
  return usage
}

const isExtended = (name: string): boolean =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')

function serviceUsage(spec: JsonObject): Usage {
  const ports = Array.isArray(spec['ports']) ? spec['ports'].filter(isObject) : []
  const isBalanced = spec['type'] === 'LoadBalancer'
  const isExplicit = isBalanced && spec['allocateLoadBalancerNodePorts'] === false
  const nodePorts = isExplicit ? ports.filter(({ nodePort }) => nodePort).length : ports.length
  const hasNodePorts = isBalanced || spec['type'] === 'NodePort'
  return new Map([
    ['services.nodeports', amount(hasNodePorts ? nodePorts : 0)],
    ['services.loadbalancers', amount(isBalanced ? 1 : 0)],
  ])
}

function claimUsage(claim: JsonObject): Usage {
  const usage: Usage = new Map()
  const spec = inner(claim, 'spec')
  const old = inner(inner(claim, 'metadata'), 'annotations')['volume.beta.kubernetes.io/storage-class']
  const storageClass = old ?? spec['storageClassName']
  const storage = totalsOf(inner(spec, 'resources')['requests']).get('storage')
  const prefix =
    typeof storageClass === 'string' && storageClass !== '' ? storageClass + STORAGE_CLASS_SUFFIX : ''
  if (prefix !== '') usage.set(`${prefix}persistentvolumeclaims`, amount(1))
  if (!storage) return usage
  usage.set('requests.storage', storage)
  if (prefix !== '') usage.set(`${prefix}requests.storage`, storage)
  return usage
}

/** By class of device; of alternatives of a request the largest of each class counts. */
function deviceUsage(spec: JsonObject): Usage {
  const usage: Usage = new Map()
  const requests = inner(spec, 'devices')['requests']
  for (const request of Array.isArray(requests) ? requests.filter(isObject) : []) {
    const most = new Map<string, number>()
    const { firstAvailable } = request
    const ways = Array.isArray(firstAvailable) ? firstAvailable.filter(isObject) : [inner(request, 'exactly')]
    for (const way of ways) {
      const name = way['deviceClassName']
      if (typeof name === 'string') most.set(name, Math.max(most.get(name) ?? 0, devicesOf(way)))
    }
    const wanted = [...most].map(([name, count]) => [`${name}${DEVICE_CLASS_SUFFIX}`, amount(count)] as const)
    addAll(usage, new Map(wanted))
  }
  return usage
}

function devicesOf({ allocationMode, count }: JsonObject): number {
  if (allocationMode === 'All') return MOST_DEVICES
  return allocationMode === 'ExactCount' && isNumeric(count) ? Number(count) : 0
}

export interface Scope {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[] | undefined
}

/** Whether a quota with these scopes charges the object: only pods and claims are in any. */
export function isInScopes(of: GroupResource, object: JsonObject, scopes: readonly Scope[]): boolean {
  if (scopes.length === 0) return true
  if (of.group !== '') return false
  if (of.resource === 'persistentvolumeclaims') {
    const classes = attributesClasses(object)
    return scopes.every(
      (scope) => scope.scopeName === 'VolumeAttributesClass' && isOfAnyClass(classes, scope),
    )
  }
  if (of.resource !== 'pods') return false
  const spec = inner(object, 'spec')
  return scopes.every((scope) => isInScope(spec, scope))
}

/** The class that a claim asks for, has, or is on the way to. */
function attributesClasses(claim: JsonObject): string[] {
  const status = inner(claim, 'status')
  const names = [
    inner(claim, 'spec')['volumeAttributesClassName'],
    status['currentVolumeAttributesClassName'],
    inner(status, 'modifyVolumeStatus')['targetVolumeAttributesClassName'],
  ]
  return names.filter((name): name is string => typeof name === 'string' && name !== '')
}

const isOfAnyClass = (names: readonly string[], { operator, values = [] }: Scope): boolean =>
  (names.length === 0 ? [''] : names).some((name) => isOfClass(name, operator, values))

function isInScope(spec: JsonObject, { scopeName, operator, values = [] }: Scope): boolean {
  const deadline = spec['activeDeadlineSeconds']
  const isTerminating = isNumeric(deadline) && deadline >= 0
  switch (scopeName) {
    case 'Terminating':
      return isTerminating
    case 'NotTerminating':
      return !isTerminating
    case 'BestEffort':
      return isBestEffort(spec)
    case 'NotBestEffort':
      return !isBestEffort(spec)
    case 'PriorityClass':
      return isOfClass(String(spec['priorityClassName'] ?? ''), operator, values)
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(inner(spec, 'affinity'))
    default:
      return false
  }
}

function isOfClass(name: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'Exists') return name !== ''
  if (operator === 'DoesNotExist') return name === ''
  return operator === 'In' ? name !== '' && values.includes(name) : !values.includes(name)
}

/** A pod that asks for no cpu or memory, and is held to none. */
export const isBestEffort = (spec: JsonObject): boolean =>
  (['requests', 'limits'] as const).every((which) => {
    const totals = podTotals({ ...spec, overhead: null }, which)
    return !isPositive(totals.get('cpu')) && !isPositive(totals.get('memory'))
  })

const isPositive = (one: Quantity | undefined): boolean => one !== undefined && one.unscaled > 0n

function crossesNamespaces(affinity: JsonObject): boolean {
  const terms = ['podAffinity', 'podAntiAffinity'].flatMap((kind) => {
    const of = inner(affinity, kind)
    const list = (value: Json | undefined): JsonObject[] =>
      Array.isArray(value) ? value.filter(isObject) : []
    return [
      ...list(of['requiredDuringSchedulingIgnoredDuringExecution']),
      ...list(of['preferredDuringSchedulingIgnoredDuringExecution']).map((one) =>
        inner(one, 'podAffinityTerm'),
      ),
    ]
  })
  return terms.some(
    ({ namespaces, namespaceSelector }) =>
      (Array.isArray(namespaces) && namespaces.length > 0) || isObject(namespaceSelector),
  )
}
