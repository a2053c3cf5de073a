// CronJobs: a Job for each time of a schedule. Follows k8s.io/kubernetes/pkg/controller/cronjob/cronjob_controllerv2.go.
import { type Api, isAlreadyExists, isNotFound } from '../../client/api.ts'
import { type Clock, timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import type { CronJob, CronJobStatus, Job } from '../../client/kinds/batch.v1.gen.ts'
import {
  controlledBy,
  controllerRef,
  indexByController,
  isControlledBy,
  resolveController,
} from '../../client/ownership.ts'
import { isNamespaceTerminating, messageOf } from '../../client/podcontrol.ts'
import type { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder, EventType } from '../../client/recorder.ts'
import { apiVersionOfResource, keyOf } from '../../client/resource.ts'
import { CRON_JOBS, JOBS } from '../../client/resources.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { onceSynced } from '../../client/synced.ts'
import { Written } from '../../client/written.ts'
import { type Due, dueRun, nextLook, ScheduleError } from './due.ts'
import { isTimeZone, parseSchedule, type Schedule, timeInZone } from './schedule.ts'

/** As upstream's --concurrent-cron-job-syncs. */
const WORKERS = 5
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

interface Parts {
  readonly api: Api
  readonly clock: Clock
  readonly recorder: EventRecorder
  readonly queue: WorkQueue
  readonly cronJobs: Reader<CronJob>
  readonly jobs: Reader<Job>
  readonly written: Written
}

export function cronJobController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'cronjob')
  const cronJobs = informers.of(CRON_JOBS)
  const jobs = indexByController(informers.of(JOBS))
  const recorder = context.recorder.as({ component: 'cronjob-controller' })
  const written = new Written()
  const parts: Parts = {
    api,
    clock,
    recorder,
    queue,
    cronJobs: cronJobs.reader,
    jobs: jobs.reader,
    written,
  }
  const wake = (cronJob: CronJob): void => queue.add(keyOf(cronJob))
  cronJobs.handle({ added: wake, updated: wake, deleted: (cronJob) => written.forget(keyOf(cronJob)) })
  const wakeOwner = (job: Job): void => {
    const owner = resolveController(job, CRON_JOBS, cronJobs.reader)
    if (owner) wake(owner)
  }
  jobs.handle({ added: wakeOwner, updated: wakeOwner, deleted: wakeOwner })
  const reconcile = (key: string): Promise<void> => sync(parts, key)
  return onceSynced([cronJobs, jobs], { name: 'cronjob-controller', queue, workers, reconcile, log })
}

/** One pass: the status as it is to be written at the end. */
interface Pass {
  readonly cronJob: CronJob
  status: CronJobStatus
  tell(type: EventType, reason: string, message: string): void
}

async function sync(parts: Parts, key: string): Promise<void> {
  const cronJob = parts.cronJobs.get(key)
  if (cronJob === undefined || parts.written.isNewerThan(cronJob)) return
  const about = { resource: CRON_JOBS, object: cronJob }
  const pass: Pass = {
    cronJob,
    status: cronJob.status ?? {},
    tell: (type, reason, message) => parts.recorder.event(about, type, reason, message),
  }
  const jobs = controlledBy(parts.jobs, cronJob)
  await cleanUp(parts, pass, jobs)
  let next: number | undefined
  try {
    await takeStock(parts, pass, jobs)
    next = await run(parts, pass)
  } finally {
    if (!isSameStatus(pass.status, cronJob.status ?? {})) {
      parts.written.note(await parts.api.updateStatus(CRON_JOBS, { ...cronJob, status: pass.status }))
    }
  }
  if (next !== undefined) parts.queue.addAfter(key, next)
}

const endOf = ({ status }: Job): string | undefined =>
  status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )?.type

const withoutActive = (status: CronJobStatus, uid: string | undefined): CronJobStatus => {
  const active = (status.active ?? []).filter((one) => one.uid !== uid)
  return { ...status, active: active.length > 0 ? active : undefined }
}

/** Deletes the oldest of the finished jobs that are above the limits. */
async function cleanUp(parts: Parts, pass: Pass, jobs: readonly Job[]): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = pass.cronJob.spec
  for (const [end, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue
    const ended = jobs.filter((job) => endOf(job) === end).sort(byStart)
    for (const job of ended.slice(0, Math.max(0, ended.length - limit))) {
      if (job.metadata.deletionTimestamp === undefined) await remove(parts, pass, job)
    }
  }
}

/** Jobs that never started last. */
const byStart = (a: Job, b: Job): number => {
  const start = ({ status, metadata }: Job): string => `${status?.startTime ?? '~'} ${metadata.name}`
  return start(a) < start(b) ? -1 : 1
}

