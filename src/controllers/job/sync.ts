// Jobs: pods that run to their end, each counted once. Follows k8s.io/kubernetes/pkg/controller/job/job_controller.go.
import { isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import {
  type Controller,
  type ControllerContext,
  type ControllerLog,
  queueOf,
} from '../../client/controller.ts'
import { Expectations } from '../../client/expectations.ts'
import type { Job, JobStatus } from '../../client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import {
  claim,
  controlledBy,
  controlledOrOrphans,
  controllerOf,
  indexByController,
  isControlledBy,
  resolveController,
} from '../../client/ownership.ts'
import { PodControl } from '../../client/podcontrol.ts'
import { podHandler } from '../../client/podwatch.ts'
import { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder, EventType } from '../../client/recorder.ts'
import { apiVersionOfResource, keyOf } from '../../client/resource.ts'
import { JOBS, PODS } from '../../client/resources.ts'
import { selectsLabels } from '../../client/selects.ts'
import { counted, isSameStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { onceSynced } from '../../client/synced.ts'
import { Written } from '../../client/written.ts'
import {
  type Backoff,
  isFinished,
  isForeign,
  isSuspended,
  isTracked,
  nextBackoff,
  NO_BACKOFF,
  TRACKING,
} from './jobpods.ts'
import { deadlineIn, type Ending, endingOf, isAllDone, type View, view } from './judge.ts'
import { endActive, type JobParts, manage, type Outcome, outcomeOf, untrack } from './manage.ts'
import { ended, track, trackedUids, withJobCondition, withoutReleased } from './track.ts'

/** As upstream's --concurrent-job-syncs. */
const WORKERS = 5
const ALL_DONE: Ending = {
  type: 'SuccessCriteriaMet',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

interface Parts extends JobParts {
  readonly recorder: EventRecorder
  readonly jobs: Reader<Job>
  readonly pods: Reader<Pod>
  readonly written: Written
  /** By key of the job: uids of pods whose finalizers were taken and are still to be seen in the copy. */
  readonly released: Map<string, Set<string>>
  readonly backoffs: Map<string, Backoff>
}

export function jobController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'job')
  const strays = new WorkQueue(clock, context.queueMetrics?.('job_orphan_pod'))
  const jobs = informers.of(JOBS)
  const pods = indexByController(informers.of(PODS))
  const recorder = context.recorder.as({ component: 'job-controller' })
  const parts: Parts = {
    api,
    clock,
    queue,
    recorder,
    control: new PodControl(api, recorder),
    expectations: new Expectations(clock),
    jobs: jobs.reader,
    pods: pods.reader,
    written: new Written(),
    released: new Map(),
    backoffs: new Map(),
  }
  const wake = (job: Job): void => queue.add(keyOf(job))
  jobs.handle({
    added: wake,
    updated: (job) => {
      wake(job)
      if (isFinished(job)) offerStrays(parts, job, strays)
    },
    deleted: (job) => {
      wake(job)
      offerStrays(parts, job, strays)
    },
  })
  pods.handle({
    added: (pod) => isStray(parts, pod) && strays.add(keyOf(pod)),
    updated: (pod) => {
      if (!isTracked(pod)) seenReleased(parts, pod)
      else if (isStray(parts, pod)) strays.add(keyOf(pod))
    },
    deleted: (pod) => seenReleased(parts, pod),
  })
  const selects = (job: Job, labels: Readonly<Record<string, string>>): boolean =>
    selectsLabels(job.spec.selector, labels)
  pods.handle(podHandler({ owners: jobs, queue, expectations: parts.expectations, selects }))
  return controllerOfBoth(parts, [jobs, pods], strays, { log, workers })
}

function controllerOfBoth(
  parts: Parts,
  reads: Parameters<typeof onceSynced>[0],
  strays: WorkQueue,
  { log, workers }: { readonly log: ControllerLog; readonly workers: number },
): Controller {
  const name = 'job-controller'
  const main = onceSynced(reads, {
    name,
    queue: parts.queue,
    workers,
    reconcile: (key) => sync(parts, key),
    log,
  })
  const rest = onceSynced(reads, {
    name,
    queue: strays,
    workers: 1,
    reconcile: (key) => freeStray(parts, key),
    log,
  })
  return {
    name,
    run: async (signal) => {
      await Promise.all([main.run(signal), rest.run(signal)])
    },
  }
}

