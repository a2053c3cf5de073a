// A cluster in this process whose controllers work: what tests of controllers begin with.
import { Api } from '../../src/client/api.ts'
import type { Transport } from '../../src/client/transport.ts'
import { SYSTEM_CLOCK } from '../../src/client/clock.ts'
import { QueuesMetrics } from '../../src/client/queuemetrics.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { settingsOf } from '../../src/cmd/controllers/part.ts'
import type { ControllerSettings } from '../../src/cmd/controllers/settings.ts'
import { chosenControllers } from '../../src/cmd/controllers/controllers.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import { apiAs, serviceAccountUser } from '../../src/cmd/parts/part.ts'
import { runControllers } from '../../src/cmd/controllers/run.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const MANAGER = { name: 'system:kube-controller-manager', groups: ['system:authenticated'] }

export interface TestCluster {
  /** An administrator's. */
  readonly api: Api
  readonly server: ApiServer
  /** Resolves when all is quiet; rejects where a controller was refused something or failed. */
  stop(): Promise<void>
}

/** With these controllers, by upstream's names, each as its own account, whose requests go `through` something. */
export async function clusterWith(
  names: readonly string[],
  settings: Partial<ControllerSettings> = {},
  through: (transport: Transport) => Transport = (transport) => transport,
): Promise<TestCluster> {
  const server = await startApiServer({ ...DEFAULTS, port: 0 })
  const stop = new AbortController()
  const refusals: unknown[] = []
  const note = (details: object): void => {
    if (/forbidden|is not a function|undefined/.test(JSON.stringify(details))) refusals.push(details)
  }
  const quiet = (): void => undefined
  const running = runControllers(
    {
      api: apiAs(server, MANAGER, 'test'),
      apiOf: (user) => new Api(through(server.loopback(serviceAccountUser(user))), 'test'),
      rows: chosenControllers(names),
      settings: { ...settingsOf(server), ...settings },
      metrics: new QueuesMetrics(),
      log: { error: (details) => void refusals.push(details), warn: note, info: quiet, debug: quiet },
      clock: SYSTEM_CLOCK,
    },
    stop.signal,
  )
  return {
    api: new Api(server.loopback(ADMIN), 'test'),
    server,
    async stop() {
      stop.abort()
      await running
      await server.stop()
      if (refusals.length > 0) throw new Error(JSON.stringify(refusals))
    },
  }
}
