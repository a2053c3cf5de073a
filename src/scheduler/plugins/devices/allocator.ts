// Finds devices for all claims of a pod on one node: the first that do, going back where a choice leads nowhere.
// Follows allocateOne of k8s.io/dynamic-resource-allocation/structured/internal.
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceClaim,
  ResourceSlice,
} from '../../../client/kinds/resource.v1.gen.ts'
import {
  compareQuantities,
  negateQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../../../machinery/quantity.ts'
import type { NodeInfo } from '../../nodeinfo.ts'
import { Constraint } from './constraints.ts'
import { type Place, type Pool, type PooledDevice, poolsFor } from './pools.ts'
import { type Alternative, type Demand, demandsOf, type DemandParts } from './requests.ts'

/** As the API has it: a claim has no more devices. */
const MAX_DEVICES = 32
/** A node that takes longer to search than this many steps is given up: upstream's bound is time. */
const MAX_STEPS = 100_000

export interface AllocatorParts extends Omit<DemandParts, 'pools'> {
  /** As newestSlices gives them. */
  readonly slices: readonly (readonly ResourceSlice[])[]
  /** Ids of devices that somebody has. */
  readonly taken: ReadonlySet<string>
}

interface Chosen {
  readonly alternative: Alternative
  readonly one: PooledDevice
}

/** For each claim what it gets; undefined: this node cannot meet them all now. Throws Error where it never can. */
export function allocate(
  claims: readonly ResourceClaim[],
  node: NodeInfo,
  parts: AllocatorParts,
): AllocationResult[] | undefined {
  const pools = poolsFor(node, parts.slices)
  const search = new Search(
    claims,
    claims.map((claim) => demandsOf(claim, { ...parts, pools })),
    pools,
    parts.taken,
  )
  const found = search.run()
  return found && claims.map((claim, i) => resultOf(claim, found[i] ?? [], node, parts.slices))
}

class Search {
  readonly #claims: readonly ResourceClaim[]
  readonly #demands: readonly (readonly Demand[])[]
  readonly #constraints: readonly (readonly Constraint[])[]
  readonly #chosen: Chosen[][]
  readonly #taken: Set<string>
  /** What is left of the counters, by pool, set and counter. */
  readonly #left = new Map<string, Quantity>()
  #steps = 0

  constructor(
    claims: readonly ResourceClaim[],
    demands: readonly (readonly Demand[])[],
    pools: readonly Pool[],
    taken: ReadonlySet<string>,
  ) {
    this.#claims = claims
    this.#demands = demands
    this.#constraints = claims.map(({ spec }) =>
      (spec.devices.constraints ?? []).map((one) => new Constraint(one)),
    )
    this.#chosen = claims.map(() => [])
    this.#taken = new Set(taken)
    for (const pool of pools) {
      for (const [set, counters] of pool.counters)
        for (const [name, { value }] of Object.entries(counters))
          this.#left.set(`${pool.name} ${set} ${name}`, parseQuantity(value))
      for (const one of pool.all) if (taken.has(one.id)) this.#count(one, 1)
    }
  }

  run(): readonly (readonly Chosen[])[] | undefined {
    return this.#claim(0) ? this.#chosen : undefined
  }

  #claim(i: number): boolean {
    return i === this.#claims.length || this.#request(i, 0)
  }

  #request(claim: number, i: number): boolean {
    const demand = this.#demands[claim]?.[i]
    if (!demand) return this.#claim(claim + 1)
    return demand.alternatives.some((one) => this.#device({ claim, request: i }, one, one.count, 0))
  }

  /** The rest of an alternative's devices, of those from `from` on. */
  #device(
    at: { claim: number; request: number },
    alternative: Alternative,
    rest: number,
    from: number,
  ): boolean {
    if (rest === 0) return alternative.count > 0 && this.#request(at.claim, at.request + 1)
    if ((this.#chosen[at.claim]?.length ?? 0) + rest > MAX_DEVICES) return false
    for (let i = from; i < alternative.devices.length; i++) {
      const one = alternative.devices[i] as PooledDevice
      if (++this.#steps > MAX_STEPS) return false
      if (this.#take(at.claim, alternative, one)) {
        if (this.#device(at, alternative, rest - 1, i + 1)) return true
        this.#giveBack(at.claim, alternative, one)
      }
      // Of all, each one is needed.
      if (alternative.isAll) return false
    }
    return false
  }

  #take(claim: number, alternative: Alternative, one: PooledDevice): boolean {
    const { isAdmin, name } = alternative
    if (!isAdmin && (this.#taken.has(one.id) || !this.#hasRoom(one))) return false
    // Nobody has the same device twice in one claim.
    if (this.#chosen[claim]?.some((other) => other.one.id === one.id)) return false
    const constraints = this.#constraints[claim] ?? []
    for (const [i, constraint] of constraints.entries()) {
      if (constraint.add(name, one)) continue
      for (const before of constraints.slice(0, i)) before.drop(name)
      return false
    }
    this.#chosen[claim]?.push({ alternative, one })
    if (!isAdmin) {
      this.#taken.add(one.id)
      this.#count(one, 1)
    }
    return true
  }

  #giveBack(claim: number, { isAdmin, name }: Alternative, one: PooledDevice): void {
    this.#chosen[claim]?.pop()
    for (const constraint of this.#constraints[claim] ?? []) constraint.drop(name)
    if (isAdmin) return
    this.#taken.delete(one.id)
    this.#count(one, -1)
  }

  #hasRoom(one: PooledDevice): boolean {
    return this.#counters(one).every(([key, amount]) => {
      const left = this.#left.get(key)
      return left !== undefined && compareQuantities(left, amount) >= 0
    })
  }

  #count(one: PooledDevice, sign: 1 | -1): void {
    for (const [key, amount] of this.#counters(one)) {
      const left = this.#left.get(key)
      if (left) this.#left.set(key, subtractQuantities(left, sign === 1 ? amount : negateQuantity(amount)))
    }
  }

  #counters({ counters, driver, pool }: PooledDevice): (readonly [string, Quantity])[] {
    return [...counters].flatMap(([set, used]) =>
      Object.entries(used).map(
        ([name, { value }]) => [`${driver}/${pool} ${set} ${name}`, parseQuantity(value)] as const,
      ),
    )
  }
}

function resultOf(
  claim: ResourceClaim,
  chosen: readonly Chosen[],
  node: NodeInfo,
  slices: readonly (readonly ResourceSlice[])[],
): AllocationResult {
  const results = chosen.map(({ alternative, one }): DeviceRequestAllocationResult => {
    const { name, isAdmin, tolerations } = alternative
    return {
      request: name,
      driver: one.driver,
      pool: one.pool,
      device: one.device.name,
      ...(isAdmin ? { adminAccess: true } : {}),
      ...(tolerations.length > 0 ? { tolerations: [...tolerations] } : {}),
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
    if (place.nodeName) {
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
