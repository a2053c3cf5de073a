// Counting each pod that ended exactly once: its uid is written to the status before its finalizer goes, and the count is
// raised after. Follows trackJobStatusAndRemoveFinalizers of k8s.io/kubernetes/pkg/controller/job/job_controller.go.
import { type Clock, timeOf } from '../../client/clock.ts'
import type { JobCondition, JobStatus } from '../../client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { counted } from '../../client/statuswrite.ts'
import { format, has, indexesOf, merge, total } from './indexes.ts'
import { indexOf, isIndexed, isPodFailed, validIndexOf } from './jobpods.ts'
import type { Ending, View } from './judge.ts'
import { judgeFailure } from './policies.ts'

/** As upstream's MaxUncountedPods: the uids take 20 KB of the status at most. */
const MAX_UNCOUNTED = 500

export interface Tracking {
  /** The status to write before any finalizer goes. */
  readonly status: JobStatus
  /** Pods whose finalizers go then. */
  readonly release: readonly Pod[]
  /** Whether some had to be left for the next pass. */
  readonly isPartial: boolean
  /** How the job ends once all are counted. */
  readonly ending: Ending | undefined
}

/** What to write, and which pods to let go. */
export function track(seen: View, status: JobStatus, ending: Ending | undefined, clock: Clock): Tracking {
  const cleaned = withoutReleased(status, trackedUids(seen))
  const { succeeded = [], failed = [] } = cleaned.uncountedTerminatedPods ?? {}
  const uncounted = { succeeded: [...succeeded], failed: [...failed] }
  const newIndexes = new Set<number>()
  const release: Pod[] = []
  let isPartial = false
  for (const pod of inOrder(seen)) {
    if (seen.isProcessed(pod) || !mayRelease(seen, pod, ending)) continue
    release.push(pod)
    note(seen, pod, ending, { ...uncounted, newIndexes })
    if (newIndexes.size + uncounted.succeeded.length + uncounted.failed.length < MAX_UNCOUNTED) continue
    isPartial = true
    break
  }
  const next = {
    ...cleaned,
    ...indexFields(seen, newIndexes),
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
  }
  return { ...announced(next, ending, clock), release, isPartial }
}

const inOrder = ({ job, pods }: View): readonly Pod[] =>
  isIndexed(job) ? [...pods].sort((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1)) : pods

export const trackedUids = ({ pods, isProcessed }: View): Set<string> =>
  new Set(pods.filter((pod) => !isProcessed(pod)).map(({ metadata }) => metadata.uid ?? ''))

/** Counts what is written as uncounted and has lost its finalizer. */
export function withoutReleased(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const left = {
    succeeded: succeeded.filter((uid) => tracked.has(uid)),
    failed: failed.filter((uid) => tracked.has(uid)),
  }
  return {
    ...status,
    succeeded: counted((status.succeeded ?? 0) + succeeded.length - left.succeeded.length),
    failed: counted((status.failed ?? 0) + failed.length - left.failed.length),
    uncountedTerminatedPods: {
      ...(left.succeeded.length > 0 ? { succeeded: left.succeeded } : {}),
      ...(left.failed.length > 0 ? { failed: left.failed } : {}),
    },
  }
}

function mayRelease({ job, heldBack }: View, pod: Pod, ending: Ending | undefined): boolean {
  const isOver = job.metadata.deletionTimestamp !== undefined || ending !== undefined
  if (isOver || pod.status.phase === 'Succeeded') return true
  if (!isPodFailed(job, pod)) return false
  // The next pod of its index is made with the count of failures that this one holds.
  const index = indexOf(pod)
  return index === undefined || heldBack.get(index)?.metadata.uid !== pod.metadata.uid
}

interface Notes {
  readonly succeeded: string[]
  readonly failed: string[]
  readonly newIndexes: Set<number>
}

function note(seen: View, pod: Pod, ending: Ending | undefined, notes: Notes): void {
  const { job } = seen
  const uid = pod.metadata.uid ?? ''
  const index = validIndexOf(job, pod)
  if (pod.status.phase === 'Succeeded' && !notes.failed.includes(uid)) {
    if (!isIndexed(job)) {
      if (!notes.succeeded.includes(uid)) notes.succeeded.push(uid)
    } else if (index !== undefined && !has(seen.toldIndexes, index)) notes.newIndexes.add(index)
    return
  }
  // When the job is over, whatever has not ended yet has failed, unless the job is a success by its policy.
  const isLost = isPodFailed(job, pod) || (ending !== undefined && ending.type !== 'SuccessCriteriaMet')
  if (!isLost || notes.failed.includes(uid) || (isIndexed(job) && index === undefined)) return
  if (judgeFailure(job.spec, pod).counts) notes.failed.push(uid)
}

function indexFields(
  { job, toldIndexes, failedIndexes }: View,
  newIndexes: Iterable<number>,
): Partial<JobStatus> {
  if (!isIndexed(job)) return {}
  const completed = merge(toldIndexes, indexesOf(newIndexes))
  return {
    succeeded: counted(total(completed)),
    completedIndexes: format(completed) || undefined,
    failedIndexes: failedIndexes && format(failedIndexes),
  }
}

/** The condition that tells of the end to come, and the one that will tell of the end. */
function announced(
  status: JobStatus,
  ending: Ending | undefined,
  clock: Clock,
): { status: JobStatus; ending: Ending | undefined } {
  if (ending === undefined || ending.type === 'Failed' || ending.type === 'Complete')
    return { status, ending }
  const conditions = status.conditions ?? []
  const isTold = conditions.some((one) => one.type === ending.type && one.status === 'True')
  const told = isTold ? conditions : [...conditions, conditionOf(ending, clock)]
  const type = ending.type === 'FailureTarget' ? 'Failed' : 'Complete'
  return { status: { ...status, conditions: told }, ending: { ...ending, type } }
}

const conditionOf = ({ type, reason, message }: Ending, clock: Clock): JobCondition => {
  const now = timeOf(clock)
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message }
}

/** The status of the end; undefined while pods are uncounted or on their way out. */
export function ended(status: JobStatus, ending: Ending | undefined, clock: Clock): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  if (ending === undefined || succeeded.length + failed.length + (status.terminating ?? 0) > 0)
    return undefined
  const conditions = [
    ...(status.conditions ?? []).filter(({ type }) => type !== ending.type),
    conditionOf(ending, clock),
  ]
  return { ...status, conditions, ...(ending.type === 'Complete' ? { completionTime: timeOf(clock) } : {}) }
}

/** With a condition that is true or was; undefined where it is told already, or was never true and is not. */
export function withJobCondition(
  { conditions = [] }: JobStatus,
  told: Omit<JobCondition, 'lastProbeTime' | 'lastTransitionTime'>,
  clock: Clock,
): JobCondition[] | undefined {
  const before = conditions.find(({ type }) => type === told.type)
  if (before === undefined && told.status === 'False') return undefined
  if (before?.status === told.status && before.reason === told.reason && before.message === told.message) {
    return undefined
  }
  const now = timeOf(clock)
  const condition = { ...told, lastProbeTime: now, lastTransitionTime: now }
  return before ? conditions.map((one) => (one === before ? condition : one)) : [...conditions, condition]
}
