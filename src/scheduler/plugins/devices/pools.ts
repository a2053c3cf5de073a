// The devices that a node can reach, by pools: of each pool the newest generation, as far as it is whole.
// Follows GatherPools of k8s.io/dynamic-resource-allocation/structured/internal.
import type { NodeSelector } from '../../../client/kinds/core.v1.gen.ts'
import type { Counter, Device, ResourceSlice } from '../../../client/kinds/resource.v1.gen.ts'
import type { NodeInfo } from '../../nodeinfo.ts'
import { anyTerm } from '../nodeselection.ts'

export interface PooledDevice {
  /** "driver/pool/device" */
  readonly id: string
  readonly driver: string
  readonly pool: string
  readonly device: Device
  /** What its use takes of the pool's counters. */
  readonly counters: Counters
}

/** Sets of counters by name: how much of each. */
export type Counters = ReadonlyMap<string, Readonly<Record<string, Counter>>>

export interface Pool {
  readonly name: string
  /** Its driver is publishing it. */
  readonly isIncomplete: boolean
  /** What its driver published contradicts itself. */
  readonly isInvalid: boolean
  readonly devices: readonly PooledDevice[]
  /** Those, too, that the node cannot reach: they share counters. */
  readonly all: readonly PooledDevice[]
  readonly counters: Counters
}

export const deviceId = (driver: string, pool: string, device: string): string =>
  `${driver}/${pool}/${device}`

/** Where a slice or a device can be reached from. */
export interface Place {
  readonly nodeName?: string | undefined
  readonly allNodes?: boolean | undefined
  readonly nodeSelector?: NodeSelector | undefined
}

function isReached({ node, name }: NodeInfo, { nodeName, allNodes, nodeSelector }: Place): boolean {
  if (nodeName) return nodeName === name
  return allNodes === true || (nodeSelector !== undefined && anyTerm(nodeSelector.nodeSelectorTerms)(node))
}

/** By pool the slices of the newest generation; to be made once for all nodes. */
export function newestSlices(slices: readonly ResourceSlice[]): ResourceSlice[][] {
  const pools = new Map<string, ResourceSlice[]>()
  for (const slice of slices) {
    const { driver, pool } = slice.spec
    const key = `${driver}/${pool.name}`
    const known = pools.get(key)
    const generation = known?.[0]?.spec.pool.generation ?? -1
    if (!known || pool.generation > generation) pools.set(key, [slice])
    else if (pool.generation === generation) known.push(slice)
  }
  return [...pools]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, list]) => list.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)))
}

/** The pools that have something for the node. */
export function poolsFor(node: NodeInfo, pools: readonly (readonly ResourceSlice[])[]): Pool[] {
  return pools.flatMap((slices) => poolFor(node, slices) ?? [])
}

function poolFor(node: NodeInfo, slices: readonly ResourceSlice[]): Pool | undefined {
  const reached = slices.flatMap(({ spec }) => devicesOf(node, spec))
  if (reached.length === 0) return undefined
  const [first] = slices as [ResourceSlice]
  const { driver, pool } = first.spec
  const isIncomplete = slices.length !== pool.resourceSliceCount
  const names = slices.flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => name))
  const sets = slices.flatMap(({ spec }) => spec.sharedCounters ?? [])
  const counters = new Map(sets.map((set) => [set.name, set.counters]))
  const isKnown = ({ device }: PooledDevice): boolean =>
    (device.consumesCounters ?? []).every(({ counterSet, counters: used }) => {
      const set = counters.get(counterSet)
      return set !== undefined && Object.keys(used).every((name) => Object.hasOwn(set, name))
    })
  const isInvalid =
    new Set(names).size < names.length || counters.size < sets.length || !reached.every(isKnown)
  const all =
    counters.size === 0 ? reached : slices.flatMap(({ spec }) => (spec.devices ?? []).map(pooled(spec)))
  return { name: `${driver}/${pool.name}`, isIncomplete, isInvalid, devices: reached, all, counters }
}

function devicesOf(node: NodeInfo, spec: ResourceSlice['spec']): PooledDevice[] {
  const { devices = [], perDeviceNodeSelection } = spec
  if (!perDeviceNodeSelection && !isReached(node, spec)) return []
  return devices.filter((device) => !perDeviceNodeSelection || isReached(node, device)).map(pooled(spec))
}

const pooled =
  ({ driver, pool }: ResourceSlice['spec']) =>
  (device: Device): PooledDevice => ({
    id: deviceId(driver, pool.name, device.name),
    driver,
    pool: pool.name,
    device,
    counters: new Map((device.consumesCounters ?? []).map((one) => [one.counterSet, one.counters])),
  })
