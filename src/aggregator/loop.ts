// A task that is done again and again, one turn at a time: at once when something has changed, else after a while.
// Follows the rate-limited queues of k8s.io/client-go/util/workqueue, for one key.

export class Loop {
  readonly #task: () => Promise<number>
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #again = false
  #isStopped = false

  /** `task` answers after how many ms it wants its next turn. It must not reject. */
  constructor(task: () => Promise<number>) {
    this.#task = task
  }

  /** The next turn is due: at once, or when the one under way has ended. */
  now(): void {
    if (this.#isStopped) return
    if (this.#isRunning) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    void this.#turn()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #turn(): Promise<void> {
    this.#isRunning = true
    this.#again = false
    const afterMs = await this.#task()
    this.#isRunning = false
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#turn(), this.#again ? 0 : afterMs)
    this.#timer.unref()
  }
}

/** How long to wait after so many failures in a row: twice as long each time, up to a bound. */
export const backoff = (failures: number, firstMs: number, lastMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(failures - 1, 30), lastMs)
