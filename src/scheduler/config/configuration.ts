// KubeSchedulerConfiguration: read, completed with upstream's defaults, and checked as upstream checks it.
// Follows k8s.io/kubernetes/pkg/scheduler/apis/config (v1/defaults.go, validation/validation.go).
import { cause, type StatusCause } from '../../machinery/status.ts'
import { DEFAULT_ARGS, type PluginArgs, readArgs } from './args.ts'
import { type ExtenderConfig, readExtenders } from './extenders.ts'
import { Fields } from './fields.ts'
import { NO_SET, type PluginRef, type PluginSet, type PluginSets, POINTS, REMOVED } from './points.ts'

export const GROUP_VERSION = 'kubescheduler.config.k8s.io/v1'
export const KIND = 'KubeSchedulerConfiguration'
const DEFAULT_SCHEDULER = 'default-scheduler'

export interface ProfileConfig {
  readonly schedulerName: string
  /** undefined: as the whole says. */
  readonly percentageOfNodesToScore: number | undefined
  readonly plugins: PluginSets
  readonly args: PluginArgs
}

export interface LeaderElectionConfig {
  readonly leaderElect: boolean
  /** In ms. */
  readonly leaseDuration: number
  readonly renewDeadline: number
  readonly retryPeriod: number
  readonly resourceName: string
  readonly resourceNamespace: string
}

export interface ClientConnection {
  readonly kubeconfig: string
  readonly qps: number
  readonly burst: number
  /** Accepted, and without effect, as the next. */
  readonly acceptContentTypes: string
  readonly contentType: string
}

export interface SchedulerConfiguration {
  /**
   * Accepted, and without effect: cycles run on one thread.
   */
  readonly parallelism: number
  readonly leaderElection: LeaderElectionConfig
  readonly clientConnection: ClientConnection
  /** 0: the more nodes there are, the smaller the part. */
  readonly percentageOfNodesToScore: number
  readonly podInitialBackoffSeconds: number
  readonly podMaxBackoffSeconds: number
  readonly profiles: readonly ProfileConfig[]
  readonly extenders: readonly ExtenderConfig[]
  /** Of no meaning here: there is no Go program to profile, and informers begin when the scheduler does. */
  readonly enableProfiling: boolean
  readonly enableContentionProfiling: boolean
  readonly delayCacheUntilActive: boolean
}

export type ConfigurationRead =
  { readonly configuration: SchedulerConfiguration } | { readonly faults: readonly string[] }

