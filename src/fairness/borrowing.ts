// Who has how many seats: by shares at first, then, every ten seconds, by what each level could use, within what it may
// lend and borrow. Pure. Follows updateBorrowingLocked and finishQueueSetReconfigsLocked of
// k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go.
import { allocate } from './allocation.ts'
import type { DemandStats } from './demand.ts'
import type { LevelSpec } from './spec.ts'

/** Seats of a level: by its share, and the least and most that lending and borrowing leave it. */
export interface Limits {
  readonly nominal: number
  readonly min: number
  readonly max: number
}

/** A request may take this much of its level at most, and no more than leaves one seat for each queue of a hand. */
const MAX_SEATS_SHARE = 0.15

export function limitsOf(spec: LevelSpec, serverSeats: number, shareSum: number): Limits {
  const nominal = shareSum > 0 ? Math.ceil((serverSeats * spec.shares) / shareSum) : 0
  const lendable = Math.round((nominal * spec.lendablePercent) / 100)
  const { borrowingLimitPercent: percent } = spec
  const borrowing = percent === undefined ? serverSeats : Math.round((nominal * percent) / 100)
  return { nominal, min: nominal - lendable, max: nominal + borrowing }
}

/** The widest that a request of the level is reckoned; 0: no bound of the level's own. */
export function maxSeatsOf({ queuing }: LevelSpec, { nominal }: Limits): number {
  if (queuing.queues < 1) return 0
  return Math.max(1, Math.min(Math.ceil(nominal * MAX_SEATS_SHARE), Math.trunc(nominal / queuing.handSize)))
}

export interface Borrower extends Limits {
  readonly isExempt: boolean
  readonly demand: DemandStats
  /** Seats it has now. */
  readonly current: number
}

export interface Division {
  /** Seats from now on, in the order of the levels. */
  readonly seats: readonly number[]
  readonly targets: readonly number[]
  readonly fraction: number
}

/** Divides the seats of all levels anew. */
export function divide(levels: readonly Borrower[]): Division {
  const claims = levels.map((level) => {
    const { min, max, nominal, demand, isExempt } = level
    const wanted = isExempt ? demand.highWatermark : Math.min(nominal, demand.highWatermark)
    const lower = Math.max(min, wanted)
    return { level, lower, upper: max, target: Math.max(lower, demand.smoothed) }
  })
  const targets = claims.map(({ target }) => target)
  const limited = claims.filter(({ level }) => !level.isExempt)
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
  const total = sum(levels.map(({ nominal }) => nominal))
  const left = total - sum(claims.filter(({ level }) => level.isExempt).map(({ lower }) => lower))
  const minSum = sum(limited.map(({ level }) => level.min))
  const lowerSum = sum(limited.map(({ lower }) => lower))
  if (left <= lowerSum) {
    const share = left <= minSum ? 0 : (left - minSum) / (lowerSum - minSum)
    const seats = claims.map(({ level, lower }) =>
      level.isExempt ? lower : level.min + Math.round((lower - level.min) * share),
    )
    return { seats, targets, fraction: 0 }
  }
  const allocation = allocate(total, limited)
  let next = 0
  const seats = claims.map(({ level, lower }) => {
    if (level.isExempt) return lower
    return allocation ? Math.round(allocation.shares[next++] ?? 0) : level.current
  })
  return { seats, targets, fraction: allocation?.fraction ?? 0 }
}
