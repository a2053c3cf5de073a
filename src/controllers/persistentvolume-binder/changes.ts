// Claims and volumes as they ought to be: each function gives the changed object, or undefined where nothing changes.
// Follows bind, unbindVolume, updateClaimStatus and the migration annotations of
// k8s.io/kubernetes/pkg/controller/volume/persistentvolume.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../client/kinds/core.v1.gen.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import { isVolumeOf, migratedDriver, VOLUME_ANNOTATIONS as ANNOTATIONS } from '../../client/volumes.ts'
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts'

const PRE_RESIZE = 'volume.alpha.kubernetes.io/pre-resize-capacity'
export const IN_TREE_FINALIZER = 'kubernetes.io/pv-controller'
const EXTERNAL_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer'
const IN_TREE = 'kubernetes.io/'

type Annotated = PersistentVolume | PersistentVolumeClaim

/** The same with annotations set, or taken away where undefined. */
export function annotated<T extends Annotated>(object: T, changes: Record<string, string | undefined>): T {
  const entries = Object.entries({ ...object.metadata.annotations, ...changes })
  const annotations = Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  return { ...object, metadata: { ...object.metadata, annotations } }
}

const has = ({ metadata }: Annotated, key: string): boolean => metadata.annotations?.[key] !== undefined

/** The volume, given to the claim. */
export function givenVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): PersistentVolume | undefined {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const ref = volume.spec.claimRef
  const isGiven = ref?.uid !== undefined && ref.uid === uid && isVolumeOf(volume, claim)
  const claimRef = { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion }
  const given = isGiven ? volume : { ...volume, spec: { ...volume.spec, claimRef } }
  // Who kept a volume for a claim by name did so themselves.
  const isOurDoing = !isVolumeOf(volume, claim) && !has(volume, ANNOTATIONS.boundByController)
  if (isOurDoing) return annotated(given, { [ANNOTATIONS.boundByController]: 'yes' })
  return isGiven ? undefined : given
}

/** The claim, with its volume. */
export function boundClaim(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): PersistentVolumeClaim | undefined {
  const { name } = volume.metadata
  const isNamed = claim.spec.volumeName === name
  if (isNamed && has(claim, ANNOTATIONS.bindCompleted)) return undefined
  const changes: Record<string, string> = { [ANNOTATIONS.bindCompleted]: 'yes' }
  if (!isNamed) changes[ANNOTATIONS.boundByController] = 'yes'
  return annotated({ ...claim, spec: { ...claim.spec, volumeName: name } }, changes)
}

/** Freed of its claim: wholly where we gave it, kept for that name where its maker did. */
export function freedVolume(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec
  if (has(volume, ANNOTATIONS.boundByController))
    return annotated({ ...volume, spec }, { [ANNOTATIONS.boundByController]: undefined })
  const { uid: _, ...ref } = claimRef ?? {}
  return { ...volume, spec: { ...spec, claimRef: ref } }
}

/** The claim's status in this phase. Throws Error for a volume without a size. */
export function claimStatus(
  claim: PersistentVolumeClaim,
  phase: string,
  volume?: PersistentVolume,
): PersistentVolumeClaimStatus | undefined {
  const { accessModes: _, capacity, currentVolumeAttributesClassName: __, ...rest } = claim.status
  const status: PersistentVolumeClaimStatus = { ...rest, phase }
  if (volume) {
    status.accessModes = volume.spec.accessModes
    status.capacity = claim.status.phase === phase ? capacity : capacityOf(claim, volume)
    const isFirst = claim.status.phase === 'Pending' && phase === 'Bound'
    status.currentVolumeAttributesClassName = isFirst
      ? volume.spec.volumeAttributesClassName
      : claim.status.currentVolumeAttributesClassName
  }
  return isSameStatus(status, claim.status) ? undefined : status
}

