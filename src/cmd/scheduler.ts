// `dinghy scheduler`: the scheduler in a process of its own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-scheduler/app (server.go, options).
import { Api } from '../client/api.ts'
import { lead } from '../client/election.ts'
import { Http2Transport } from '../client/http2.ts'
import { SCHEDULER_DEFAULTS } from '../scheduler/scheduler.ts'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { commandLine, integer, oneOf, text } from './flags.ts'
import { makeLog } from './log.ts'
import { LOG_LEVELS, type LogLevel } from './options.ts'
import { electionFlags, electionOf, remoteServer } from './remote-server.ts'
import { runScheduler, SCHEDULER, schedulerContext } from './scheduler-part.ts'
import { serveSecurely } from './secure-serving.ts'
import { stayAlive } from './signals.ts'

/** From here on klog tells of single steps. */
const DEBUG_VERBOSITY = 4

const FLAGS = {
  kubeconfig: text('the API server, and who we are there', 'FILE'),
  master: text("address of the API server, in place of the kubeconfig's", 'URL'),
  ...electionFlags(SCHEDULER),
  'secure-port': integer('port of /healthz; 0: none', '10259', 0, 65535),
  'bind-address': text('address to listen on', 'ADDRESS', '0.0.0.0'),
  'tls-cert-file': text('serving certificate, PEM', 'FILE'),
  'tls-private-key-file': text('its key, PEM', 'FILE'),
  v: integer("klog's verbosity; from 4 on, everything is logged", '0', 0, 10),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'info'),
} as const

export async function scheduler(argv: readonly string[]): Promise<void> {
  const flags = commandLine('dinghy scheduler', 'Runs the scheduler alone.', FLAGS, argv)
  if (!flags) return
  const log = makeLog(flags.v >= DEBUG_VERBOSITY ? 'debug' : (flags['log-level'] as LogLevel))
  const transport = new Http2Transport(await remoteServer(flags.kubeconfig, flags.master))
  const api = new Api(transport, `${SCHEDULER}/${KUBERNETES_VERSION} (linux/amd64)`)
  const election = flags['leader-elect'] ? electionOf(flags, api) : undefined
  const serving =
    flags['secure-port'] === 0
      ? undefined
      : await serveSecurely({
          host: flags['bind-address'],
          port: flags['secure-port'],
          certFile: flags['tls-cert-file'],
          keyFile: flags['tls-private-key-file'],
          api,
          health: () => undefined,
          metrics: () => '',
        })
  const stop = new AbortController()
  stayAlive()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort()
      process.once(signal, () => process.exit(130))
    })
  }
  const work = async (signal: AbortSignal): Promise<void> => {
    const context = schedulerContext(api, log, SCHEDULER_DEFAULTS)
    await (
      await runScheduler(context, SCHEDULER_DEFAULTS, signal)
    ).done
  }
  await (election ? lead(election, work, stop.signal) : work(stop.signal))
  await serving?.close()
  if (stop.signal.aborted) process.exit(0)
  // As upstream: whoever started the process starts it again, and it waits for its turn.
  log.error({}, 'the lease is lost')
  process.exit(1)
}