/** Whether the job is gone or going. */
async function remove({ api }: Parts, pass: Pass, { metadata }: Job): Promise<boolean> {
  const { namespace, name = '', uid } = metadata
  try {
    await api.delete(JOBS, { namespace, name }, { propagationPolicy: 'Background' })
  } catch (error) {
    pass.tell('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
    return false
  }
  pass.status = withoutActive(pass.status, uid)
  pass.tell('Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  return true
}

/** Which jobs are active still, and when the last one succeeded. */
async function takeStock({ api }: Parts, pass: Pass, jobs: readonly Job[]): Promise<void> {
  const known = new Set((pass.cronJob.status?.active ?? []).map(({ uid }) => uid))
  for (const job of jobs) {
    const { name, uid } = job.metadata
    const end = endOf(job)
    if (end === undefined && !known.has(uid)) {
      pass.tell('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`)
    }
    if (end !== undefined && known.has(uid)) {
      pass.status = withoutActive(pass.status, uid)
      pass.tell('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end}`)
    }
    const { completionTime = '' } = job.status ?? {}
    if (end === 'Complete' && completionTime > (pass.status.lastSuccessfulTime ?? '')) {
      pass.status = { ...pass.status, lastSuccessfulTime: completionTime }
    }
  }
  const seen = new Set(jobs.map(({ metadata }) => metadata.uid))
  for (const { uid, name = '', namespace } of pass.status.active ?? []) {
    if (seen.has(uid)) continue
    try {
      await api.get(JOBS, { namespace, name })
    } catch (error) {
      if (!isNotFound(error)) throw error
      pass.tell('Normal', 'MissingJob', `Active job went missing: ${name}`)
      pass.status = withoutActive(pass.status, uid)
    }
  }
}

/** Starts what is due. Returns in how many ms to look again; undefined for not before something changes. */
async function run(parts: Parts, pass: Pass): Promise<number | undefined> {
  const { cronJob } = pass
  const { schedule: text, timeZone, suspend } = cronJob.spec
  if (cronJob.metadata.deletionTimestamp !== undefined) return undefined
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const message = `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`
    pass.tell('Warning', 'UnknownTimeZone', message)
    return undefined
  }
  if (suspend) return undefined
  if (text.includes('TZ')) {
    const message = `CRON_TZ or TZ used in schedule "${text}" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`
    pass.tell('Warning', 'UnsupportedSchedule', message)
  }
  const schedule = parseSchedule(text, timeZone)
  if (schedule === undefined) {
    pass.tell('Warning', 'UnparseableSchedule', `unparseable schedule: "${text}"`)
    return undefined
  }
  const now = parts.clock.now()
  const due = dueNow(pass, now, schedule)
  if (due === 'never') return undefined
  if (due !== undefined) {
    if (due.isManyMissed) {
      const hint = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew'
      pass.tell('Warning', 'TooManyMissedTimes', `too many missed start times. ${hint}`)
    }
    if (!(await start(parts, pass, due.at))) return undefined
  }
  return nextLook({ ...cronJob, status: pass.status }, now, schedule)
}

function dueNow(pass: Pass, now: number, schedule: Schedule): Due | undefined | 'never' {
  try {
    return dueRun(pass.cronJob, now, schedule)
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error
    const message = `invalid schedule: ${pass.cronJob.spec.schedule} : ${error.message}`
    pass.tell('Warning', 'InvalidSchedule', message)
    return 'never'
  }
}

/** Unless it is too late, done before, or not to be at the same time. False: somebody else's job has the name. */
async function start(parts: Parts, pass: Pass, at: number): Promise<boolean> {
  const { cronJob } = pass
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec
  const active = pass.status.active ?? []
  if (startingDeadlineSeconds !== undefined && at + startingDeadlineSeconds * 1000 < parts.clock.now()) {
    const when = new Date(at).toUTCString().replace('GMT', '+0000')
    pass.tell('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${when}`)
    return true
  }
  const name = nameOf(cronJob, at)
  const isDone = Date.parse(pass.status.lastScheduleTime ?? '') === at
  if (isDone || active.some((one) => one.name === name)) return true
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    pass.tell('Normal', 'JobAlreadyActive', message)
    return true
  }
  if (concurrencyPolicy === 'Replace') await replaceActive(parts, pass)
  return create(parts, pass, at)
}

async function replaceActive(parts: Parts, pass: Pass): Promise<void> {
  for (const { namespace, name = '' } of pass.status.active ?? []) {
    const job = await parts.api.get(JOBS, { namespace, name }).catch((error: unknown) => {
      pass.tell('Warning', 'FailedGet', `Get job: ${messageOf(error)}`)
      throw error
    })
    if (!(await remove(parts, pass, job))) throw new Error(`could not replace job ${namespace}/${name}`)
  }
}

async function create({ api, clock }: Parts, pass: Pass, at: number): Promise<boolean> {
  const wanted = jobOf(pass.cronJob, at)
  let job: Job
  try {
    job = await api.create(JOBS, wanted)
    pass.tell('Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
  } catch (error) {
    if (!isAlreadyExists(error)) {
      if (!isNamespaceTerminating(error)) {
        pass.tell('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
      }
      throw error
    }
    // Made before, and the status not written then; or somebody else's.
    const { namespace, name = '' } = wanted.metadata
    job = await api.get(JOBS, { namespace, name })
    if (!isControlledBy(job, pass.cronJob)) return false
  }
  const { namespace, name, uid, resourceVersion } = job.metadata
  const reference = {
    kind: JOBS.kind,
    apiVersion: apiVersionOfResource(JOBS),
    namespace,
    name,
    uid,
    resourceVersion,
  }
  const active = endOf(job) === undefined ? [...(pass.status.active ?? []), reference] : pass.status.active
  pass.status = { ...pass.status, active, lastScheduleTime: timeOf({ ...clock, now: () => at }) }
  return true
}

/** The same for the same time: nothing is started twice. */
const nameOf = ({ metadata }: CronJob, at: number): string => `${metadata.name}-${Math.floor(at / 60_000)}`

function jobOf(cronJob: CronJob, at: number): Job {
  const { metadata, spec } = cronJob.spec.jobTemplate
  return {
    metadata: {
      namespace: cronJob.metadata.namespace,
      name: nameOf(cronJob, at),
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: timeInZone(at, cronJob.spec.timeZone) },
      ownerReferences: [controllerRef({ resource: CRON_JOBS, object: cronJob })],
    },
    spec,
    status: {},
  }
}
