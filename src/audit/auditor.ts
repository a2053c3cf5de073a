// Where events begin and where they go: the policy, and the logs behind it.
// Follows k8s.io/apiserver/pkg/audit (context.go) and pkg/endpoints/filters/audit.go.
import { familyText, type Samples } from '../machinery/exposition.ts'
import { internalError, type StatusError } from '../machinery/status.ts'
import { AuditEvent, type Received } from './event.ts'
import { legacyLine } from './legacy.ts'
import type { Level, Policy, Stage } from './policy.ts'

/** Upstream counts an event's newline. */
const LINE_END = 1

/** Takes events, one text each, without its newline. */
export interface AuditSink {
  /** False where the event could not be kept. */
  write(event: string): boolean | Promise<boolean>
  /** Resolves when what was taken is where it belongs, or cannot get there in time. */
  close(): Promise<void>
}

/** A sink, and what it is given. */
export interface Output {
  readonly sink: AuditSink
  /** Lines of JSON, or one line of text for people. */
  readonly format: 'json' | 'legacy'
  /** Of an event, in bytes: larger ones lose what was sent and answered, those that are larger still are left out. */
  readonly maxEventBytes?: number | undefined
  /** A request that cannot be recorded when it comes is refused. */
  readonly strict: boolean
  /** Hears of events that are left out. */
  tooLarge(why: string): void
}

export interface AuditorOptions {
  readonly policy: Policy
  readonly outputs: readonly Output[]
}

export class Auditor {
  readonly #options: AuditorOptions
  #events = 0
  #refused = 0
  readonly #levels = new Map<Level, number>()

  constructor(options: AuditorOptions) {
    this.#options = options
  }

  /** undefined: nothing of this request is recorded. Nothing is written yet. */
  begin(received: Received): AuditEvent | undefined {
    const recording = this.#options.policy(received.attributes)
    const { level } = recording
    this.#levels.set(level, (this.#levels.get(level) ?? 0) + 1)
    return level === 'None' ? undefined : new AuditEvent(recording, received)
  }

  /** Throws a 500 (or rejects with it) where the first stage of a request must be kept and was not. */
  emit(event: AuditEvent, stage: Stage): void | Promise<void> {
    if (event.recording.omitStages.has(stage)) return
    this.#events++
    const isFirst = stage === 'RequestReceived'
    const at = isFirst ? event.received.at : performance.now()
    const pending: Promise<void>[] = []
    for (const output of this.#options.outputs) {
      const text = textFor(output, event, { stage, at })
      if (text === undefined) continue
      const kept = output.sink.write(text)
      const judge = (isKept: boolean): void => {
        if (!isKept && isFirst && output.strict) throw this.#notKept()
      }
      if (typeof kept === 'boolean') judge(kept)
      else pending.push(kept.then(judge))
    }
    if (pending.length > 0) return Promise.all(pending).then(() => undefined)
  }

  #notKept(): StatusError {
    this.#refused++
    return internalError('failed to store audit event')
  }

  /** What was recorded, for Prometheus. */
  metrics(): string {
    const counter = (name: string, help: string, samples: Samples): string =>
      familyText({ type: 'counter', name: `apiserver_audit_${name}`, help }, samples)
    return [
      counter('event_total', 'Events that were recorded.', [[{}, this.#events]]),
      counter(
        'level_total',
        'Requests by the level of their rule.',
        [...this.#levels].map(([level, count]) => [{ level }, count]),
      ),
      counter('requests_rejected_total', 'Requests refused since they could not be recorded.', [
        [{}, this.#refused],
      ]),
    ].join('')
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.outputs.map(({ sink }) => sink.close()))
  }
}

/** undefined: the event is too large, even without its objects. */
function textFor(
  output: Output,
  event: AuditEvent,
  { stage, at }: { stage: Stage; at: number },
): string | undefined {
  const { format, maxEventBytes } = output
  if (format === 'legacy' && maxEventBytes === undefined) return legacyLine(event, stage)
  const json = event.json(stage, at)
  const text = maxEventBytes === undefined ? json : fitting(output, json, () => event.json(stage, at, true))
  return format === 'legacy' && text !== undefined ? legacyLine(event, stage) : text
}

/** The event, or it without its objects where it is too large; undefined where that is too large as well. */
function fitting(output: Output, json: string, cut: () => string): string | undefined {
  const { maxEventBytes = Infinity } = output
  const fits = (text: string): boolean => Buffer.byteLength(text) + LINE_END <= maxEventBytes
  if (fits(json)) return json
  const text = cut()
  if (fits(text)) return text
  output.tooLarge('event is too large even after truncating')
  return undefined
}
