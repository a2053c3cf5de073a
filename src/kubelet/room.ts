// What the pods of a node hold of what it has. A pod that asks for more than is left is not taken in.
// Follows the resources' part of k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go.
import type { Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import type { JsonObject } from '../machinery/json.ts'
import { containerTotals, isPodLevelResource, totalsOf } from '../machinery/podresources.ts'
import { type Quantity, quantityMilliValue, quantityValue } from '../machinery/quantity.ts'

/** cpu in thousandths, all else in whole units, by the resource's name. */
type Amounts = ReadonlyMap<string, number>

/** What is not there in the amount that is asked for. */
export interface Lack {
  readonly resource: string
  readonly requested: number
  readonly used: number
  readonly capacity: number
}

/** The order in which lacks are told of; others come after these. */
const FIRST = ['cpu', 'memory', 'ephemeral-storage']

export class NodeRoom {
  /** By the pod's uid. */
  readonly #held = new Map<string, Amounts>()
  readonly #used = new Map<string, number>()

  /** What the node lacks for this pod; undefined: nothing, and the pod holds its share from now on. */
  take(pod: Pod, allocatable: Readonly<Record<string, string>>): Lack | undefined {
    const amounts = amountsOf(requestsOf(pod.spec))
    const lack = this.#lack(amounts, amountsOf([totalsOf(allocatable)]))
    if (!lack) this.#hold(pod.metadata.uid ?? '', amounts)
    return lack
  }

  /** A pod that was on the node before: it stays, whatever there is. */
  keep(pod: Pod): void {
    this.#hold(pod.metadata.uid ?? '', amountsOf(requestsOf(pod.spec)))
  }

  /** What the node lacks for what the pod asks for now; then it keeps what it has. */
  resize(pod: Pod, allocatable: Readonly<Record<string, string>>): Lack | undefined {
    const { uid = '' } = pod.metadata
    const before = this.#held.get(uid)
    this.giveBack(uid)
    const lack = this.take(pod, allocatable)
    if (lack && before) this.#hold(uid, before)
    return lack
  }

  /** Whether the pod held anything. */
  giveBack(uid: string): boolean {
    const held = this.#held.get(uid)
    if (!held) return false
    this.#held.delete(uid)
    for (const [name, amount] of held) this.#used.set(name, (this.#used.get(name) ?? 0) - amount)
    return true
  }

  #hold(uid: string, amounts: Amounts): void {
    this.giveBack(uid)
    this.#held.set(uid, amounts)
    for (const [name, amount] of amounts) this.#used.set(name, (this.#used.get(name) ?? 0) + amount)
  }

  #lack(amounts: Amounts, allocatable: Amounts): Lack | undefined {
    const pods = allocatable.get('pods')
    if (pods !== undefined && this.#held.size + 1 > pods)
      return { resource: 'pods', requested: 1, used: this.#held.size, capacity: pods }
    const others = [...amounts.keys()].filter((name) => !FIRST.includes(name))
    for (const resource of [...FIRST, ...others]) {
      const requested = amounts.get(resource) ?? 0
      const used = this.#used.get(resource) ?? 0
      // What the node knows nothing of is not its own to give, as devices of resource claims.
      const capacity = allocatable.get(resource) ?? (FIRST.includes(resource) ? 0 : undefined)
      if (capacity !== undefined && requested > 0 && requested > capacity - used)
        return { resource, requested, used, capacity }
    }
    return undefined
  }
}

/** What the pod says of itself as a whole counts before its containers', and its runtime's overhead on top. */
export function requestsOf(spec: PodSpec): ReadonlyMap<string, Quantity>[] {
  const totals = containerTotals(spec as unknown as JsonObject, 'requests')
  for (const [name, amount] of totalsOf(spec.resources?.requests))
    if (isPodLevelResource(name)) totals.set(name, amount)
  return spec.overhead ? [totals, totalsOf(spec.overhead)] : [totals]
}

function amountsOf(lists: readonly ReadonlyMap<string, Quantity>[]): Amounts {
  const amounts = new Map<string, number>()
  for (const list of lists)
    for (const [name, quantity] of list)
      amounts.set(name, (amounts.get(name) ?? 0) + numberOf(name, quantity))
  return amounts
}

const numberOf = (name: string, quantity: Quantity): number =>
  name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)
