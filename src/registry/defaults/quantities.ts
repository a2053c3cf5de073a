// Defaults that reckon with resource quantities.
// Follows SetDefaults_ResourceList and the pod-level defaults of k8s.io/kubernetes/pkg/apis/core/v1.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { containerTotals, isPodLevelResource } from '../../machinery/podresources.ts'
import { formatQuantity, newQuantity, parseQuantity, type Quantity } from '../../machinery/quantity.ts'
import { type Apply, structIn } from './rules.ts'

/** The finest amount that is stored: a thousandth. */
const MILLI = -3

/** Rounds every quantity of these resource lists away from zero, to thousandths. */
export function roundedIn(...keys: readonly string[]): Apply {
  return (object) => {
    for (let i = 0; i < keys.length; i++) {
      const list = object[keys[i] as string]
      if (isObject(list)) roundList(list)
    }
  }
}

function roundList(list: JsonObject): void {
  for (const name in list) {
    const value = list[name]
    if (typeof value !== 'string') continue
    const quantity = parseQuantity(value)
    if (quantity.scale < MILLI) list[name] = roundUp(quantity)
  }
}

function roundUp({ unscaled, scale, format }: Quantity): string {
  const divisor = 10n ** BigInt(MILLI - scale)
  const down = unscaled / divisor
  const exact = down * divisor === unscaled
  return formatQuantity(newQuantity(exact ? down : down + (unscaled < 0n ? -1n : 1n), format, MILLI))
}

/**
 * A pod with resources of its own: huge pages that only its containers are limited to limit the pod too, and what it
 * is limited to but does not request it requests as its containers do, else up to the limit.
 */
export function defaultPodLevelResources(spec: JsonObject, resources: JsonObject): void {
  if (hasEntries(resources.limits) || hasEntries(resources.requests)) limitHugePages(spec, resources)
  if (!hasEntries(resources.limits)) return
  const requests = structIn(resources, 'requests')
  for (const [name, amount] of containerTotals(spec, 'requests')) {
    if (name === 'cpu' || name === 'memory') requests[name] ??= formatQuantity(amount)
  }
  for (const [name, limit] of Object.entries(resources.limits)) {
    if (isPodLevelResource(name)) requests[name] ??= limit
  }
  if (!hasEntries(requests)) delete resources.requests
}

function limitHugePages(spec: JsonObject, resources: JsonObject): void {
  const requests = isObject(resources.requests) ? resources.requests : {}
  for (const [name, amount] of containerTotals(spec, 'limits')) {
    if (!name.startsWith('hugepages-') || Object.hasOwn(requests, name)) continue
    structIn(resources, 'limits')[name] ??= formatQuantity(amount)
  }
}

function hasEntries(list: unknown): list is JsonObject {
  return isObject(list) && Object.keys(list).length > 0
}
