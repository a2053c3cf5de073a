// What a delete does to a stored object: remove it, mark it for those who hold a finalizer or must stop it first, or
// nothing because a deletion is under way. Pure; the delete handler asks here inside its compare-and-swap.
// Follows k8s.io/apiserver/pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go.
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import { cause, conflict, invalid, type StatusCause } from '../machinery/status.ts'
import { timeText } from './generic.ts'
import type { DeleteOptions, DeletePlan, Strategy, WriteContext } from './strategy.ts'

export const ORPHAN = 'orphan'
export const FOREGROUND = 'foregroundDeletion'
const POLICIES = ['Foreground', 'Background', 'Orphan'] as const

/** Throws invalid for delete options that contradict themselves. */
export function checkDeleteOptions(options: DeleteOptions): void {
  const causes: StatusCause[] = []
  const { propagationPolicy: policy, dryRun = [] } = options
  if (options.orphanDependents !== undefined && policy !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set'
    causes.push(cause.invalid('propagationPolicy', policy, why))
  }
  if (policy !== undefined && !POLICIES.some((known) => known === policy)) {
    causes.push(cause.notSupported('propagationPolicy', policy, [...POLICIES, 'nil']))
  }
  if (dryRun.some((value) => value !== 'All')) causes.push(cause.notSupported('dryRun', dryRun, ['All']))
  if (causes.length) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes)
}

/** Throws conflict where the object is not the one, or not in the state, that the caller means. */
export function checkPreconditions(stored: KubeObject, options: DeleteOptions, context: WriteContext): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { group, kind } = context.resource
  const meta = stored.metadata
  if (uid !== undefined && uid !== meta.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`
    throw conflict({ group, resource: kind }, meta.name ?? '', why)
  }
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion}). The object might have been modified`
    throw conflict({ group, resource: kind }, meta.name ?? '', why)
  }
}

const saysNothing = ({ orphanDependents, propagationPolicy }: DeleteOptions): boolean =>
  orphanDependents === undefined && propagationPolicy === undefined

/** Which of the garbage collector's finalizers the object gets: the caller's word, else its own, else the kind's. */
function wantedFinalizer(finalizers: readonly string[], strategy: Strategy, options: DeleteOptions): string {
  if (strategy.defaultPropagation === 'Unsupported') return ''
  if (options.orphanDependents !== undefined) return options.orphanDependents ? ORPHAN : ''
  if (options.propagationPolicy === 'Orphan') return ORPHAN
  if (options.propagationPolicy === 'Foreground') return FOREGROUND
  if (options.propagationPolicy === 'Background') return ''
  const own = finalizers.find((name) => name === ORPHAN || name === FOREGROUND)
  return own ?? (strategy.defaultPropagation === 'Orphan' ? ORPHAN : '')
}

function finalizersFor(stored: KubeObject, strategy: Strategy, options: DeleteOptions): readonly string[] {
  const before = stored.metadata.finalizers ?? []
  const wanted = wantedFinalizer(before, strategy, options)
  const after = before.filter((name) => name !== ORPHAN && name !== FOREGROUND)
  if (wanted) after.push(wanted)
  return after.length === before.length && after.every((name) => before.includes(name)) ? before : after
}

/** A copy of the object whose metadata may be changed. */
const withMetadata = (stored: KubeObject): KubeObject => ({ ...stored, metadata: { ...stored.metadata } })

