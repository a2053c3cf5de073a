// Which volume suits a claim best. Follows FindMatchingVolume of k8s.io/component-helpers/storage/volume and the ordered
// index of k8s.io/kubernetes/pkg/controller/volume/persistentvolume.
import type { PersistentVolume, PersistentVolumeClaim } from '../../client/kinds/core.v1.gen.ts'
import { classOfClaim, classOfVolume, isVolumeOf } from '../../client/volumes.ts'
import { selectorOfObject } from '../../machinery/labels.ts'
import { compareQuantities, parseQuantity, quantityValue } from '../../machinery/quantity.ts'

const MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']

/** What volumes are found by: their access modes, in one order. */
export const modesKey = (modes: readonly string[] = []): string =>
  MODES.filter((mode) => modes.includes(mode)).join(',')

/** The keys of volumes that have these modes at least, those with the fewest in front. */
export function keysWith(modes: readonly string[] = []): readonly string[] {
  const keys: string[][] = []
  for (let bits = 0; bits < 2 ** MODES.length; bits++) {
    const some = MODES.filter((_, i) => (bits & (1 << i)) !== 0)
    if (modes.every((mode) => some.includes(mode))) keys.push(some)
  }
  return keys.sort((a, b) => a.length - b.length).map((some) => some.join(','))
}

const storageOf = (amounts: Readonly<Record<string, string>> = {}) => parseQuantity(amounts['storage'] ?? '0')
const modeOf = ({ volumeMode }: { volumeMode?: string | undefined }): string => volumeMode ?? 'Filesystem'

export const isOfAnotherMode = (claim: PersistentVolumeClaim, volume: PersistentVolume): boolean =>
  modeOf(claim.spec) !== modeOf(volume.spec)

const isOfAnotherAttributes = (claim: PersistentVolumeClaim, volume: PersistentVolume): boolean =>
  (claim.spec.volumeAttributesClassName ?? '') !== (volume.spec.volumeAttributesClassName ?? '')

/**
 * The one that is kept for the claim, or else the smallest that is free and large enough; undefined where none is. A claim
 * that waits for its pod takes only what is kept for it.
 */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  waits: boolean,
): PersistentVolume | undefined {
  const wanted = storageOf(claim.spec.resources.requests)
  const selector = claim.spec.selector && selectorOfObject(claim.spec.selector)
  let best: { readonly volume: PersistentVolume; readonly size: ReturnType<typeof storageOf> } | undefined
  for (const volume of volumes) {
    const { metadata, spec, status } = volume
    const isKept = isVolumeOf(volume, claim)
    if (spec.claimRef !== undefined && !isKept) continue
    const size = storageOf(spec.capacity)
    if (compareQuantities(size, wanted) < 0) continue
    if (isOfAnotherMode(claim, volume) || isOfAnotherAttributes(claim, volume)) continue
    if (metadata.deletionTimestamp !== undefined) continue
    if (isKept) return volume
    if (waits || status.phase !== 'Available' || classOfVolume(volume) !== classOfClaim(claim)) continue
    if (selector && !selector.matches(metadata.labels ?? {})) continue
    if (!best || compareQuantities(best.size, size) > 0) best = { volume, size }
  }
  return best?.volume
}

/** Why a volume that the claim names cannot be its; undefined where it can. */
export function mismatch(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`
  const [size, wanted] = [storageOf(volume.spec.capacity), storageOf(claim.spec.resources.requests)]
  if (quantityValue(size) < quantityValue(wanted)) return 'requested PV is too small'
  if (classOfVolume(volume) !== classOfClaim(claim)) return 'storageClassName does not match'
  if (isOfAnotherAttributes(claim, volume)) return 'volumeAttributesClassName does not match'
  if (isOfAnotherMode(claim, volume)) return 'incompatible volumeMode'
  const modes = volume.spec.accessModes ?? []
  if (!(claim.spec.accessModes ?? []).every((mode) => modes.includes(mode))) return 'incompatible accessMode'
  return undefined
}
