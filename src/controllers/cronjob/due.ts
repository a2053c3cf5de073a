// Whether a run is due, and when to look again. Follows k8s.io/kubernetes/pkg/controller/cronjob/utils.go.
import type { CronJob } from '../../client/kinds/batch.v1.gen.ts'
import type { Schedule } from './schedule.ts'

/** More missed runs than this are worth a warning. */
const MANY = 100
/** Clocks differ: better look a little later than too early. */
const DELTA_MS = 100

/** A schedule that is no schedule: the next time is not after the last. */
export class ScheduleError extends Error {}

interface Missed {
  readonly since: number
  /** The latest time that has come; undefined for none. */
  readonly last: number | undefined
  readonly count: number
}

function missed(cronJob: CronJob, now: number, schedule: Schedule, withDeadline: boolean): Missed {
  const { startingDeadlineSeconds } = cronJob.spec
  let since = Date.parse(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '')
  if (withDeadline && startingDeadlineSeconds !== undefined) {
    since = Math.max(since, now - startingDeadlineSeconds * 1000)
  }
  const first = schedule(since)
  if (first !== undefined && now < first) return { since, last: undefined, count: 0 }
  const second = first === undefined ? undefined : schedule(first)
  if (first === undefined || second === undefined) {
    throw new ScheduleError('time difference between two schedules is less than 1 second')
  }
  if (now < second) return { since, last: first, count: 0 }
  const step = second - first
  const count = Math.floor((now - first) / step) + 1
  let last: number | undefined
  for (let at = schedule(first + (count - 2) * step); at !== undefined && at <= now; at = schedule(at))
    last = at
  return { since, last, count }
}

export interface Due {
  readonly at: number
  /** So many runs were missed that something must be wrong. */
  readonly isManyMissed: boolean
}

/** The latest run that is due and was not made; throws ScheduleError. */
export function dueRun(cronJob: CronJob, now: number, schedule: Schedule): Due | undefined {
  const { last, count } = missed(cronJob, now, schedule, true)
  return last === undefined ? undefined : { at: last, isManyMissed: count > MANY }
}

/** In how many ms to look again; undefined where nothing will ever be due. */
export function nextLook(cronJob: CronJob, now: number, schedule: Schedule): number | undefined {
  const next = schedule(latest(cronJob, now, schedule))
  return next === undefined ? undefined : Math.max(0, next + DELTA_MS - now)
}

function latest(cronJob: CronJob, now: number, schedule: Schedule): number {
  try {
    const { since, last, count } = missed(cronJob, now, schedule, false)
    return last ?? (count === 0 ? since : now)
  } catch (error) {
    if (error instanceof ScheduleError) return now
    throw error
  }
}