function seenReleased({ released }: Parts, pod: Pod): void {
  const uid = pod.metadata.uid ?? ''
  for (const [key, uids] of released) if (uids.delete(uid) && uids.size === 0) released.delete(key)
}

/** A pod with our finalizer that no job will take it from any more. */
function isStray({ jobs }: Parts, pod: Pod): boolean {
  if (!isTracked(pod)) return false
  const ref = controllerOf(pod)
  if (ref === undefined) return true
  if (ref.kind !== JOBS.kind || ref.apiVersion !== apiVersionOfResource(JOBS)) return false
  const job = resolveController(pod, JOBS, jobs)
  return job === undefined || (!isForeign(job) && isFinished(job))
}

function offerStrays({ pods }: Parts, job: Job, strays: WorkQueue): void {
  for (const pod of controlledBy(pods, job)) if (isTracked(pod)) strays.add(keyOf(pod))
}

async function freeStray(parts: Parts, key: string): Promise<void> {
  const pod = parts.pods.get(key)
  if (pod === undefined || !isStray(parts, pod)) return
  await untrack(parts.api, pod).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

async function sync(parts: Parts, key: string): Promise<void> {
  const { expectations, backoffs, clock, written } = parts
  const job = parts.jobs.get(key)
  if (job === undefined) {
    expectations.forget(key)
    parts.released.delete(key)
    written.forget(key)
  }
  if (job === undefined || isFinished(job)) {
    backoffs.delete(key)
    return
  }
  if (isForeign(job) || written.isNewerThan(job)) return
  const mayManage = expectations.satisfied(key)
  // As it is when the copies of the pods are read: events that come while they are claimed empty the set, not the copies.
  const released = new Set(parts.released.get(key))
  const pods = await claimed(parts, job)
  const started = startedStatus(job, timeOf(clock))
  const seen = view({ ...job, status: started }, pods, released)
  const backoff = nextBackoff(backoffs.get(key) ?? NO_BACKOFF, seen.newSucceeded, seen.newFailed)
  const left = deadlineIn(seen.job, clock.now())
  if (left !== undefined && left > 0) parts.queue.addAfter(key, left)
  const pass = await act(parts, seen, { backoff, mayManage })
  await settle(parts, seen, pass, backoff)
  if (pass.outcome.error !== undefined) throw pass.outcome.error
}

const startedStatus = (job: Job, now: string): JobStatus =>
  job.status.startTime === undefined && !isSuspended(job) ? { ...job.status, startTime: now } : job.status

/** Pods that are adopted in this pass have the finalizer, though the copy does not show it yet. */
async function claimed(parts: Parts, job: Job): Promise<Pod[]> {
  const owner = { resource: JOBS, object: job }
  const matches = (pod: Pod): boolean => selectsLabels(job.spec.selector, pod.metadata.labels ?? {})
  const candidates = controlledOrOrphans(parts.pods, job)
  const pods = await claim(
    { api: parts.api, owner, resource: PODS, matches, finalizers: [TRACKING] },
    candidates,
  )
  return pods.map((pod) =>
    isControlledBy(pod, job) || isTracked(pod)
      ? pod
      : { ...pod, metadata: { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), TRACKING] } },
  )
}

interface Pass {
  readonly outcome: Outcome
  readonly ending: Ending | undefined
  readonly status: JobStatus
}

interface Leave {
  readonly backoff: Backoff
  /** Whether all pods that were made and ended before have been seen. */
  readonly mayManage: boolean
}

