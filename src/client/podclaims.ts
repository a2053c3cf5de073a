// Which claims for devices a pod has, and what they say of the pod. Follows k8s.io/dynamic-resource-allocation/resourceclaim.
import type { Pod, PodResourceClaim } from './kinds/core.v1.gen.ts'
import type { ResourceClaim } from './kinds/resource.v1.gen.ts'
import { isControlledBy } from './ownership.ts'
import { keyOf } from './resource.ts'

export interface ClaimName {
  readonly name: string
  /** It was made for the pod, and must be the pod's own. */
  readonly isOwned: boolean
}

/** 'missing': made of a template, which is still to be done; undefined: none is needed, or nothing is said. */
export function claimName(pod: Pod, claim: PodResourceClaim): ClaimName | 'missing' | undefined {
  if (claim.resourceClaimName !== undefined) return { name: claim.resourceClaimName, isOwned: false }
  if (claim.resourceClaimTemplateName === undefined) return undefined
  const status = pod.status.resourceClaimStatuses?.find(({ name }) => name === claim.name)
  if (!status) return 'missing'
  return status.resourceClaimName === undefined
    ? undefined
    : { name: status.resourceClaimName, isOwned: true }
}

/** "namespace/name" of those that are there, one for amounts of devices that the scheduler made among them. */
export function deviceClaimKeys(pod: Pod): string[] {
  const names = (pod.spec.resourceClaims ?? []).flatMap((claim) => {
    const found = claimName(pod, claim)
    return found === undefined || found === 'missing' ? [] : [found.name]
  })
  const extended = pod.status.extendedResourceClaimStatus?.resourceClaimName
  const all = extended === undefined ? names : [...names, extended]
  return [...new Set(all)].map((name) => `${pod.metadata.namespace ?? ''}/${name}`)
}

/** Why a claim that was made for a pod of this name is not this pod's; undefined where it is. */
export const notOfPod = (pod: Pod, claim: ResourceClaim): string | undefined =>
  isControlledBy(claim, pod)
    ? undefined
    : `ResourceClaim ${keyOf(claim)} was not created for pod ${keyOf(pod)} (pod is not owner)`

export const isReservedFor = ({ status }: ResourceClaim, { metadata }: Pod): boolean =>
  (status?.reservedFor ?? []).some(({ uid }) => uid === metadata.uid)
