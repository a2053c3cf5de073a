// Histograms in plain numbers: of samples, and of a ratio over time, where each nanosecond counts once.
// Follows k8s.io/component-base/metrics (TimingHistogram) and k8s.io/apiserver/pkg/util/flowcontrol/metrics.

/** What an exposition reads: counts by bucket (not summed up), then those above all bounds. */
export interface Distribution {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

export class Histogram implements Distribution {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number, weight = 1): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    ;(this.counts[bucket] as number) += weight
    this.sum += value * weight
  }
}

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