async function act(parts: Parts, seen: View, { backoff, mayManage }: Leave): Promise<Pass> {
  const { job } = seen
  const ending = endingOf(seen, parts.clock.now())
  if (ending !== undefined) {
    const outcome = outcomeOf(seen)
    const gone = await endActive(parts, seen, outcome)
    // Pods that are still to be seen, or that would not go, must be counted before the job is over.
    const isSure = gone === seen.active.length && mayManage
    return { outcome, ending: isSure ? ending : undefined, status: job.status }
  }
  const isManaged = mayManage && job.metadata.deletionTimestamp === undefined
  const outcome = isManaged ? await manage(parts, seen, backoff) : outcomeOf(seen)
  if (isAllDone(seen, outcome.active)) return { outcome, ending: ALL_DONE, status: job.status }
  return { outcome, ending: undefined, status: isManaged ? withSuspension(parts, job) : job.status }
}

/** The status with the suspension told, or its end: then the job begins anew. */
function withSuspension({ recorder, clock }: Parts, job: Job): JobStatus {
  const isNow = isSuspended(job)
  const [status, reason, message] = isNow
    ? ['True', 'JobSuspended', 'Job suspended']
    : ['False', 'JobResumed', 'Job resumed']
  const conditions = withJobCondition(
    job.status,
    { type: 'Suspended', status: status as string, reason, message },
    clock,
  )
  if (conditions === undefined) return job.status
  recorder.event(
    { resource: JOBS, object: job },
    'Normal',
    isNow ? 'Suspended' : 'Resumed',
    message as string,
  )
  return { ...job.status, conditions, startTime: isNow ? undefined : timeOf(clock) }
}

/** Writes, releases the pods that are written down, counts them, and ends the job where all are counted. */
async function settle(parts: Parts, seen: View, pass: Pass, backoff: Backoff): Promise<void> {
  const { clock } = parts
  const { active, ready, terminating } = pass.outcome
  const counts = { active: counted(active), ready, terminating }
  const tracking = track(seen, { ...pass.status, ...counts }, pass.ending, clock)
  const key = keyOf(seen.job)
  const before = parts.jobs.get(key)
  let job = await write(parts, { ...seen.job, status: before?.status ?? seen.job.status }, tracking.status)
  parts.backoffs.set(key, backoff)
  const left = trackedUids(seen)
  const failure = await releaseAll(parts, key, tracking.release, left)
  const status = withoutReleased(tracking.status, left)
  const end = tracking.isPartial || failure !== undefined ? undefined : ended(status, tracking.ending, clock)
  job = await write(parts, job, end ?? status)
  if (failure !== undefined) throw failure
  if (end !== undefined && tracking.ending !== undefined) tellEnd(parts, job, tracking.ending)
}

async function write(parts: Parts, job: Job, status: JobStatus): Promise<Job> {
  if (isSameStatus(job.status, status)) return job
  const answer = await parts.api.updateStatus(JOBS, { ...job, status })
  parts.written.note(answer)
  return answer
}

/** Takes the finalizers; `left` loses the uids of those that are free. Returns the first refusal. */
async function releaseAll(
  parts: Parts,
  key: string,
  pods: readonly Pod[],
  left: Set<string>,
): Promise<unknown> {
  if (pods.length === 0) return undefined
  const expected = parts.released.get(key) ?? new Set<string>()
  for (const { metadata } of pods) expected.add(metadata.uid ?? '')
  parts.released.set(key, expected)
  let failure: unknown
  await Promise.all(
    pods.map(async (pod) => {
      const uid = pod.metadata.uid ?? ''
      try {
        await untrack(parts.api, pod)
        left.delete(uid)
      } catch (error) {
        expected.delete(uid)
        if (isNotFound(error)) left.delete(uid)
        else failure ??= error
      }
    }),
  )
  return failure
}

function tellEnd({ recorder }: Parts, job: Job, { type, reason, message }: Ending): void {
  const tell = (kind: EventType, why: string, text: string): void =>
    recorder.event({ resource: JOBS, object: job }, kind, why, text)
  if (type !== 'Complete') return tell('Warning', reason, message)
  const { completions } = job.spec
  if (completions !== undefined && (job.status.succeeded ?? 0) > completions) {
    tell('Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
  }
  tell('Normal', 'Completed', 'Job completed')
}
