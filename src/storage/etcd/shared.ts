// One question on behalf of many: callers share an answer that was asked for after each of them had called.
// Beside the etcd engine, whose reads of the current revision cost a consensus of the servers each.

/**
 * Shares calls of `ask`. A caller never gets the answer of a call that was under way when it came: what was written
 * in between might be missing there. It joins the call that begins at the end of this turn of the event loop, or when
 * the one under way is answered; a call that takes longer than `patienceMs` is not waited for.
 */
export class SharedCall<T> {
  private readonly ask: () => Promise<T>
  private readonly patienceMs: number
  private next: Promise<T> | undefined
  private underWay: Promise<unknown> | undefined

  constructor(ask: () => Promise<T>, patienceMs: number) {
    this.ask = ask
    this.patienceMs = patienceMs
  }

  call(): Promise<T> {
    return (this.next ??= this.turn().then(() => this.begin()))
  }

  private begin(): Promise<T> {
    this.next = undefined
    const answer = this.ask()
    const done = answer.then(noted, noted).then(() => {
      if (this.underWay === done) this.underWay = undefined
    })
    this.underWay = done
    return answer
  }

  /** Resolves when the next call may begin. */
  private turn(): Promise<unknown> {
    const { underWay } = this
    if (underWay === undefined) return new Promise((resolve) => setImmediate(resolve))
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.patienceMs)
      void underWay.then(() => {
        clearTimeout(timer)
        resolve(undefined)
      })
    })
  }
}

const noted = (): void => undefined
