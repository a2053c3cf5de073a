// PersistentVolumeClaimResize: a claim grows only once it is bound, and where its storage class allows it.
// Follows plugin/pkg/admission/storage/persistentvolume/resize.
import type { Lister } from '../machinery/lister.ts'
import { compareQuantities, parseQuantity } from '../machinery/quantity.ts'
import { forbid } from './forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { type Claim, CLAIMS, STORAGE_CLASSES } from './shapes.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

export class PersistentVolumeClaimResize implements AdmissionPlugin {
  readonly name = 'PersistentVolumeClaimResize'
  readonly reads = [STORAGE_CLASSES]

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'UPDATE' && isFor(target, CLAIMS)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    const claim = attributes.object as Claim
    const old = attributes.old as Claim
    const before = old.spec.resources?.requests?.storage ?? '0'
    const after = claim.spec.resources?.requests?.storage ?? '0'
    if (after === before || compareQuantities(parseQuantity(after), parseQuantity(before)) <= 0) return
    if (old.status?.phase !== 'Bound') {
      throw forbid(attributes, 'Only bound persistent volume claims can be expanded')
    }
    if (!allowsExpansion(claim, old, lister)) {
      const why = 'the storageclass that provisions the pvc must support resize'
      throw forbid(attributes, `only dynamically provisioned pvc can be resized and ${why}`)
    }
  }
}

function allowsExpansion(claim: Claim, old: Claim, lister: Lister): boolean {
  const name = classOf(claim)
  if (name === '' || name !== classOf(old)) return false
  return lister.get(STORAGE_CLASSES, '', name)?.allowVolumeExpansion === true
}

const classOf = (claim: Claim): string =>
  claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec.storageClassName ?? ''
