// What a controller has asked for and not yet seen in its informer: until then, what it knows is too old to act on.
// Follows ControllerExpectations and UIDTrackingControllerExpectations of k8s.io/kubernetes/pkg/controller.
import type { Clock } from './clock.ts'

/** A lost event must not make a controller wait for ever: upstream's ExpectationsTimeout. */
export const EXPECTATIONS_TIMEOUT_MS = 5 * 60_000

interface Expected {
  creations: number
  /** Keys or uids of what shall go; each is counted once, however often it is seen going. */
  readonly deletions: Set<string>
  readonly since: number
}

/** By key of the controlling object. */
export class Expectations {
  readonly #clock: Clock
  readonly #expected = new Map<string, Expected>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether all that was expected has been seen, or so long ago that it never will be. */
  satisfied(key: string): boolean {
    const expected = this.#expected.get(key)
    if (!expected) return true
    if (expected.creations <= 0 && expected.deletions.size === 0) return true
    return this.#clock.now() - expected.since > EXPECTATIONS_TIMEOUT_MS
  }

  /** Replaces what was expected before. */
  expect(key: string, creations: number, deletions: Iterable<string> = []): void {
    this.#expected.set(key, { creations, deletions: new Set(deletions), since: this.#clock.now() })
  }

  creationSeen(key: string): void {
    const expected = this.#expected.get(key)
    if (expected) expected.creations--
  }

  deletionSeen(key: string, deleted: string): void {
    this.#expected.get(key)?.deletions.delete(deleted)
  }

  forget(key: string): void {
    this.#expected.delete(key)
  }
}
