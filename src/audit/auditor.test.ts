// Large events: what they lose, and when they are left out.
import { expect, test } from 'vitest'
import { Auditor, type AuditSink, type Output } from './auditor.ts'
import type { AuditEvent } from './event.ts'
import type { Level, Stage } from './policy.ts'

class Sink implements AuditSink, Output {
  readonly sink = this
  readonly format: Output['format']
  readonly strict = true
  readonly written: string[] = []
  readonly kept: boolean | Promise<boolean>
  readonly dropped: string[] = []
  readonly maxEventBytes: number | undefined
  constructor(maxEventBytes?: number, format: Output['format'] = 'json', kept: Sink['kept'] = true) {
    this.maxEventBytes = maxEventBytes
    this.format = format
    this.kept = kept
  }
  write(event: string): Sink['kept'] {
    this.written.push(event)
    return this.kept
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

interface Begun {
  readonly auditor: Auditor
  readonly event: AuditEvent
}

function begin(level: Level, outputs: readonly Output[]): Begun {
  const auditor = new Auditor({
    policy: () => ({ level, omitStages: new Set(), omitManagedFields: false }),
    outputs,
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
  return { auditor, event }
}

/** An answer of a request whose body has so many letters, to each sink. */
function record(
  level: Level,
  letters: number,
  sinks: readonly Output[],
  stage: Stage = 'ResponseComplete',
): void {
  const { auditor, event } = begin(level, sinks)
  event.annotations.set('a', 'b')
  if (level !== 'Metadata') {
    event.requestObject = JSON.stringify({ data: 'x'.repeat(letters) })
    event.responseObject = '{}'
  }
  void auditor.emit(event, stage)
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

test('as one line of text for people', () => {
  const { auditor, event } = begin('Request', [])
  const [early, late] = [new Sink(undefined, 'legacy'), new Sink(undefined, 'legacy')]
  record('Request', 10, [early], 'RequestReceived')
  const rest =
    'id="id" stage="RequestReceived" ip="127.0.0.1" method="create" user="jane" groups="<none>" as="<self>" ' +
    'asgroups="<lookup>" user-agent="test" namespace="n" uri="/api/v1/namespaces/n/configmaps" response="<deferred>"'
  expect(early.written[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z AUDIT: /)
  expect(early.written[0]?.split(' AUDIT: ')[1]).toBe(rest)
  event.impersonated = { name: 'bob', groups: ['a', 'b"c'] }
  event.responseStatus = { code: 201 }
  const other = new Auditor({ policy: () => event.recording, outputs: [late] })
  void other.emit(event, 'ResponseComplete')
  expect(late.written[0]).toContain(' as="bob" asgroups="\\"a\\",\\"b\\\\\\"c\\"" ')
  expect(late.written[0]).toMatch(/ response="201"$/)
  expect(auditor.metrics()).toContain('apiserver_audit_event_total 0')
})

test('a request that could not be recorded is refused, at its first stage alone, and counted', async () => {
  for (const kept of [false, Promise.resolve(false)]) {
    const { auditor, event } = begin('Metadata', [new Sink(undefined, 'json', kept)])
    const refusal = { code: 500, message: 'Internal error occurred: failed to store audit event' }
    await expect((async () => auditor.emit(event, 'RequestReceived'))()).rejects.toMatchObject(refusal)
    await auditor.emit(event, 'ResponseComplete')
    const text = auditor.metrics()
    expect(text).toContain('apiserver_audit_requests_rejected_total 1')
    expect(text).toContain('apiserver_audit_event_total 2')
    expect(text).toContain('apiserver_audit_level_total{level="Metadata"} 1')
  }
})
