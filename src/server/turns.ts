// Whose turn it is among large answers. Written as fast as their clients take them, a crowd of lists would keep the
// event loop busy for tens of milliseconds between two looks at who else asks; so that only a few of their pieces are on
// their way at any time, and the others wait, first come, first served.
//
// A goroutine would be preempted here: upstream needs nothing like it.

/** Pieces on their way at once: enough that there is always one to work on, few enough that the loop comes round soon. */
const AT_ONCE = 8
/** A client that takes its piece no sooner holds nobody up: it costs nothing, either. */
const PATIENCE_MS = 5

/** A right to have one piece on its way. */
export interface Turn {
  /** The piece has gone, or there is none; may be called again. */
  end(): void
}

export class Turns {
  readonly #atOnce: number
  readonly #patienceMs: number
  #taken = 0
  #waiting: (() => void)[] = []
  /** Of those that wait, the next one. */
  #next = 0

  constructor(atOnce = AT_ONCE, patienceMs = PATIENCE_MS) {
    this.#atOnce = atOnce
    this.#patienceMs = patienceMs
  }

  /** Resolves when it is the caller's turn. */
  async take(): Promise<Turn> {
    if (this.#taken < this.#atOnce) this.#taken++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      this.#handOn()
    }
    const timer = setTimeout(end, this.#patienceMs)
    return { end }
  }

  #handOn(): void {
    const next = this.#waiting[this.#next]
    if (!next) {
      this.#taken--
      return
    }
    this.#next++
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
    }
    // Others are looked at in between.
    setImmediate(next)
  }
}
