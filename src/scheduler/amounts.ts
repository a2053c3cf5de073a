// What pods ask for and nodes have, as plain numbers: they are compared and added for every node and pod.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/types.go (Resource) and k8s.io/component-helpers/resource.
import type { PodSpec } from '../client/kinds/core.v1.gen.ts'
import type { JsonObject } from '../machinery/json.ts'
import { containerTotals, isPodLevelResource, totalsOf } from '../machinery/podresources.ts'
import type { Quantity } from '../machinery/quantity.ts'

/** cpu in thousandths, memory and storage in bytes; all others by their names. */
export interface Amounts {
  cpu: number
  memory: number
  storage: number
  readonly others: Map<string, number>
}

export const noAmounts = (): Amounts => ({ cpu: 0, memory: 0, storage: 0, others: new Map() })

/** What a container without requests counts as when nodes are compared, so that they do not all go to one node. */
const DEFAULT_CPU = 100
const DEFAULT_MEMORY = 200 * 1024 * 1024

export function addAmounts(to: Amounts, more: Amounts, sign: 1 | -1): void {
  to.cpu += sign * more.cpu
  to.memory += sign * more.memory
  to.storage += sign * more.storage
  for (const [name, amount] of more.others) to.others.set(name, (to.others.get(name) ?? 0) + sign * amount)
}

/** Rounded up, as upstream does for what is no whole number. */
function numberOf({ unscaled, scale }: Quantity, times: number): number {
  const value = Number(unscaled) * times
  return Math.ceil(scale >= 0 ? value * 10 ** scale : value / 10 ** -scale)
}

export function amountsOf(totals: ReadonlyMap<string, Quantity>): Amounts {
  const amounts = noAmounts()
  for (const [name, quantity] of totals) {
    if (name === 'cpu') amounts.cpu = numberOf(quantity, 1000)
    else if (name === 'memory') amounts.memory = numberOf(quantity, 1)
    else if (name === 'ephemeral-storage') amounts.storage = numberOf(quantity, 1)
    else if (name !== 'pods') amounts.others.set(name, numberOf(quantity, 1))
  }
  return amounts
}

export const amountsOfList = (list: Readonly<Record<string, string>> | undefined): Amounts =>
  amountsOf(totalsOf(list))

export interface PodRequests {
  /** All of it as text. */
  readonly asks: string
  readonly requests: Amounts
  /** cpu and memory as nodes are compared by. */
  readonly scoredCpu: number
  readonly scoredMemory: number
}

export function podRequests(spec: PodSpec): PodRequests {
  const totals = containerTotals(spec as unknown as JsonObject, 'requests')
  // What the pod asks for as a whole stands in for its containers.
  for (const [name, amount] of totalsOf(spec.resources?.requests))
    if (isPodLevelResource(name)) totals.set(name, amount)
  const requests = amountsOf(totals)
  const containers = spec.containers.length
  const without = (name: string): number =>
    spec.resources?.requests?.[name] === undefined
      ? spec.containers.filter(({ resources }) => resources?.requests?.[name] === undefined).length
      : 0
  const overhead = amountsOfList(spec.overhead)
  const scoredCpu = requests.cpu + (containers > 0 ? without('cpu') * DEFAULT_CPU : 0) + overhead.cpu
  const scoredMemory = requests.memory + without('memory') * DEFAULT_MEMORY + overhead.memory
  addAmounts(requests, overhead, 1)
  return { asks: textOf([requests, scoredCpu, scoredMemory]), requests, scoredCpu, scoredMemory }
}

const textOf = ([{ cpu, memory, storage, others }, ...scored]: readonly [
  Amounts,
  number,
  number,
]): string => {
  const own = `${cpu} ${memory} ${storage} ${scored[0]} ${scored[1]}`
  return others.size === 0 ? own : `${own} ${JSON.stringify([...others])}`
}
