// One timer for the heartbeats of thousands: whoever is in it is called once in each turn, spread over the turn. Of very
// many the turn is longer, so that their heartbeats do not take all that the server has.
// Follows the role of wait.JitterUntil in every kubelet of k8s.io/kubernetes/pkg/kubelet.
import type { Clock } from '../client/clock.ts'

/** Into how many parts a turn is cut: a tenth of a second each at the usual 10 s. */
const SLOTS = 100
/** Of more than this makes in a turn, each is called later: 5,000 at the usual 10 s, each 20 s. */
const MAX_PER_SECOND = 250

export class Wheel {
  readonly #clock: Clock
  readonly #turnMs: number
  readonly #slots: readonly Map<string, () => void>[] = Array.from({ length: SLOTS }, () => new Map())
  readonly #places = new Map<string, number>()
  #at = 0
  #joined = 0
  #cancel: () => void = () => undefined

  constructor(clock: Clock, turnMs: number) {
    this.#clock = clock
    this.#turnMs = turnMs
  }

  start(): void {
    const turnMs = Math.max(this.#turnMs, (this.#places.size / MAX_PER_SECOND) * 1000)
    this.#cancel = this.#clock.after(turnMs / SLOTS, () => {
      this.start()
      this.#at = (this.#at + 1) % SLOTS
      for (const call of (this.#slots[this.#at] as Map<string, () => void>).values()) call()
    })
  }

  stop(): void {
    this.#cancel()
  }

  join(name: string, call: () => void): void {
    // As far from its neighbours as can be: who joins one after the other is spread over the turn.
    const place = (this.#joined++ * 37) % SLOTS
    this.leave(name)
    this.#places.set(name, place)
    this.#slots[place]?.set(name, call)
  }

  leave(name: string): void {
    const place = this.#places.get(name)
    if (place !== undefined) this.#slots[place]?.delete(name)
    this.#places.delete(name)
  }
}
