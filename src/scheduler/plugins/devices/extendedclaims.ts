// The claims that are made for pods whose extended resources devices stand for: made when the node is decided, told of in
// the pod's status, and deleted where the pod is not bound after all.
// Follows createExtendedResourceClaimInAPI, patchPodExtendedResourceClaimStatus and unreserveExtendedResourceClaim of
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import { type Api, isNotFound } from '../../../client/api.ts'
import type { Clock } from '../../../client/clock.ts'
import type { ContainerExtendedResourceRequest, Pod } from '../../../client/kinds/core.v1.gen.ts'
import type { AllocationResult, ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import { PODS, RESOURCE_CLAIMS } from '../../../client/resources.ts'
import type { Allocations } from './allocations.ts'
import { FINALIZER, reserveClaim } from './writes.ts'

/** What a pod gets on one node. */
export interface Wanted {
  readonly claim: ResourceClaim
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

export class ExtendedClaims {
  readonly #allocations: Allocations
  /** By the pod's uid, from the decision until the pod is bound. */
  readonly #decided = new Map<string, Wanted>()
  readonly #made = new Map<string, ResourceClaim>()

  constructor(allocations: Allocations) {
    this.#allocations = allocations
  }

  decide(pod: string, wanted: Wanted, allocation: AllocationResult): void {
    this.#decided.set(pod, wanted)
    this.#allocations.keep(wanted.claim, allocation, pod)
  }

  /** Makes the claim that was decided for the pod, with what it gets; undefined: nothing was. */
  async make(
    pod: Pod,
    parts: { readonly api: Api; readonly clock: Clock },
  ): Promise<ResourceClaim | undefined> {
    const { uid: podUid = '', namespace, name = '' } = pod.metadata
    const decided = this.#decided.get(podUid)
    if (!decided) return undefined
    const { uid: interim = '', ...metadata } = decided.claim.metadata
    const made = await parts.api.create<ResourceClaim>(RESOURCE_CLAIMS, { ...decided.claim, metadata })
    this.#made.set(podUid, made)
    const allocation = this.#allocations.rename(interim, made.metadata.uid ?? '')
    const claim = await reserveClaim(parts, made, pod, allocation)
    const told = { requestMappings: decided.mappings, resourceClaimName: claim.metadata.name }
    await parts.api.patch(
      PODS,
      { namespace, name, subresource: 'status' },
      { metadata: { uid: podUid }, status: { extendedResourceClaimStatus: told } } as never,
      { type: 'merge' },
    )
    return claim
  }

  /** All is written, or the pod is not bound after all. */
  done(pod: string): void {
    this.#decided.delete(pod)
    this.#made.delete(pod)
  }

  /** The claim that was made for the pod, while it is not bound yet. */
  madeFor(pod: string): ResourceClaim | undefined {
    return this.#made.get(pod)
  }
}

/** Deletes a claim that nobody uses, whatever protects it. */
export async function deleteClaim({ metadata }: ResourceClaim, api: Api): Promise<void> {
  const { namespace, name = '', uid = '' } = metadata
  try {
    const { metadata: latest } = await api.get(RESOURCE_CLAIMS, { namespace, name })
    const finalizers = latest.finalizers?.filter((one) => one !== FINALIZER) ?? []
    const body = { metadata: { uid, finalizers } }
    await api.patch(RESOURCE_CLAIMS, { namespace, name }, body, { type: 'merge' })
    await api.delete(RESOURCE_CLAIMS, { namespace, name }, { preconditions: { uid } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
