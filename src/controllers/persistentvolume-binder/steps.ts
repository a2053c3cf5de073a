// What is to be done about a claim or a volume, as far as it can be told from copies. Nothing is written here.
// Follows syncClaim and syncVolume of k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go.
import type { PersistentVolume, PersistentVolumeClaim } from '../../client/kinds/core.v1.gen.ts'
import type { StorageClass } from '../../client/kinds/storage.v1.gen.ts'
import { keyOf } from '../../client/resource.ts'
import {
  classOfClaim,
  defaultClass,
  isVolumeOf,
  keyOfReference,
  namesClass,
  VOLUME_ANNOTATIONS as ANNOTATIONS,
} from '../../client/volumes.ts'
import { isOfAnotherMode, mismatch } from './match.ts'

/** An event that is told with a step. */
export interface Told {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimStep =
  | { readonly do: 'bind'; readonly volume: PersistentVolume }
  | { readonly do: 'pending'; readonly tell?: Told }
  | { readonly do: 'lost'; readonly tell: Told }
  | { readonly do: 'classify'; readonly className: string }
  | { readonly do: 'provision' }
  | { readonly do: 'fail'; readonly tell: Told; readonly error: string }

export interface ClaimView {
  volume(name: string): PersistentVolume | undefined
  /** The best of those that nobody has. */
  free(claim: PersistentVolumeClaim, waits: boolean): PersistentVolume | undefined
  class(name: string): StorageClass | undefined
  classes(): readonly StorageClass[]
  /** Names of pods that use the claim and have no node yet. */
  unscheduled(claim: PersistentVolumeClaim): readonly string[]
}

const warning = (reason: string, message: string): Told => ({ type: 'Warning', reason, message })
const has = ({ metadata }: PersistentVolume | PersistentVolumeClaim, key: string): boolean =>
  metadata.annotations?.[key] !== undefined

export function claimStep(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  if (has(claim, ANNOTATIONS.bindCompleted)) return boundStep(claim, view)
  return claim.spec.volumeName ? namedStep(claim, view) : freeStep(claim, view)
}

/** A claim that names no volume. */
function freeStep(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  const className = classOfClaim(claim)
  const waits = className !== '' && view.class(className)?.volumeBindingMode === 'WaitForFirstConsumer'
  const volume = view.free(claim, waits)
  if (volume) return { do: 'bind', volume }
  const byDefault = namesClass(claim) ? undefined : defaultClass(view.classes())
  if (byDefault) return { do: 'classify', className: byDefault.metadata.name ?? '' }
  if (waits && !has(claim, ANNOTATIONS.selectedNode)) return { do: 'pending', tell: waiting(claim, view) }
  if (className !== '') return { do: 'provision' }
  const message = 'no persistent volumes available for this claim and no storage class is set'
  return { do: 'pending', tell: { type: 'Normal', reason: 'FailedBinding', message } }
}

function waiting(claim: PersistentVolumeClaim, view: ClaimView): Told {
  const pods = view.unscheduled(claim)
  if (pods.length === 0) {
    const message = 'waiting for first consumer to be created before binding'
    return { type: 'Normal', reason: 'WaitForFirstConsumer', message }
  }
  const message = `waiting for ${pods.length > 1 ? 'pods' : 'pod'} ${pods.join(',')} to be scheduled`
  return { type: 'Normal', reason: 'WaitForPodScheduled', message }
}

/** A claim that names its volume, and is not bound to it yet. */
function namedStep(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  const name = claim.spec.volumeName ?? ''
  const volume = view.volume(name)
  if (!volume) return { do: 'pending' }
  if (isVolumeOf(volume, claim)) return { do: 'bind', volume }
  const { claimRef } = volume.spec
  if (claimRef === undefined) {
    const why = mismatch(claim, volume)
    if (why === undefined) return { do: 'bind', volume }
    const message = `Cannot bind to requested volume ${JSON.stringify(name)}: ${why}`
    return { do: 'pending', tell: warning('VolumeMismatch', message) }
  }
  const tell = warning('FailedBinding', `volume ${JSON.stringify(name)} already bound to a different claim.`)
  if (!has(claim, ANNOTATIONS.boundByController)) return { do: 'pending', tell }
  const [own, other] = [keyOf(claim), keyOfReference(claimRef)].map((key) => JSON.stringify(key))
  const error = `invalid binding of claim ${own} to volume ${JSON.stringify(name)}: volume already claimed by ${other}`
  return { do: 'fail', tell, error }
}

/** A claim that was bound once. */
function boundStep(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  const lost = (reason: string, message: string): ClaimStep => ({
    do: 'lost',
    tell: warning(reason, message),
  })
  if (!claim.spec.volumeName) {
    return lost(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    )
  }
  const volume = view.volume(claim.spec.volumeName)
  if (!volume)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const { claimRef } = volume.spec
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { do: 'bind', volume }
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

export type VolumeStep = 'available' | 'bound' | 'release' | 'unbind' | 'look at the claim' | 'mismatch'

/** `claim` is the one that the volume refers to, by uid; undefined where it is gone. */
export function volumeStep(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  if (!volume.spec.claimRef?.uid) return 'available'
  if (!claim) return 'release'
  if (!claim.spec.volumeName) return isOfAnotherMode(claim, volume) ? 'mismatch' : 'look at the claim'
  if (claim.spec.volumeName === volume.metadata.name) return 'bound'
  const isOurs = has(volume, ANNOTATIONS.provisionedBy)
  return isOurs && volume.spec.persistentVolumeReclaimPolicy === 'Delete' ? 'release' : 'unbind'
}