/** A volume that waits for its file system to grow has the size of before. */
function capacityOf(
  claim: PersistentVolumeClaim,
  { metadata, spec }: PersistentVolume,
): Record<string, string> {
  const size = spec.capacity?.['storage']
  if (size === undefined)
    throw new Error(`PersistentVolume ${JSON.stringify(metadata.name)} is without a storage capacity`)
  const before = metadata.annotations?.[PRE_RESIZE]
  if (before !== undefined) return { ...claim.status.capacity, storage: before }
  const known = claim.status.capacity?.['storage']
  const isSame = known !== undefined && compareQuantities(parseQuantity(known), parseQuantity(size)) === 0
  return isSame ? { ...claim.status.capacity } : { ...spec.capacity }
}

/** The claim, with who is to make its volume. */
export function withProvisioner(
  claim: PersistentVolumeClaim,
  provisioner: string,
): PersistentVolumeClaim | undefined {
  if (claim.metadata.annotations?.[ANNOTATIONS.provisioner] === provisioner) return undefined
  const changed = annotated(claim, {
    [ANNOTATIONS.betaProvisioner]: provisioner,
    [ANNOTATIONS.provisioner]: provisioner,
  })
  return migrated(changed, provisioner) ?? changed
}

/** Claims and volumes of plugins that drivers took the place of say so; others do not. */
function migrated<T extends Annotated>(object: T, plugin: string | undefined): T | undefined {
  if (plugin === undefined) return undefined
  const driver = migratedDriver(plugin)
  const known = object.metadata.annotations?.[ANNOTATIONS.migratedTo]
  if ((known ?? '') === (driver ?? '')) return undefined
  return annotated(object, { [ANNOTATIONS.migratedTo]: driver })
}

export function migratedClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim | undefined {
  const { annotations = {} } = claim.metadata
  return migrated(claim, annotations[ANNOTATIONS.provisioner] ?? annotations[ANNOTATIONS.betaProvisioner])
}

/** With the annotation above, and the finalizer of volumes that are to be deleted by us. */
export function migratedVolume(volume: PersistentVolume): PersistentVolume | undefined {
  const plugin = volume.metadata.annotations?.[ANNOTATIONS.provisionedBy]
  const changed = migrated(volume, plugin)
  const finalizers = plugin === undefined ? undefined : deletionFinalizers(volume, plugin)
  if (!finalizers) return changed
  const base = changed ?? volume
  return { ...base, metadata: { ...base.metadata, finalizers } }
}

function deletionFinalizers({ metadata, spec }: PersistentVolume, plugin: string): string[] | undefined {
  const finalizers = metadata.finalizers ?? []
  const isMigrated = migratedDriver(plugin) !== undefined
  if (!isMigrated && !plugin.startsWith(IN_TREE)) return undefined
  const isOurs = !isMigrated && spec.persistentVolumeReclaimPolicy === 'Delete'
  const wanted = finalizers.filter(
    (one) => (one !== IN_TREE_FINALIZER || isOurs) && (one !== EXTERNAL_FINALIZER || isMigrated),
  )
  if (isOurs && !wanted.includes(IN_TREE_FINALIZER)) wanted.push(IN_TREE_FINALIZER)
  return wanted.join() === finalizers.join() ? undefined : wanted
}

/** Who deletes a volume whose claim is gone: somebody else, nobody for this reason, or us by deleting its object. */
export type Deleter = 'external' | 'us' | { readonly error: string }

/**
 * DEVIATION: upstream deletes the folder of a volume of type hostPath on the machine that it runs on, which is good for
 * tests with one machine; here the volume's object alone is deleted.
 */
export function deleterOf({ metadata, spec }: PersistentVolume): Deleter {
  const plugin = metadata.annotations?.[ANNOTATIONS.provisionedBy] ?? ''
  const isHostPath = spec.hostPath !== undefined
  if (plugin !== '' && plugin !== 'kubernetes.io/host-path') {
    if (!plugin.startsWith(IN_TREE)) return 'external'
    return { error: `no volume plugin matched name: ${plugin}` }
  }
  if (has({ metadata } as PersistentVolume, ANNOTATIONS.migratedTo) || spec.csi) return 'external'
  if (!isHostPath) {
    const name = JSON.stringify(metadata.name)
    return {
      error: `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`,
    }
  }
  const path = spec.hostPath?.path ?? ''
  if (/^\/tmp\/.+$/.test(path)) return 'us'
  return { error: `host_path deleter only supports /tmp/.+ but received provided ${path}` }
}
