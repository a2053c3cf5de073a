// Rules of persistent volumes.
// Follows pkg/apis/core/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { quantityValue } from '../../machinery/quantity.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { sameStruct, structDiff, structText } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { objectAt, present } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { accessModes, VOLUME_MODES } from './claims.ts'
import { amountAt, isPositive } from './resources.ts'
import { nodeSelector } from './scheduling.ts'
import { Spot } from './spot.ts'
import { SOURCE_NAMES, volumeSource } from './volumesources.ts'

const SOURCE = 'core.PersistentVolumeSource'
const LOCAL_NEEDS = 'Local volume requires node affinity'
const RECLAIM = ['Delete', 'Recycle', 'Retain']
const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function capacity(spot: Spot): void {
  spot.needed()
  if (!spot.at('storage').isSet || spot.keys().length > 1) spot.notSupported(['storage'], spot.shown)
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
  volumeSource(spec, true, () => {
    if (!affinity.isSet) affinity.required(LOCAL_NEEDS)
  })
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

const INLINE = 'in the context of inline volumes'
const NOT_INLINE = `may not be specified ${INLINE}`

/** The spec of a volume that stands in what attaches it, and belongs to no claim. */
export function inlineVolumeSpec(spec: Spot): void {
  const [modes, reclaim, mode] = [
    spec.at('accessModes'),
    spec.at('persistentVolumeReclaimPolicy'),
    spec.at('volumeMode'),
  ]
  spec.at('claimRef').absent(NOT_INLINE)
  if (!spec.at('capacity').isEmpty) spec.at('capacity').forbidden(NOT_INLINE)
  if (!spec.at('csi').isSet) spec.at('csi').required(`has to be specified ${INLINE}`)
  modes.needed()
  accessModes(modes)
  if (reclaim.text && reclaim.text !== 'Retain') reclaim.forbidden(`may only be Retain ${INLINE}`)
  spec.at('nodeAffinity').absent(NOT_INLINE)
  volumeSource(spec, true, () => spec.at('nodeAffinity').required(LOCAL_NEEDS))
  if (spec.at('storageClassName').text) spec.at('storageClassName').forbidden(NOT_INLINE)
  if (mode.isSet && mode.text !== 'Filesystem') {
    mode.forbidden(`may not specify volumeMode other than Filesystem ${INLINE}`)
  }
}

export function validateVolume(volume: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  volumeSpec(Spot.of(volume, causes).at('spec'))
  return causes
}

/** A volume that had no secret for its expansion may get one. */
function withoutNewSecret(spec: JsonObject, before: JsonObject): JsonObject {
  if (!present(spec['csi']) || !present(before['csi'])) return spec
  if (present(objectAt(before['csi'])['controllerExpandSecretRef'])) return spec
  const { controllerExpandSecretRef: _secret, ...csi } = objectAt(spec['csi'])
  return { ...spec, csi }
}

/** Names of labels of nodes before and since these went out of beta. */
const SINCE_BETA: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
}

/** The old value with each label that the new one names by its later name named so. */
function renamed(old: Json, now: Json | undefined): Json {
  if (Array.isArray(old)) return old.map((item, i) => renamed(item, Array.isArray(now) ? now[i] : undefined))
  if (typeof old !== 'object' || old === null) return old
  const other = objectAt(now)
  return Object.fromEntries(
    Object.entries(old).map(([key, value]) => {
      // A label that had no later name may be named "" by it: so upstream compares.
      const later = key === 'key' && typeof value === 'string' ? (SINCE_BETA[value] ?? '') : undefined
      return [key, later === (other[key] ?? '') ? other[key] : renamed(value as Json, other[key])]
    }),
  )
}

/** Where a volume is does not change once it is said. */
function keepsAffinity(volume: Spot, before: JsonObject): void {
  const [now, old] = [volume.at('spec').at('nodeAffinity').value, before['nodeAffinity']]
  if (!present(old) || semanticEqual(now, renamed(old as Json, now))) return
  const shown = structText('*core.VolumeNodeAffinity', now)
  volume.at('nodeAffinity').refused(`${shown}: ${FIELD_IMMUTABLE}, except for updating from beta label to GA`)
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
  const now = withoutNewSecret(spec.object, before)
  const isSame = SOURCE_NAMES.every((name) => semanticEqual(now[name], before[name]))
  if (!isSame || !sameStruct(SOURCE, now, before)) {
    const why = 'spec.persistentvolumesource is immutable after creation\n'
    spec.at('persistentvolumesource').forbidden(why + structDiff(SOURCE, before, now))
  }
  spot.at('volumeMode').with(spec.at('volumeMode').value).unchanged(before['volumeMode'])
  const attributes = spec.at('volumeAttributesClassName')
  if (present(before['volumeAttributesClassName']) && !attributes.isSet) {
    attributes.forbidden('update from non-nil value to nil is forbidden')
  }
  keepsAffinity(spot, before)
  return causes
}
