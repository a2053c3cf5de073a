// The priority levels as they are now: what clients want of them, how many seats each has, and its queues. Levels that
// are taken away drain first. Pure but for what is handed in.
// Follows cfgMeal in k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go.
import { divide, type Limits, limitsOf, maxSeatsOf } from './borrowing.ts'
import { type DemandStats, NO_DEMAND, withPeriod } from './demand.ts'
import { DroppedRequests } from './dropped.ts'
import { LevelMeter } from './meters.ts'
import { QueueSet } from './queueset.ts'
import type { LevelSpec } from './spec.ts'

export class LevelState {
  spec: LevelSpec
  limits: Limits = { nominal: 0, min: 0, max: 0 }
  /** The most that one request is reckoned to take; 0: no bound of the level's own. */
  maxSeats = 0
  /** Seats it has now; undefined before they are first divided. */
  current: number | undefined = undefined
  demand: DemandStats = NO_DEMAND
  /** Seats it was to have, by its demand. */
  target = 0
  /** No object wants it any more; it goes when it is empty. */
  isQuiescing = false
  readonly meter: LevelMeter
  readonly queues: QueueSet
  readonly dropped = new DroppedRequests()

  constructor(spec: LevelSpec, now: number) {
    this.spec = spec
    this.meter = new LevelMeter(now)
    this.queues = new QueueSet(spec.queuing, this.meter, now)
  }
}

export class Levels {
  readonly #serverSeats: number
  /** Levels that are there in any case. */
  readonly #mandatory: readonly LevelSpec[]
  readonly #states = new Map<string, LevelState>()
  #fraction = 0

  constructor(serverSeats: number, mandatory: readonly LevelSpec[]) {
    this.#serverSeats = serverSeats
    this.#mandatory = mandatory
  }

  all(): Iterable<LevelState> {
    return this.#states.values()
  }

  get(name: string): LevelState | undefined {
    return this.#states.get(name)
  }

  /** The share of what each level could use that it gets. */
  get fraction(): number {
    return this.#fraction
  }

  /** Seats by shares, of all levels together, and places in their queues. */
  totals(): { readonly seats: number; readonly places: number } {
    let seats = 0
    let places = 0
    for (const { limits, spec } of this.#states.values()) {
      seats += limits.nominal
      if (spec.queuing.queues > 0) places += spec.queuing.queues * spec.queuing.queueLengthLimit
    }
    return { seats, places }
  }

  /** These levels are wanted now. */
  digest(specs: readonly LevelSpec[], now: number): void {
    const wanted = new Map(specs.map((spec) => [spec.name, spec]))
    for (const spec of specs) {
      const state = this.#states.get(spec.name)
      if (!state) this.#states.set(spec.name, new LevelState(spec, now))
      else Object.assign(state, { spec, isQuiescing: false })
    }
    for (const spec of this.#mandatory) {
      if (!this.#states.has(spec.name)) this.#states.set(spec.name, new LevelState(spec, now))
      wanted.set(spec.name, spec)
    }
    for (const [name, state] of this.#states) {
      if (wanted.has(name)) continue
      if (state.queues.isIdle) this.#states.delete(name)
      else state.isQuiescing = true
    }
    this.#share()
    this.adjust(now)
  }

  #share(): void {
    let sum = 0
    for (const { spec } of this.#states.values()) sum += spec.shares
    for (const state of this.#states.values()) {
      state.limits = limitsOf(state.spec, this.#serverSeats, sum)
      state.maxSeats = maxSeatsOf(state.spec, state.limits)
    }
  }

  /** Divides the seats by what was wanted since the last time. */
  adjust(now: number): void {
    const states = [...this.#states.values()]
    for (const state of states) state.demand = withPeriod(state.demand, state.meter.demand.reset(now))
    const { seats, targets, fraction } = divide(
      states.map(({ limits, spec, demand, current }) => ({
        ...limits,
        isExempt: spec.isExempt,
        demand,
        current: current ?? limits.nominal - Math.trunc((limits.nominal - limits.min) / 2),
      })),
    )
    this.#fraction = fraction
    states.forEach((state, i) => {
      const current = seats[i] ?? 0
      state.current = current
      state.target = targets[i] ?? 0
      this.#apply(state, current, now)
    })
  }

  #apply({ spec: { queuing }, meter, queues }: LevelState, current: number, now: number): void {
    const places = Math.max(1, queuing.queueLengthLimit) * Math.max(1, queuing.queues)
    const shown = current > 0 ? current : Math.max(1, Math.round(this.#serverSeats / 10))
    meter.setLimits(places, shown, now)
    queues.configure(queuing, current, now)
  }
}
