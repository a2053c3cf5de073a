// Whose turn it is among writes. A client that sends many at once has them all read in one turn of the event loop; worked
// on one after the other, they would keep the loop from hearing that the commit before them is on the disk, its clients
// from being answered, and the disk from being busy meanwhile. So that a turn works on writes for a moment only, and the
// others wait for the next one, first come, first served.
//
// A goroutine would be preempted here: upstream needs nothing like it.

/** Two or three creates: far more than the loop costs to come round, little beside what a commit takes. */
const BUDGET_MS = 1
/** Writes of one turn at most: each may cost less than what it takes to look at the clock often. */
const AT_MOST = 16

export class WriteTurns {
  readonly #budgetMs: number
  readonly #now: () => number
  #startedAt = 0
  /** Somebody has worked in this turn, or waits. */
  #isOpen = false
  #waiting: (() => void)[] = []
  /** Of those that wait, the next one. */
  #next = 0

  /** `now` in ms. */
  constructor(budgetMs = BUDGET_MS, now = () => performance.now()) {
    this.#budgetMs = budgetMs
    this.#now = now
  }

  /** Resolves when it is the caller's turn; undefined: it is at once. */
  take(): Promise<void> | undefined {
    if (!this.#isOpen) {
      this.#isOpen = true
      this.#startedAt = this.#now()
      setImmediate(this.#turn)
      return undefined
    }
    if (this.#next === this.#waiting.length && this.#isEarly()) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #isEarly(): boolean {
    return this.#now() - this.#startedAt < this.#budgetMs
  }

  /** What came in since the last one has been heard; each of those that go on now works before the next is asked. */
  readonly #turn = (): void => {
    const count = Math.min(this.#waiting.length - this.#next, AT_MOST)
    if (count === 0) {
      this.#waiting = []
      this.#next = 0
      this.#isOpen = false
      return
    }
    this.#startedAt = this.#now()
    this.#handOn()
    for (let i = 1; i < count; i++) setImmediate(this.#handOnEarly)
    setImmediate(this.#turn)
  }

  readonly #handOnEarly = (): void => {
    if (this.#isEarly()) this.#handOn()
  }

  #handOn(): void {
    this.#waiting[this.#next++]?.()
  }
}
