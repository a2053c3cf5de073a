// Finds devices for all claims of a pod on one node: the first that do, going back where a choice leads nowhere.
// Follows allocateOne of k8s.io/dynamic-resource-allocation/structured/internal.
import type { AllocationResult, ResourceClaim, ResourceSlice } from '../../../client/kinds/resource.v1.gen.ts'
import {
  compareQuantities,
  negateQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../../../machinery/quantity.ts'
import type { NodeInfo } from '../../nodeinfo.ts'
import { type Amounts, combined, isShared, takenOf } from './capacity.ts'
import { Constraint } from './constraints.ts'
import { type Pool, type PooledDevice, poolsFor } from './pools.ts'
import { type Alternative, type Demand, demandsOf, type DemandParts } from './requests.ts'
import { type Chosen, resultOf } from './results.ts'

/** As the API has it: a claim has no more devices. */
const MAX_DEVICES = 32
/** A node that takes longer to search than this many steps is given up: upstream's bound is time. */
const MAX_STEPS = 100_000

export interface AllocatorParts extends Omit<DemandParts, 'pools'> {
  /** As newestSlices gives them. */
  readonly slices: readonly (readonly ResourceSlice[])[]
  /** Ids of devices that somebody has. */
  readonly taken: ReadonlySet<string>
  /** What is taken of devices that several may have, by their ids. */
  readonly shared: ReadonlyMap<string, Amounts>
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
    parts,
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
  /** What is taken of devices that several may have, by their ids. */
  readonly #shared: Map<string, Amounts>
  /** What is left of the counters, by pool, set and counter. */
  readonly #left = new Map<string, Quantity>()
  /** For each device that is chosen, in order: whether it took of the counters. */
  readonly #counted: (PooledDevice | undefined)[] = []
  #steps = 0

  constructor(
    claims: readonly ResourceClaim[],
    demands: readonly (readonly Demand[])[],
    pools: readonly Pool[],
    { taken, shared }: Pick<AllocatorParts, 'taken' | 'shared'>,
  ) {
    this.#claims = claims
    this.#demands = demands
    this.#constraints = claims.map(({ spec }) =>
      (spec.devices.constraints ?? []).map((one) => new Constraint(one)),
    )
    this.#chosen = claims.map(() => [])
    this.#taken = new Set(taken)
    this.#shared = new Map(shared)
    for (const pool of pools) {
      for (const [set, counters] of pool.counters)
        for (const [name, { value }] of Object.entries(counters))
          this.#left.set(`${pool.name} ${set} ${name}`, parseQuantity(value))
      for (const one of pool.all) if (taken.has(one.id) || shared.has(one.id)) this.#count(one, 1)
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
    if (!isAdmin && this.#taken.has(one.id)) return false
    const several = isShared(one.device)
    const used = this.#shared.get(one.id)
    // Who is the first to have a share of a device takes its counters for all.
    const isCounted = several ? !used : !isAdmin
    if (isCounted && !this.#hasRoom(one)) return false
    const amounts = takenOf(one.device, alternative.capacity, used)
    if (!amounts) return false
    // Nobody has the same device twice in one claim, but for a share of it.
    if (!several && this.#chosen[claim]?.some((other) => other.one.id === one.id)) return false
    const constraints = this.#constraints[claim] ?? []
    for (const [i, constraint] of constraints.entries()) {
      if (constraint.add(name, one)) continue
      for (const before of constraints.slice(0, i)) before.drop(name)
      return false
    }
    this.#chosen[claim]?.push({ alternative, one, taken: several ? amounts : undefined })
    if (several) this.#shared.set(one.id, combined(used, amounts, 1))
    else if (!isAdmin) this.#taken.add(one.id)
    if (isCounted) {
      this.#counted.push(one)
      this.#count(one, 1)
    } else this.#counted.push(undefined)
    return true
  }

  #giveBack(claim: number, { isAdmin, name }: Alternative, one: PooledDevice): void {
    const last = this.#chosen[claim]?.pop()
    for (const constraint of this.#constraints[claim] ?? []) constraint.drop(name)
    const counted = this.#counted.pop()
    if (counted) this.#count(counted, -1)
    if (last?.taken) this.#returnShare(one.id, last.taken, counted !== undefined)
    else if (!isAdmin) this.#taken.delete(one.id)
  }

  #returnShare(id: string, amounts: Amounts, wasFirst: boolean): void {
    if (wasFirst) this.#shared.delete(id)
    else this.#shared.set(id, combined(this.#shared.get(id), amounts, -1))
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
