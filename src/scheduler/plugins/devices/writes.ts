// What is written into claims: what they got, who uses them, and that they have nothing any more.
// Follows bindClaim, Unreserve and PostFilter of k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import { type Api, isConflict } from '../../../client/api.ts'
import { type Clock, timeOf } from '../../../client/clock.ts'
import type { Pod } from '../../../client/kinds/core.v1.gen.ts'
import type { AllocationResult, ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import { RESOURCE_CLAIMS } from '../../../client/resources.ts'

export const FINALIZER = 'resource.kubernetes.io/delete-protection'
/** As upstream's retries of conflicts. */
const TRIES = 5

interface Reserving {
  readonly api: Api
  readonly clock: Clock
}

/** Writes what the claim got, if anything, and that the pod uses it. Rejects where others were first. */
export async function reserveClaim(
  reserving: Reserving,
  claim: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
): Promise<ResourceClaim> {
  const { api } = reserving
  let latest = claim
  for (let left = TRIES; ; left--) {
    try {
      return await tryReserve(reserving, latest, pod, allocation)
    } catch (error) {
      if (left <= 1 || !isConflict(error)) throw error
      const { namespace, name = '' } = claim.metadata
      latest = await api.get(RESOURCE_CLAIMS, { namespace, name })
    }
  }
}

async function tryReserve(
  { api, clock }: Reserving,
  claim: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
): Promise<ResourceClaim> {
  const { namespace, name, deletionTimestamp, finalizers = [] } = claim.metadata
  const which = `claim ${namespace}/${name}`
  if (deletionTimestamp !== undefined) throw new Error(`${which} got deleted in the meantime`)
  let current = claim
  if (allocation) {
    if (claim.status.allocation) throw new Error(`${which} got allocated elsewhere in the meantime`)
    if (!finalizers.includes(FINALIZER)) {
      const metadata = { ...claim.metadata, finalizers: [...finalizers, FINALIZER] }
      current = await api.update(RESOURCE_CLAIMS, { ...claim, metadata })
    }
  } else if (!claim.status.allocation) throw new Error(`${which} got deallocated elsewhere in the meantime`)
  const user = { resource: 'pods', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' }
  const { reservedFor = [] } = current.status
  const got = allocation ?? current.status.allocation
  return api.updateStatus(RESOURCE_CLAIMS, {
    ...current,
    status: {
      ...current.status,
      // Since when its devices are being made ready.
      ...(got
        ? { allocation: { ...got, allocationTimestamp: got.allocationTimestamp ?? timeOf(clock) } }
        : {}),
      reservedFor: reservedFor.some(({ uid }) => uid === user.uid) ? reservedFor : [...reservedFor, user],
    },
  })
}

/** The pod does not use it after all. */
export async function unreserveClaim(api: Api, { metadata }: ResourceClaim, pod: string): Promise<void> {
  const { namespace, name = '', uid = '' } = metadata
  const status = { reservedFor: [{ $patch: 'delete', uid: pod }] }
  const place = { namespace, name, subresource: 'status' }
  await api.patch(RESOURCE_CLAIMS, place, { metadata: { uid }, status }, { type: 'strategic' })
}

export async function deallocate(api: Api, claim: ResourceClaim): Promise<void> {
  await api.updateStatus(RESOURCE_CLAIMS, { ...claim, status: {} })
}
