// Flags of `dinghy apiserver` about the audit log. Follows k8s.io/apiserver/pkg/server/options/audit.go.
import { boolean, durationMs, integer, oneOf, text, type Values } from './flags.ts'
import { type ApiServerOptions, type AuditLogFile, type AuditWebhook, StartError } from './options.ts'

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

export const AUDIT_FLAGS = {
  'audit-policy-file': text('which requests are recorded, and how much of them', 'FILE'),
  'audit-log-path': text('where events are written, as lines of JSON; "-" is standard output', 'FILE'),
  'audit-log-format': oneOf('of the events', ['json'], 'json'),
  'audit-log-version': oneOf('of the events', [VERSION], VERSION),
  'audit-log-mode': oneOf(
    'strict: a request that cannot be recorded is refused',
    ['blocking', 'blocking-strict'],
    'blocking',
  ),
  'audit-log-maxsize': integer('megabytes after which a new file is begun; 0: never', '100', 0, MAX_INT32),
  'audit-log-maxage': integer('days that old files are kept; 0: however long', '366', 0, MAX_INT32),
  'audit-log-maxbackup': integer('old files that are kept; 0: all', '100', 0, MAX_INT32),
  'audit-log-compress': boolean('keep old files as gzip', false),
  ...truncation('log'),
  'audit-webhook-config-file': text('kubeconfig of a server that events are sent to', 'FILE'),
  'audit-webhook-version': oneOf('of the events', [VERSION], VERSION),
  'audit-webhook-mode': oneOf('many events in one request', ['batch'], 'batch'),
  'audit-webhook-initial-backoff': text('before a request that failed is sent again', 'DURATION', '10s'),
  'audit-webhook-batch-buffer-size': integer('events that may wait', '10000', 1, MAX_INT32),
  'audit-webhook-batch-max-size': integer('events in one request', '400', 1, MAX_INT32),
  'audit-webhook-batch-max-wait': text('how long an event waits for others', 'DURATION', '30s'),
  'audit-webhook-batch-throttle-enable': boolean('bound the requests in a second', true),
  'audit-webhook-batch-throttle-qps': integer('requests in a second', '10', 1, MAX_INT32),
  'audit-webhook-batch-throttle-burst': integer('requests at once, after a rest', '15', 1, MAX_INT32),
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
  const logLimit = path === undefined ? undefined : limitOf('log', flags)
  const webhookLimit = configFile === undefined ? undefined : limitOf('webhook', flags)
  if (policyFile === undefined) return {}
  return {
    audit: {
      policyFile,
      ...(path === undefined ? {} : { file: { ...fileOf(path, flags), maxEventBytes: logLimit } }),
      ...(configFile === undefined
        ? {}
        : { webhook: { ...webhookOf(configFile, flags), maxEventBytes: webhookLimit } }),
    },
  }
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

const fileOf = (path: string, flags: Flags): AuditLogFile => ({
  path,
  maxSize: flags['audit-log-maxsize'],
  maxAge: flags['audit-log-maxage'],
  maxBackups: flags['audit-log-maxbackup'],
  compress: flags['audit-log-compress'],
  strict: flags['audit-log-mode'] === 'blocking-strict',
})

function webhookOf(configFile: string, flags: Flags): AuditWebhook {
  const [bufferSize, maxBatchSize] = [
    flags['audit-webhook-batch-buffer-size'],
    flags['audit-webhook-batch-max-size'],
  ]
  if (maxBatchSize > bufferSize)
    throw new StartError('--audit-webhook-batch-max-size is larger than --audit-webhook-batch-buffer-size')
  const duration = (flag: 'audit-webhook-batch-max-wait' | 'audit-webhook-initial-backoff'): number =>
    durationMs(flag, flags[flag])
  return {
    configFile,
    bufferSize,
    maxBatchSize,
    maxWaitMs: duration('audit-webhook-batch-max-wait'),
    initialBackoffMs: duration('audit-webhook-initial-backoff'),
    throttle: flags['audit-webhook-batch-throttle-enable']
      ? { qps: flags['audit-webhook-batch-throttle-qps'], burst: flags['audit-webhook-batch-throttle-burst'] }
      : undefined,
  }
}
