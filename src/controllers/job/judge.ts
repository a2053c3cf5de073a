// What a Job's pods amount to, and whether that ends it. Pure: state in, verdict out.
// Follows syncJob of k8s.io/kubernetes/pkg/controller/job/job_controller.go.
import type { Job, JobCondition } from '../../client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { isPodActive, isPodReady, isPodTerminating } from '../../client/podstate.ts'
import { has, type Indexes, indexesOf, merge, parse, total } from './indexes.ts'
import {
  absoluteFailures,
  countIn,
  endOf,
  FAILURES,
  indexOf,
  isIndexed,
  isPodFailed,
  isSuspended,
  isTracked,
  validIndexOf,
} from './jobpods.ts'
import { judgeFailure, judgeSuccess } from './policies.ts'

/** How the job ends: first what it is about to be (SuccessCriteriaMet, FailureTarget), then Complete or Failed. */
export interface Ending {
  readonly type: 'SuccessCriteriaMet' | 'FailureTarget' | 'Complete' | 'Failed'
  readonly reason: string
  readonly message: string
}

export interface View {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly active: readonly Pod[]
  readonly newSucceeded: readonly Pod[]
  readonly newFailed: readonly Pod[]
  /** In all: counted, about to be, and new. */
  readonly succeeded: number
  readonly failed: number
  readonly ready: number
  readonly terminating: number
  /** Of an indexed job: those that the status tells of, and those with the new ones. */
  readonly toldIndexes: Indexes
  readonly succeededIndexes: Indexes
  /** Absent without a limit per index. */
  readonly failedIndexes?: Indexes
  /** The last failed pod of each index that waits to be tried again: it holds the count of failures. */
  readonly heldBack: ReadonlyMap<number, Pod>
  /** Whether its end is counted or about to be: its finalizer is gone, or was asked to go. */
  isProcessed(pod: Pod): boolean
}

/** `released`: uids of pods whose finalizers were removed, which the copy of the pods does not show yet. */
export function view(job: Job, pods: readonly Pod[], released: ReadonlySet<string>): View {
  const { succeeded: waiting = [], failed: lost = [] } = job.status.uncountedTerminatedPods ?? {}
  const active = pods.filter(isPodActive)
  // As it was when these copies were read: events that come later empty the set, while the copies stay as they are.
  const gone = new Set(released)
  const isProcessed = (pod: Pod): boolean => !isTracked(pod) || gone.has(pod.metadata.uid ?? '')
  const fresh = pods.filter(
    (pod) => !isProcessed(pod) && (!isIndexed(job) || validIndexOf(job, pod) !== undefined),
  )
  const isNew = (pod: Pod, told: readonly string[]): boolean => !told.includes(pod.metadata.uid ?? '')
  const newSucceeded = fresh.filter((pod) => pod.status.phase === 'Succeeded' && isNew(pod, waiting))
  const newFailed = fresh.filter((pod) => isPodFailed(job, pod) && isNew(pod, lost))
  const counted = newFailed.filter((pod) => judgeFailure(job.spec, pod).counts)
  const indexed = indexView(job, pods)
  const base = {
    job,
    pods,
    active,
    newSucceeded,
    newFailed,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    failed: (job.status.failed ?? 0) + counted.length + lost.length,
    isProcessed,
    ...indexed,
  }
  const plain = (job.status.succeeded ?? 0) + newSucceeded.length + waiting.length
  const succeeded = isIndexed(job) ? total(indexed.succeededIndexes) : plain
  return { ...base, succeeded, heldBack: heldBack(base, fresh) }
}

function indexView(
  job: Job,
  pods: readonly Pod[],
): Pick<View, 'toldIndexes' | 'succeededIndexes'> & { failedIndexes?: Indexes } {
  if (!isIndexed(job)) return { toldIndexes: [], succeededIndexes: [] }
  const { completions = 0, backoffLimitPerIndex } = job.spec
  const tracked = pods.filter(isTracked)
  const indexesWhere = (test: (pod: Pod) => boolean): Indexes =>
    indexesOf(tracked.filter(test).flatMap((pod) => validIndexOf(job, pod) ?? []))
  const toldIndexes = parse(job.status.completedIndexes, completions)
  const succeededIndexes = merge(
    toldIndexes,
    indexesWhere(({ status }) => status.phase === 'Succeeded'),
  )
  if (backoffLimitPerIndex === undefined) return { toldIndexes, succeededIndexes }
  const failsIndex = (pod: Pod): boolean => {
    if (!isPodFailed(job, pod)) return false
    const verdict = judgeFailure(job.spec, pod)
    return verdict.failsIndex === true || (verdict.counts && countIn(pod, FAILURES) >= backoffLimitPerIndex)
  }
  const failedIndexes = merge(parse(job.status.failedIndexes, completions), indexesWhere(failsIndex))
  return { toldIndexes, succeededIndexes, failedIndexes }
}

