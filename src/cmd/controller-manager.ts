// `dinghy controller-manager`: the controllers in a process of their own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go.
import { dirname } from 'node:path'
import { AccountTransport } from '../client/accounttokens.ts'
import { Api } from '../client/api.ts'
import { SYSTEM_CLOCK } from '../client/clock.ts'
import { type ElectionOptions, lead } from '../client/election.ts'
import { type Http2Options, Http2Transport } from '../client/http2.ts'
import { clientOptions } from '../client/kubeconfig.ts'
import { QueuesMetrics } from '../client/queuemetrics.ts'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { CONTROLLER_FLAGS, type ManagerFlags, settingsOf } from './controller-flags.ts'
import { CONTROLLER_MANAGER, electionIdentity } from './controller-manager-part.ts'
import { chosenControllers } from './controllers.ts'
import { commandLine, durationMs } from './flags.ts'
import { type Log, makeLog } from './log.ts'
import { type LogLevel, StartError } from './options.ts'
import { type ManagerParts, runControllers } from './run-controllers.ts'
import { serveSecurely } from './secure-serving.ts'
import { yamlFile } from './webhookfile.ts'

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
  const settings = settingsOf(flags)
  const server = await serverOf(flags)
  const api = new Api(new Http2Transport(server), AGENT)
  const asAccount = (name: string): Api => {
    const { cert: _cert, key: _key, token: _token, ...bare } = server
    const account = { api, clock: SYSTEM_CLOCK, namespace: 'kube-system', name }
    return new Api(new AccountTransport({ ...account, transport: new Http2Transport(bare) }), AGENT)
  }
  const apiOf = flags['use-service-account-credentials'] ? asAccount : () => api
  return { api, apiOf, rows, settings, metrics: new QueuesMetrics(), log }
}

async function serverOf(flags: ManagerFlags): Promise<Http2Options> {
  const { kubeconfig, master } = flags
  if (kubeconfig === undefined)
    throw new StartError('--kubeconfig is needed: the API server, and who we are there')
  const config = await yamlFile(kubeconfig)
  try {
    const options = clientOptions(config, dirname(kubeconfig))
    return master === undefined ? options : { ...options, server: master }
  } catch (error) {
    throw new StartError(`${kubeconfig}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

function electionOf(flags: ManagerFlags, api: Api): ElectionOptions {
  const seconds = (flag: 'lease-duration' | 'renew-deadline' | 'retry-period'): number =>
    durationMs(`leader-elect-${flag}`, flags[`leader-elect-${flag}`]) / 1000
  const [leaseSeconds, renewDeadlineSeconds, retrySeconds] = [
    seconds('lease-duration'),
    seconds('renew-deadline'),
    seconds('retry-period'),
  ]
  if (!(leaseSeconds > renewDeadlineSeconds && renewDeadlineSeconds > retrySeconds && retrySeconds > 0)) {
    throw new StartError(
      '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline, and that longer than --leader-elect-retry-period',
    )
  }
  return {
    api,
    clock: SYSTEM_CLOCK,
    namespace: flags['leader-elect-resource-namespace'],
    name: flags['leader-elect-resource-name'],
    identity: electionIdentity(),
    leaseSeconds,
    renewDeadlineSeconds,
    retrySeconds,
  }
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
