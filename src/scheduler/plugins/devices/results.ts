// What a claim gets, as its status says it: devices with what was taken of them, configurations, where they can be used.
// Follows Allocate and createNodeSelector of k8s.io/dynamic-resource-allocation/structured/internal.
import { randomUUID } from 'node:crypto'
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceClaim,
  ResourceSlice,
} from '../../../client/kinds/resource.v1.gen.ts'
import type { NodeInfo } from '../../nodeinfo.ts'
import { type Amounts, textsOf } from './capacity.ts'
import type { Place, PooledDevice } from './pools.ts'
import type { Alternative } from './requests.ts'

export interface Chosen {
  readonly alternative: Alternative
  readonly one: PooledDevice
  /** Of a device that others may have, too; undefined: nobody else has it. */
  readonly taken: Amounts | undefined
}

export function resultOf(
  claim: ResourceClaim,
  chosen: readonly Chosen[],
  node: NodeInfo,
  slices: readonly (readonly ResourceSlice[])[],
): AllocationResult {
  const results = chosen.map(({ alternative, one, taken }): DeviceRequestAllocationResult => {
    const { name, isAdmin, tolerations } = alternative
    const { bindingConditions = [], bindingFailureConditions = [] } = one.device
    return {
      request: name,
      driver: one.driver,
      pool: one.pool,
      device: one.device.name,
      ...(isAdmin ? { adminAccess: true } : {}),
      ...(tolerations.length > 0 ? { tolerations: [...tolerations] } : {}),
      ...(bindingConditions.length > 0 ? { bindingConditions } : {}),
      ...(bindingFailureConditions.length > 0 ? { bindingFailureConditions } : {}),
      ...(taken ? { shareID: randomUUID() } : {}),
      ...(taken && taken.size > 0 ? { consumedCapacity: textsOf(taken) } : {}),
    }
  })
  const config = configOf(claim, chosen)
  return {
    devices: { results, ...(config.length > 0 ? { config } : {}) },
    ...nodeSelectorOf(chosen, node, slices),
  }
}

/** First what classes say of their devices, then what the claim says of what it got. */
function configOf(claim: ResourceClaim, chosen: readonly Chosen[]): DeviceAllocationConfiguration[] {
  const met = new Map(chosen.map(({ alternative }) => [alternative.name, alternative]))
  const ofClasses = [...met].flatMap(([name, { deviceClass }]) =>
    (deviceClass.spec.config ?? []).map(({ opaque }) => ({ source: 'FromClass', requests: [name], opaque })),
  )
  const names = [...met.keys()]
  const isMet = (request: string): boolean =>
    names.some((name) => name === request || name.startsWith(`${request}/`))
  const ofClaim = (claim.spec.devices.config ?? [])
    .filter(({ requests = [] }) => requests.length === 0 || requests.some(isMet))
    .map(({ requests, opaque }) => ({ source: 'FromClaim', ...(requests ? { requests } : {}), opaque }))
  return [...ofClasses, ...ofClaim]
}

/** Where the devices can be used: on this node alone as soon as one of them is there alone. */
function nodeSelectorOf(
  chosen: readonly Chosen[],
  node: NodeInfo,
  slices: readonly (readonly ResourceSlice[])[],
): Pick<AllocationResult, 'nodeSelector'> {
  const matchExpressions: { key: string; operator: string; values?: string[] }[] = []
  const matchFields: typeof matchExpressions = []
  for (const { one } of chosen) {
    const slice = slices
      .flat()
      .find(
        ({ spec }) =>
          spec.driver === one.driver && spec.pool.name === one.pool && spec.devices?.includes(one.device),
      )
    const place: Place = slice?.spec.perDeviceNodeSelection ? one.device : (slice?.spec ?? {})
    if (place.nodeName || one.device.bindsToNode) {
      const only = [{ key: 'metadata.name', operator: 'In', values: [node.name] }]
      return { nodeSelector: { nodeSelectorTerms: [{ matchFields: only }] } }
    }
    for (const term of place.nodeSelector?.nodeSelectorTerms ?? []) {
      for (const [from, to] of [
        [term.matchExpressions, matchExpressions],
        [term.matchFields, matchFields],
      ] as const) {
        const known = new Set(to.map((item) => JSON.stringify(item)))
        to.push(...((from ?? []) as typeof to).filter((item) => !known.has(JSON.stringify(item))))
      }
    }
  }
  if (matchExpressions.length + matchFields.length === 0) return {}
  const term = {
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
    ...(matchFields.length > 0 ? { matchFields } : {}),
  }
  return { nodeSelector: { nodeSelectorTerms: [term] } }
}
