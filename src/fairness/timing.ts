// A histogram of a ratio over time, where each nanosecond counts once.
// Follows k8s.io/component-base/metrics (TimingHistogram) and k8s.io/apiserver/pkg/util/flowcontrol/metrics.
import { type Distribution, Histogram } from '../machinery/exposition.ts'

const NANOSECONDS = 1e6

/** How long which share of a limit was in use. Times are in ms. */
export class RatioHistogram {
  readonly #histogram: Histogram
  #since: number
  #value = 0
  #limit: number

  constructor(bounds: readonly number[], limit: number, now: number) {
    this.#histogram = new Histogram(bounds)
    this.#limit = limit
    this.#since = now
  }

  set(value: number, now: number): void {
    if (value === this.#value) return
    this.#close(now)
    this.#value = value
  }

  setLimit(limit: number, now: number): void {
    if (limit === this.#limit) return
    this.#close(now)
    this.#limit = limit
  }

  /** As it is up to now. */
  read(now: number): Distribution {
    this.#close(now)
    return this.#histogram
  }

  #close(now: number): void {
    const elapsed = now - this.#since
    if (elapsed <= 0) return
    this.#since = now
    this.#histogram.observe(this.#value / this.#limit, elapsed * NANOSECONDS)
  }
}
