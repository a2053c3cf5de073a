// The pods of a Job: their indexes, whether they failed and when they ended, which of them are too many.
// Follows k8s.io/kubernetes/pkg/controller/job (indexed_job_utils.go, backoff_utils.go, job_controller.go).
import type { Job } from '../../client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { podCondition, rankForDeletion } from '../../client/podstate.ts'

export const TRACKING = 'batch.kubernetes.io/job-tracking'
export const INDEX = 'batch.kubernetes.io/job-completion-index'
export const FAILURES = 'batch.kubernetes.io/job-index-failure-count'
export const IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count'
export const OWN_NAME = 'kubernetes.io/job-controller'

const FIRST_BACKOFF_MS = 10_000
const MAX_BACKOFF_MS = 600_000

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'
export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true
export const isForeign = ({ spec }: Job): boolean =>
  spec.managedBy !== undefined && spec.managedBy !== OWN_NAME
export const isFinished = ({ status }: Job): boolean =>
  (status.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
/** Whether pods on their way out are waited for. */
export const replacesFailedOnly = ({ spec }: Job): boolean =>
  spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKING) === true

/** The index of a pod; undefined without a valid one. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[INDEX] ?? ''
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

/** The index of a pod where it is one of the job's. */
export function validIndexOf({ spec }: Job, pod: Pod): number | undefined {
  const index = indexOf(pod)
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined
}

/** A pod that is being deleted counts as well, unless the job waits for how it ends: it may never say so. */
export function isPodFailed(job: Job, { metadata, status }: Pod): boolean {
  if (status.phase === 'Failed') return true
  if (replacesFailedOnly(job)) return false
  return metadata.deletionTimestamp !== undefined && status.phase !== 'Succeeded'
}

export function countIn({ metadata }: Pod, annotation: string): number {
  const text = metadata.annotations?.[annotation] ?? ''
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : 0
}

/** How often pods of this one's index failed, whether or not it counted. */
export const absoluteFailures = (pod: Pod): number => countIn(pod, FAILURES) + countIn(pod, IGNORED_FAILURES)

/** ms since 1970: by its containers, else by when it was ready no longer, else by its deletion. */
export function endOf(pod: Pod): number {
  const { metadata, spec, status } = pod
  const sidecars = new Set(
    (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name),
  )
  const ended = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ].map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  if (ended.length > 0 && !ended.some(Number.isNaN)) return Math.max(...ended)
  const ready = podCondition(pod, 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime)
  if (metadata.deletionTimestamp) {
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
  }
  return Date.parse(metadata.creationTimestamp ?? '')
}

/** Failures in a row, and the last of them. */
export interface Backoff {
  readonly failures: number
  /** ms since 1970 */
  readonly lastAt: number
}

export const NO_BACKOFF: Backoff = { failures: 0, lastAt: 0 }

/** With what ended since. A success ends the row. */
export function nextBackoff(before: Backoff, succeeded: readonly Pod[], failed: readonly Pod[]): Backoff {
  const ends = failed.map(endOf)
  if (succeeded.length === 0) {
    return ends.length === 0 ? before : { failures: before.failures + ends.length, lastAt: Math.max(...ends) }
  }
  const lastSuccess = Math.max(...succeeded.map(endOf))
  const after = ends.filter((end) => end > lastSuccess)
  return after.length === 0 ? NO_BACKOFF : { failures: after.length, lastAt: Math.max(...after) }
}

/** How many ms until the next pod may be made. */
export function remainingBackoff({ failures, lastAt }: Backoff, now: number): number {
  if (failures === 0) return 0
  const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS)
  return Math.max(0, lastAt + backoff - now)
}

/**
 * At least `count` of the active pods, those that matter least in front; of an indexed job also those that share their index
 * with another one, and those without a valid index.
 */
export function surplusPods(job: Job, active: readonly Pod[], count: number, now: number): Pod[] {
  const rank = (pods: readonly Pod[]): Pod[] => rankForDeletion(pods, () => 0, now)
  if (!isIndexed(job)) return count > 0 ? rank(active).slice(0, count) : []
  const byIndex = new Map<number | undefined, Pod[]>()
  for (const pod of active) {
    const index = validIndexOf(job, pod)
    byIndex.set(index, [...(byIndex.get(index) ?? []), pod])
  }
  const surplus = [...(byIndex.get(undefined) ?? [])]
  byIndex.delete(undefined)
  const left: Pod[] = []
  for (const pods of byIndex.values()) {
    const ranked = rank(pods)
    left.push(...ranked.slice(-1))
    surplus.push(...ranked.slice(0, -1))
  }
  return count > surplus.length ? [...surplus, ...rank(left).slice(0, count - surplus.length)] : surplus
}
