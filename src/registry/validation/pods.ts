// Rules of pods: what may be created, what may change, and what a status may say.
// Follows pkg/apis/core/validation (ValidatePodCreate, ValidatePodUpdate, ValidatePodStatusUpdate).
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { semanticEqual } from '../equality.ts'
import { numberAt, objectAt, objectsAt, textAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { trimmedImage } from './containers.ts'
import { podAnnotations, podAnnotationsUpdate, profilesMatch } from './podannotations.ts'
import { resizeUpdate } from './podresize.ts'
import { podSpec } from './podspec.ts'
import { podStatus } from './podstatus.ts'
import { tolerations } from './scheduling.ts'
import { Spot } from './spot.ts'

const MAX_INT32 = 2 ** 31 - 1
const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')
/** DEVIATION: upstream ends with a diff of its Go structs. */
const IMMUTABLE = `pod updates may not change fields other than ${CHANGEABLE}\n`

function specOfPod(spec: Spot): void {
  podSpec(spec, true)
  if (!spec.at('serviceAccountName').text) {
    for (const volume of spec.itemsOf('volumes')) {
      for (const source of volume.at('projected').itemsOf('sources')) {
        source.at('serviceAccountToken').absent('must not be specified when serviceAccountName is not set')
      }
    }
  }
  for (const list of ['containers', 'initContainers']) {
    for (const container of spec.itemsOf(list)) trimmedImage(container)
  }
}

export function validatePod(pod: KubeObject, context?: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(pod, causes, context?.settings)
  const spec = spot.at('spec')
  const annotations = spot.at('metadata').at('annotations')
  podAnnotations(annotations, spec)
  specOfPod(spec)
  const ephemeral = spec.at('ephemeralContainers')
  if (!ephemeral.isEmpty) ephemeral.forbidden('cannot be set on create')
  if (spec.at('nodeName').text && !spec.at('schedulingGates').isEmpty) {
    spec.at('nodeName').forbidden('cannot be set until all schedulingGates have been cleared')
  }
  profilesMatch(annotations, spec)
  return causes
}

/** False where containers came or went, after which no other comparison says more. */
function sameContainers(containers: Spot, old: readonly JsonObject[]): boolean {
  if (containers.items().length !== old.length) {
    containers.forbidden('pod updates may not add or remove containers')
    return false
  }
  for (const container of containers.items()) {
    container.at('image').needed()
    trimmedImage(container)
  }
  return true
}

/** The deadline may come, or come closer. */
function deadline(spot: Spot, old: JsonObject): boolean {
  const before = old['activeDeadlineSeconds']
  if (!spot.isSet) {
    if (before !== undefined) spot.invalid('must not update from a positive integer to nil value')
    return true
  }
  if (spot.number < 0 || spot.number > MAX_INT32) return spot.between(0, MAX_INT32)
  if (before === undefined || numberAt(before) >= spot.number) return true
  spot.invalid('must be less than or equal to previous value')
  return false
}

function addedTolerations(list: Spot, old: JsonObject): void {
  const bare = ({ tolerationSeconds: _seconds, ...rest }: JsonObject): JsonObject => rest
  for (const known of objectsAt(old['tolerations'])) {
    if (list.items().some((item) => semanticEqual(bare(item.object), bare(known)))) continue
    return list.forbidden('existing toleration can not be modified except its tolerationSeconds')
  }
  tolerations(list)
}

function removedGates(gates: Spot, old: JsonObject): void {
  const known = new Set(objectsAt(old['schedulingGates']).map((gate) => gate['name']))
  for (const gate of gates.items()) {
    const name = gate.at('name')
    if (!known.has(name.text))
      name.forbidden(`only deletion is allowed, but found new scheduling gate '${name.text}'`)
  }
}

/** The new spec with everything that may change put back. */
function restored(spec: JsonObject, old: JsonObject): JsonObject {
  const same: JsonObject = { ...spec }
  for (const list of ['containers', 'initContainers']) {
    if (same[list] === undefined) continue
    const before = objectsAt(old[list])
    same[list] = objectsAt(same[list]).map((container, i) => ({ ...container, image: before[i]?.['image'] }))
  }
  // The older name of serviceAccountName, which upstream keeps in the served form alone.
  const free = ['activeDeadlineSeconds', 'schedulingGates', 'tolerations', 'serviceAccount']
  // A pod that waits at a gate may still be directed elsewhere.
  if (objectsAt(old['schedulingGates']).length) free.push('nodeSelector', 'affinity')
  for (const key of free) same[key] = old[key]
  const grace = 'terminationGracePeriodSeconds'
  if (numberAt(old[grace]) < 0 && same[grace] === 1) same[grace] = old[grace]
  return same
}

function specUpdate(spec: Spot, old: JsonObject): void {
  if (!sameContainers(spec.at('containers'), objectsAt(old['containers']))) return
  if (!sameContainers(spec.at('initContainers'), objectsAt(old['initContainers']))) return
  if (!deadline(spec.at('activeDeadlineSeconds'), old)) return
  addedTolerations(spec.at('tolerations'), old)
  removedGates(spec.at('schedulingGates'), old)
  if (semanticEqual(spec.object, old)) return
  if (!semanticEqual(restored(spec.object, old), old)) spec.forbidden(IMMUTABLE)
}

/** Containers that are there stay as they are; DEVIATION: without upstream's diff. */
function ephemeralUpdate(spec: Spot, old: JsonObject): void {
  const list = spec.at('ephemeralContainers')
  const now = new Map(list.items().map((container) => [container.at('name').text, container.object]))
  for (const container of objectsAt(old['ephemeralContainers'])) {
    const name = textAt(container['name'])
    const same = now.get(name)
    if (!same) list.forbidden(`existing ephemeral containers ${JSON.stringify(name)} may not be removed\n`)
    else if (!semanticEqual(same, container)) {
      list.forbidden(`existing ephemeral containers ${JSON.stringify(name)} may not be changed\n`)
    }
  }
}

export function validatePodUpdate(pod: KubeObject, old: KubeObject, context: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(pod, causes, context.settings)
  const before = objectAt(old['spec'])
  const spec = spot.at('spec')
  const annotations = spot.at('metadata').at('annotations')
  const stay = (): void => podAnnotationsUpdate(annotations, old.metadata.annotations, spec)
  if (context.subresource === 'status') {
    stay()
    podStatus(spot, old)
  } else {
    podAnnotations(annotations, spec)
    specOfPod(spec)
    if (context.subresource === 'ephemeralcontainers') ephemeralUpdate(spec, before)
    else if (context.subresource === 'resize') resizeUpdate(spot, old)
    else {
      stay()
      specUpdate(spec, before)
    }
  }
  return causes
}
