// How fast failed pods are replaced on a node that may refuse each of them. Follows k8s.io/client-go/util/flowcontrol
// (backoff.go) as k8s.io/kubernetes/pkg/controller/daemon uses it.
import type { Clock } from '../../client/clock.ts'

const FIRST_MS = 1000
const MAX_MS = 15 * 60_000
/** A node that has not failed for this long begins anew. */
const FORGET_MS = 2 * MAX_MS
/** Of more the oldest are forgotten: nodes and sets go, and nobody says so. */
const MAX_REMEMBERED = 10_000

export class FailureBackoff {
  readonly #clock: Clock
  readonly #failures = new Map<string, { readonly delay: number; readonly at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** 0 where a failure may be acted on now, which doubles the wait for the next; else in how many ms. */
  failed(key: string): number {
    const now = this.#clock.now()
    const last = this.#failures.get(key)
    const age = last === undefined ? Infinity : now - last.at
    if (last !== undefined && age < last.delay) return last.delay - age
    const delay = last === undefined || age > FORGET_MS ? FIRST_MS : Math.min(last.delay * 2, MAX_MS)
    this.#failures.delete(key)
    this.#failures.set(key, { delay, at: now })
    if (this.#failures.size > MAX_REMEMBERED) this.#forgetOldest()
    return 0
  }

  #forgetOldest(): void {
    const oldest = this.#failures.keys().next().value
    if (oldest !== undefined) this.#failures.delete(oldest)
  }
}
