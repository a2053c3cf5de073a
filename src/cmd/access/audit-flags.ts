// Flags of `dinghy apiserver` about the audit log. Follows k8s.io/apiserver/pkg/server/options/audit.go.
import { boolean, durationMs, integer, oneOf, text, type Values } from '../flags.ts'
import {
  type ApiServerOptions,
  type AuditBatch,
  type AuditLogFile,
  type AuditWebhook,
  StartError,
} from '../options.ts'

const MAX_INT32 = 2 ** 31 - 1
const VERSION = 'audit.k8s.io/v1'

/** What is done with large events; the size of batches bounds nothing, as upstream, which cuts before it gathers. */
function truncation<Name extends 'log' | 'webhook'>(name: Name) {
  const enabled = boolean('take the objects out of large events', false)
  const event = integer('bytes of an event that is not large', '102400', -MAX_INT32, MAX_INT32)
  const batch = integer('accepted for compatibility', '10485760', -MAX_INT32, MAX_INT32)
  const prefix = `audit-${name}-truncate` as const
  return {
    [`${prefix}-enabled`]: enabled,
    [`${prefix}-max-event-size`]: event,
    [`${prefix}-max-batch-size`]: batch,
  } as Record<`audit-${Name}-truncate-enabled`, typeof enabled> &
    Record<`audit-${Name}-truncate-max-event-size` | `audit-${Name}-truncate-max-batch-size`, typeof event>
}

const MODES = ['batch', 'blocking', 'blocking-strict']
const MODE =
  'batch: gathered, behind the requests; blocking: before them; strict: who cannot be recorded is refused'

/** How events are gathered, as it is unless somebody says otherwise. */
interface BatchDefaults {
  readonly size: string
  readonly wait: string
  readonly throttled: boolean
  readonly qps: string
  readonly burst: string
}

/** Bounds are judged with the mode: what has no effect may be anything. */
function batching<Name extends 'log' | 'webhook'>(name: Name, defaults: BatchDefaults) {
  const count = (help: string, value: string) => integer(help, value, -MAX_INT32, MAX_INT32)
  const prefix = `audit-${name}-batch` as const
  const [buffer, size] = [
    count('events that may wait', '10000'),
    count('events that go at once', defaults.size),
  ]
  const duration = text('how long an event waits for others', 'DURATION', defaults.wait)
  const throttled = boolean('bound the batches in a second', defaults.throttled)
  const qps = text('batches in a second', 'NUMBER', defaults.qps)
  const burst = count('batches at once, after a rest', defaults.burst)
  return {
    [`${prefix}-buffer-size`]: buffer,
    [`${prefix}-max-size`]: size,
    [`${prefix}-max-wait`]: duration,
    [`${prefix}-throttle-enable`]: throttled,
    [`${prefix}-throttle-qps`]: qps,
    [`${prefix}-throttle-burst`]: burst,
  } as Record<`audit-${Name}-batch-${'buffer-size' | 'max-size' | 'throttle-burst'}`, typeof buffer> &
    Record<`audit-${Name}-batch-${'max-wait' | 'throttle-qps'}`, typeof duration> &
    Record<`audit-${Name}-batch-throttle-enable`, typeof throttled>
}

export const AUDIT_FLAGS = {
  'audit-policy-file': text('which requests are recorded, and how much of them', 'FILE'),
  'audit-log-path': text('where events are written, a line each; "-" is standard output', 'FILE'),
  'audit-log-format': oneOf('of the events; legacy: one line of text', ['json', 'legacy'], 'json'),
  'audit-log-version': oneOf('of the events', [VERSION], VERSION),
  'audit-log-mode': oneOf(MODE, MODES, 'blocking'),
  ...batching('log', { size: '1', wait: '0s', throttled: false, qps: '0', burst: '0' }),
  'audit-log-maxsize': integer('megabytes after which a new file is begun; 0: never', '100', 0, MAX_INT32),
  'audit-log-maxage': integer('days that old files are kept; 0: however long', '366', 0, MAX_INT32),
  'audit-log-maxbackup': integer('old files that are kept; 0: all', '100', 0, MAX_INT32),
  'audit-log-compress': boolean('keep old files as gzip', false),
  ...truncation('log'),
  'audit-webhook-config-file': text('kubeconfig of a server that events are sent to', 'FILE'),
  'audit-webhook-version': oneOf('of the events', [VERSION], VERSION),
  'audit-webhook-mode': oneOf(MODE, MODES, 'batch'),
  'audit-webhook-initial-backoff': text('before a request that failed is sent again', 'DURATION', '10s'),
  'audit-webhook-batch-initial-backoff': text('the same, as it was called before', 'DURATION'),
  ...batching('webhook', { size: '400', wait: '30s', throttled: true, qps: '10', burst: '15' }),
  ...truncation('webhook'),
} as const

