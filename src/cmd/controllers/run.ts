// Controllers at work: each with its own user's API, all with the same informers, until they are told to stop.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go (StartControllers).
import { setMaxListeners } from 'node:events'
import type { Api } from '../../client/api.ts'
import { type Clock, SYSTEM_CLOCK } from '../../client/clock.ts'
import type { Controller, ControllerContext, ControllerLog } from '../../client/controller.ts'
import { Informers } from '../../client/informer.ts'
import type { QueuesMetrics } from '../../client/queuemetrics.ts'
import { EventRecorder } from '../../client/recorder.ts'
import type { ControllerRow } from './row.ts'
import type { ControllerSettings } from './settings.ts'

export interface ManagerParts {
  /** Of the manager itself: informers read by it. */
  readonly api: Api
  /** Of a controller: the service account of this name in kube-system. */
  apiOf(user: string): Api
  readonly rows: readonly ControllerRow[]
  readonly settings: ControllerSettings
  readonly metrics: QueuesMetrics
  readonly log: ControllerLog
  readonly clock?: Clock
}

/** Works until the signal aborts and every controller is done; a controller that fails ends alone, and is told of. */
export async function runControllers(parts: ManagerParts, signal: AbortSignal): Promise<void> {
  const { api, log, clock = SYSTEM_CLOCK } = parts
  // Every watch listens to it.
  setMaxListeners(Infinity, signal)
  const informers = new Informers({ api, clock, log })
  const made = await Promise.all(parts.rows.map((row) => makeOne(parts, row, { informers, clock })))
  const controllers = made.filter((one) => one !== undefined)
  const synced = informers.start(signal)
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  // Nobody decides by copies that are not whole yet.
  await Promise.race([synced, stopped])
  if (signal.aborted) return
  log.info({ controllers: controllers.map(({ name }) => name) }, 'controllers are at work')
  await Promise.all(controllers.map((controller) => runOne(controller, log, signal)))
}

function makeOne(
  { api: own, apiOf, metrics, settings, log }: ManagerParts,
  row: ControllerRow,
  shared: { readonly informers: Informers; readonly clock: Clock },
): Promise<Controller | undefined> {
  const api = row.user === undefined ? own : apiOf(row.user)
  const context: ControllerContext = {
    ...shared,
    api,
    log,
    recorder: new EventRecorder(api, shared.clock, { component: row.name }),
    queueMetrics: (name) => metrics.of(name),
  }
  return row.make(context, settings)
}

async function runOne(controller: Controller, log: ControllerLog, signal: AbortSignal): Promise<void> {
  try {
    await controller.run(signal)
  } catch (error) {
    const details = {
      controller: controller.name,
      error: error instanceof Error ? error.stack : String(error),
    }
    log.error(details, 'a controller has ended')
  }
}
