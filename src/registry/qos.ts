// The quality of service of a pod, as its containers' requests and limits of cpu and memory make it.
// Called when a pod is created. Follows pkg/apis/core/helper/qos.
import type { JsonObject } from '../machinery/json.ts'
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../machinery/quantity.ts'
import { objectAt, objectsAt, textAt } from './reading.ts'

type Sums = Map<string, Quantity>

const RESOURCES = ['cpu', 'memory'] as const
const ZERO = parseQuantity('0')

/** Adds what is above zero to the sums; true where both resources are there. */
function addUp(amounts: JsonObject, sums: Sums): boolean {
  let found = 0
  for (const name of RESOURCES) {
    const amount = amounts[name]
    if (amount === undefined) continue
    const quantity = parseQuantity(String(amount))
    if (compareQuantities(quantity, ZERO) <= 0) continue
    const before = sums.get(name)
    sums.set(name, before ? addQuantities(before, quantity) : quantity)
    found++
  }
  return found === RESOURCES.length
}

/** "Guaranteed", "Burstable" or "BestEffort". */
export function qosClassOf(spec: JsonObject): string {
  const requests: Sums = new Map()
  const limits: Sums = new Map()
  const levels = spec['resources']
    ? [spec]
    : [...objectsAt(spec['containers']), ...objectsAt(spec['initContainers'])]
  let guaranteed = true
  for (const level of levels) {
    const resources = objectAt(level['resources'])
    addUp(objectAt(resources['requests']), requests)
    if (!addUp(objectAt(resources['limits']), limits)) guaranteed = false
  }
  if (!requests.size && !limits.size) return 'BestEffort'
  const same = [...requests].every(([name, sum]) => {
    const limit = limits.get(name)
    return limit !== undefined && compareQuantities(limit, sum) === 0
  })
  return guaranteed && same && requests.size === limits.size ? 'Guaranteed' : 'Burstable'
}

/** The stored class, or for a pod that has none the computed one. */
export const qosClassOfPod = (pod: JsonObject): string =>
  textAt(objectAt(pod['status'])['qosClass']) || qosClassOf(objectAt(pod['spec']))
