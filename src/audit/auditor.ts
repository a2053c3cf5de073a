// Where events begin and where they go: the policy, and the logs behind it.
// Follows k8s.io/apiserver/pkg/audit (context.go) and pkg/endpoints/filters/audit.go.
import { internalError } from '../machinery/status.ts'
import { AuditEvent, type Received } from './event.ts'
import type { Policy, Stage } from './policy.ts'

/** Upstream counts an event's newline. */
const LINE_END = 1

/** Takes events, one JSON text each, without its newline. */
export interface AuditSink {
  /** False where the event could not be kept. */
  write(event: string): boolean
  /** Of an event, in bytes: larger ones lose what was sent and answered, those that are larger still are left out. */
  readonly maxEventBytes?: number | undefined
  /** Hears of events that are left out. */
  tooLarge?(why: string): void
  /** Resolves when what was taken is where it belongs, or cannot get there in time. */
  close(): Promise<void>
}

export interface AuditorOptions {
  readonly policy: Policy
  readonly sinks: readonly AuditSink[]
  /** A request that cannot be recorded when it comes is refused. */
  readonly strict: boolean
}

export class Auditor {
  readonly #options: AuditorOptions

  constructor(options: AuditorOptions) {
    this.#options = options
  }

  /** undefined: nothing of this request is recorded. Nothing is written yet. */
  begin(received: Received): AuditEvent | undefined {
    const recording = this.#options.policy(received.attributes)
    return recording.level === 'None' ? undefined : new AuditEvent(recording, received)
  }

  /** Throws a 500 where the first stage of a request must be kept and was not. */
  emit(event: AuditEvent, stage: Stage): void {
    if (event.recording.omitStages.has(stage)) return
    const isFirst = stage === 'RequestReceived'
    const at = isFirst ? event.received.at : performance.now()
    const json = event.json(stage, at)
    let kept = true
    for (const sink of this.#options.sinks) {
      const text =
        sink.maxEventBytes === undefined ? json : fitting(sink, json, () => event.json(stage, at, true))
      if (text !== undefined) kept = sink.write(text) && kept
    }
    if (!kept && isFirst && this.#options.strict) throw internalError('failed to store audit event')
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.sinks.map((sink) => sink.close()))
  }
}

/** The event, or it without its objects where it is too large; undefined where that is too large as well. */
function fitting(sink: AuditSink, json: string, cut: () => string): string | undefined {
  const { maxEventBytes = Infinity } = sink
  const fits = (text: string): boolean => Buffer.byteLength(text) + LINE_END <= maxEventBytes
  if (fits(json)) return json
  const text = cut()
  if (fits(text)) return text
  sink.tooLarge?.('event is too large even after truncating')
  return undefined
}
