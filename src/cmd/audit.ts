// The audit log put together: its policy, the file and the webhook. Follows k8s.io/apiserver/pkg/server/options/audit.go.
import { setTimeout as delay } from 'node:timers/promises'
import type { Auditor, AuditSink } from '../audit/auditor.ts'
import type { Log } from './log.ts'
import { type AuditLogFile, type AuditOptions, type AuditWebhook, StartError } from './options.ts'

/** undefined where nothing is to be audited. Rejects with StartError for files that cannot be read or used. */
export async function auditorOf(options: AuditOptions | undefined, log: Log): Promise<Auditor | undefined> {
  if (!options) return undefined
  const { policyFile, file, webhook } = options
  const { readPolicy } = await import('../audit/policy.ts')
  const { Auditor } = await import('../audit/auditor.ts')
  const { yamlFile } = await import('./webhookfile.ts')
  const value = await yamlFile(policyFile)
  let policy
  try {
    policy = readPolicy(value)
  } catch (error) {
    throw new StartError(`${policyFile}: ${(error as Error).message}`, error)
  }
  const sinks = [
    ...(file ? [await fileSink(file, log)] : []),
    ...(webhook ? [await webhookSink(webhook, log)] : []),
  ]
  return new Auditor({ policy, sinks, strict: file?.strict ?? false })
}

async function fileSink(options: AuditLogFile, log: Log): Promise<AuditSink> {
  const { FileLog } = await import('../audit/filelog.ts')
  const warn = (why: string): void => log.error({ why }, 'could not write the audit log')
  try {
    return bounded(new FileLog({ ...options, warn }), options.maxEventBytes, warn)
  } catch (error) {
    throw new StartError(
      `cannot write ${options.path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      error,
    )
  }
}

async function webhookSink(
  { configFile, maxEventBytes, ...batch }: AuditWebhook,
  log: Log,
): Promise<AuditSink> {
  const { WebhookSink } = await import('../audit/webhook.ts')
  const { webhookOf } = await import('./webhookfile.ts')
  const webhook = await webhookOf(configFile)
  const sink = new WebhookSink({
    ...batch,
    async send(body) {
      const { status } = await webhook.post(body)
      if (status < 200 || status > 299) throw new Error(`the webhook answered with status ${status}`)
    },
    warn: (details) => log.error(details, 'dropped events of the audit log'),
    // The end of the wait is the end of it, whichever way it comes.
    wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  })
  return bounded(sink, maxEventBytes, (why) =>
    log.error({ events: 1, why }, 'dropped events of the audit log'),
  )
}

const bounded = (
  sink: AuditSink,
  maxEventBytes: number | undefined,
  tooLarge: (why: string) => void,
): AuditSink => Object.assign(sink, { maxEventBytes, tooLarge })
