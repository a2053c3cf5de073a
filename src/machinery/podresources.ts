// What the containers of a pod request or are limited to, taken together.
// Follows k8s.io/component-helpers/resource (AggregateContainerRequests, AggregateContainerLimits).
import { isObject, type JsonObject } from './json.ts'
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from './quantity.ts'

/** Amounts by the name of the resource. */
export type ResourceTotals = Map<string, Quantity>

/** Resources that a pod as a whole can request or be limited to. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
}

/** A resource list of the API as amounts. @throws QuantityError for a list that was not decoded. */
export function totalsOf(list: unknown): ResourceTotals {
  const totals: ResourceTotals = new Map()
  if (!isObject(list)) return totals
  for (const [name, text] of Object.entries(list)) totals.set(name, parseQuantity(String(text)))
  return totals
}

/**
 * The containers run side by side, so theirs add up. Init containers run one after another before them, each beside
 * the sidecars (init containers that restart) started earlier; what counts is the largest of these moments.
 */
export function containerTotals(podSpec: JsonObject, which: 'requests' | 'limits'): ResourceTotals {
  const totals: ResourceTotals = new Map()
  for (const container of containersOf(podSpec, 'containers')) add(totals, resourcesOf(container, which))
  const sidecars: ResourceTotals = new Map()
  const starting: ResourceTotals = new Map()
  for (const container of containersOf(podSpec, 'initContainers')) {
    const own = resourcesOf(container, which)
    if (container.restartPolicy === 'Always') {
      add(totals, own)
      add(sidecars, own)
      raise(starting, sidecars)
    } else {
      add(own, sidecars)
      raise(starting, own)
    }
  }
  raise(totals, starting)
  return totals
}

function containersOf(podSpec: JsonObject, key: string): JsonObject[] {
  const list = podSpec[key]
  return Array.isArray(list) ? list.filter(isObject) : []
}

function resourcesOf(container: JsonObject, which: string): ResourceTotals {
  return totalsOf(isObject(container.resources) ? container.resources[which] : undefined)
}

function add(totals: ResourceTotals, more: ResourceTotals): void {
  for (const [name, amount] of more) {
    const known = totals.get(name)
    totals.set(name, known ? addQuantities(known, amount) : amount)
  }
}

function raise(totals: ResourceTotals, more: ResourceTotals): void {
  for (const [name, amount] of more) {
    const known = totals.get(name)
    if (!known || compareQuantities(amount, known) > 0) totals.set(name, amount)
  }
}
