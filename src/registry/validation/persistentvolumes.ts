// Rules of persistent volumes.
// Follows pkg/apis/core/validation.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { quantityValue } from '../../machinery/quantity.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { accessModes, VOLUME_MODES } from './claims.ts'
import { amountAt, isPositive } from './resources.ts'
import { nodeSelector } from './scheduling.ts'
import { Spot } from './spot.ts'
import { SOURCE_NAMES, volumeSource } from './volumesources.ts'

const RECLAIM = ['Delete', 'Recycle', 'Retain']
const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function capacity(spot: Spot): void {
  spot.needed()
  if (!spot.at('storage').isSet || spot.keys().length > 1) spot.notSupported(['storage'], spot.value ?? null)
  for (const name of spot.keys()) {
    const amount = amountAt(spot.key(name))
    const value = amount ? quantityValue(amount) : 0
    if (value < 0) spot.key(name).invalid('must be a valid resource quantity', value)
    isPositive(spot.key(name))
  }
}

function volumeSpec(spec: Spot): void {
  spec.at('accessModes').needed()
  accessModes(spec.at('accessModes'))
  capacity(spec.at('capacity'))
  const reclaim = spec.at('persistentVolumeReclaimPolicy')
  if (!reclaim.isEmpty) reclaim.oneOf(RECLAIM)
  const affinity = spec.at('nodeAffinity')
  if (affinity.isSet && affinity.at('required').isSet) nodeSelector(affinity.at('required'))
  else if (affinity.isSet) affinity.at('required').required('must specify required node constraints')
  const source = volumeSource(spec, true)
  if (source === 'local' && !affinity.at('required').isSet) {
    spec.at('nodeAffinity').required('Local volume requires node affinity')
  }
  const path = spec.at('hostPath').at('path').text
  if (path && /^\/+$/.test(path) && reclaim.text === 'Recycle') {
    reclaim.forbidden("may not be 'recycle' for a hostPath mount of '/'")
  }
  spec.at('storageClassName').ifSet(isSubdomain)
  spec.at('volumeMode').oneOfIfSet(VOLUME_MODES)
  const attributes = spec.at('volumeAttributesClassName')
  if (!attributes.isSet) return
  attributes.neededAs(isSubdomain, 'an empty string is disallowed')
  if (!spec.at('csi').isSet)
    spec.at('csi').required('has to be specified when using volumeAttributesClassName')
}

export function validateVolume(volume: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  volumeSpec(Spot.of(volume, causes).at('spec'))
  return causes
}

export function validateVolumeUpdate(
  volume: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  if (context.subresource === 'status') return causes
  const spot = Spot.of(volume, causes)
  const spec = spot.at('spec')
  const before = objectAt(old['spec'])
  volumeSpec(spec)
  volumeSpec(spec)
  if (SOURCE_NAMES.some((name) => !semanticEqual(spec.at(name).value, before[name]))) {
    spec.at('persistentvolumesource').forbidden('spec.persistentvolumesource is immutable after creation\n')
  }
  spot.at('volumeMode').with(spec.at('volumeMode').value).unchanged(before['volumeMode'])
  return causes
}
