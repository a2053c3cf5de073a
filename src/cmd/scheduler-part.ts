// The scheduler beside the API server, in its process. Follows k8s.io/kubernetes/cmd/kube-scheduler/app/server.go.
import { setMaxListeners } from 'node:events'
import { SYSTEM_CLOCK } from '../client/clock.ts'
import type { ControllerContext } from '../client/controller.ts'
import { Informers } from '../client/informer.ts'
import { EventRecorder } from '../client/recorder.ts'
import { AUTHENTICATED_GROUP, type UserInfo } from '../machinery/user.ts'
import { Scheduler, SCHEDULER_DEFAULTS, type SchedulerOptions } from '../scheduler/scheduler.ts'
import type { ApiServer } from './apiserver.ts'
import { apiAs, type RunningPart } from './part.ts'

export const SCHEDULER = 'kube-scheduler'
const USER: UserInfo = { name: `system:${SCHEDULER}`, groups: [AUTHENTICATED_GROUP] }

/** Resolves when the scheduler knows the cluster and is at work. */
export async function startScheduler(server: ApiServer, stop = new AbortController()): Promise<RunningPart> {
  const api = apiAs(server, USER, SCHEDULER)
  const context = schedulerContext(api, server.log, SCHEDULER_DEFAULTS)
  const running = await runScheduler(context, SCHEDULER_DEFAULTS, stop.signal)
  return {
    async stop() {
      stop.abort()
      await running.done
    },
  }
}

export function schedulerContext(
  api: ControllerContext['api'],
  log: ControllerContext['log'],
  { schedulerName }: SchedulerOptions,
): ControllerContext {
  const clock = SYSTEM_CLOCK
  const informers = new Informers({ api, clock, log })
  return { api, informers, clock, log, recorder: new EventRecorder(api, clock, { component: schedulerName }) }
}

/** Resolves when it is at work; `done` when it has ended. */
export async function runScheduler(
  context: ControllerContext,
  options: SchedulerOptions,
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void> }> {
  // Every informer and every write under way listens for the end.
  setMaxListeners(0, signal)
  const scheduler = new Scheduler(context, options)
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  await Promise.race([context.informers.start(signal), stopped])
  return { done: scheduler.run(signal) }
}
