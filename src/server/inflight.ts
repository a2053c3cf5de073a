// How many requests are worked on at once: a bound on memory, not a policy. Fairness between users comes later.
// Follows k8s.io/apiserver/pkg/server/filters/maxinflight.go, with a short queue before the refusal.
import { tooManyRequests } from '../machinery/status.ts'

/** Requests that wait for a place; beyond, clients are told to come back. */
const MAX_WAITING = 4096
const RETRY_SECONDS = 1

export class InflightLimit {
  readonly #limit: number
  #running = 0
  #waiting: (() => void)[] = []

  /** `limit`: the sum of upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get running(): number {
    return this.#running
  }

  /** Resolves when there is a place; call what it gives when the request is done. Throws 429 when even the queue is full. */
  enter(): (() => void) | Promise<() => void> {
    if (this.#running < this.#limit) {
      this.#running++
      return this.#leave
    }
    if (this.#waiting.length >= MAX_WAITING)
      throw tooManyRequests('Too many requests, please try again later.', RETRY_SECONDS)
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#leave)))
  }

  readonly #leave = (): void => {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#running--
  }
}
