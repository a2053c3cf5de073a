// Plain limits instead of priority and fairness: so many reads and so many writes at once, and who comes on top is told
// to come back. Administrators always pass. For --enable-priority-and-fairness=false.
// Follows k8s.io/apiserver/pkg/server/filters/maxinflight.go.
import { MASTERS_GROUP } from '../machinery/user.ts'
import type { Clock } from './clock.ts'
import type { Arrival, Gate, Pass } from './gate.ts'
import { type KindMeter, KindMeters, kindOf } from './meters.ts'

const RETRY_SECONDS = 1
const UNCOUNTED: Pass = { mark: undefined, retryAfter: 0, leave: () => undefined }
const REFUSED: Pass = { ...UNCOUNTED, retryAfter: RETRY_SECONDS }

export interface Maxima {
  /** 0: no limit. */
  readonly readOnly: number
  readonly mutating: number
}

export class MaxInFlight implements Gate {
  readonly kinds: KindMeters
  readonly #maxima: Maxima
  readonly #clock: Clock
  readonly #passes: Readonly<Record<keyof Maxima, Pass>>

  constructor(maxima: Maxima, clock: Clock) {
    const now = clock.now()
    this.#maxima = maxima
    this.#clock = clock
    this.kinds = new KindMeters(now)
    const { executing } = this.kinds
    if (maxima.readOnly > 0) executing.readOnly.shares.setLimit(maxima.readOnly, now)
    if (maxima.mutating > 0) executing.mutating.shares.setLimit(maxima.mutating, now)
    const passOf = (meter: KindMeter): Pass => ({ ...UNCOUNTED, leave: () => meter.add(-1, clock.now()) })
    this.#passes = { readOnly: passOf(executing.readOnly), mutating: passOf(executing.mutating) }
  }

  get now(): number {
    return this.#clock.now()
  }

  /** Watches are not counted. */
  enter({ info, user }: Arrival): Pass {
    if (info.verb === 'watch') return UNCOUNTED
    const kind = kindOf(info.verb)
    const limit = this.#maxima[kind]
    if (limit === 0) return UNCOUNTED
    const meter = this.kinds.executing[kind]
    if (meter.count >= limit) return user.groups.includes(MASTERS_GROUP) ? UNCOUNTED : REFUSED
    meter.add(1, this.#clock.now())
    return this.#passes[kind]
  }

  watching(): () => void {
    return () => undefined
  }
}
