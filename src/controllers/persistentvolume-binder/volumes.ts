// What is written about volumes: their phase, and what becomes of them when their claim is gone.
// Follows syncVolume and reclaimVolume of k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go.
import { isAlreadyExists, isNotFound } from '../../client/api.ts'
import type { ControllerContext } from '../../client/controller.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { splitKey } from '../../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../../client/resources.ts'
import { keyOfReference } from '../../client/volumes.ts'
import { deleterOf, freedVolume, IN_TREE_FINALIZER, migratedVolume } from './changes.ts'
import type { Fresh } from './fresh.ts'
import { recyclerKey, recyclerPod, recycleStep } from './recycler.ts'
import { type Told, volumeStep } from './steps.ts'

export interface BinderParts {
  readonly context: ControllerContext
  readonly recorder: EventRecorder
  readonly claims: Fresh<PersistentVolumeClaim>
  readonly volumes: Fresh<PersistentVolume>
  pod(key: string): Pod | undefined
  /** "namespace/name" of pods that use the claim of this key and are not over. */
  users(claim: string): readonly string[]
  lookAtClaim(key: string): void
}

export class VolumeWork {
  readonly #parts: BinderParts

  constructor(parts: BinderParts) {
    this.#parts = parts
  }

  async reconcile(name: string): Promise<void> {
    let volume = this.#parts.volumes.get(name)
    if (!volume) return
    volume = await this.update(migratedVolume(volume), volume)
    const claim = await this.#claimOf(volume)
    switch (volumeStep(volume, claim)) {
      case 'available':
        await this.setPhase(volume, 'Available')
        return
      case 'bound':
        await this.setPhase(volume, 'Bound')
        return
      case 'unbind':
        return this.#unbind(volume)
      case 'look at the claim':
        return this.#parts.lookAtClaim(keyOfReference(volume.spec.claimRef ?? {}))
      case 'mismatch':
        return this.#tellMismatch(volume, claim)
      case 'release':
        return this.#release(volume)
    }
  }

  /** Writes the changed object, if there is one; resolves with the newest. */
  async update(changed: PersistentVolume | undefined, volume: PersistentVolume): Promise<PersistentVolume> {
    if (!changed) return volume
    return this.#parts.volumes.note(await this.#parts.context.api.update(PERSISTENT_VOLUMES, changed))
  }

