// What a pod holds on its node, which is not what it asks for while a resize is under way, or was refused.
// Follows k8s.io/component-helpers/resource (determineEffectiveRequests, determineEffectiveLimits).
import { isObject, type JsonObject } from './json.ts'
import { compareQuantities, parseQuantity } from './quantity.ts'

type List = JsonObject

/**
 * The spec with what counts of its containers' resources: the most of what is asked for, what the node has granted and
 * what runs; without what is asked for where the node never can grant it. The same object where all of it is one.
 */
export function heldSpec(spec: JsonObject, status: unknown): JsonObject {
  if (!isObject(status)) return spec
  const isInfeasible = isRefused(status)
  const own = heldResources(spec['resources'], status, isInfeasible)
  const containers = heldContainers(spec['containers'], status['containerStatuses'], (one, held) =>
    heldResources(one['resources'], held, isInfeasible),
  )
  // Those that prepare the pod hold what they ask for.
  const inits = heldContainers(spec['initContainers'], status['initContainerStatuses'], (one, held) =>
    one['restartPolicy'] === 'Always' ? heldResources(one['resources'], held, isInfeasible) : undefined,
  )
  if (!own && !containers && !inits) return spec
  return {
    ...spec,
    ...(own && { resources: own }),
    ...(containers && { containers }),
    ...(inits && { initContainers: inits }),
  }
}

function isRefused({ conditions }: JsonObject): boolean {
  const found = Array.isArray(conditions)
    ? conditions.find((one) => isObject(one) && one['type'] === 'PodResizePending')
    : undefined
  return isObject(found) && found['reason'] === 'Infeasible'
}

/** undefined: as they are. */
function heldContainers(
  containers: unknown,
  statuses: unknown,
  heldBy: (container: JsonObject, status: JsonObject) => JsonObject | undefined,
): JsonObject[] | undefined {
  if (!Array.isArray(containers) || !Array.isArray(statuses)) return undefined
  let isAny = false
  const held = containers.filter(isObject).map((container) => {
    const status: unknown = statuses.find((one) => isObject(one) && one['name'] === container['name'])
    const resources = isObject(status) ? heldBy(container, status) : undefined
    if (!resources) return container
    isAny = true
    return { ...container, resources }
  })
  return isAny ? held : undefined
}

/** undefined: as they are asked for, or nothing is told of them. */
function heldResources(asked: unknown, status: JsonObject, isInfeasible: boolean): JsonObject | undefined {
  const actual = status['resources']
  if (!isObject(actual) || !isObject(asked)) return undefined
  const granted = listOf(status['allocatedResources'])
  const requests = [listOf(actual['requests']), granted]
  const limits = [listOf(actual['limits'])]
  const isSame =
    requests.every((list) => isSameList(list, listOf(asked['requests']))) &&
    limits.every((list) => isSameList(list, listOf(asked['limits'])))
  if (isSame) return undefined
  if (!isInfeasible) {
    requests.push(listOf(asked['requests']))
    limits.push(listOf(asked['limits']))
  }
  return { ...asked, requests: most(requests), limits: most(limits) }
}

const EMPTY: List = {}
const listOf = (value: unknown): List => (isObject(value) ? value : EMPTY)

function isSameList(a: List, b: List): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

function most(lists: readonly List[]): List {
  const all = new Map<string, string>()
  for (const list of lists)
    for (const [name, text] of Object.entries(list)) {
      const known = all.get(name)
      const amount = String(text)
      if (known === undefined || compareQuantities(parseQuantity(amount), parseQuantity(known)) > 0)
        all.set(name, amount)
    }
  return Object.fromEntries(all)
}
