// The audit log put together: its policy, the file and the webhook. Follows k8s.io/apiserver/pkg/server/options/audit.go.
import { setTimeout as delay } from 'node:timers/promises'
import type { Auditor, AuditSink, Output } from '../../audit/auditor.ts'
import type { Log } from '../log.ts'
import { type AuditLogFile, type AuditOptions, type AuditWebhook, StartError } from '../options.ts'

/** undefined where nothing is to be audited. Rejects with StartError for files that cannot be read or used. */
export async function auditorOf(options: AuditOptions | undefined, log: Log): Promise<Auditor | undefined> {
  if (!options) return undefined
  const { policyFile, file, webhook } = options
  const { readPolicy } = await import('../../audit/policy.ts')
  const { Auditor } = await import('../../audit/auditor.ts')
  const { yamlFile } = await import('./webhookfile.ts')
  const value = await yamlFile(policyFile)
  let policy
  try {
    policy = readPolicy(value)
  } catch (error) {
    throw new StartError(`${policyFile}: ${(error as Error).message}`, error)
  }
  const outputs = [
    ...(file ? [await fileOutput(file, log)] : []),
    ...(webhook ? [await webhookOutput(webhook, log)] : []),
  ]
  return new Auditor({ policy, outputs })
}

async function fileOutput(options: AuditLogFile, log: Log): Promise<Output> {
  const warn = (why: string): void => log.error({ why }, 'could not write the audit log')
  const { maxEventBytes, format = 'json', strict, batch } = options
  const file = await openLog(options, warn)
  // Who gathers events has answered the request already.
  return {
    sink: batch ? await batched(batch, log, file) : file,
    ...{ format, maxEventBytes, tooLarge: warn },
    strict: strict && !batch,
  }
}

async function openLog(options: AuditLogFile, warn: (why: string) => void): Promise<AuditSink> {
  const { FileLog } = await import('../../audit/filelog.ts')
  try {
    return new FileLog({ ...options, warn })
  } catch (error) {
    throw new StartError(
      `cannot write ${options.path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      error,
    )
  }
}

/** Events on their way to a file, behind the requests. */
async function batched(
  batch: NonNullable<AuditLogFile['batch']>,
  log: Log,
  file: AuditSink,
): Promise<AuditSink> {
  const { BatchSink } = await import('../../audit/batch.ts')
  const deliver = async (events: readonly string[]): Promise<void> => {
    for (const event of events) await file.write(event)
  }
  const sink = new BatchSink({ ...batch, deliver, warn: (details) => dropped(log, details), wait })
  return { write: (event) => sink.write(event), close: () => sink.close().then(() => file.close()) }
}

async function webhookOutput(options: AuditWebhook, log: Log): Promise<Output> {
  const { configFile, maxEventBytes, initialBackoffMs, blocking, ...batch } = options
  const { BlockingWebhook, post } = await import('../../audit/webhook.ts')
  const { webhookOf } = await import('./webhookfile.ts')
  const webhook = await webhookOf(configFile)
  const send = async (body: Buffer): Promise<void> => {
    const { status } = await webhook.post(body)
    if (status < 200 || status > 299) throw new Error(`the webhook answered with status ${status}`)
  }
  const warn = (details: Dropped): void => dropped(log, details)
  const posting = { initialBackoffMs, send, warn, wait }
  const { BatchSink } = await import('../../audit/batch.ts')
  const sink = blocking
    ? new BlockingWebhook(posting)
    : new BatchSink({ ...batch, warn, wait, deliver: (events, stopping) => post(posting, events, stopping) })
  return {
    ...{ sink, maxEventBytes, format: 'json', strict: blocking === 'blocking-strict' },
    tooLarge: (why) => warn({ events: 1, why }),
  }
}

interface Dropped {
  readonly events: number
  readonly why: string
}

const dropped = (log: Log, details: Dropped): void => log.error(details, 'dropped events of the audit log')

/** The end of the wait is the end of it, whichever way it comes. */
const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined)
