// What of a pod's spec may change, on an update and through ephemeralcontainers.
// Part of pods.ts. Follows pkg/apis/core/validation (ValidatePodUpdate, ValidatePodEphemeralContainersUpdate).
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import { sameStruct, structDiff, structText } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { numberAt, objectAt, objectsAt, present, textAt } from '../reading.ts'
import { trimmedImage } from './containers.ts'
import { MIRROR } from './podannotations.ts'
import { tolerations } from './scheduling.ts'
import type { Spot } from './spot.ts'

const MAX_INT32 = 2 ** 31 - 1
const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')
const IMMUTABLE = `pod updates may not change fields other than ${CHANGEABLE}\n`
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const TERMS = 'nodeSelectorTerms'
const TERM = 'core.NodeSelectorTerm'

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
    if (present(before)) spot.invalid('must not update from a positive integer to nil value')
    return true
  }
  if (spot.number < 0 || spot.number > MAX_INT32) return spot.between(0, MAX_INT32)
  if (!present(before) || numberAt(before) >= spot.number) return true
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

/** A pod that waits at a gate may be directed more closely: these labels of its node stay. */
function addedSelector(selector: Spot, old: JsonObject): void {
  const before = objectAt(old['nodeSelector'])
  if (Object.keys(before).every((key) => selector.key(key).value === before[key])) return
  const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  selector.refused(`${structText('map string', selector.value)}: ${why}`)
}

const termsOf = (affinity: Json | undefined): readonly JsonObject[] =>
  objectsAt(objectAt(objectAt(affinity)[REQUIRED])[TERMS])

function isExtended(now: JsonObject, old: JsonObject): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  if (lists.every((list) => !objectsAt(old[list]).length)) {
    return lists.every((list) => !objectsAt(now[list]).length)
  }
  return lists.every((list) => {
    const before = objectsAt(old[list])
    return semanticEqual([...objectsAt(now[list]).slice(0, before.length)], [...before])
  })
}

/** The nodes that it must have may be fewer, not others. */
function narrowedAffinity(spot: Spot, old: Json | undefined): void {
  const [now, before] = [termsOf(spot.value), termsOf(old)]
  const terms = spot.at(REQUIRED).at(TERMS)
  if (before.length > 0 && now.length !== before.length) {
    const shown = structText(`[]${TERM}`, now.length || terms.isSet ? [...now] : undefined)
    return terms.refused(`${shown}: no additions/deletions to non-empty NodeSelectorTerms list are allowed`)
  }
  before.forEach((term, i) => {
    if (isExtended(now[i] ?? {}, term)) return
    const why = 'only additions are allowed (no mutations or deletions)'
    terms.items()[i]?.refused(`${structText(TERM, now[i])}: ${why}`)
  })
}

/** The affinity with the nodes' part put back, as long as that is all that may have changed. */
function affinityRestored(now: Json | undefined, old: Json | undefined): Json | undefined {
  const before = objectAt(old)['nodeAffinity']
  if (!present(now)) return present(before) ? { nodeAffinity: before as Json } : now
  const { podAffinity, podAntiAffinity } = objectAt(now)
  if (!present(old) && !present(podAffinity) && !present(podAntiAffinity)) return undefined
  return { ...objectAt(now), nodeAffinity: before as Json }
}

function directed(spec: Spot, old: JsonObject, same: JsonObject): void {
  const [selector, affinity] = [spec.at('nodeSelector'), spec.at('affinity')]
  if (!semanticEqual(selector.value, old['nodeSelector'])) {
    addedSelector(selector, old)
    same['nodeSelector'] = old['nodeSelector']
  }
  const before = objectAt(old['affinity'])['nodeAffinity']
  const now = affinity.at('nodeAffinity')
  // Unlike lists, a pointer to nothing is not the same as none.
  if (semanticEqual(now.value, before) && now.isSet === present(before)) return
  narrowedAffinity(now, before)
  same['affinity'] = affinityRestored(affinity.value, old['affinity'])
}

/** The new spec with everything that may change put back. */
function restored(spec: JsonObject, old: JsonObject): JsonObject {
  const same: JsonObject = { ...spec }
  for (const list of ['containers', 'initContainers']) {
    const before = objectsAt(old[list])
    const now = objectsAt(same[list])
    if (now.length > 0) same[list] = now.map((one, i) => ({ ...one, image: before[i]?.['image'] }))
    else delete same[list]
  }
  for (const key of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) same[key] = old[key]
  const grace = 'terminationGracePeriodSeconds'
  if (numberAt(old[grace]) < 0 && same[grace] === 1) same[grace] = old[grace]
  return same
}

/** As upstream reads a pod: less than none is one second, and the older name of serviceAccountName is not kept. */
function asRead({ serviceAccount, ...spec }: JsonObject): JsonObject {
  const grace = 'terminationGracePeriodSeconds'
  const serviceAccountName = spec['serviceAccountName'] || serviceAccount
  return { ...spec, serviceAccountName, ...(numberAt(spec[grace]) < 0 ? { [grace]: 1 } : {}) }
}

export function specUpdate(spec: Spot, old: JsonObject): void {
  if (!sameContainers(spec.at('containers'), objectsAt(old['containers']))) return
  if (!sameContainers(spec.at('initContainers'), objectsAt(old['initContainers']))) return
  if (!deadline(spec.at('activeDeadlineSeconds'), old)) return
  addedTolerations(spec.at('tolerations'), old)
  removedGates(spec.at('schedulingGates'), old)
  if (isDeepStrictEqual(spec.object, old)) return
  const same = restored(spec.object, old)
  if (objectsAt(old['schedulingGates']).length) directed(spec, old, same)
  const [before, now] = [asRead(old), asRead(same)]
  if (semanticEqual(now, before) && sameStruct('core.PodSpec', now, before)) return
  spec.forbidden(IMMUTABLE + structDiff('core.PodSpec', before, now))
}

/** Containers that are there stay as they are. */
export function ephemeralUpdate(pod: Spot, old: KubeObject): void {
  if (old.metadata.annotations?.[MIRROR] !== undefined) {
    pod.causes.length = 0
    return pod.named('[]').forbidden('static pods do not support ephemeral containers')
  }
  const list = pod.at('spec').at('ephemeralContainers')
  const now = new Map(list.items().map((container) => [container.at('name').text, container.object]))
  for (const container of objectsAt(objectAt(old['spec'])['ephemeralContainers'])) {
    const name = textAt(container['name'])
    const same = now.get(name)
    const what = `existing ephemeral containers ${goQuote(name)}`
    if (!same) list.forbidden(`${what} may not be removed\n`)
    else if (!semanticEqual(same, container) || !sameStruct('core.EphemeralContainer', same, container)) {
      list.forbidden(`${what} may not be changed\n${structDiff('core.EphemeralContainer', container, same)}`)
    }
  }
}
