// The seat that a request has taken: given back when it is answered; by a watch, when it has sent what it begins with.
// Follows k8s.io/apiserver/pkg/server/filters/priority-and-fairness.go.
import { type Gate, type Pass, TOO_MANY } from '../fairness/gate.ts'
import type { Answer, ByteSink } from '../handlers/request.ts'
import type { RequestInfo } from '../machinery/attributes.ts'

export interface Seat {
  /** The answer of a watch, which takes the seat over. */
  hold?(answer: Answer): Answer
  leave(): void
}

export function seatOf(gate: Gate, pass: Pass, info: RequestInfo, query: URLSearchParams): Seat {
  return info.verb === 'watch' ? new WatchSeat(pass, gate.watching(info, query)) : pass
}

class WatchSeat implements Seat {
  readonly #pass: Pass
  readonly #forget: () => void
  #isHeld = false
  #isGiven = false

  constructor(pass: Pass, forget: () => void) {
    this.#pass = pass
    this.#forget = forget
  }

  hold(answer: Answer): Answer {
    if (!('stream' in answer)) return answer
    answer.begun?.(() => this.#give())
    const stream = (sink: ByteSink): void => {
      this.#isHeld = true
      sink.onClose(() => {
        this.#give()
        this.#forget()
      })
      answer.stream(sink)
      if (!answer.begun) this.#give()
    }
    return { ...answer, stream }
  }

  leave(): void {
    if (this.#isHeld) return
    this.#give()
    this.#forget()
  }

  #give(): void {
    if (!this.#isGiven) this.#pass.leave()
    this.#isGiven = true
  }
}

/** Plain text, as upstream's filters answer: clients look at the code and the header. */
export const tooMany = (retryAfter: number): Answer => ({
  status: 429,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(`${TOO_MANY}\n`),
  headers: { 'retry-after': String(retryAfter), 'x-content-type-options': 'nosniff' },
})
