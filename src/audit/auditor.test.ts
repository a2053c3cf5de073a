// Large events: what they lose, and when they are left out.
import { expect, test } from 'vitest'
import { type AuditSink, Auditor } from './auditor.ts'
import type { Level } from './policy.ts'

class Sink implements AuditSink {
  readonly written: string[] = []
  readonly dropped: string[] = []
  readonly maxEventBytes: number | undefined
  constructor(maxEventBytes?: number) {
    this.maxEventBytes = maxEventBytes
  }
  write(event: string): boolean {
    this.written.push(event)
    return true
  }
  tooLarge(why: string): void {
    this.dropped.push(why)
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  get events(): Record<string, unknown>[] {
    return this.written.map((text) => JSON.parse(text) as Record<string, unknown>)
  }
}

/** An answer of a request whose body has so many letters, to each sink. */
function record(level: Level, letters: number, sinks: readonly AuditSink[]): void {
  const auditor = new Auditor({
    policy: () => ({ level, omitStages: new Set(), omitManagedFields: false }),
    sinks,
    strict: true,
  })
  const event = auditor.begin({
    id: 'id',
    uri: '/api/v1/namespaces/n/configmaps',
    at: 0,
    sourceIps: ['127.0.0.1'],
    userAgent: 'test',
    attributes: {
      user: { name: 'jane', groups: [] },
      verb: 'create',
      isResourceRequest: true,
      path: '/api/v1/namespaces/n/configmaps',
      group: '',
      version: 'v1',
      resource: 'configmaps',
      subresource: '',
      namespace: 'n',
      name: '',
    },
  })
  if (!event) throw new Error('nothing is recorded')
  event.annotations.set('a', 'b')
  if (level !== 'Metadata') {
    event.requestObject = JSON.stringify({ data: 'x'.repeat(letters) })
    event.responseObject = '{}'
  }
  auditor.emit(event, 'ResponseComplete')
}

test('objects are taken out of large events, for the sinks that want it', () => {
  const [all, bounded] = [new Sink(), new Sink(2_000)]
  record('RequestResponse', 10_000, [all, bounded])
  expect(all.events[0]).toHaveProperty('requestObject')
  expect(all.events[0]?.['annotations']).toEqual({ a: 'b' })
  const [cut] = bounded.events
  expect(cut).not.toHaveProperty('requestObject')
  expect(cut).not.toHaveProperty('responseObject')
  expect(cut).toMatchObject({ auditID: 'id', annotations: { a: 'b', 'audit.k8s.io/truncated': 'true' } })
})

test('an event of just the size stays as it is, its newline counted', () => {
  const whole = new Sink()
  record('Request', 100, [whole])
  const size = Buffer.byteLength(whole.written[0] as string) + 1
  const [fits, larger] = [new Sink(size), new Sink(size - 1)]
  record('Request', 100, [fits, larger])
  expect(fits.events[0]).toHaveProperty('requestObject')
  expect(larger.events[0]).not.toHaveProperty('requestObject')
})

test('what is too large without its objects is left out, and said; the request goes on', () => {
  const sink = new Sink(50)
  record('Request', 100, [sink])
  record('Metadata', 0, [sink])
  expect(sink.written).toEqual([])
  expect(sink.dropped).toEqual(Array(2).fill('event is too large even after truncating'))
})
