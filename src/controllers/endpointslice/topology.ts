// Hints which zone an endpoint is for, where a service asks for them by its annotation: each zone gets as large a part of
// the endpoints as it has of the cluster's CPUs. Follows k8s.io/endpointslice/topologycache.
import type { Node, Service } from '../../client/kinds/core.v1.gen.ts'
import type { Endpoint, EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts'

/** How much more than its part an endpoint may have to bear. */
const OVERLOAD = 0.2
const ZONE = 'topology.kubernetes.io/zone'
const EXCLUDED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

/** Parts of the CPUs by zone, which add up to one; undefined: they cannot be told, or there is one zone only. */
export type ZoneRatios = ReadonlyMap<string, number> | undefined

/** How many endpoints are for each zone. */
export type ZoneCounts = ReadonlyMap<string, number>

export interface Slices {
  readonly create: EndpointSlice[]
  readonly update: EndpointSlice[]
  /** As the store has them: not to be changed. */
  readonly unchanged: readonly EndpointSlice[]
}

export function wantsZones({ metadata: { annotations = {} } }: Service): boolean {
  const mode =
    annotations['service.kubernetes.io/topology-aware-hints'] ??
    annotations['service.kubernetes.io/topology-mode']
  return mode === 'Auto' || mode === 'auto'
}

export const isNodeReady = ({ status }: Node): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true

/** As upstream: one node that does not tell its zone or its CPUs leaves all without hints. */
export function zoneRatios(nodes: readonly Node[]): ZoneRatios {
  const cpus = new Map<string, number>()
  let total = 0
  for (const node of nodes) {
    const { labels = {} } = node.metadata
    if (EXCLUDED.some((label) => Object.hasOwn(labels, label)) || !isNodeReady(node)) continue
    const zone = labels[ZONE]
    const cpu = quantityMilliValue(parseQuantity(node.status?.allocatable?.['cpu'] ?? '0'))
    if (!zone || cpu === 0) return undefined
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu)
    total += cpu
  }
  return cpus.size < 2 ? undefined : new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]))
}

/** Whether a zone has fewer endpoints than it must have. */
export function isOverloaded(counts: ZoneCounts, ratios: ZoneRatios): boolean {
  if (counts.size === 0) return false
  if (!ratios) return true
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return [...ratios].some(([zone, ratio]) => (counts.get(zone) ?? -1) < leastOf(total * ratio))
}

const leastOf = (desired: number): number => Math.ceil(desired * (1 / (1 + OVERLOAD)))

interface Share {
  readonly least: number
  readonly most: number
  readonly desired: number
}

/** Hints the endpoints of the slices. The text says why there are none; then they are taken away. */
export function hintZones(slices: Slices, ratios: ZoneRatios): ZoneCounts | string {
  const told = hinted(slices, ratios)
  if (typeof told === 'string') unhint(slices)
  return told
}

function hinted(slices: Slices, ratios: ZoneRatios): ZoneCounts | string {
  const all = [...slices.create, ...slices.update, ...slices.unchanged]
  const ready = all.flatMap(({ endpoints }) => endpoints ?? []).filter(isReady)
  const shares = sharesOf(ready.length, ratios)
  if (typeof shares === 'string') return shares
  const counts = new Map<string, number>()
  for (const slice of slices.unchanged) {
    const found = countsOf(slice, counts, shares)
    if (found) for (const [zone, count] of found) add(counts, zone, count)
    else slices.update.push({ ...slice })
  }
  const open = [...slices.create, ...slices.update]
  if (open.some(({ endpoints }) => endpoints.some((one) => isReady(one) && !one.zone)))
    return 'One or more endpoints do not have a zone specified'
  for (const slice of open) slice.endpoints = slice.endpoints.map((one) => forZone(one, one.zone))
  for (const { zone } of open.flatMap(({ endpoints }) => endpoints).filter(isReady))
    add(counts, zone ?? '', 1)
  redistribute(open, shares, counts)
  return counts.size === 0 ? 'No hints allocated for zones' : counts
}

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready === true

const add = (counts: Map<string, number>, zone: string, count: number): void =>
  void counts.set(zone, (counts.get(zone) ?? 0) + count)

