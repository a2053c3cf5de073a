// Events on their way to another server, many in one request.
// Follows k8s.io/apiserver/plugin/pkg/audit/buffered and plugin/pkg/audit/webhook.
import type { AuditSink } from './auditor.ts'

export interface BatchOptions {
  /** Events that wait at most; more are dropped. */
  readonly bufferSize: number
  /** Events in one request. */
  readonly maxBatchSize: number
  /** How long an event waits for others. */
  readonly maxWaitMs: number
  /** Before a request that failed is sent again; doubled and more each time. */
  readonly initialBackoffMs: number
  /** Requests a second, and how many may go at once after a rest; undefined: as many as there are. */
  readonly throttle: { readonly qps: number; readonly burst: number } | undefined
  /** POSTs JSON; rejects where nobody answered with a good status. */
  send(body: Buffer): Promise<void>
  /** Hears what was dropped, and why. */
  warn(details: { readonly events: number; readonly why: string }): void
  /** Resolves after so long, or when the signal says that it is over. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const ATTEMPTS = 5
const BACKOFF_FACTOR = 1.5
/** What is still here when the server stops gets so long. */
const DRAIN_MS = 5_000
const HEAD = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['

export class WebhookSink implements AuditSink {
  readonly #options: BatchOptions
  readonly #stopping = new AbortController()
  #waiting: string[] = []
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #tokens: number
  #filledAt = performance.now()

  constructor(options: BatchOptions) {
    this.#options = options
    this.#tokens = options.throttle?.burst ?? 0
  }

  write(event: string): boolean {
    const { bufferSize, maxBatchSize, maxWaitMs, warn } = this.#options
    if (this.#waiting.length >= bufferSize) {
      warn({ events: 1, why: 'audit buffer queue blocked' })
      return false
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

  /** One request after the other, so that events arrive in their order. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatchSize)
      await this.#throttled()
      await this.#send(batch)
    }
  }

  async #send(batch: readonly string[]): Promise<void> {
    const { send, warn, wait, initialBackoffMs } = this.#options
    const body = Buffer.from(`${HEAD}${batch.join(',')}]}`)
    let pause = initialBackoffMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(body)
      } catch (error) {
        if (attempt === ATTEMPTS || this.#stopping.signal.aborted)
          return warn({ events: batch.length, why: (error as Error).message })
      }
      await wait(pause, this.#stopping.signal)
      pause *= BACKOFF_FACTOR
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
