// Which of the alternatives of its requests a node would give a pod: the earlier ones are liked better.
// Follows computeScore of k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import type { AllocationResult, ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'

/** As the API has it: a request has no more alternatives. */
const MAX_ALTERNATIVES = 8

export const hasAlternatives = ({ spec }: ResourceClaim): boolean =>
  spec.devices.requests?.some(({ firstAvailable = [] }) => firstAvailable.length > 0) === true

/** For each claim what it would be, or is, allocated; more is better. */
export function alternativesScore(
  given: readonly (readonly [ResourceClaim, AllocationResult | undefined])[],
): number {
  let score = 0
  for (const [{ spec }, allocation] of given) {
    const taken = new Set(allocation?.devices?.results?.map(({ request }) => request))
    for (const { name, firstAvailable = [] } of spec.devices.requests ?? [])
      firstAvailable.forEach((one, i) => {
        if (taken.has(`${name}/${one.name}`)) score += MAX_ALTERNATIVES - i
      })
  }
  return score
}