function forZone(endpoint: Endpoint, zone: string | undefined): Endpoint {
  const { hints: _, ...bare } = endpoint
  return isReady(endpoint) && zone ? { ...bare, hints: { forZones: [{ name: zone }] } } : bare
}

/** By zone, in the order of their names, so that the same slices always get the same hints. */
function sharesOf(endpoints: number, ratios: ZoneRatios): ReadonlyMap<string, Share> | string {
  if (!ratios)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'
  const counted = `(${endpoints} endpoints, ${ratios.size} zones)`
  if (ratios.size > endpoints) return `Insufficient number of endpoints ${counted}`
  const zones = [...ratios].sort(([a], [b]) => (a < b ? -1 : 1))
  const least = zones.map(([, ratio]) => leastOf(ratio * endpoints))
  const spare = endpoints - least.reduce((sum, count) => sum + count, 0)
  if (spare < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counted}`
  return new Map(
    zones.map(([zone, ratio], at) => {
      const own = least[at] ?? 0
      return [zone, { least: own, most: own + spare, desired: Math.max(ratio * endpoints, own) }]
    }),
  )
}

/** Of a slice that may stay as it is; undefined where its hints do not fit any more. */
function countsOf(
  slice: EndpointSlice,
  taken: ZoneCounts,
  shares: ReadonlyMap<string, Share>,
): ZoneCounts | undefined {
  const counts = new Map<string, number>()
  for (const endpoint of (slice.endpoints ?? []).filter(isReady)) {
    const zones = endpoint.hints?.forZones ?? []
    if (zones.length === 0 || zones.some(({ name }) => !shares.has(name))) return undefined
    for (const { name } of zones) add(counts, name, 1)
  }
  const fits = [...counts].every(
    ([zone, count]) => count + (taken.get(zone) ?? 0) <= (shares.get(zone)?.most ?? 0),
  )
  return fits ? counts : undefined
}

/** Zones that have too many endpoints lend some to those that have too few. */
function redistribute(
  open: readonly EndpointSlice[],
  shares: ReadonlyMap<string, Share>,
  counts: Map<string, number>,
): void {
  const { giving, receiving } = exchanges(shares, counts)
  for (const slice of open) {
    for (const [at, endpoint] of slice.endpoints.entries()) {
      const from = endpoint.zone ?? ''
      const [to] = receiving.keys()
      if (to === undefined) return
      if (!isReady(endpoint) || !giving.has(from)) continue
      slice.endpoints[at] = forZone(endpoint, to)
      take(giving, from)
      take(receiving, to)
      add(counts, to, 1)
      add(counts, from, -1)
    }
  }
}

function take(counts: Map<string, number>, zone: string): void {
  const left = (counts.get(zone) ?? 0) - 1
  if (left > 0) counts.set(zone, left)
  else counts.delete(zone)
}

/** Whole endpoints, as long as both sides gain by at least half of one and one of them by a whole. */
function exchanges(shares: ReadonlyMap<string, Share>, counts: ZoneCounts) {
  const over = new Map([...shares].map(([zone, { desired }]) => [zone, (counts.get(zone) ?? 0) - desired]))
  const giving = new Map<string, number>()
  const receiving = new Map<string, number>()
  for (;;) {
    const sorted = [...over].sort(([, a], [, b]) => b - a)
    const [from, much] = sorted[0] ?? ['', 0]
    const [to, less] = sorted.at(-1) ?? ['', 0]
    const lack = -less
    if (much < 0.5 || lack < 0.5 || (much < 1 && lack < 1)) return { giving, receiving }
    add(giving, from, 1)
    add(receiving, to, 1)
    over.set(from, much - 1)
    over.set(to, less + 1)
  }
}

/** Takes all hints away. */
function unhint({ create, update, unchanged }: Slices): void {
  const bare = (endpoints: readonly Endpoint[]): Endpoint[] => endpoints.map(({ hints: _, ...rest }) => rest)
  const known = new Set(update.map(({ metadata }) => metadata.name))
  for (const slice of unchanged) {
    const hasHints = slice.endpoints?.some(({ hints }) => hints !== undefined)
    if (hasHints && !known.has(slice.metadata.name)) update.push({ ...slice })
  }
  for (const slice of [...create, ...update]) slice.endpoints = bare(slice.endpoints)
}
