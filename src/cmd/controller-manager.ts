// `dinghy controller-manager`: the controllers in a process of their own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go.
import { AccountTransport } from '../client/accounttokens.ts'
import { Api } from '../client/api.ts'
import { SYSTEM_CLOCK } from '../client/clock.ts'
import { lead } from '../client/election.ts'
import { Http2Transport } from '../client/http2.ts'
import { QueuesMetrics } from '../client/queuemetrics.ts'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { CONTROLLER_FLAGS, type ManagerFlags, settingsOf } from './controller-flags.ts'
import { CONTROLLER_MANAGER } from './controller-manager-part.ts'
import { chosenControllers, missingControllers } from './controllers.ts'
import { commandLine } from './flags.ts'
import { type Log, makeLog } from './log.ts'
import type { LogLevel } from './options.ts'
import { electionOf, remoteServer } from './remote-server.ts'
import { type ManagerParts, runControllers } from './run-controllers.ts'
import { serveSecurely } from './secure-serving.ts'

const AGENT = `${CONTROLLER_MANAGER}/${KUBERNETES_VERSION} (linux/amd64)`
/** From here on klog tells of single steps. */
const DEBUG_VERBOSITY = 4

export async function controllerManager(argv: readonly string[]): Promise<void> {
  const flags = commandLine(
    'dinghy controller-manager',
    'Runs the controllers alone.',
    CONTROLLER_FLAGS,
    argv,
  )
  if (!flags) return
  const log = makeLog(flags.v >= DEBUG_VERBOSITY ? 'debug' : (flags['log-level'] as LogLevel))
  const parts = await partsOf(flags, log)
  const election = flags['leader-elect'] ? electionOf(flags, parts.api) : undefined
  const serving = await servingOf(flags, parts)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort()
      process.once(signal, () => process.exit(130))
    })
  }
  const work = (signal: AbortSignal): Promise<void> => runControllers(parts, signal)
  await (election ? lead(election, work, stop.signal) : work(stop.signal))
  await serving?.close()
  if (stop.signal.aborted) process.exit(0)
  // As upstream: whoever started the process starts it again, and it waits for its turn.
  log.error({}, 'the lease is lost')
  process.exit(1)
}

async function partsOf(flags: ManagerFlags, log: Log): Promise<ManagerParts> {
  const rows = chosenControllers(flags.controllers ?? ['*'])
  const missing = missingControllers(flags.controllers ?? [])
  if (missing.length > 0) log.warn({ controllers: missing }, 'these controllers do not exist here yet')
  const settings = settingsOf(flags)
  const server = await remoteServer(flags.kubeconfig, flags.master)
  const api = new Api(new Http2Transport(server), AGENT)
  const asAccount = (name: string): Api => {
    const { cert: _cert, key: _key, token: _token, ...bare } = server
    const account = { api, clock: SYSTEM_CLOCK, namespace: 'kube-system', name }
    return new Api(new AccountTransport({ ...account, transport: new Http2Transport(bare) }), AGENT)
  }
  const apiOf = flags['use-service-account-credentials'] ? asAccount : () => api
  return { api, apiOf, rows, settings, metrics: new QueuesMetrics(), log }
}

async function servingOf(flags: ManagerFlags, { api, metrics }: ManagerParts) {
  if (flags['secure-port'] === 0) return undefined
  return serveSecurely({
    host: flags['bind-address'],
    port: flags['secure-port'],
    certFile: flags['tls-cert-file'],
    keyFile: flags['tls-private-key-file'],
    api,
    health: () => undefined,
    metrics: () => metrics.text(),
  })
}
