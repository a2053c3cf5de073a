// How a Deployment numbers its ReplicaSets and what they carry of it as annotations.
// Follows k8s.io/kubernetes/pkg/controller/deployment/util.
import type { Deployment, ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { PodTemplateSpec } from '../../client/kinds/core.v1.gen.ts'
import { canonical } from '../../client/templatehash.ts'

export const HASH_LABEL = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
const HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
export const ROLLBACK_TO = 'deprecated.deployment.rollback.to'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** As upstream: about 100 revisions. */
const MAX_HISTORY_CHARS = 2000

/** What is the Deployment's own or the ReplicaSet's own, and is not copied between them. */
const OWN = new Set([LAST_APPLIED, REVISION, HISTORY, DESIRED, MAX_REPLICAS, ROLLBACK_TO])

type Annotations = Record<string, string>

/** The number of a ReplicaSet; 0 without one, undefined for what is no number. */
export function revisionOf({ metadata }: ReplicaSet): bigint | undefined {
  const text = metadata.annotations?.[REVISION]
  return text === undefined ? 0n : integerOf(text)
}

/** Revisions are of 64 bits, and anybody may have written them. */
function integerOf(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined
  const number = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, number) === number ? number : undefined
}

export const maxRevision = (sets: readonly ReplicaSet[]): bigint =>
  sets.reduce((most, set) => max(most, revisionOf(set) ?? 0n), 0n)

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** The second greatest, to which a roll-back without a number goes; 0 if there is none. */
export function lastRevision(sets: readonly ReplicaSet[]): bigint {
  const revisions = sets.map(revisionOf).filter((one) => one !== undefined)
  return revisions.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))[1] ?? 0n
}

/** The annotations of the Deployment's new set once it has at least this revision; those that it has where none changes. */
export function newSetAnnotations(deployment: Deployment, set: ReplicaSet, revision: bigint): Annotations {
  const annotations = { ...set.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN.has(key)) annotations[key] = value
  }
  const before = annotations[REVISION]
  const number = before === undefined || before === '' ? 0n : integerOf(before)
  if (number === undefined || number >= revision) return annotations
  annotations[REVISION] = String(revision)
  if (before !== undefined) annotations[HISTORY] = extended(annotations[HISTORY] ?? '', before)
  return annotations
}

/** The oldest are dropped where it would be too long. */
function extended(history: string, revision: string): string {
  if (history === '') return revision
  const revisions = history.split(',')
  while (revisions.length > 0 && [...revisions, revision].join(',').length > MAX_HISTORY_CHARS)
    revisions.shift()
  return [...revisions, revision].join(',')
}

/** How many replicas the Deployment wanted, and allowed, when it last sized this set. */
export const sizeAnnotations = (desired: number, max: number): Annotations => ({
  [DESIRED]: String(desired),
  [MAX_REPLICAS]: String(max),
})

/** A count that an annotation holds; undefined for what is none. */
export function countIn({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation] ?? ''
  if (!/^\d{1,10}$/.test(text)) return undefined
  return Number(text) < 2 ** 31 ? Number(text) : undefined
}

/** The Deployment as it is after it went back to the template of this set, with the annotations of then. */
export function rolledBack(deployment: Deployment, { spec, metadata }: ReplicaSet): Deployment {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => OWN.has(key))
  const then = Object.entries(metadata.annotations ?? {}).filter(([key]) => !OWN.has(key))
  const template = structuredClone(spec.template as PodTemplateSpec)
  delete template.metadata?.labels?.[HASH_LABEL]
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: Object.fromEntries([...own, ...then]) },
    spec: { ...deployment.spec, template },
  }
}

/** The revision to go back to; 0 for the last one; undefined where nobody asks. */
export function rollbackTo({ metadata }: Deployment): bigint | undefined {
  const text = metadata.annotations?.[ROLLBACK_TO]
  return text === undefined || text === '' ? undefined : integerOf(text)
}

const texts = new WeakMap<PodTemplateSpec, string>()

/** Templates are equal but for the hash that a Deployment adds. Each is written out once. */
export const isSameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  a !== undefined && b !== undefined && textOf(a) === textOf(b)

function textOf(template: PodTemplateSpec): string {
  let text = texts.get(template)
  if (text === undefined) {
    const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {}
    text = canonical({ ...template, metadata: { ...template.metadata, labels } })
    texts.set(template, text)
  }
  return text
}

/** The oldest first. */
export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
  compare(a.metadata.name ?? '', b.metadata.name ?? '')

/** The least revision first. */
export const byRevision = (a: ReplicaSet, b: ReplicaSet): number =>
  Number((revisionOf(a) ?? 0n) - (revisionOf(b) ?? 0n)) || byAge(a, b)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The set with the Deployment's template; the oldest where there are several. */
export const findNewSet = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  [...sets].sort(byAge).find((set) => isSameTemplate(set.spec.template, deployment.spec.template))
