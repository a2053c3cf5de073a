// Which Secrets a pod refers to. Follows pkg/api/pod (VisitPodSecretNames) and plugin/pkg/admission/serviceaccount.
import { isObject, type JsonObject } from '../machinery/json.ts'
import type { Container, Pod, Volume } from './shapes.ts'

/** True where any part of the pod names a Secret. */
export function referencesSecrets(pod: Pod): boolean {
  const { spec } = pod
  if (spec.imagePullSecrets?.some((secret) => secret.name)) return true
  const containers = [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap(
    (list) => list ?? [],
  )
  return containers.some(usesSecret) || (spec.volumes ?? []).some(volumeUsesSecret)
}

const usesSecret = (container: Container): boolean =>
  [...environmentSecrets(container)].some(([, secret]) => secret !== '')

/** Sources name their Secret in one of these fields. */
function volumeUsesSecret(volume: Volume): boolean {
  if (volume.projected) return (volume.projected.sources ?? []).some((source) => nameOf(source.secret) !== '')
  return Object.values(volume).some((source) => {
    if (!isObject(source)) return false
    return (
      Boolean(source.secretName) ||
      nameOf(source.secretRef) !== '' ||
      nameOf(source.nodePublishSecretRef) !== ''
    )
  })
}

const nameOf = (reference: unknown): string =>
  isObject(reference) && typeof reference.name === 'string' ? reference.name : ''

/** What in a container refers to which Secret: [how a refusal calls the place, name]. */
function* environmentSecrets(container: Container): Generator<[string, string]> {
  for (const variable of container.env ?? []) {
    const reference = (variable.valueFrom as JsonObject | undefined)?.secretKeyRef
    if (isObject(reference)) yield [`envVar ${variable.name} referencing`, nameOf(reference)]
  }
  for (const source of container.envFrom ?? []) {
    if (source.secretRef) yield ['envFrom referencing', nameOf(source.secretRef)]
  }
}

/**
 * The first reference to a Secret that is not allowed, as a refusal begins; undefined where all are.
 * `ephemeral`: look at the ephemeral containers only, else at all but them.
 */
export function forbiddenReference(
  pod: Pod,
  allowed: ReadonlySet<string>,
  ephemeral: boolean,
): string | undefined {
  const { spec } = pod
  if (ephemeral) return inContainers('ephemeral container', spec.ephemeralContainers, allowed)
  for (const { secret } of spec.volumes ?? []) {
    const name = secret?.secretName ?? ''
    if (secret && !allowed.has(name)) return `volume with secret.secretName="${name}"`
  }
  return (
    inContainers('init container', spec.initContainers, allowed) ??
    inContainers('container', spec.containers, allowed)
  )
}

function inContainers(
  kind: string,
  containers: readonly Container[] | undefined,
  allowed: ReadonlySet<string>,
): string | undefined {
  for (const container of containers ?? []) {
    for (const [place, name] of environmentSecrets(container)) {
      if (!allowed.has(name)) return `${kind} ${container.name} with ${place} secret.secretName="${name}"`
    }
  }
  return undefined
}
