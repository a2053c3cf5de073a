// Rules of the resources that a pod has as a whole, beside those of its containers.
// Follows pkg/apis/core/validation (validatePodResources).
import { containerTotals, isPodLevelResource } from '../../machinery/podresources.ts'
import { compareQuantities, formatQuantity } from '../../machinery/quantity.ts'
import { amountAt, isResourceName, resourceRequirements } from './resources.ts'
import type { Spot } from './spot.ts'

const NAMES = ['cpu', 'hugepages-', 'memory']

function isPodResourceName(spot: Spot, name: string): void {
  if (isResourceName(spot, name) && !isPodLevelResource(name)) spot.notSupported(NAMES, name)
}

/** What a pod has is enough for all containers together. */
function isEnough(spec: Spot, which: 'requests' | 'limits'): void {
  const list = spec.at('resources').at(which)
  for (const [name, total] of containerTotals(spec.object, which)) {
    const own = list.key(name)
    const amount = amountAt(own)
    if (!amount || (which === 'limits' && !name.startsWith('hugepages-'))) continue
    if (compareQuantities(total, amount) <= 0) continue
    const what = `must be greater than or equal to aggregate container ${which} of ${formatQuantity(total)}`
    own.invalid(what, String(own.value))
  }
}

/** No container may take more than its pod. */
function containersKeepWithin(spec: Spot): void {
  const limits = spec.at('resources').at('limits')
  const shown = spec.at('resources').at('containers').with(spec.at('containers').value)
  for (const container of shown.items()) {
    const own = container.at('resources').at('limits')
    for (const name of own.keys()) {
      const [amount, most] = [amountAt(own.key(name)), amountAt(limits.key(name))]
      if (!amount || !most || compareQuantities(amount, most) <= 0) continue
      const why = `must be less than or equal to pod limits of ${String(limits.key(name).value)}`
      container
        .key(name)
        .at('limits')
        .invalid(why, String(own.key(name).value))
    }
  }
}

/** spec.resources; `claimNames`: of spec.resourceClaims. */
export function podResources(spec: Spot, claimNames: readonly string[]): void {
  const resources = spec.at('resources')
  if (!resources.isSet) return
  if (spec.at('os').at('name').text === 'windows')
    return resources.forbidden('may not be set for a windows pod')
  // An empty list is one too many.
  if (resources.at('claims').shown !== null)
    resources.at('claims').forbidden('claims may not be set for Resources at pod-level')
  resourceRequirements(resources, claimNames, isPodResourceName)
  isEnough(spec, 'requests')
  isEnough(spec, 'limits')
  containersKeepWithin(spec)
}
