// A histogram as plain numbers, which becomes lines for Prometheus when somebody asks.
// Follows the exposition format of prometheus/common and k8s.io/component-base/metrics.

/** `count` bounds, each `factor` times the one before. */
export const exponential = (first: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Number((first * factor ** i).toPrecision(12)))

export class Histogram {
  readonly #bounds: readonly number[]
  readonly #buckets: number[]
  #count = 0
  #sum = 0

  /** How many values there were. */
  get count(): number {
    return this.#count
  }

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#buckets = new Array<number>(bounds.length).fill(0)
  }

  observe(value: number): void {
    this.#count++
    this.#sum += value
    const at = this.#bounds.findIndex((bound) => value <= bound)
    if (at >= 0) (this.#buckets[at] as number)++
  }

  /** `labels` as they stand in the braces; empty for none. */
  lines(name: string, labels: string): string[] {
    let sum = 0
    const before = labels === '' ? '' : `${labels},`
    const own = labels === '' ? '' : `{${labels}}`
    return [
      ...this.#bounds.map(
        (bound, i) => `${name}_bucket{${before}le="${bound}"} ${(sum += this.#buckets[i] ?? 0)}`,
      ),
      `${name}_bucket{${before}le="+Inf"} ${this.#count}`,
      `${name}_sum${own} ${this.#sum}`,
      `${name}_count${own} ${this.#count}`,
    ]
  }
}
