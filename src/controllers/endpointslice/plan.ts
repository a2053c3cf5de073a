// Which slices a service's endpoints need: as few writes as possible, then as few slices.
// Follows k8s.io/endpointslice/reconciler.go and trafficdist.
import { isIPv6 } from 'node:net'
import type { Node, Pod, Service } from '../../client/kinds/core.v1.gen.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { isPodReady } from '../../client/podstate.ts'
import { hasEndpoint, isHeadless, portOf, setsHostname } from '../../client/servicepods.ts'
import { hintZones, wantsZones, type ZoneCounts, type ZoneRatios } from './topology.ts'

export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'
const RESERVED: ReadonlySet<string> = new Set([MANAGED_BY, SERVICE_NAME, HEADLESS])

export interface PlanInput {
  readonly service: Service
  readonly pods: readonly Pod[]
  readonly existing: readonly EndpointSlice[]
  nodeOf(name: string): Node | undefined
  readonly maxEndpoints: number
  /** Of the cluster's zones. */
  readonly ratios?: ZoneRatios
}

export interface Plan {
  readonly create: EndpointSlice[]
  readonly update: EndpointSlice[]
  readonly remove: EndpointSlice[]
  /** Pods left out since nobody knows their nodes (yet). */
  readonly lost: string[]
  /** By type of addresses: endpoints for zones, or why there are none; undefined where the service does not ask. */
  readonly zones: Map<string, ZoneCounts | string | undefined>
}

/** For all families of addresses that the service has. */
export function planSlices(input: PlanInput): Plan {
  const families = addressTypes(input.service)
  const plan: Plan = emptyPlan()
  plan.remove.push(...input.existing.filter(({ addressType }) => !families.includes(addressType)))
  for (const addressType of families) planFamily(input, addressType, plan)
  return plan
}

const emptyPlan = (): Plan => ({ create: [], update: [], remove: [], lost: [], zones: new Map() })

function addressTypes({ spec }: Service): readonly string[] {
  if (spec?.ipFamilies?.length) return spec.ipFamilies
  const address = spec?.clusterIP
  if (address && address !== 'None') return [isIPv6(address) ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

/** Pods that offer the same ports under the same numbers share slices. */
interface Group {
  readonly ports: EndpointPort[]
  readonly wanted: Map<string, Endpoint>
}

function planFamily(input: PlanInput, addressType: string, plan: Plan): void {
  const { service } = input
  const existing = input.existing.filter((slice) => slice.addressType === addressType)
  const own = existing.filter((slice) => isOwned(slice, service))
  const foreign = existing.filter((slice) => !isOwned(slice, service))
  const groups = groupsOf(input, addressType, plan.lost)
  const mine: Plan = { ...emptyPlan(), remove: [...foreign] }
  const byPorts = new Map<string, EndpointSlice[]>()
  for (const slice of own) {
    const key = portsKey(slice.ports ?? [])
    byPorts.set(key, [...(byPorts.get(key) ?? []), slice])
  }
  for (const [key, group] of groups) fill(input, { addressType, ...group }, byPorts.get(key) ?? [], mine)
  for (const [key, slices] of byPorts) if (!groups.has(key)) mine.remove.push(...slices)
  keepPlaceholder(input, addressType, existing, mine)
  plan.zones.set(addressType, hint(input, mine, existing))
  reuse(service, mine)
  plan.create.push(...(service.metadata.deletionTimestamp ? [] : mine.create))
  plan.update.push(...mine.update)
  plan.remove.push(...mine.remove)
}

/** A service without endpoints has one slice, which says so. */
function keepPlaceholder(
  { service }: PlanInput,
  addressType: string,
  existing: readonly EndpointSlice[],
  plan: Plan,
): void {
  if (existing.length !== plan.remove.length || plan.create.length > 0) return
  const placeholder = newSlice(service, addressType, [])
  const [only] = plan.remove
  if (plan.remove.length === 1 && only && isSameBut(only, placeholder)) plan.remove.length = 0
  else plan.create.push(placeholder)
}

const isSameBut = (slice: EndpointSlice, placeholder: EndpointSlice): boolean =>
  (slice.endpoints ?? []).length === 0 &&
  (slice.ports ?? []).length === 0 &&
  sameRecord(slice.metadata.labels, placeholder.metadata.labels) &&
  slice.metadata.ownerReferences?.[0]?.uid === placeholder.metadata.ownerReferences?.[0]?.uid

/** Writing over a slice is cheaper for everybody than deleting it and making another. */
function reuse(service: Service, plan: Plan): void {
  const removed = plan.remove.splice(0)
  for (const slice of removed) {
    const made = isOwned(slice, service) ? plan.create.pop() : undefined
    if (!made) plan.remove.push(slice)
    else plan.update.push({ ...made, metadata: { ...slice.metadata, ...labelsAndOwner(made) } })
  }
}

const labelsAndOwner = ({ metadata }: EndpointSlice) => ({
  labels: metadata.labels,
  ownerReferences: metadata.ownerReferences,
})

function groupsOf(input: PlanInput, addressType: string, lost: string[]): Map<string, Group> {
  const { service, nodeOf } = input
  const groups = new Map<string, Group>()
  for (const pod of input.pods) {
    if (!hasEndpoint(pod, true)) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { ports, wanted: new Map() }))
    const node = nodeOf(pod.spec.nodeName ?? '')
    if (!node && !service.spec?.publishNotReadyAddresses) {
      lost.push(pod.metadata.name ?? '')
      continue
    }
    const endpoint = endpointOf(pod, node, service, addressType)
    if (endpoint.addresses.length > 0) group.wanted.set(endpointKey(endpoint), endpoint)
  }
  return groups
}

