// Making, correcting and ending the pods of a StatefulSet, with their claims. Follows
// k8s.io/kubernetes/pkg/controller/statefulset/stateful_pod_control.go.
import { type Api, isAlreadyExists, isNotFound } from '../../client/api.ts'
import { isBehind } from '../../client/controller.ts'
import type { StatefulSet } from '../../client/kinds/apps.v1.gen.ts'
import type { PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import { messageOf } from '../../client/podcontrol.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { keyOf } from '../../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from '../../client/resources.ts'
import type { Reader } from '../../client/store.ts'
import { claimOwners, claimsOf, corrected, hasOtherController, isStale, whenScaled } from './identity.ts'

type Verb = 'Create' | 'Update' | 'Delete'

export class Members {
  readonly #api: Api
  readonly #recorder: EventRecorder
  readonly #claims: Reader<PersistentVolumeClaim>

  constructor(api: Api, recorder: EventRecorder, claims: Reader<PersistentVolumeClaim>) {
    this.#api = api
    this.#recorder = recorder
    this.#claims = claims
  }

  /** A claim that still goes with the pod of this name before must go before the next one comes. */
  awaitsClaims(set: StatefulSet, pod: Pod): boolean {
    if (whenScaled(set) === 'Retain') return false
    return this.#claimsThere(set, pod).some((claim) => isStale(claim, PODS, pod))
  }

  /** Rejects as the server refuses; that the pod is there already is for the next pass, which will know it. */
  async create(set: StatefulSet, pod: Pod): Promise<void> {
    await this.#told('Create', set, pod, async () => {
      await this.makeClaims(set, pod)
      await this.#api.create(PODS, pod)
    })
  }

  async end(set: StatefulSet, pod: Pod): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata
    await this.#told('Delete', set, pod, async () => {
      try {
        // By uid: what is known of the pod may be old, and the next one has the same name.
        await this.#api.delete(PODS, { namespace, name }, { preconditions: { uid } })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    })
  }

  /** Makes the pod's identity, volumes and the owners of its claims as they should be. */
  async correct(set: StatefulSet, pod: Pod): Promise<void> {
    const wanted = corrected(set, pod)
    if (wanted !== undefined) {
      await this.#told('Update', set, pod, async () => {
        await this.makeClaims(set, wanted)
        await this.#api.update(PODS, wanted)
      })
    }
    await this.settleClaims(set, pod)
  }

  /** Makes the claims that are missing. */
  async makeClaims(set: StatefulSet, pod: Pod): Promise<void> {
    for (const claim of claimsOf(set, pod)) {
      const there = this.#claims.get(keyOf(claim))
      if (there?.metadata.deletionTimestamp !== undefined) {
        throw new Error(`pvc ${claim.metadata.name} is being deleted`)
      }
      if (there === undefined) await this.#makeClaim(set, pod, claim)
    }
  }

  async #makeClaim(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): Promise<void> {
    const what = `Create Claim ${claim.metadata.name}`
    const whose = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
    const about = { resource: STATEFUL_SETS, object: set }
    try {
      await this.#api.create(PERSISTENT_VOLUME_CLAIMS, claim)
      this.#recorder.event(about, 'Normal', 'SuccessfulCreate', `${what} ${whose} success`)
    } catch (error) {
      if (isAlreadyExists(error)) return
      const message = `${what} for ${whose} failed error: ${messageOf(error)}`
      this.#recorder.event(about, 'Warning', 'FailedCreate', message)
      throw error
    }
  }

  /** Gives the claims the owners that the set's policy asks for. */
  async settleClaims(set: StatefulSet, pod: Pod): Promise<void> {
    for (const claim of this.#claimsThere(set, pod)) {
      const ownerReferences = claimOwners(set, pod, claim)
      if (ownerReferences === undefined) continue
      if (hasOtherController(set, pod, claim)) {
        const message = `PersistentVolumeClaim ${claim.metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`
        this.#recorder.event(
          { resource: STATEFUL_SETS, object: set },
          'Warning',
          'ConflictingController',
          message,
        )
      }
      const metadata = { ...claim.metadata, ownerReferences }
      await this.#api.update(PERSISTENT_VOLUME_CLAIMS, { ...claim, metadata })
    }
  }

  #claimsThere(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
    return claimsOf(set, pod).flatMap((claim) => this.#claims.get(keyOf(claim)) ?? [])
  }

  async #told(verb: Verb, set: StatefulSet, pod: Pod, act: () => Promise<void>): Promise<void> {
    const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
    const about = { resource: STATEFUL_SETS, object: set }
    try {
      await act()
    } catch (error) {
      if (isBehind(error)) throw error
      const message = `${what} failed error: ${messageOf(error)}`
      this.#recorder.event(about, 'Warning', `Failed${verb}`, message)
      throw error
    }
    this.#recorder.event(about, 'Normal', `Successful${verb}`, `${what} successful`)
  }
}