type Flags = Values<typeof AUDIT_FLAGS>

/** As upstream: without a policy nothing is recorded, whatever else is said. */
export function auditOptions(flags: Flags): Pick<ApiServerOptions, 'audit'> {
  const {
    'audit-policy-file': policyFile,
    'audit-log-path': path,
    'audit-webhook-config-file': configFile,
  } = flags
  const file = path === undefined ? undefined : fileOf(path, flags)
  const webhook = configFile === undefined ? undefined : webhookOf(configFile, flags)
  if (policyFile === undefined) return {}
  return { audit: { policyFile, ...(file ? { file } : {}), ...(webhook ? { webhook } : {}) } }
}

/** undefined: events are left as they are. Throws StartError for sizes that make no sense. */
function limitOf(name: 'log' | 'webhook', flags: Flags): number | undefined {
  const event = flags[`audit-${name}-truncate-max-event-size`]
  const batch = flags[`audit-${name}-truncate-max-batch-size`]
  const what = `invalid audit truncate ${name} max`
  if (event <= 0) throw new StartError(`${what} event size ${event}, must be a positive number`)
  if (batch < event)
    throw new StartError(`${what} batch size ${batch}, must be greater than max event size (${event})`)
  return flags[`audit-${name}-truncate-enabled`] ? event : undefined
}

function fileOf(path: string, flags: Flags): AuditLogFile {
  const mode = flags['audit-log-mode']
  return {
    path,
    maxSize: flags['audit-log-maxsize'],
    maxAge: flags['audit-log-maxage'],
    maxBackups: flags['audit-log-maxbackup'],
    compress: flags['audit-log-compress'],
    strict: mode === 'blocking-strict',
    format: flags['audit-log-format'] === 'legacy' ? 'legacy' : 'json',
    ...(mode === 'batch' ? { batch: batchOf('log', flags) } : {}),
    maxEventBytes: limitOf('log', flags),
  }
}

function webhookOf(configFile: string, flags: Flags): AuditWebhook {
  const mode = flags['audit-webhook-mode']
  const backoff = flags['audit-webhook-batch-initial-backoff'] ?? flags['audit-webhook-initial-backoff']
  return {
    configFile,
    ...(mode === 'batch' ? batchOf('webhook', flags) : UNGATHERED),
    ...(mode === 'blocking' || mode === 'blocking-strict' ? { blocking: mode } : {}),
    initialBackoffMs: durationMs('audit-webhook-initial-backoff', backoff),
    maxEventBytes: limitOf('webhook', flags),
  }
}

const UNGATHERED: AuditBatch = { bufferSize: 1, maxBatchSize: 1, maxWaitMs: 0, throttle: undefined }

/** Throws StartError, in upstream's words. */
function batchOf(name: 'log' | 'webhook', flags: Flags): AuditBatch {
  const prefix = `audit-${name}-batch` as const
  const positive = (value: number, what: string): number => {
    if (value > 0) return value
    throw new StartError(`invalid audit batch ${name} ${what} ${value}, must be a positive number`)
  }
  const [qps, burst] = [numberOf(`${prefix}-throttle-qps`, flags), flags[`${prefix}-throttle-burst`]]
  return {
    bufferSize: positive(flags[`${prefix}-buffer-size`], 'buffer size'),
    maxBatchSize: positive(flags[`${prefix}-max-size`], 'max batch size'),
    maxWaitMs: durationMs(`${prefix}-max-wait`, flags[`${prefix}-max-wait`]),
    throttle: flags[`${prefix}-throttle-enable`]
      ? { qps: positive(qps, 'throttle QPS'), burst: positive(burst, 'throttle burst') }
      : undefined,
  }
}

function numberOf(flag: `audit-${'log' | 'webhook'}-batch-throttle-qps`, flags: Flags): number {
  const value = flags[flag]
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value))
    throw new StartError(`--${flag}: ${value} is no number`)
  return Number(value)
}
