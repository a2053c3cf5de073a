// Annotations of pods and of their templates that have a meaning: mirror pods, the cost of a deletion, and profiles of
// seccomp and AppArmor from before these were fields.
// Follows pkg/apis/core/validation (ValidatePodSpecificAnnotations and its like).
import { objectAt } from '../reading.ts'
import { APPARMOR_OF_CONTAINER, LOCALHOST, SECCOMP_OF_CONTAINER, SECCOMP_OF_POD } from '../podprofiles.ts'
import type { Json } from '../../machinery/json.ts'
import { goQuote } from '../../machinery/quote.ts'
import { annotatedTolerations } from './annotatedlists.ts'
import { isDescending } from './paths.ts'
import type { Spot } from './spot.ts'

/** Its value is what a kubelet made a mirror of. */
export const MIRROR = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
/** No plus sign, no zeros in front. */
const COST = /^(0|-[0-9]+|[1-9][0-9]*)$/
const INT32 = 2 ** 31
const UNCONFINED = 'unconfined'
const RUNTIME_DEFAULT = 'runtime/default'
const SECCOMP_PROFILES = [UNCONFINED, RUNTIME_DEFAULT, 'docker/default']

const containersOf = (spec: Spot): Spot[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) => spec.itemsOf(list))

/** Of a pod or a template, whose annotations and spec these are. */
export function podAnnotations(annotations: Spot, spec: Spot): void {
  if (!annotations.isSet) return
  const mirror = annotations.key(MIRROR)
  if (mirror.isSet && !spec.at('nodeName').text)
    mirror.invalid('must set spec.nodeName if mirror pod annotation is set')
  annotatedTolerations(annotations)
  const cost = annotations.key(DELETION_COST)
  if (cost.isSet && !isCost(cost.text)) cost.invalid('must be a 32bit integer')
  const keys = annotations.keys()
  for (const key of [SECCOMP_OF_POD, ...keys.filter((one) => one.startsWith(SECCOMP_OF_CONTAINER))]) {
    const profile = annotations.at(key)
    if (profile.isSet) seccomp(profile)
  }
  for (const key of keys) if (key.startsWith(APPARMOR_OF_CONTAINER)) appArmor(annotations.key(key), key, spec)
}

const isCost = (text: string): boolean => COST.test(text) && Number(text) >= -INT32 && Number(text) < INT32

function seccomp(profile: Spot): void {
  if (SECCOMP_PROFILES.includes(profile.text)) return
  if (profile.text.startsWith(LOCALHOST)) isDescending(profile.with(profile.text.slice(LOCALHOST.length)))
  else profile.invalid('must be a valid seccomp profile')
}

function appArmor(profile: Spot, key: string, spec: Spot): void {
  const name = key.slice(APPARMOR_OF_CONTAINER.length)
  if (!containersOf(spec).some((container) => container.at('name').text === name))
    profile.invalid('container not found', name)
  const { text } = profile
  if (text === '' || text === UNCONFINED || text === RUNTIME_DEFAULT || text.startsWith(LOCALHOST)) return
  profile.invalid(`invalid AppArmor profile name: ${goQuote(text)}`)
}

/** What of a pod's annotations stays as it was. */
export function podAnnotationsUpdate(annotations: Spot, old: Json | undefined, spec: Spot): void {
  const before = objectAt(old)
  const now = annotations.object
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(now, key) && now[key] === before[key]) continue
    const what = guarded(key)
    if (what) annotations.key(key).forbidden(`may not remove or update ${what}`)
  }
  for (const key of Object.keys(now)) {
    const what = Object.hasOwn(before, key) ? undefined : guarded(key)
    if (what) annotations.key(key).forbidden(`may not add ${what}`)
  }
  podAnnotations(annotations, spec)
}

function guarded(key: string): string | undefined {
  if (key.startsWith(APPARMOR_OF_CONTAINER)) return 'AppArmor annotations'
  return key === MIRROR ? 'mirror pod annotation' : undefined
}

/** Profiles that are said twice are the same; of what is made. */
export function profilesMatch(annotations: Spot, spec: Spot): void {
  if (!annotations.isSet) return
  const context = spec.at('securityContext')
  sameSeccomp(annotations.key(SECCOMP_OF_POD), context.at('seccompProfile'))
  const containers = containersOf(spec)
  for (const container of containers) {
    const annotation = annotations.key(SECCOMP_OF_CONTAINER + container.at('name').text)
    sameSeccomp(annotation, container.at('securityContext').at('seccompProfile'))
  }
  if (spec.at('os').at('name').text === 'windows') return
  for (const container of containers) {
    const own = container.at('securityContext').at('appArmorProfile')
    const annotation = annotations.key(APPARMOR_OF_CONTAINER + container.at('name').text)
    const field = own.isSet ? own : own.with(context.at('appArmorProfile').value)
    same(annotation, field, { what: 'apparmor', defaults: [RUNTIME_DEFAULT] })
  }
}

const sameSeccomp = (annotation: Spot, field: Spot): void =>
  same(annotation, field, { what: 'seccomp', defaults: [RUNTIME_DEFAULT, 'docker/default'] })

interface Profiles {
  readonly what: string
  /** What an annotation calls RuntimeDefault. */
  readonly defaults: readonly string[]
}

function same(annotation: Spot, field: Spot, { what, defaults }: Profiles): void {
  if (!annotation.isSet || !field.isSet) return
  const { text } = annotation
  const [type, local] = [field.at('type'), field.at('localhostProfile')]
  const fits =
    type.text === 'Unconfined'
      ? text === UNCONFINED
      : type.text === 'RuntimeDefault'
        ? defaults.includes(text)
        : type.text !== 'Localhost' || text.startsWith(LOCALHOST)
  if (!fits) type.forbidden(`${what} type in annotation and field must match`)
  else if (type.text === 'Localhost' && (!local.isSet || text.slice(LOCALHOST.length) !== local.text))
    local.forbidden(`${what} profile in annotation and field must match`)
}
