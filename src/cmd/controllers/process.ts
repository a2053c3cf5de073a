// A manager of controllers as a process of its own, by a kubeconfig: elected, measured, stopped by signals.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go and k8s.io/cloud-provider/app.
import { AccountTransport } from '../../client/accounttokens.ts'
import { Api } from '../../client/api.ts'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import { lead } from '../../client/election.ts'
import { Http2Transport } from '../../client/http2.ts'
import { QueuesMetrics } from '../../client/queuemetrics.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'
import type { ControllerRow } from './row.ts'
import type { ControllerSettings } from './settings.ts'
import { boolean, integer, oneOf, text, type Values } from '../flags.ts'
import { type Log, makeLog } from '../log.ts'
import { LOG_LEVELS, type LogLevel } from '../options.ts'
import { electionFlags, electionOf, remoteServer } from '../parts/remote-server.ts'
import { type ManagerParts, runControllers } from './run.ts'
import { serveSecurely } from '../parts/secure-serving.ts'
import { SERVING_FLAGS, servingOptions } from '../parts/serving-flags.ts'
import { stayAlive } from '../signals.ts'

/** From here on klog tells of single steps. */
const DEBUG_VERBOSITY = 4

/** What every manager is told; `part` names its lease, `port` is where upstream's listens. */
export const managerFlags = (part: string, port: string) => ({
  kubeconfig: text('the API server, and who we are there', 'FILE'),
  master: text("address of the API server, in place of the kubeconfig's", 'URL'),
  'use-service-account-credentials': boolean('each controller acts as its own service account', false),
  ...electionFlags(part),
  'secure-port': integer('port of /healthz and /metrics; 0: none', port, 0, 65535),
  ...SERVING_FLAGS,
  'kube-api-qps': text('accepted for compatibility; the API server sets the pace', 'N', '20'),
  'kube-api-burst': text('accepted for compatibility', 'N', '30'),
  v: integer("klog's verbosity; from 4 on, everything is logged", '0', 0, 10),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'info'),
})

type ManagerFlags = Values<ReturnType<typeof managerFlags>>

/** What one manager runs. */
export interface ManagerWork {
  /** "kube-controller-manager" */
  readonly name: string
  readonly rows: readonly ControllerRow[]
  readonly settings: ControllerSettings
}

export const managerLog = (flags: Pick<ManagerFlags, 'v' | 'log-level'>): Log =>
  makeLog(flags.v >= DEBUG_VERBOSITY ? 'debug' : (flags['log-level'] as LogLevel))

/** Ends the process. Rejects with StartError where it cannot begin. */
export async function runManager(flags: ManagerFlags, work: ManagerWork, log: Log): Promise<void> {
  const parts = await partsOf(flags, work, log)
  const election = flags['leader-elect'] ? electionOf(flags, parts.api) : undefined
  const serving = await servingOf(flags, parts)
  const stop = new AbortController()
  stayAlive()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort()
      process.once(signal, () => process.exit(130))
    })
  }
  const run = (signal: AbortSignal): Promise<void> => runControllers(parts, signal)
  await (election ? lead(election, run, stop.signal) : run(stop.signal))
  await serving?.close()
  if (stop.signal.aborted) process.exit(0)
  // As upstream: whoever started the process starts it again, and it waits for its turn.
  log.error({}, 'the lease is lost')
  process.exit(1)
}

async function partsOf(
  flags: ManagerFlags,
  { name: manager, rows, settings }: ManagerWork,
  log: Log,
): Promise<ManagerParts> {
  const agent = `${manager}/${KUBERNETES_VERSION} (linux/amd64)`
  const server = await remoteServer(flags.kubeconfig, flags.master)
  const api = new Api(new Http2Transport(server), agent)
  const asAccount = (name: string): Api => {
    const { cert: _cert, key: _key, token: _token, ...bare } = server
    const account = { api, clock: SYSTEM_CLOCK, namespace: 'kube-system', name }
    return new Api(new AccountTransport({ ...account, transport: new Http2Transport(bare) }), agent)
  }
  const apiOf = flags['use-service-account-credentials'] ? asAccount : () => api
  // As upstream: where no flag names the CA of the API server, the one that the kubeconfig has is published.
  const rootCa = settings.rootCa ?? server.ca ?? ''
  return { api, apiOf, rows, settings: { ...settings, rootCa }, metrics: new QueuesMetrics(), log }
}

async function servingOf(flags: ManagerFlags, { api, metrics }: ManagerParts) {
  if (flags['secure-port'] === 0) return undefined
  return serveSecurely({
    ...servingOptions(flags),
    port: flags['secure-port'],
    api,
    health: () => undefined,
    metrics: () => metrics.text(),
  })
}
