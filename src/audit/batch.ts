// Events that wait for others, and go on together, behind the requests that they tell of.
// Follows k8s.io/apiserver/plugin/pkg/audit/buffered.
import type { AuditSink } from './auditor.ts'

export interface BatchOptions {
  /** Events that wait at most, beside the batch that is being gathered; more are dropped. */
  readonly bufferSize: number
  /** Events that go at once. */
  readonly maxBatchSize: number
  /** How long an event waits for others. */
  readonly maxWaitMs: number
  /** Batches a second, and how many may go at once after a rest; undefined: as many as there are. */
  readonly throttle: { readonly qps: number; readonly burst: number } | undefined
}

export interface Batching extends BatchOptions {
  /** Takes a batch to where it belongs; tells by itself what it had to drop. `stopping`: there is no time to lose. */
  deliver(events: readonly string[], stopping: AbortSignal): Promise<unknown>
  /** Hears what was dropped, and why. */
  warn(details: { readonly events: number; readonly why: string }): void
  /** Resolves after so long, or when the signal says that it is over. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** What is still here when the server stops gets so long. */
const DRAIN_MS = 5_000

export class BatchSink implements AuditSink {
  readonly #options: Batching
  readonly #stopping = new AbortController()
  #waiting: string[] = []
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #tokens: number
  #filledAt = performance.now()

  constructor(options: Batching) {
    this.#options = options
    this.#tokens = options.throttle?.burst ?? 0
  }

  write(event: string): boolean {
    const { bufferSize, maxBatchSize, maxWaitMs, warn } = this.#options
    if (this.#waiting.length >= bufferSize + (this.#sending ? 0 : maxBatchSize)) {
      warn({ events: 1, why: 'audit buffer queue blocked' })
      return true
    }
    this.#waiting.push(event)
    if (this.#waiting.length >= maxBatchSize) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), maxWaitMs).unref()
    return true
  }

  async close(): Promise<void> {
    this.#flush()
    const timer = setTimeout(() => this.#stopping.abort(), DRAIN_MS)
    await this.#sending
    clearTimeout(timer)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
  }

  /** One batch after the other, so that events arrive in their order. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatchSize)
      await this.#throttled()
      await this.#options.deliver(batch, this.#stopping.signal)
    }
  }

  /** A bucket that fills at `qps` and holds `burst`. */
  async #throttled(): Promise<void> {
    const { throttle, wait } = this.#options
    if (!throttle) return
    const now = performance.now()
    const filled = this.#tokens + ((now - this.#filledAt) / 1000) * throttle.qps
    this.#tokens = Math.min(throttle.burst, filled) - 1
    this.#filledAt = now
    if (this.#tokens < 0) await wait((-this.#tokens / throttle.qps) * 1000, this.#stopping.signal)
  }
}