function endpointOf(pod: Pod, node: Node | undefined, service: Service, addressType: string): Endpoint {
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone']
  const { namespace, name, uid } = pod.metadata
  return {
    addresses: (pod.status.podIPs ?? [])
      .map(({ ip = '' }) => ip)
      .filter((ip) => isIPv6(ip) === (addressType === 'IPv6')),
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(setsHostname(pod, service) ? { hostname: pod.spec.hostname } : {}),
  }
}

function portsOf({ spec }: Service, pod: Pod): EndpointPort[] {
  return (spec?.ports ?? []).flatMap((port) => {
    const number = portOf(pod, port)
    if (number === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = port
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

const portsKey = (ports: readonly EndpointPort[]): string =>
  JSON.stringify(
    ports
      .map(({ name = '', port, protocol, appProtocol }) =>
        JSON.stringify([name, port, protocol, appProtocol]),
      )
      .sort(),
  )

/** What makes two endpoints the same one, which may have changed. */
const endpointKey = ({ addresses, hostname, targetRef }: Endpoint): string =>
  JSON.stringify([[...addresses].sort(), hostname ?? '', targetRef?.namespace ?? '', targetRef?.name ?? ''])

const isSameEndpoint = (a: Endpoint, b: Endpoint): boolean =>
  a.nodeName === b.nodeName &&
  a.zone === b.zone &&
  a.conditions?.ready === b.conditions?.ready &&
  a.conditions?.serving === b.conditions?.serving &&
  a.conditions?.terminating === b.conditions?.terminating &&
  a.targetRef?.uid === b.targetRef?.uid

/** What slices of one group of ports become. Endpoints stay where they are; new ones go where a write is due anyway. */
function fill(
  { service, maxEndpoints }: PlanInput,
  { addressType, ports, wanted: all }: Group & { readonly addressType: string },
  existing: readonly EndpointSlice[],
  plan: Plan,
): void {
  const wanted = new Map(all)
  const changed: EndpointSlice[] = []
  const unchanged: EndpointSlice[] = []
  for (const slice of existing) {
    const kept: Endpoint[] = []
    let isChanged = false
    for (const endpoint of slice.endpoints ?? []) {
      const found = wanted.get(endpointKey(endpoint))
      if (!found) continue
      kept.push(found)
      isChanged ||= !isSameEndpoint(found, endpoint)
      wanted.delete(endpointKey(endpoint))
    }
    const labels = labelsOf(service)
    const hasOtherLabels = !sameRecord(slice.metadata.labels, labels)
    const copy = { ...slice, metadata: { ...slice.metadata, labels }, endpoints: kept }
    if (isChanged || kept.length !== (slice.endpoints ?? []).length) {
      if (kept.length === 0) plan.remove.push(slice)
      else changed.push(copy)
    } else if (hasOtherLabels) changed.push(copy)
    else unchanged.push(slice)
  }
  const left = [...wanted.values()]
  const byFullness = [...changed].sort((a, b) => b.endpoints.length - a.endpoints.length)
  for (const slice of byFullness)
    slice.endpoints.push(...left.splice(0, maxEndpoints - slice.endpoints.length))
  plan.update.push(...changed)
  while (left.length > 0) {
    const fullest = closestToFull(unchanged, left.length, maxEndpoints)
    if (fullest) {
      unchanged.splice(unchanged.indexOf(fullest), 1)
      plan.update.push({ ...fullest, endpoints: [...(fullest.endpoints ?? []), ...left.splice(0)] })
    } else {
      const slice = newSlice(service, addressType, ports)
      slice.endpoints.push(...left.splice(0, maxEndpoints))
      plan.create.push(slice)
    }
  }
}

/** The slice that is nearest to full with so many more; undefined where none has room. */
function closestToFull(
  slices: readonly EndpointSlice[],
  more: number,
  maxEndpoints: number,
): EndpointSlice | undefined {
  if (more >= maxEndpoints) return undefined
  return slices
    .filter(
      ({ endpoints }) => (endpoints ?? []).length + more <= maxEndpoints && (endpoints ?? []).length > 0,
    )
    .sort((a, b) => (b.endpoints ?? []).length - (a.endpoints ?? []).length)[0]
}

function newSlice(service: Service, addressType: string, ports: EndpointPort[]): EndpointSlice {
  const { name = '', namespace, uid = '' } = service.metadata
  const owner = { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }
  const metadata = {
    namespace,
    generateName: `${name}-`,
    labels: labelsOf(service),
    ownerReferences: [owner],
  }
  return { metadata, addressType, ports, endpoints: [] }
}

/** The service's own, with those that say whose the slice is. */
function labelsOf(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([key]) => !RESERVED.has(key))
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
    [SERVICE_NAME]: service.metadata.name ?? '',
    [MANAGED_BY]: MANAGER,
  }
}

const isOwned = ({ metadata }: EndpointSlice, service: Service): boolean =>
  (metadata.ownerReferences ?? []).some(
    ({ uid, kind, apiVersion }) => uid === service.metadata.uid && kind === 'Service' && apiVersion === 'v1',
  )

function sameRecord(
  a: Readonly<Record<string, string>> | undefined = {},
  b: Readonly<Record<string, string>> | undefined = {},
): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

const CLOSE: ReadonlySet<string> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode'])

/** By the zones' shares of the cluster, where the service asks for that; else as its traffic is to be distributed. */
function hint(
  { service, ratios }: PlanInput,
  plan: Plan,
  existing: readonly EndpointSlice[],
): ZoneCounts | string | undefined {
  if (!wantsZones(service)) {
    setHints(service, plan, existing)
    return undefined
  }
  const touched = touchedBy(plan)
  const unchanged = existing.filter(({ metadata }) => !touched.has(metadata.name))
  return hintZones({ create: plan.create, update: plan.update, unchanged }, ratios)
}

const touchedBy = (plan: Plan): ReadonlySet<string | undefined> =>
  new Set([...plan.update, ...plan.remove].map(({ metadata }) => metadata.name))

/** Where the service wants its traffic near, each ready endpoint says for whom it is. */
function setHints(service: Service, plan: Plan, existing: readonly EndpointSlice[]): void {
  const wants = service.spec?.trafficDistribution ?? ''
  const hinted = (endpoint: Endpoint): Endpoint => {
    const { hints: _, ...bare } = endpoint
    if (!CLOSE.has(wants) || !endpoint.conditions?.ready) return bare
    const forZones = endpoint.zone ? { forZones: [{ name: endpoint.zone }] } : {}
    const isNode = wants === 'PreferSameNode' && endpoint.nodeName
    const forNodes = isNode ? { forNodes: [{ name: endpoint.nodeName ?? '' }] } : {}
    const hints = { ...forZones, ...forNodes }
    return Object.keys(hints).length > 0 ? { ...bare, hints } : bare
  }
  const touched = touchedBy(plan)
  for (const slice of existing) {
    if (touched.has(slice.metadata.name)) continue
    const endpoints = (slice.endpoints ?? []).map(hinted)
    const hints = (all: readonly Endpoint[]): string => JSON.stringify(all.map((one) => one.hints))
    if (hints(endpoints) !== hints(slice.endpoints ?? [])) plan.update.push({ ...slice, endpoints })
  }
  for (const slice of [...plan.create, ...plan.update]) slice.endpoints = slice.endpoints.map(hinted)
}
