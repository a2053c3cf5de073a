// A queue of keys: each at most once, one worker at a time for each, retried later and later where it fails.
// Follows k8s.io/client-go/util/workqueue.
import type { Clock } from './clock.ts'

/** How long a key that failed waits: doubled for each failure in a row. */
export interface RetryDelays {
  readonly firstMs: number
  readonly maxMs: number
}

/** As upstream's default controller rate limiter. */
const DELAYS: RetryDelays = { firstMs: 5, maxMs: 1_000_000 }

/** Told what a queue does, for the metrics workqueue_*. Times in seconds. */
export interface QueueMetrics {
  added(): void
  depth(length: number): void
  /** How long a key waited. */
  waited(seconds: number): void
  /** How long a worker took. */
  worked(seconds: number): void
  retried(): void
}

export class WorkQueue {
  readonly #clock: Clock
  readonly #metrics: QueueMetrics | undefined
  readonly #delays: RetryDelays
  /** Waiting, in order. */
  readonly #ready: string[] = []
  /** To be worked on: waiting, or again when its worker is done. Since when, in ms. */
  readonly #dirty = new Map<string, number>()
  /** Being worked on, since when. */
  readonly #processing = new Map<string, number>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: () => void }>()
  readonly #waiters: ((key: string | undefined) => void)[] = []
  #isShutDown = false

  constructor(clock: Clock, metrics?: QueueMetrics, delays = DELAYS) {
    this.#clock = clock
    this.#metrics = metrics
    this.#delays = delays
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.length
  }

  /** Nothing waits, nothing is worked on, nothing is due later. */
  get idle(): boolean {
    return this.#ready.length + this.#processing.size + this.#delayed.size === 0
  }

  add(key: string): void {
    if (this.#isShutDown || this.#dirty.has(key)) return
    this.#metrics?.added()
    this.#dirty.set(key, this.#clock.now())
    if (!this.#processing.has(key)) this.#enqueue(key)
  }

  /** Of several times for one key the first counts. */
  addAfter(key: string, ms: number): void {
    if (this.#isShutDown) return
    if (ms <= 0) return this.add(key)
    const at = this.#clock.now() + ms
    const known = this.#delayed.get(key)
    if (known && known.at <= at) return
    known?.cancel()
    const cancel = this.#clock.after(ms, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** Later for each failure in a row; `forget` ends the row. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.#metrics?.retried()
    this.addAfter(key, Math.min(this.#delays.firstMs * 2 ** failures, this.#delays.maxMs))
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  retries(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The next key, which is the caller's until `done`; undefined when the queue is shut down. */
  next(): Promise<string | undefined> {
    const key = this.#ready.shift()
    if (key !== undefined) return Promise.resolve(this.#begin(key))
    if (this.#isShutDown) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  done(key: string): void {
    const since = this.#processing.get(key)
    if (since !== undefined) this.#metrics?.worked((this.#clock.now() - since) / 1000)
    this.#processing.delete(key)
    if (this.#dirty.has(key)) this.#enqueue(key)
  }

  /** Nothing is handed out any more. */
  shutDown(): void {
    this.#isShutDown = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    this.#ready.length = 0
    for (const waiter of this.#waiters.splice(0)) waiter(undefined)
  }

  #enqueue(key: string): void {
    if (this.#isShutDown) return
    const waiter = this.#waiters.shift()
    if (waiter) return waiter(this.#begin(key))
    this.#ready.push(key)
    this.#metrics?.depth(this.#ready.length)
  }

  #begin(key: string): string {
    const now = this.#clock.now()
    this.#metrics?.waited((now - (this.#dirty.get(key) ?? now)) / 1000)
    this.#metrics?.depth(this.#ready.length)
    this.#dirty.delete(key)
    this.#processing.set(key, now)
    return key
  }
}
