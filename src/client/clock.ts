// Time, injected: control loops are tested without waiting. Follows k8s.io/utils/clock.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once after `ms`; the function that is returned cancels it. */
  after(ms: number, call: () => void): () => void
}

/** Longer timers fire at once in node. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's own. Its timers do not keep the process alive. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), MAX_TIMER_MS)).unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** RFC 3339 in UTC, seconds only: metav1.Time. */
export const timeOf = (clock: Clock): string => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`

/** With microseconds: metav1.MicroTime. */
export const microTimeOf = (clock: Clock): string => new Date(clock.now()).toISOString().replace('Z', '000Z')

/** A clock that stands until it is told to go on. */
export class ManualClock implements Clock {
  #now: number
  #timers: { readonly at: number; readonly call: () => void }[] = []

  constructor(start = 0) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Lets `ms` pass; timers fire in their order, those that they set in turn included. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((one) => one !== due)
      this.#now = Math.max(this.#now, due.at)
      due.call()
    }
    this.#now = end
  }
}
