// Makes the claims for devices that pods ask for by templates, reserves them for pods that have nodes without a scheduler's
// doing, and gives devices back when no pod uses them. Follows k8s.io/kubernetes/pkg/controller/resourceclaim.
import { isNotFound } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import type { Pod, PodResourceClaim } from '../../client/kinds/core.v1.gen.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../client/kinds/resource.v1.gen.ts'
import { claimName, deviceClaimKeys, isReservedFor, notOfPod } from '../../client/podclaims.ts'
import { keyOf } from '../../client/resource.ts'
import { PODS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_CLAIMS } from '../../client/resources.ts'
import { onceSynced } from '../../client/synced.ts'
import {
  claimOfTemplate,
  claimStatuses,
  freedClaim,
  isPodDone,
  owningPod,
  POD_CLAIM,
  reservedClaim,
  templateKeys,
  unprotectedClaim,
} from './changes.ts'

const NAME = 'resourceclaim-controller'
const BY_CLAIM = 'device-claim'
const BY_TEMPLATE = 'device-claim-template'
const BY_OWNER = 'owner-pod'
const FIELD_MANAGER = 'ResourceClaimController'
const POD = 'pod:'
const CLAIM = 'claim:'

const sourcesOf = ({ informers }: ControllerContext) => ({
  pods: informers.of(PODS).index(BY_CLAIM, deviceClaimKeys).index(BY_TEMPLATE, templateKeys),
  claims: informers.of(RESOURCE_CLAIMS).index(BY_OWNER, (claim) => {
    const uid = owningPod(claim)?.uid
    return uid === undefined ? [] : [uid]
  }),
  templates: informers.of(RESOURCE_CLAIM_TEMPLATES),
})
type Sources = ReturnType<typeof sourcesOf>

export function resourceClaimController(context: ControllerContext, workers: number): Controller {
  const sources = sourcesOf(context)
  const { pods, claims, templates } = sources
  const queue = queueOf(context, 'resource_claim')
  const work = new ClaimWork(context, sources)
  const seePod = (pod: Pod): void => {
    if (!pod.spec.resourceClaims?.length && !pod.status.extendedResourceClaimStatus) return
    if (isPodDone(pod)) for (const key of deviceClaimKeys(pod)) queue.add(CLAIM + key)
    else if (pod.spec.resourceClaims?.length) queue.add(POD + keyOf(pod))
  }
  pods.handle({
    added: seePod,
    updated: seePod,
    deleted: (pod) => {
      for (const key of deviceClaimKeys(pod)) queue.add(CLAIM + key)
      work.forget(pod)
    },
  })
  const seePods = (claim: ResourceClaim): void => pods.reader.by(BY_CLAIM, keyOf(claim)).forEach(seePod)
  const seeClaim = (claim: ResourceClaim): void => {
    queue.add(CLAIM + keyOf(claim))
    seePods(claim)
  }
  claims.handle({ added: seeClaim, updated: seeClaim, deleted: seePods })
  templates.handle({
    added: (template) => pods.reader.by(BY_TEMPLATE, keyOf(template)).forEach(seePod),
  })
  const reconcile = (key: string): Promise<void> =>
    key.startsWith(POD)
      ? work.reconcilePod(key.slice(POD.length))
      : work.reconcileClaim(key.slice(CLAIM.length))
  return onceSynced([pods, claims, templates], { name: NAME, queue, workers, reconcile, log: context.log })
}

class ClaimWork {
  readonly #context: ControllerContext
  readonly #sources: Sources
  /** Claims that were made and may not be in the copy yet: names by pod and its own name for the claim. */
  readonly #made = new Map<string, Map<string, string>>()

  constructor(context: ControllerContext, sources: Sources) {
    this.#context = context
    this.#sources = sources
  }

  forget({ metadata: { uid = '' } }: Pod): void {
    this.#made.delete(uid)
  }

  async reconcilePod(key: string): Promise<void> {
    const pod = this.#sources.pods.reader.get(key)
    // A pod that is done needs no claim: those that were made for it go, and are not made again.
    if (!pod || pod.metadata.deletionTimestamp !== undefined || isPodDone(pod)) return
    const made = new Map<string, string>()
    for (const claim of pod.spec.resourceClaims ?? []) {
      try {
        const name = await this.#ensure(pod, claim)
        if (name !== undefined) made.set(claim.name, name)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        const message = `PodResourceClaim ${claim.name}: ${why}`
        const recorder = this.#context.recorder.as({ component: 'resource_claim' })
        recorder.event({ resource: PODS, object: pod }, 'Warning', 'FailedResourceClaimCreation', message)
        throw error
      }
    }
    if (made.size > 0) await this.#tell(pod, made)
    else if (pod.spec.nodeName) await this.#reserve(pod)
  }

