// Where requests and limits break one item of a LimitRange, in upstream's words.
// Follows plugin/pkg/admission/limitranger (minConstraint, maxConstraint, limitRequestRatioConstraint).
import type { ResourceTotals } from '../machinery/podresources.ts'
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
} from '../machinery/quantity.ts'
import type { LimitRangeItem, ResourceList } from './shapes.ts'

/** All faults of a container, or of a pod as a whole. */
export function faultsOf(item: LimitRangeItem, requests: ResourceTotals, limits: ResourceTotals): string[] {
  return [
    ...minimumFaults(item, requests, limits),
    ...maximumFaults(item, requests, limits),
    ...ratioFaults(item, requests, limits),
  ]
}

type Judge = (name: string, bound: Quantity, shown: string) => string | undefined

function judge(bounds: ResourceList | undefined, verdict: Judge): string[] {
  const faults: string[] = []
  for (const [name, text] of Object.entries(bounds ?? {})) {
    const fault = verdict(name, parseQuantity(text), text)
    if (fault !== undefined) faults.push(fault)
  }
  return faults
}

export function minimumFaults(
  item: LimitRangeItem,
  requests: ResourceTotals,
  limits: ResourceTotals,
): string[] {
  return judge(item.min, (name, bound, shown) => {
    const says = `minimum ${name} usage per ${item.type} is ${shown}`
    const request = requests.get(name)
    if (!request) return `${says}.  No request is specified`
    if (compareQuantities(request, bound) < 0) return `${says}, but request is ${formatQuantity(request)}`
    const limit = limits.get(name)
    if (limit && compareQuantities(limit, bound) < 0) return `${says}, but limit is ${formatQuantity(limit)}`
    return undefined
  })
}

function maximumFaults(item: LimitRangeItem, requests: ResourceTotals, limits: ResourceTotals): string[] {
  return judge(item.max, (name, bound, shown) => {
    const says = `maximum ${name} usage per ${item.type} is ${shown}`
    const limit = limits.get(name)
    if (!limit) return `${says}.  No limit is specified`
    if (compareQuantities(limit, bound) > 0) return `${says}, but limit is ${formatQuantity(limit)}`
    const request = requests.get(name)
    if (request && compareQuantities(request, bound) > 0) {
      return `${says}, but request is ${formatQuantity(request)}`
    }
    return undefined
  })
}

/** For claims, which have requests only. */
export function maximumRequestFaults(item: LimitRangeItem, requests: ResourceTotals): string[] {
  return judge(item.max, (name, bound, shown) => {
    const says = `maximum ${name} usage per ${item.type} is ${shown}`
    const request = requests.get(name)
    if (!request) return `${says}.  No request is specified`
    if (compareQuantities(request, bound) > 0) return `${says}, but request is ${formatQuantity(request)}`
    return undefined
  })
}

function ratioFaults(item: LimitRangeItem, requests: ResourceTotals, limits: ResourceTotals): string[] {
  return judge(item.maxLimitRequestRatio, (name, bound, shown) => {
    const says = `${name} max limit to request ratio per ${item.type} is ${shown}`
    const request = requests.get(name)
    if (!request?.unscaled) return `${says}, but no request is specified or request is 0`
    const limit = limits.get(name)
    if (!limit?.unscaled) return `${says}, but no limit is specified or limit is 0`
    const ratio = quantityMilliValue(limit) / quantityMilliValue(request)
    if (ratio * 1000 > quantityMilliValue(bound)) return `${says}, but provided ratio is ${ratio.toFixed(6)}`
    return undefined
  })
}
