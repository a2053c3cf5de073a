// What the flags of the audit log come to, and which are refused.
import { expect, test } from 'vitest'
import { AUDIT_FLAGS, auditOptions } from './audit-flags.ts'
import { commandLine } from '../flags.ts'

const audit = (...argv: string[]) => {
  const flags = commandLine('x', 'x', AUDIT_FLAGS, ['--audit-policy-file=p', ...argv])
  if (!flags) throw new Error('no flags')
  return auditOptions(flags).audit
}
const LOG = '--audit-log-path=l'
const HOOK = '--audit-webhook-config-file=c'

test('the log is written before answers, the webhook is sent batches, unless somebody says otherwise', () => {
  const { file, webhook } = audit(LOG, HOOK) ?? {}
  expect(file).toMatchObject({
    path: 'l',
    strict: false,
    format: 'json',
    maxSize: 100,
    maxAge: 366,
    maxBackups: 100,
  })
  expect(file).not.toHaveProperty('batch')
  expect(webhook).toEqual({
    configFile: 'c',
    bufferSize: 10_000,
    maxBatchSize: 400,
    maxWaitMs: 30_000,
    initialBackoffMs: 10_000,
    throttle: { qps: 10, burst: 15 },
    maxEventBytes: undefined,
  })
})

test('each mode of each', () => {
  expect(audit(LOG, '--audit-log-mode=batch')?.file?.batch).toEqual({
    bufferSize: 10_000,
    maxBatchSize: 1,
    maxWaitMs: 0,
    throttle: undefined,
  })
  const throttled = [
    '--audit-log-batch-throttle-enable',
    '--audit-log-batch-throttle-qps=2.5',
    '--audit-log-batch-throttle-burst=3',
  ]
  const many = [
    '--audit-log-mode=batch',
    '--audit-log-batch-max-size=9',
    '--audit-log-batch-max-wait=2s',
    ...throttled,
  ]
  expect(audit(LOG, ...many)?.file?.batch).toEqual({
    bufferSize: 10_000,
    maxBatchSize: 9,
    maxWaitMs: 2_000,
    throttle: { qps: 2.5, burst: 3 },
  })
  expect(audit(LOG, '--audit-log-mode=blocking-strict', '--audit-log-format=legacy')?.file).toMatchObject({
    strict: true,
    format: 'legacy',
  })
  expect(audit(HOOK, '--audit-webhook-mode=blocking')?.webhook?.blocking).toBe('blocking')
  expect(audit(HOOK, '--audit-webhook-batch-initial-backoff=3s')?.webhook?.initialBackoffMs).toBe(3000)
})

test('what makes no sense is refused in upstream’s words, where it would have an effect', () => {
  const batch = '--audit-log-mode=batch'
  expect(() => audit(LOG, batch, '--audit-log-batch-buffer-size=0')).toThrow(
    'invalid audit batch log buffer size 0, must be a positive number',
  )
  expect(() => audit(HOOK, '--audit-webhook-batch-max-size=-1')).toThrow(
    'invalid audit batch webhook max batch size -1, must be a positive number',
  )
  expect(() => audit(LOG, batch, '--audit-log-batch-throttle-enable')).toThrow(
    'invalid audit batch log throttle QPS 0, must be a positive number',
  )
  expect(() => audit(LOG, '--audit-log-truncate-max-event-size=0')).toThrow('must be a positive number')
  expect(audit(LOG, '--audit-log-batch-buffer-size=0')?.file).not.toHaveProperty('batch')
  expect(audit('--audit-log-batch-buffer-size=0')).toEqual({ policyFile: 'p' })
})
