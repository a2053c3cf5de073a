// The scheduler beside the API server, in its process. Follows k8s.io/kubernetes/cmd/kube-scheduler/app/server.go.
import { setMaxListeners } from 'node:events'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import type { ControllerContext } from '../../client/controller.ts'
import { Informers } from '../../client/informer.ts'
import { EventRecorder } from '../../client/recorder.ts'
import { AUTHENTICATED_GROUP, type UserInfo } from '../../machinery/user.ts'
import { defaultConfiguration, type SchedulerConfiguration } from '../../scheduler/config/configuration.ts'
import type { SchedulerMetrics } from '../../scheduler/metrics.ts'
import { Scheduler } from '../../scheduler/scheduler.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { deviceSelectors } from './device-selectors.ts'
import { postToExtender } from './extender-client.ts'
import { apiAs, type RunningPart } from '../parts/part.ts'

export const SCHEDULER = 'kube-scheduler'
const USER: UserInfo = { name: `system:${SCHEDULER}`, groups: [AUTHENTICATED_GROUP] }
const COMPONENT = 'default-scheduler'

/** Resolves when the scheduler knows the cluster and is at work. */
export async function startScheduler(
  server: ApiServer,
  stop = new AbortController(),
  configuration = defaultConfiguration(),
): Promise<RunningPart> {
  const api = apiAs(server, USER, SCHEDULER)
  const running = await runScheduler(schedulerContext(api, server.log), configuration, stop.signal)
  server.addMetrics(() => running.metrics.text())
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
): ControllerContext {
  const clock = SYSTEM_CLOCK
  const informers = new Informers({ api, clock, log })
  return { api, informers, clock, log, recorder: new EventRecorder(api, clock, { component: COMPONENT }) }
}

/** Resolves when it is at work; `done` when it has ended. Rejects for a configuration that cannot work. */
export async function runScheduler(
  context: ControllerContext,
  configuration: SchedulerConfiguration,
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void>; readonly metrics: SchedulerMetrics }> {
  // Every informer and every write under way listens for the end.
  setMaxListeners(0, signal)
  const scheduler = new Scheduler(context, {
    configuration,
    postTo: postToExtender,
    selectors: deviceSelectors(),
  })
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  await Promise.race([context.informers.start(signal), stopped])
  return { done: scheduler.run(signal), metrics: scheduler.metrics }
}