  /** The name of the claim of a template where the pod does not tell it yet. */
  async #ensure(pod: Pod, claim: PodResourceClaim): Promise<string | undefined> {
    const { namespace = '', uid = '' } = pod.metadata
    const known = claimName(pod, claim)
    if (known === undefined) return undefined
    if (known !== 'missing') {
      const found = known.isOwned ? await this.#find(namespace, known.name) : undefined
      if (!known.isOwned || (found && notOfPod(pod, found) === undefined)) return undefined
    }
    const own = this.#sources.claims.reader.by(BY_OWNER, uid)
    const there = own.find(({ metadata }) => metadata.annotations?.[POD_CLAIM] === claim.name)
    if (there) return there.metadata.name
    const before = this.#made.get(uid)?.get(claim.name)
    // Another is made where the pod tells of one that is gone.
    if (before !== undefined && known === 'missing') return before
    return this.#make(pod, claim)
  }

  /** The copy may not have it yet. */
  async #find(namespace: string, name: string): Promise<ResourceClaim | undefined> {
    const known = this.#sources.claims.reader.get(`${namespace}/${name}`)
    if (known) return known
    try {
      return await this.#context.api.get(RESOURCE_CLAIMS, { namespace, name })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #make(pod: Pod, { name, resourceClaimTemplateName: of = '' }: PodResourceClaim): Promise<string> {
    const { namespace = '', uid = '' } = pod.metadata
    const template = this.#sources.templates.reader.get(`${namespace}/${of}`)
    const quoted = JSON.stringify(of)
    if (!template) {
      throw new Error(
        `resource claim template ${quoted}: resourceclaimtemplate.resource.k8s.io ${quoted} not found`,
      )
    }
    const created = await this.#context.api
      .create(RESOURCE_CLAIMS, claimOfTemplate(pod, name, template))
      .catch((error: unknown) => {
        throw new Error(`create ResourceClaim : ${error instanceof Error ? error.message : String(error)}`)
      })
    const made = created.metadata.name ?? ''
    const ofPod = this.#made.get(uid) ?? new Map<string, string>()
    this.#made.set(uid, ofPod.set(name, made))
    return made
  }

  async #tell(pod: Pod, made: ReadonlyMap<string, string>): Promise<void> {
    const { namespace, name = '', uid = '' } = pod.metadata
    const status = { resourceClaimStatuses: claimStatuses(pod, made) }
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: namespace ?? '', name, uid },
      status,
    }
    const options = { type: 'apply', fieldManager: FIELD_MANAGER, force: true } as const
    await this.#context.api.patch(PODS, { namespace, name, subresource: 'status' }, body, options)
  }

  /** A pod that has its node already, where its claims have their devices. */
  async #reserve(pod: Pod): Promise<void> {
    for (const one of pod.spec.resourceClaims ?? []) {
      const known = claimName(pod, one)
      if (known === undefined || known === 'missing') continue
      const claim = this.#sources.claims.reader.get(`${pod.metadata.namespace ?? ''}/${known.name}`)
      if (!claim) return
      const why = known.isOwned ? notOfPod(pod, claim) : undefined
      if (why !== undefined) throw new Error(why)
      if (claim.status?.allocation === undefined || isReservedFor(claim, pod)) continue
      await this.#context.api.updateStatus(RESOURCE_CLAIMS, reservedClaim(claim, pod))
    }
  }

  async reconcileClaim(key: string): Promise<void> {
    const claim = this.#sources.claims.reader.get(key)
    if (!claim) return
    const consumers = claim.status?.reservedFor ?? []
    const needs = await Promise.all(consumers.map((one) => this.#isNeeded(claim, one)))
    const remaining = consumers.filter((_, i) => needs[i])
    const isLeaving = claim.metadata.deletionTimestamp !== undefined && remaining.length === 0
    const { api } = this.#context
    if (remaining.length < consumers.length || (isLeaving && unprotectable(claim))) {
      const freed = freedClaim(claim, remaining)
      const written = isSame(claim, freed) ? claim : await api.updateStatus(RESOURCE_CLAIMS, freed)
      const bare = unprotectedClaim(written)
      if (bare) await api.update(RESOURCE_CLAIMS, bare)
    }
    if (remaining.length === 0) await this.#removeUnused(claim)
  }

  /** Whether a consumer still uses the claim. What is no pod is not ours to judge. */
  async #isNeeded(
    { metadata: { namespace } }: ResourceClaim,
    { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference,
  ): Promise<boolean> {
    if (apiGroup !== '' || resource !== 'pods') return true
    const pod = this.#sources.pods.reader.get(`${namespace ?? ''}/${name}`)
    if (pod) return pod.metadata.uid === uid && !isPodDone(pod)
    try {
      // The copy may be older than the reservation.
      return (await this.#context.api.get(PODS, { namespace, name })).metadata.uid === uid
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /** A claim that was made for a pod goes when the pod is over; with the pod itself goes what is left. */
  async #removeUnused(claim: ResourceClaim): Promise<void> {
    const owner = owningPod(claim)
    const { namespace, name = '', deletionTimestamp } = claim.metadata
    const pod = owner && this.#sources.pods.reader.get(`${namespace ?? ''}/${owner.name}`)
    if (!pod || deletionTimestamp !== undefined) return
    if (pod.metadata.uid === owner.uid && !isPodDone(pod)) return
    try {
      await this.#context.api.delete(RESOURCE_CLAIMS, { namespace, name })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

/** Whether it has our finalizer, with or without devices. */
const unprotectable = (claim: ResourceClaim): boolean => unprotectedClaim(freedClaim(claim, [])) !== undefined

const isSame = (a: ResourceClaim, b: ResourceClaim): boolean =>
  JSON.stringify(a.status?.allocation) === JSON.stringify(b.status.allocation) &&
  (a.status?.reservedFor ?? []).length === (b.status.reservedFor ?? []).length
