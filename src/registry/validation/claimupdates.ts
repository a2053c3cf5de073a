// What of a claim may change: its volume and its class may be named once, the size may grow once it is bound.
// Part of claims.ts. Follows pkg/apis/core/validation (ValidatePersistentVolumeClaimUpdate).
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts'
import { sameStruct, structDiff } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { objectAt, present, textAt } from '../reading.ts'
import { amountAt } from './resources.ts'
import type { Spot } from './spot.ts'

/** Where a claim's class stood before there was a field for it. */
const CLASS = 'volume.beta.kubernetes.io/storage-class'
const SPEC_IMMUTABLE =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n'
const SPEC = 'core.PersistentVolumeClaimSpec'
const ZERO = parseQuantity('0')

interface Compared {
  readonly now: JsonObject
  readonly before: JsonObject
}

/** A class that an annotation named may be named by the field. */
function movesClass(claim: KubeObject, old: KubeObject): boolean {
  const [spec, before] = [objectAt(claim['spec']), objectAt(old['spec'])]
  const said = old.metadata.annotations?.[CLASS]
  if (said === undefined || present(before['storageClassName'])) return false
  return spec['storageClassName'] === said && (claim.metadata.annotations?.[CLASS] ?? said) === said
}

/** A class may be named later, by whoever makes one the default. */
function namesClass(claim: KubeObject, old: KubeObject): boolean {
  const now = objectAt(claim['spec'])['storageClassName']
  if (!present(now) || present(objectAt(old['spec'])['storageClassName'])) return false
  return (old.metadata.annotations?.[CLASS] ?? now) === now
}

/** Both specs, with what may differ made the same. */
function compared(claim: Spot, old: KubeObject): Compared {
  const object = claim.object as KubeObject
  const now: JsonObject = { ...objectAt(object['spec']) }
  const before: JsonObject = { ...objectAt(old['spec']) }
  if (!textAt(before['volumeName'])) before['volumeName'] = now['volumeName']
  if (movesClass(object, old)) delete now['storageClassName']
  else {
    const [said, given] = [old, object].map(({ metadata }) => metadata.annotations?.[CLASS] ?? '')
    if (said !== given) claim.at('metadata').at('annotations').at(CLASS).invalid(FIELD_IMMUTABLE, given)
    if (namesClass(object, old)) now['storageClassName'] = before['storageClassName']
  }
  if (objectAt(object['status'])['phase'] !== 'Bound') return { now, before }
  const resources = objectAt(now['resources'])
  if (present(resources['requests'])) {
    const storage = objectAt(objectAt(before['resources'])['requests'])['storage'] ?? '0'
    now['resources'] = { ...resources, requests: { ...objectAt(resources['requests']), storage } }
  }
  now['volumeAttributesClassName'] = before['volumeAttributesClassName']
  return { now, before }
}

/** What has a size may be made no smaller than what it has got. */
function checkSize(spec: Spot, before: Spot, status: JsonObject): void {
  const size = (from: Spot): Spot => from.at('resources').at('requests').at('storage')
  const [now, then] = [amountAt(size(spec)) ?? ZERO, amountAt(size(before)) ?? ZERO]
  if (compareQuantities(now, then) >= 0) return
  const capacity = amountAt(before.with(objectAt(status['capacity'])['storage'])) ?? ZERO
  if (compareQuantities(now, capacity) <= 0)
    size(spec).forbidden('field can not be less than status.capacity')
}

/** Attributes that a volume has got are replaced, not taken away. */
function checkAttributes(spec: Spot, before: JsonObject, status: JsonObject): void {
  const name = spec.at('volumeAttributesClassName')
  if (name.value === before['volumeAttributesClassName']) return
  if (!present(status['currentVolumeAttributesClassName'])) return
  const why = 'is forbidden when status.currentVolumeAttributesClassName is not nil'
  if (!name.isSet) name.forbidden(`update to nil ${why}`)
  else if (!name.text) name.forbidden(`update to empty string ${why}`)
}

/** Adds what is wrong with the change behind what is wrong with the claim. */
export function claimChange(claim: Spot, old: KubeObject): void {
  const spec = claim.at('spec')
  const [before, status] = [objectAt(old['spec']), objectAt(old['status'])]
  const both = compared(claim, old)
  if (!semanticEqual(both.now, both.before) || !sameStruct(SPEC, both.now, both.before)) {
    spec.forbidden(SPEC_IMMUTABLE + structDiff(SPEC, both.before, both.now))
  }
  checkSize(spec, spec.with(before), status)
  claim.at('volumeMode').with(spec.at('volumeMode').value).unchanged(before['volumeMode'])
  checkAttributes(spec, before, status)
}
