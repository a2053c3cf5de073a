// Events on their way to another server, and what is done while it does not answer.
// Follows k8s.io/apiserver/plugin/pkg/audit/webhook and pkg/util/webhook.
import type { AuditSink } from './auditor.ts'

export interface PostOptions {
  /** Before a request that failed is sent again; half as much again each time. */
  readonly initialBackoffMs: number
  /** POSTs JSON; rejects where nobody answered with a good status. */
  send(body: Buffer): Promise<void>
  /** Hears what was dropped, and why. */
  warn(details: { readonly events: number; readonly why: string }): void
  /** Resolves after so long, or when the signal says that it is over. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const ATTEMPTS = 5
const BACKOFF_FACTOR = 1.5
const HEAD = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['

/** Sends events in one request, again and again where it fails; false: they are dropped. */
export async function post(
  { send, warn, wait, initialBackoffMs }: PostOptions,
  events: readonly string[],
  stopping: AbortSignal,
): Promise<boolean> {
  const body = Buffer.from(`${HEAD}${events.join(',')}]}`)
  let pause = initialBackoffMs
  for (let attempt = 1; ; attempt++) {
    try {
      await send(body)
      return true
    } catch (error) {
      if (attempt === ATTEMPTS || stopping.aborted) {
        warn({ events: events.length, why: (error as Error).message })
        return false
      }
    }
    await wait(pause, stopping)
    pause *= BACKOFF_FACTOR
  }
}

/** Each event by itself: requests wait for the answer. */
export class BlockingWebhook implements AuditSink {
  readonly #options: PostOptions
  readonly #stopping = new AbortController()
  readonly #underWay = new Set<Promise<boolean>>()

  constructor(options: PostOptions) {
    this.#options = options
  }

  write(event: string): Promise<boolean> {
    const sending = post(this.#options, [event], this.#stopping.signal)
    this.#underWay.add(sending)
    void sending.finally(() => this.#underWay.delete(sending))
    return sending
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#underWay)
  }
}