  /** The event is told where the phase is a new one. */
  async setPhase(volume: PersistentVolume, phase: string, tell?: Told): Promise<PersistentVolume> {
    if (volume.status.phase === phase) return volume
    const { message: _, ...rest } = volume.status
    const status = { ...rest, phase }
    const { api } = this.#parts.context
    const written = this.#parts.volumes.note(
      await api.updateStatus(PERSISTENT_VOLUMES, { ...volume, status }),
    )
    if (tell) this.#tell(written, tell)
    return written
  }

  #tell(volume: PersistentVolume, { type, reason, message }: Told): void {
    this.#parts.recorder.event({ resource: PERSISTENT_VOLUMES, object: volume }, type, reason, message)
  }

  /** The very claim that the volume refers to. That it is gone is asked of the server before data is deleted. */
  async #claimOf({ spec, status }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { claimRef } = spec
    if (!claimRef?.uid) return undefined
    const known = this.#parts.claims.get(keyOfReference(claimRef))
    if (known?.metadata.uid === claimRef.uid) return known
    if (!known && (status.phase === 'Released' || status.phase === 'Failed')) return undefined
    try {
      const place = { namespace: claimRef.namespace, name: claimRef.name ?? '' }
      const claim = await this.#parts.context.api.get(PERSISTENT_VOLUME_CLAIMS, place)
      return claim.metadata.uid === claimRef.uid ? claim : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #tellMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): void {
    if (!claim) return
    const [own, other] = [volume, claim].map(({ metadata }) => JSON.stringify(metadata.name))
    const reason = 'VolumeMismatch'
    const why = 'due to incompatible volumeMode.'
    const message = `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${other} ${why}`
    this.#tell(volume, { type: 'Warning', reason, message })
    this.#parts.recorder.event(
      { resource: PERSISTENT_VOLUME_CLAIMS, object: claim },
      'Warning',
      reason,
      `Cannot bind PersistentVolume ${own} to requested PersistentVolumeClaim ${why}`,
    )
  }

  async #unbind(volume: PersistentVolume): Promise<void> {
    await this.setPhase(await this.update(freedVolume(volume), volume), 'Available')
  }

  async #release(volume: PersistentVolume): Promise<void> {
    const isReleased = volume.status.phase === 'Released' || volume.status.phase === 'Failed'
    const released = isReleased ? volume : await this.setPhase(volume, 'Released')
    if (released.metadata.annotations?.['pv.kubernetes.io/migrated-to']) return
    switch (released.spec.persistentVolumeReclaimPolicy) {
      case 'Retain':
        return
      case 'Delete':
        return this.#delete(released)
      case 'Recycle':
        return this.#recycle(released)
      default: {
        const message = 'Volume has unrecognized PersistentVolumeReclaimPolicy'
        await this.setPhase(released, 'Failed', {
          type: 'Warning',
          reason: 'VolumeUnknownReclaimPolicy',
          message,
        })
      }
    }
  }

  async #delete(volume: PersistentVolume): Promise<void> {
    const deleter = deleterOf(volume)
    if (deleter === 'external') return
    if (deleter !== 'us') {
      const tell = { type: 'Warning', reason: 'VolumeFailedDelete', message: deleter.error } as const
      await this.setPhase(volume, 'Failed', tell)
      return
    }
    const finalizers = (volume.metadata.finalizers ?? []).filter((one) => one !== IN_TREE_FINALIZER)
    const hasOurs = finalizers.length !== (volume.metadata.finalizers ?? []).length
    if (hasOurs) await this.update({ ...volume, metadata: { ...volume.metadata, finalizers } }, volume)
    if (volume.metadata.deletionTimestamp !== undefined) return
    const { name = '', uid = '' } = volume.metadata
    try {
      await this.#parts.context.api.delete(PERSISTENT_VOLUMES, { name }, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async #recycle(volume: PersistentVolume): Promise<void> {
    const claim = keyOfReference(volume.spec.claimRef ?? {})
    const users = this.#parts.claims.get(claim) ? [] : this.#parts.users(claim)
    const reason = 'VolumeFailedRecycle'
    if (users.length > 0)
      return this.#tell(volume, {
        type: 'Normal',
        reason,
        message: `Volume is used by pods: ${users.join(',')}`,
      })
    const { name = '' } = volume.metadata
    const step = recycleStep(this.#parts.pod(recyclerKey(name)))
    switch (step.do) {
      case 'wait':
        return
      case 'start':
        return this.#startRecycler(volume)
      case 'finish':
        await this.#deletePod(name)
        this.#tell(volume, { type: 'Normal', reason: 'VolumeRecycled', message: 'Volume recycled' })
        return this.#unbind(volume)
      case 'fail':
        await this.#deletePod(name)
        await this.setPhase(volume, 'Failed', { type: 'Warning', reason, message: step.message })
    }
  }

  async #startRecycler(volume: PersistentVolume): Promise<void> {
    const pod = recyclerPod(volume)
    if (!pod) {
      const message = 'No recycler plugin found for the volume!'
      await this.setPhase(volume, 'Failed', { type: 'Warning', reason: 'VolumeFailedRecycle', message })
      return
    }
    try {
      await this.#parts.context.api.create(PODS, pod)
    } catch (error) {
      // The copy does not have it yet.
      if (!isAlreadyExists(error)) throw error
    }
  }

  async #deletePod(volume: string): Promise<void> {
    try {
      await this.#parts.context.api.delete(PODS, splitKey(recyclerKey(volume)))
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
