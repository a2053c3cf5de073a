// `dinghy scheduler`: the scheduler in a process of its own, against any API server, under upstream's flags.
// Follows k8s.io/kubernetes/cmd/kube-scheduler/app (server.go, options).
import { writeFileSync } from 'node:fs'
import { Api } from '../../client/api.ts'
import { lead } from '../../client/election.ts'
import { Http2Transport } from '../../client/http2.ts'
import {
  defaultConfiguration,
  type LeaderElectionConfig,
  readConfiguration,
  type SchedulerConfiguration,
} from '../../scheduler/config/configuration.ts'
import type { SchedulerMetrics } from '../../scheduler/metrics.ts'
import { toYaml } from '../../schema/yaml/yaml.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'
import { commandLine, durationMs, integer, oneOf, text } from '../flags.ts'
import { makeLog } from '../log.ts'
import { LOG_LEVELS, type LogLevel, StartError } from '../options.ts'
import { electionFlags, electionOf, remoteServer } from '../parts/remote-server.ts'
import { runScheduler, SCHEDULER, schedulerContext } from './part.ts'
import { serveSecurely } from '../parts/secure-serving.ts'
import { accepted, SERVING_FLAGS, servingOptions, vain } from '../parts/serving-flags.ts'
import { stayAlive } from '../signals.ts'
import { yamlFile } from '../access/webhookfile.ts'

/** From here on klog tells of single steps. */
const DEBUG_VERBOSITY = 4

const FLAGS = {
  config: text('a KubeSchedulerConfiguration: profiles, their plugins, extenders', 'FILE'),
  'write-config-to': text('write the whole of the configuration into this file, and end', 'FILE'),
  kubeconfig: text("the API server, and who we are there; the configuration's comes first", 'FILE'),
  master: text("address of the API server, in place of the kubeconfig's", 'URL'),
  ...electionFlags(SCHEDULER),
  'secure-port': integer('port of /healthz and /metrics; 0: none', '10259', 0, 65535),
  ...SERVING_FLAGS,
  ...accepted(['pod-max-in-unschedulable-pods-duration'], []),
  'kube-api-qps': text('accepted for compatibility', 'N', '50'),
  'kube-api-burst': integer('accepted for compatibility', '100', 0, 1_000_000),
  'kube-api-content-type': text('accepted for compatibility', 'TYPE', 'application/json'),
  v: integer("klog's verbosity; from 4 on, everything is logged", '0', 0, 10),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'info'),
} as const

export async function scheduler(argv: readonly string[]): Promise<void> {
  const flags = commandLine('dinghy scheduler', 'Runs the scheduler alone.', FLAGS, argv)
  if (!flags) return
  const log = makeLog(flags.v >= DEBUG_VERBOSITY ? 'debug' : (flags['log-level'] as LogLevel))
  for (const flag of vain(FLAGS, flags)) log.warn({ flag: `--${flag}` }, 'this flag changes nothing')
  const configuration =
    flags.config === undefined ? defaultConfiguration() : await configurationOf(flags.config)
  const kubeconfig = configuration.clientConnection.kubeconfig || flags.kubeconfig
  const given = withElection(flags, configuration, argv)
  const target = flags['write-config-to']
  if (target !== undefined) return writeConfiguration(target, configuration, given)
  const transport = new Http2Transport(await remoteServer(kubeconfig, flags.master))
  const api = new Api(transport, `${SCHEDULER}/${KUBERNETES_VERSION} (linux/amd64)`)
  const election = given['leader-elect'] ? electionOf(given, api) : undefined
  // Of a scheduler that works: one that waits for its turn has none.
  let metrics: SchedulerMetrics | undefined
  const serving =
    flags['secure-port'] === 0
      ? undefined
      : await serveSecurely({
          ...servingOptions(flags),
          port: flags['secure-port'],
          api,
          health: () => undefined,
          metrics: () => metrics?.text() ?? '',
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
    const running = await runScheduler(schedulerContext(api, log), configuration, signal)
    metrics = running.metrics
    await running.done
  }
  await (election ? lead(election, work, stop.signal) : work(stop.signal))
  await serving?.close()
  if (stop.signal.aborted) process.exit(0)
  // As upstream: whoever started the process starts it again, and it waits for its turn.
  log.error({}, 'the lease is lost')
  process.exit(1)
}

/** Throws StartError for a file that cannot be read, or that says what cannot be. */
async function configurationOf(path: string): Promise<SchedulerConfiguration> {
  const read = readConfiguration(await yamlFile(path))
  if ('configuration' in read) return read.configuration
  const [first = '', ...more] = read.faults
  throw new StartError(`${path}: ${more.length === 0 ? first : `[${read.faults.join(', ')}]`}`)
}

/** What the file and the flags say together. Throws StartError where it cannot be written. */
async function writeConfiguration(
  path: string,
  configuration: SchedulerConfiguration,
  given: Flags,
): Promise<void> {
  const { clientConnection } = configuration
  const kubeconfig = clientConnection.kubeconfig || (given.kubeconfig ?? '')
  const whole = {
    ...configuration,
    clientConnection: { ...clientConnection, kubeconfig },
    leaderElection: electionConfig(given),
  }
  const { writtenConfiguration } = await import('../../scheduler/config/written.ts')
  try {
    writeFileSync(path, toYaml(writtenConfiguration(whole)))
  } catch (error) {
    throw new StartError(`--write-config-to: ${(error as Error).message}`, error)
  }
}

const electionConfig = (given: Flags): LeaderElectionConfig => ({
  leaderElect: given['leader-elect'],
  leaseDuration: durationMs('leader-elect-lease-duration', given['leader-elect-lease-duration']),
  renewDeadline: durationMs('leader-elect-renew-deadline', given['leader-elect-renew-deadline']),
  retryPeriod: durationMs('leader-elect-retry-period', given['leader-elect-retry-period']),
  resourceName: given['leader-elect-resource-name'],
  resourceNamespace: given['leader-elect-resource-namespace'],
})

type Flags = NonNullable<ReturnType<typeof commandLine<typeof FLAGS>>>

/** What the file says of the election, where flags do not say otherwise. */
function withElection(
  flags: Flags,
  { leaderElection: said }: SchedulerConfiguration,
  argv: readonly string[],
): Flags {
  if (flags.config === undefined) return flags
  const ofFile: Partial<Flags> = {
    'leader-elect': said.leaderElect,
    'leader-elect-lease-duration': `${said.leaseDuration}ms`,
    'leader-elect-renew-deadline': `${said.renewDeadline}ms`,
    'leader-elect-retry-period': `${said.retryPeriod}ms`,
    'leader-elect-resource-name': said.resourceName,
    'leader-elect-resource-namespace': said.resourceNamespace,
  }
  const isGiven = (flag: string): boolean =>
    argv.some((word) => word === `--${flag}` || word.startsWith(`--${flag}=`))
  const silent = Object.entries(ofFile).filter(([flag]) => !isGiven(flag))
  return { ...flags, ...Object.fromEntries(silent) }
}
