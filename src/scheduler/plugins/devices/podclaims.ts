// The claims of a pod: named by it, or made for it out of templates.
// Follows k8s.io/dynamic-resource-allocation/resourceclaim.
import type { Pod } from '../../../client/kinds/core.v1.gen.ts'
import type { ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import type { ObjectSources } from '../../sources.ts'

/** The claims' names, as far as they have some. */
export const ownClaimNames = ({ spec, status }: Pod): string[] =>
  (spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const made = status.resourceClaimStatuses?.find((one) => one.name === name)?.resourceClaimName
    return resourceClaimName ?? made ?? []
  })

export const isClaimOf = ({ metadata }: ResourceClaim, pod: Pod): boolean =>
  metadata.namespace === pod.metadata.namespace && ownClaimNames(pod).includes(metadata.name ?? '')

/** A text where one of them is not there (yet), or cannot be used. */
export function claimsOf(pod: Pod, sources: ObjectSources): ResourceClaim[] | string {
  const { namespace = '', name: podName = '', uid } = pod.metadata
  const claims: ResourceClaim[] = []
  for (const { name, resourceClaimName, resourceClaimTemplateName } of pod.spec.resourceClaims ?? []) {
    const made = pod.status.resourceClaimStatuses?.find((one) => one.name === name)
    const isGenerated = resourceClaimTemplateName !== undefined
    if (isGenerated && !made)
      return `pod ${JSON.stringify(`${namespace}/${podName}`)}: ResourceClaim not created yet`
    const claimName = resourceClaimName ?? made?.resourceClaimName
    // It turned out that none is needed.
    if (claimName === undefined) continue
    const claim = sources.resourceClaim(namespace, claimName)
    if (!claim) return `resourceclaim.resource.k8s.io ${JSON.stringify(claimName)} not found`
    if (claim.metadata.deletionTimestamp !== undefined)
      return `resourceclaim ${JSON.stringify(claimName)} is being deleted`
    const isOwned = claim.metadata.ownerReferences?.some((one) => one.controller && one.uid === uid)
    if (isGenerated && !isOwned)
      return `ResourceClaim ${namespace}/${claimName} was not created for pod ${namespace}/${podName} (pod is not owner)`
    claims.push(claim)
  }
  return claims
}
