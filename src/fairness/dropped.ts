// How long clients that were refused are told to stay away: longer while many are refused, by halves of a minute at most.
// Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/dropped_requests_tracker.go.

const MAX_RETRY_AFTER = 32

/** Of one level. Times are whole seconds. */
export class DroppedRequests {
  #retryAfter = 1
  #raisedAt = -Infinity
  #second = 0
  #count = 0
  #history: { readonly second: number; readonly count: number }[] = []

  /** Seconds to tell. */
  get retryAfter(): number {
    return this.#retryAfter
  }

  record(second: number): void {
    if (second === this.#second) {
      this.#count++
      return
    }
    this.#remember()
    this.#second = second
    this.#count = 1
    this.#adjust(second)
  }

  #remember(): void {
    this.#history.push({ second: this.#second, count: this.#count })
    const oldest = this.#second - Math.min(2 * this.#retryAfter, MAX_RETRY_AFTER)
    this.#history = this.#history.filter(({ second }) => second >= oldest)
  }

  #adjust(now: number): void {
    const span = this.#retryAfter
    const recent = this.#history.filter(({ second }) => now - second <= span && second < now)
    const dropped = recent.reduce((all, { count }) => all + count, 0)
    if (now - this.#raisedAt >= span && dropped >= 3 * span) {
      this.#retryAfter = Math.min(2 * span, MAX_RETRY_AFTER)
      this.#raisedAt = now
    } else if (dropped < span && span > 1) this.#retryAfter--
  }
}