function heldBack(
  { job, active, succeededIndexes, failedIndexes }: Omit<View, 'succeeded' | 'heldBack'>,
  fresh: readonly Pod[],
): Map<number, Pod> {
  const held = new Map<number, Pod>()
  if (failedIndexes === undefined) return held
  const activeIndexes = indexesOf(active.flatMap((pod) => indexOf(pod) ?? []))
  const settled = merge(succeededIndexes, failedIndexes, activeIndexes)
  for (const pod of fresh) {
    const index = validIndexOf(job, pod)
    if (index === undefined || has(settled, index) || !isPodFailed(job, pod)) continue
    const other = held.get(index)
    const isLater =
      other === undefined || (absoluteFailures(other) <= absoluteFailures(pod) && endOf(pod) >= endOf(other))
    if (isLater) held.set(index, pod)
  }
  return held
}

const trueCondition = ({ status }: Job, wanted: string): JobCondition | undefined =>
  status.conditions?.find(({ type, status }) => type === wanted && status === 'True')

const target = (reason: string, message: string): Ending => ({ type: 'FailureTarget', reason, message })

/** How the job ends by what is told already, by its pods' failures, by time, or by its success policy. */
export function endingOf(seen: View, now: number): Ending | undefined {
  const { job, pods } = seen
  const met = trueCondition(job, 'SuccessCriteriaMet')
  if (met) return { type: 'SuccessCriteriaMet', reason: met.reason ?? '', message: met.message ?? '' }
  const failing = trueCondition(job, 'FailureTarget')
  if (failing) return { type: 'Failed', reason: failing.reason ?? '', message: failing.message ?? '' }
  for (const pod of pods) {
    const message = isPodFailed(job, pod) ? judgeFailure(job.spec, pod).failsJob : undefined
    if (message !== undefined) return target('PodFailurePolicy', message)
  }
  if (seen.failed > (job.spec.backoffLimit ?? 6) || hasRestartedTooOften(seen)) {
    return target('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  if ((deadlineIn(job, now) ?? 1) <= 0) {
    return target('DeadlineExceeded', 'Job was active longer than specified deadline')
  }
  return isIndexed(job) ? indexedEnding(seen) : undefined
}

function indexedEnding({ job, failedIndexes, succeededIndexes }: View): Ending | undefined {
  const { maxFailedIndexes, completions = 0 } = job.spec
  const lost = total(failedIndexes ?? [])
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return target('MaxFailedIndexesExceeded', message)
  }
  if (lost > 0 && lost + total(succeededIndexes) >= completions) {
    return target('FailedIndexes', 'Job has failed indexes')
  }
  const message = judgeSuccess(job.spec, succeededIndexes)
  return message === undefined ? undefined : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message }
}

/** Containers that are restarted in their pods count, too. */
function hasRestartedTooOften({ job, pods }: View): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods) {
    if (status.phase !== 'Running' && status.phase !== 'Pending') continue
    for (const one of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += one.restartCount
    }
  }
  const limit = job.spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

/** How many ms the job may still be active; undefined where nothing limits it. */
export function deadlineIn(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds } = job.spec
  if (activeDeadlineSeconds === undefined || job.status.startTime === undefined || isSuspended(job))
    return undefined
  return Date.parse(job.status.startTime) + activeDeadlineSeconds * 1000 - now
}

/** How many pods shall be active. */
export function wantedActive({ job, active, succeeded }: View): number {
  const { completions, parallelism = 1 } = job.spec
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(parallelism, completions - succeeded))
}

/** Whether enough have succeeded, and none is active any more. */
export const isAllDone = ({ job: { spec }, succeeded }: View, active: number): boolean =>
  active === 0 && (spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions)