/** `value` is the file's content as JSON has it. */
export function readConfiguration(value: unknown): ConfigurationRead {
  const faults: StatusCause[] = []
  const fields = new Fields(value, '', faults)
  const [apiVersion, kind] = [fields.text('apiVersion'), fields.text('kind')]
  if (apiVersion !== GROUP_VERSION || kind !== KIND) {
    const unknown = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`
    return { faults: [unknown] }
  }
  const configuration: SchedulerConfiguration = {
    parallelism: fields.integer('parallelism', 16),
    leaderElection: leaderElection(fields.fields('leaderElection'), faults),
    clientConnection: clientConnection(fields.fields('clientConnection')),
    percentageOfNodesToScore: fields.integer('percentageOfNodesToScore', 0),
    podInitialBackoffSeconds: fields.integer('podInitialBackoffSeconds', 1),
    podMaxBackoffSeconds: fields.integer('podMaxBackoffSeconds', 10),
    profiles: profiles(fields, faults),
    extenders: readExtenders(fields, faults),
    enableProfiling: fields.boolean('enableProfiling', true),
    enableContentionProfiling: fields.boolean('enableContentionProfiling', true),
    delayCacheUntilActive: fields.boolean('delayCacheUntilActive'),
  }
  fields.done()
  check(configuration, faults)
  return faults.length === 0 ? { configuration } : { faults: [...new Set(faults.map(textOf))] }
}

/** What there is without a file. */
export function defaultConfiguration(): SchedulerConfiguration {
  const read = readConfiguration({ apiVersion: GROUP_VERSION, kind: KIND })
  if ('faults' in read) throw new Error(read.faults.join(', '))
  return read.configuration
}

const textOf = ({ field, message }: StatusCause): string =>
  field === undefined || field === '' ? String(message) : `${field}: ${message}`

function leaderElection(fields: Fields, faults: StatusCause[]): LeaderElectionConfig {
  const lock = fields.text('resourceLock', 'leases')
  const found = {
    leaderElect: fields.boolean('leaderElect', true),
    leaseDuration: fields.duration('leaseDuration', 15_000),
    renewDeadline: fields.duration('renewDeadline', 10_000),
    retryPeriod: fields.duration('retryPeriod', 2000),
    resourceName: fields.text('resourceName') || 'kube-scheduler',
    resourceNamespace: fields.text('resourceNamespace') || 'kube-system',
  }
  fields.done()
  if (!found.leaderElect) return found
  const positive = (name: 'leaseDuration' | 'renewDeadline' | 'retryPeriod'): void => {
    if (found[name] <= 0)
      faults.push(cause.invalid(fields.pathOf(name), found[name], 'must be greater than zero'))
  }
  positive('leaseDuration')
  positive('renewDeadline')
  positive('retryPeriod')
  if (found.leaseDuration <= found.renewDeadline) {
    const why = 'LeaseDuration must be greater than RenewDeadline'
    faults.push(cause.invalid(fields.pathOf('leaseDuration'), found.renewDeadline, why))
  }
  if (found.renewDeadline <= found.retryPeriod) {
    const why = 'RenewDeadline must be greater than RetryPeriod'
    faults.push(cause.invalid(fields.pathOf('renewDeadline'), found.retryPeriod, why))
  }
  if (lock !== 'leases')
    faults.push(cause.invalid(fields.pathOf('resourceLock'), lock, 'resourceLock value must be "leases"'))
  return found
}

function clientConnection(fields: Fields): SchedulerConfiguration['clientConnection'] {
  const found = {
    kubeconfig: fields.text('kubeconfig'),
    qps: fields.number('qps', 50) || 50,
    burst: fields.integer('burst', 100) || 100,
    acceptContentTypes: fields.text('acceptContentTypes'),
    contentType: fields.text('contentType') || 'application/vnd.kubernetes.protobuf',
  }
  fields.done()
  return found
}

function profiles(fields: Fields, faults: StatusCause[]): ProfileConfig[] {
  const found = fields.list('profiles', (item, path) => profile(new Fields(item, path, faults), faults))
  if (found.length === 0) found.push(profile(new Fields(undefined, 'profiles[0]', faults), faults))
  // Of several, each has to say its name.
  const [only] = found
  return found.length === 1 && only?.schedulerName === undefined
    ? [{ ...only, schedulerName: DEFAULT_SCHEDULER } as ProfileConfig]
    : found.map((one) => ({ ...one, schedulerName: one.schedulerName ?? '' }))
}

type NamelessProfile = Omit<ProfileConfig, 'schedulerName'> & { schedulerName: string | undefined }

function profile(fields: Fields, faults: StatusCause[]): NamelessProfile {
  const schedulerName = fields.has('schedulerName') ? fields.text('schedulerName') : undefined
  const percentage = fields.has('percentageOfNodesToScore')
    ? fields.integer('percentageOfNodesToScore', 0)
    : undefined
  if (!fields.has('schedulerName')) fields.text('schedulerName')
  if (percentage === undefined) fields.integer('percentageOfNodesToScore', 0)
  const plugins = pluginSets(fields.fields('plugins'), faults)
  const args = { ...DEFAULT_ARGS }
  const seen = new Set<string>()
  fields.list('pluginConfig', (item, path) => {
    const one = new Fields(item, path, faults)
    const name = one.text('name')
    if (seen.has(name)) faults.push(cause.duplicate(path, name))
    seen.add(name)
    if (REMOVED.includes(name)) faults.push(cause.invalid(path, name, removedText()))
    Object.assign(args, readArgs(name, one.any('args'), `${path}.args`, faults))
    one.done()
  })
  fields.done()
  return { schedulerName, percentageOfNodesToScore: percentage, plugins, args }
}

const removedText = (): string =>
  `was invalid in version ${JSON.stringify(GROUP_VERSION)} (KubeSchedulerConfiguration is version ${JSON.stringify(GROUP_VERSION)})`

function pluginSets(fields: Fields, faults: StatusCause[]): PluginSets {
  const sets: Record<string, PluginSet> = {}
  for (const point of [...POINTS, 'multiPoint'] as const) {
    const set = fields.fields(point)
    const ref = (item: unknown, path: string): PluginRef => {
      const one = new Fields(item, path, faults)
      const found = { name: one.text('name'), weight: one.integer('weight', 0) }
      one.done()
      if (point !== 'multiPoint' && path.includes('.enabled[') && REMOVED.includes(found.name))
        faults.push(cause.invalid(path, found.name, removedText()))
      return found
    }
    const enabled = set.list('enabled', ref)
    const disabled = set.list('disabled', (item, path) => ref(item, path).name)
    set.done()
    sets[point] = enabled.length + disabled.length === 0 ? NO_SET : { enabled, disabled }
  }
  fields.done()
  return sets as Record<keyof PluginSets, PluginSet>
}

function check(found: SchedulerConfiguration, faults: StatusCause[]): void {
  const { parallelism, podInitialBackoffSeconds: first, podMaxBackoffSeconds: most } = found
  if (parallelism <= 0)
    faults.push(cause.invalid('parallelism', parallelism, 'should be an integer value greater than zero'))
  checkPercentage(found.percentageOfNodesToScore, 'percentageOfNodesToScore', faults)
  if (first <= 0) faults.push(cause.invalid('podInitialBackoffSeconds', first, 'must be greater than 0'))
  if (most < first) {
    const why = 'must be greater than or equal to PodInitialBackoffSeconds'
    faults.push(cause.invalid('podMaxBackoffSeconds', most, why))
  }
  const names = new Map<string, number>()
  const [leading] = found.profiles
  found.profiles.forEach(({ schedulerName, percentageOfNodesToScore, plugins }, i) => {
    const path = `profiles[${i}]`
    if (schedulerName === '') faults.push(cause.required(`${path}.schedulerName`))
    if (percentageOfNodesToScore !== undefined)
      checkPercentage(percentageOfNodesToScore, `${path}.percentageOfNodesToScore`, faults)
    const before = names.get(schedulerName)
    if (before !== undefined)
      faults.push(cause.duplicate(`${path}.schedulerName`, `profiles[${before}].schedulerName`))
    names.set(schedulerName, i)
    if (JSON.stringify(plugins.queueSort) !== JSON.stringify(leading?.plugins.queueSort)) {
      const why = 'must be the same for all profiles'
      faults.push(cause.invalid(`${path}.plugins.queueSort`, plugins.queueSort, why))
    }
  })
}

function checkPercentage(value: number, path: string, faults: StatusCause[]): void {
  if (value < 0 || value > 100) faults.push(cause.invalid(path, value, 'not in valid range [0-100]'))
}
