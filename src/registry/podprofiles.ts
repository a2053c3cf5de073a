// Seccomp and AppArmor profiles as annotations of pods, from before they were fields: what they mean, what of them is
// taken into the fields, and what a client is warned of.
// Follows pkg/registry/core/pod (applyAppArmorVersionSkew) and pkg/api/pod (ApparmorFieldForAnnotation, warnings).
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { semanticEqual } from './equality.ts'
import { childOf, objectAt, objectsAt, present, textAt } from './reading.ts'
import type { WriteContext } from './strategy.ts'
import type { Spot } from './validation/spot.ts'

export const SECCOMP_OF_POD = 'seccomp.security.alpha.kubernetes.io/pod'
/** The container's name follows. */
export const SECCOMP_OF_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
export const APPARMOR_OF_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/'
export const LOCALHOST = 'localhost/'

/** The longest path of a profile that the field takes. */
const MAX_PROFILE = 4095
const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers']

/** The field that says what an annotation says; undefined where none can. */
export function appArmorOf(annotation: Json | undefined): JsonObject | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const profile = textAt(annotation)
  if (!profile.startsWith(LOCALHOST) || profile === LOCALHOST) return undefined
  return { type: 'Localhost', localhostProfile: profile.slice(LOCALHOST.length) }
}

function isTaken(field: JsonObject | undefined): boolean {
  const path = textAt(field?.['localhostProfile'])
  return field !== undefined && path === path.trim() && Buffer.byteLength(path) <= MAX_PROFILE
}

/** A new pod's annotations of AppArmor become fields where these say nothing. */
export function adoptAppArmor(pod: KubeObject, { warn }: Pick<WriteContext, 'warn'>): void {
  const annotations = pod.metadata.annotations
  if (!annotations || !Object.keys(annotations).some((key) => key.startsWith(APPARMOR_OF_CONTAINER))) return
  const spec = objectAt(pod['spec'])
  if (objectAt(spec['os'])['name'] === 'windows') return
  const ofPod = objectAt(spec['securityContext'])['appArmorProfile']
  for (const container of CONTAINERS.flatMap((list) => objectsAt(spec[list]))) {
    const key = APPARMOR_OF_CONTAINER + textAt(container['name'])
    if (!Object.hasOwn(annotations, key)) continue
    if (present(objectAt(container['securityContext'])['appArmorProfile'])) continue
    const field = appArmorOf(annotations[key])
    const taken = isTaken(field) ? field : undefined
    if (taken && semanticEqual(taken, ofPod)) continue
    if (taken) childOf(container, 'securityContext')['appArmorProfile'] = taken
    warn(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  }
}

const unused = (annotation: Spot): string =>
  `${annotation.path}: non-functional in v1.27+; use the "seccompProfile" field instead`

/** Of a pod's own seccomp profile. */
export function* profileWarnings(annotations: Spot, spec: Spot): Generator<string> {
  const annotation = annotations.key(SECCOMP_OF_POD)
  if (annotation.isSet && !spec.at('securityContext').at('seccompProfile').isSet) yield unused(annotation)
}

/** Of a container's. `inTemplate`: of a pod itself the AppArmor profile is told of by `adoptAppArmor`. */
export function* containerProfileWarnings(
  annotations: Spot,
  { spec, container, inTemplate }: { spec: Spot; container: Spot; inTemplate: boolean },
): Generator<string> {
  const name = container.at('name').text
  const context = container.at('securityContext')
  const seccomp = annotations.key(SECCOMP_OF_CONTAINER + name)
  if (seccomp.isSet && !context.at('seccompProfile').isSet) yield unused(seccomp)
  const appArmor = annotations.key(APPARMOR_OF_CONTAINER + name)
  if (!inTemplate || !appArmor.isSet || context.at('appArmorProfile').isSet) return
  const ofPod = spec.at('securityContext').at('appArmorProfile')
  if (ofPod.isSet && semanticEqual(ofPod.value, appArmorOf(appArmor.value))) return
  yield `${appArmor.path}: deprecated since v1.30; use the "appArmorProfile" field instead`
}
