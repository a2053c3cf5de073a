// One queue of a level: requests that wait, in the order in which they came, and those of it that are worked on.
// Follows k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset (types.go, fifo_list.go).
import type { FlowMeter } from './meters.ts'
import { ESTIMATED_SECONDS, type WorkEstimate } from './work.ts'

export type Phase = 'arriving' | 'waiting' | 'executing' | 'over'

/** One request on its way through a level: what it is reckoned to cost, where it waits, when it began. */
export class QueuedRequest {
  readonly meter: FlowMeter
  readonly distinguisher: string
  readonly initialSeats: number
  finalSeats: number
  additionalMs: number
  /** The most that are occupied at a time. */
  seats: number
  /** In seat-seconds. */
  readonly work: number
  phase: Phase = 'arriving'
  /** ms of the clock. */
  arrivedAt = 0
  startedAt = 0
  /** The level's progress when it arrived, in seat-seconds a queue. */
  arrivalR = 0
  queue: Queue | undefined = undefined
  /** Neighbours in the list that it is in. */
  before: QueuedRequest | undefined = undefined
  after: QueuedRequest | undefined = undefined
  /** Told when it may go on, if it had to wait. */
  dispatched: (() => void) | undefined = undefined

  constructor(
    meter: FlowMeter,
    distinguisher: string,
    { initialSeats, finalSeats, additionalMs }: WorkEstimate,
  ) {
    this.meter = meter
    this.distinguisher = distinguisher
    this.initialSeats = initialSeats
    this.finalSeats = finalSeats
    this.additionalMs = additionalMs
    this.seats = initialSeats >= finalSeats ? initialSeats : finalSeats
    this.work = initialSeats * ESTIMATED_SECONDS + (finalSeats * additionalMs) / 1000
  }
}

/** Requests in order; each knows its neighbours, so that any of them leaves at no cost. */
export class RequestList {
  first: QueuedRequest | undefined = undefined
  #last: QueuedRequest | undefined = undefined
  length = 0

  push(request: QueuedRequest): void {
    request.before = this.#last
    request.after = undefined
    if (this.#last) this.#last.after = request
    else this.first = request
    this.#last = request
    this.length++
  }

  remove(request: QueuedRequest): void {
    if (request.before) request.before.after = request.after
    else this.first = request.after
    if (request.after) request.after.before = request.before
    else this.#last = request.before
    request.before = request.after = undefined
    this.length--
  }

  *[Symbol.iterator](): Generator<QueuedRequest> {
    for (let one = this.first; one; one = one.after) yield one
  }
}

export class Queue {
  readonly index: number
  readonly waiting = new RequestList()
  readonly executing = new RequestList()
  /** Of all that wait: seats while they are worked on, seats at most, and work in seat-seconds. */
  initialSeatsWaiting = 0
  seatsWaiting = 0
  workWaiting = 0
  seatsInUse = 0
  /** The level's progress at which its next request would start if each queue had its fair share, in seat-seconds. */
  nextDispatchR = 0

  constructor(index: number) {
    this.index = index
  }

  get isActive(): boolean {
    return this.waiting.length > 0 || this.executing.length > 0
  }

  enqueue(request: QueuedRequest): void {
    this.waiting.push(request)
    this.initialSeatsWaiting += request.initialSeats
    this.seatsWaiting += request.seats
    this.workWaiting += request.work
  }

  leave(request: QueuedRequest): void {
    this.waiting.remove(request)
    this.initialSeatsWaiting -= request.initialSeats
    this.seatsWaiting -= request.seats
    // Sums of fractions drift; an empty queue has no work.
    this.workWaiting = this.waiting.length === 0 ? 0 : this.workWaiting - request.work
  }

  /** No request starts, by the reckoning, before it has come: a queue cannot save up what it did not use. */
  bound(): void {
    const { first } = this.waiting
    if (first && this.nextDispatchR < first.arrivalR) this.nextDispatchR = first.arrivalR
  }
}
