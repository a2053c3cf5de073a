// What is counted of levels and of the flows in them, in plain numbers: an exposition makes text of them when it is asked
// for (exposition.ts). Follows k8s.io/apiserver/pkg/util/flowcontrol/metrics.
import { DemandIntegrator } from './demand.ts'
import { Histogram } from '../machinery/exposition.ts'
import { RatioHistogram } from './timing.ts'
import { ESTIMATED_SECONDS } from './work.ts'

const QUEUE_LENGTH = [0, 10, 25, 50, 100, 250, 500, 1000]
const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const SEATS = [1, 2, 4, 8, 16, 32, 64, 100]
const WATCHES = [0, 1, 10, 100, 1000, 10000]
const SEAT_SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]
const REQUEST_SHARES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1]
const DEMAND_SHARES = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6]

export const REASONS = ['concurrency-limit', 'queue-full', 'time-out'] as const
export type RejectReason = (typeof REASONS)[number]

/** Of one schema's requests in one level. */
export class FlowMeter {
  readonly level: string
  readonly schema: string
  executing = 0
  seatsInUse = 0
  inQueue = 0
  seatsInQueue = 0
  dispatched = 0
  noAccommodation = 0
  readonly rejections = new Map<RejectReason, number>()
  readonly queueLength = new Histogram(QUEUE_LENGTH)
  readonly seats = new Histogram(SEATS)
  readonly watches = new Histogram(WATCHES)
  readonly waited = new Histogram(SECONDS)
  readonly waitedInVain = new Histogram(SECONDS)
  readonly executed = new Histogram(SECONDS)
  readonly initialized = new Histogram(SECONDS)

  constructor(level: string, schema: string) {
    this.level = level
    this.schema = schema
  }

  rejected(reason: RejectReason): void {
    this.rejections.set(reason, (this.rejections.get(reason) ?? 0) + 1)
  }
}

/** What a meter reads of a level's queues. */
interface Load {
  readonly waiting: number
  readonly executing: number
  readonly seatsInUse: number
  readonly seatsWaiting: number
}

/** Where a queue stands. */
interface Standing {
  readonly nextDispatchR: number
  readonly seatsInUse: number
}

/** How the last dispatch from a queue stood, in seat-seconds. */
export interface Dispatch {
  /** The level's progress, and where the queue stood. */
  r: number
  s: number
  minS: number
  maxS: number
  minDiscounted: number
  maxDiscounted: number
}

/** Of one level. */
export class LevelMeter {
  readonly demand: DemandIntegrator
  readonly waiting: RatioHistogram
  readonly executing: RatioHistogram
  readonly seats: RatioHistogram
  readonly demanded: RatioHistogram
  dispatch: Dispatch | undefined

  constructor(now: number) {
    this.demand = new DemandIntegrator(now)
    this.waiting = new RatioHistogram(REQUEST_SHARES, 1, now)
    this.executing = new RatioHistogram(REQUEST_SHARES, 1, now)
    this.seats = new RatioHistogram(SEAT_SHARES, 1, now)
    this.demanded = new RatioHistogram(DEMAND_SHARES, 1, now)
  }

  note({ waiting, executing, seatsInUse, seatsWaiting }: Load, now: number): void {
    this.waiting.set(waiting, now)
    this.executing.set(executing, now)
    this.seats.set(seatsInUse, now)
    const demand = seatsInUse + seatsWaiting
    this.demanded.set(demand, now)
    this.demand.set(demand, now)
  }

  /** What the shares are shares of: places in queues, and seats. */
  setLimits(places: number, seats: number, now: number): void {
    this.waiting.setLimit(places, now)
    this.executing.setLimit(seats, now)
    this.seats.setLimit(seats, now)
    this.demanded.setLimit(seats, now)
  }

  noteDispatch(r: number, queue: Standing, busy: readonly Standing[]): void {
    const last = (this.dispatch ??= { r, s: 0, minS: 0, maxS: 0, minDiscounted: 0, maxDiscounted: 0 })
    last.r = r
    last.s = last.minS = last.maxS = queue.nextDispatchR
    last.minDiscounted = last.maxDiscounted = queue.nextDispatchR - queue.seatsInUse * ESTIMATED_SECONDS
    if (busy.length === 1) return
    for (const { nextDispatchR, seatsInUse } of busy) {
      const discounted = nextDispatchR - seatsInUse * ESTIMATED_SECONDS
      last.minS = Math.min(last.minS, nextDispatchR)
      last.maxS = Math.max(last.maxS, nextDispatchR)
      last.minDiscounted = Math.min(last.minDiscounted, discounted)
      last.maxDiscounted = Math.max(last.maxDiscounted, discounted)
    }
  }
}

const KIND_SHARES = [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]
/** The highest number of a second is shown in the next. */
const WATERMARK_MS = 1000

/** How many requests of one kind (reading, writing) are in one phase. */
export class KindMeter {
  readonly shares: RatioHistogram
  #count = 0
  #highest = 0
  #before = 0
  #since: number

  constructor(now: number) {
    this.shares = new RatioHistogram(KIND_SHARES, 1, now)
    this.#since = now
  }

  add(change: number, now: number): void {
    this.#roll(now)
    this.#count += change
    if (this.#count > this.#highest) this.#highest = this.#count
    this.shares.set(this.#count, now)
  }

  get count(): number {
    return this.#count
  }

  /** The most there were in the last second. */
  highest(now: number): number {
    this.#roll(now)
    return Math.max(this.#before, this.#highest)
  }

  #roll(now: number): void {
    const elapsed = now - this.#since
    if (elapsed < WATERMARK_MS) return
    this.#before = elapsed < 2 * WATERMARK_MS ? this.#highest : this.#count
    this.#highest = this.#count
    this.#since = now
  }
}

/** Reading and writing requests, worked on and waiting. */
export class KindMeters {
  readonly executing: { readonly readOnly: KindMeter; readonly mutating: KindMeter }
  readonly waiting: { readonly readOnly: KindMeter; readonly mutating: KindMeter }

  constructor(now: number) {
    const pair = () => ({ readOnly: new KindMeter(now), mutating: new KindMeter(now) })
    this.executing = pair()
    this.waiting = pair()
  }
}

const READING: ReadonlySet<string> = new Set(['get', 'list', 'watch'])

export const kindOf = (verb: string): 'readOnly' | 'mutating' => (READING.has(verb) ? 'readOnly' : 'mutating')