/** Deletion without grace of an object that finalizers hold. */
function markDeleting(stored: KubeObject, finalizers: readonly string[], now: Date): KubeObject {
  const object = withMetadata(stored)
  const meta = object.metadata
  if (!meta.deletionTimestamp && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
  if (!meta.deletionTimestamp || Date.parse(meta.deletionTimestamp) > now.getTime()) {
    meta.deletionTimestamp = timeText(now)
  }
  meta.deletionGracePeriodSeconds = 0
  meta.finalizers = [...finalizers]
  return object
}

const DURATION_BITS = 64
const NANOSECONDS = 1_000_000_000n
const NANOSECONDS_PER_MS = 1_000_000n

/** Milliseconds. Go's durations are nanoseconds in 64 bits: periods of more than 292 years become some other time. */
const durationOf = (seconds: bigint): number =>
  Number(BigInt.asIntN(DURATION_BITS, seconds * NANOSECONDS) / NANOSECONDS_PER_MS)

/** An int64, of which nobody who reads it calculates with more than a number has. */
function setPeriod(meta: ObjectMeta, seconds: number | bigint): void {
  Object.assign(meta, { deletionGracePeriodSeconds: seconds })
}

/** A second delete may only shorten the grace of the first. undefined: nothing to shorten. */
function shortened(stored: KubeObject, seconds: number | bigint, now: Date): KubeObject {
  const object = withMetadata(stored)
  const meta = object.metadata
  const before = meta.deletionGracePeriodSeconds ?? 0
  const left = BigInt(seconds) - BigInt(before)
  let deadline = Date.parse(meta.deletionTimestamp ?? '') + durationOf(left)
  let period = seconds
  if (deadline < now.getTime()) {
    deadline = now.getTime()
    // The grace is over, but the caller asked for some: the least that still lets the other side finish.
    if (period > 0) period = 1
  }
  meta.deletionTimestamp = timeText(new Date(deadline))
  setPeriod(meta, period)
  return object
}

/** First graceful delete: the time of death, and a new generation, since its controllers act differently now. */
function markGraceful(stored: KubeObject, seconds: number | bigint, now: Date): KubeObject {
  const object = withMetadata(stored)
  const meta = object.metadata
  meta.deletionTimestamp = timeText(new Date(now.getTime() + durationOf(BigInt(seconds))))
  setPeriod(meta, seconds)
  if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
  return object
}

/** How long the object of a first delete has to end; undefined where its kind or its state knows no grace. */
export function graceOf(
  { graceful }: Strategy,
  stored: KubeObject,
  { gracePeriodSeconds }: DeleteOptions,
): number | bigint | undefined {
  if (!graceful || stored.metadata.deletionTimestamp) return undefined
  return graceful(stored, gracePeriodSeconds).gracePeriodSeconds
}

/** The marked object; 'pending' where grace runs already; undefined where the kind or the state knows no grace. */
function grace(
  stored: KubeObject,
  strategy: Strategy,
  given: number | bigint | undefined,
  now: Date,
): KubeObject | 'pending' | undefined {
  if (!strategy.graceful) return undefined
  const meta = stored.metadata
  if (meta.deletionTimestamp) {
    if (!meta.deletionGracePeriodSeconds) return undefined
    if (given === undefined || given >= meta.deletionGracePeriodSeconds) return 'pending'
    return shortened(stored, given, now)
  }
  const { gracePeriodSeconds } = strategy.graceful(stored, given)
  return gracePeriodSeconds === undefined ? undefined : markGraceful(stored, gracePeriodSeconds, now)
}

/**
 * What deleting `stored` (frozen) means. Throws what `checkPreconditions` throws. A negative grace period counts as
 * one second.
 */
export function planDelete(
  stored: KubeObject,
  strategy: Strategy,
  options: DeleteOptions,
  context: WriteContext,
): DeletePlan {
  const special = strategy.planDelete?.(stored, options, context)
  if (special) return special
  checkPreconditions(stored, options, context)
  if (strategy.deletionWarning && saysNothing(options)) context.warn(strategy.deletionWarning)
  const seconds = options.gracePeriodSeconds
  const given = seconds !== undefined && seconds < 0 ? 1 : seconds
  const marked = grace(stored, strategy, given, context.now)
  if (marked === 'pending') return { step: 'pending' }
  const finalizers = finalizersFor(stored, strategy, options)
  if (marked) {
    if (finalizers.length) marked.metadata.finalizers = [...finalizers]
    else delete marked.metadata.finalizers
    const keep = finalizers.length > 0 || (marked.metadata.deletionGracePeriodSeconds ?? 0) > 0
    return { step: 'mark', object: marked, then: keep ? 'keep' : 'remove' }
  }
  if (!finalizers.length) return { step: 'remove' }
  return { step: 'mark', object: markDeleting(stored, finalizers, context.now), then: 'keep' }
}

/** True where an update has let go the last finalizer of an object that is being deleted: it leaves the store. */
export function goesWithUpdate(object: KubeObject, old: KubeObject, strategy: Strategy): boolean {
  if (object.metadata.finalizers?.length || !old.metadata.deletionTimestamp) return false
  if (old.metadata.deletionGracePeriodSeconds) return false
  return strategy.keepsAfterFinalizers?.(object) !== true
}
