// The queues of one level and who is next: fair queuing, where each queue that is busy gets the same share of the seats,
// however much waits in it. Pure: the time is handed in, and requests that waited are told by their own function.
// Follows k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset/queueset.go.
import type { LevelMeter } from './meters.ts'
import { Queue, type QueuedRequest, RequestList } from './queue.ts'
import { ESTIMATED_SECONDS } from './work.ts'
import type { Queuing } from './spec.ts'

export class QueueSet {
  readonly #meter: LevelMeter
  #queuing: Queuing
  #limit = 0
  /** By their index, made when a request first waits in them. Those beyond the number wanted drain and are dropped. */
  #queues: (Queue | undefined)[] = []
  /** Those in which something waits. */
  readonly #busy: Queue[] = []
  /** Worked on without having been in a queue. */
  readonly #queueless = new RequestList()
  #robin = 0
  #enqueues = 0
  /** Progress in seat-seconds a queue, up to `#lastTime` in ms. */
  #r = 0
  #lastTime: number
  #activeQueues = 0
  #seatsOfQueues = 0
  waiting = 0
  executing = 0
  seatsInUse = 0
  seatsWaiting = 0
  dispatched = 0
  rejected = 0
  cancelled = 0

  constructor(queuing: Queuing, meter: LevelMeter, now: number) {
    this.#queuing = queuing
    this.#meter = meter
    this.#lastTime = now
  }

  get queuing(): Queuing {
    return this.#queuing
  }

  get limit(): number {
    return this.#limit
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.executing === 0
  }

  /** Seat-seconds a queue since the start. */
  get progress(): number {
    return this.#r
  }

  /** For whoever looks inside; undefined: never used. */
  get queues(): readonly (Queue | undefined)[] {
    return this.#queues
  }

  get queueless(): Iterable<QueuedRequest> {
    return this.#queueless
  }

  /** Other queues or another limit from now on. What waits goes on waiting, or goes ahead if there is room now. */
  configure(queuing: Queuing, limit: number, now: number): void {
    this.#sync(now)
    this.#queuing = queuing
    this.#limit = limit
    this.#dispatch(now)
    this.#note(now)
  }

  /**
   * Takes a request in: it is executing, waiting, or (as it was) arriving still, which means refused: no seat where
   * nothing may wait, or its queue is full. `hand`: the queues it may wait in.
   */
  start(request: QueuedRequest, hand: readonly number[], now: number): void {
    this.#sync(now)
    request.arrivedAt = now
    request.arrivalR = this.#r
    if (this.#queuing.queues < 1) this.#startWithoutQueue(request, now)
    else this.#enqueue(request, this.#choose(hand), now)
    this.#note(now)
  }

  /** Takes a request out that has waited long enough; false where it does not wait any more. */
  cancel(request: QueuedRequest, now: number): boolean {
    const { queue } = request
    if (request.phase !== 'waiting' || !queue) return false
    this.#sync(now)
    this.#unqueue(queue, request)
    request.phase = 'over'
    if (!queue.isActive) this.#activeQueues--
    queue.bound()
    this.#tidy(queue)
    this.rejected++
    this.cancelled++
    request.meter.rejected('time-out')
    // The head of a queue may have been too wide for the seats that are free.
    this.#dispatch(now)
    this.#note(now)
    return true
  }

  /** The request is answered. Where `additionalMs` is more than 0, its seats are given back by `release`, so much later. */
  finish(request: QueuedRequest, now: number): void {
    this.#sync(now)
    const { queue } = request
    request.phase = 'over'
    this.executing--
    request.meter.executing--
    if (queue) {
      queue.executing.remove(request)
      if (!queue.isActive) this.#activeQueues--
      const actual = (now - request.startedAt) / 1000
      queue.nextDispatchR -= request.initialSeats * (ESTIMATED_SECONDS - actual)
      queue.bound()
    } else this.#queueless.remove(request)
    if (request.additionalMs <= 0) this.#release(request)
    this.#dispatch(now)
    this.#note(now)
  }

  /** Gives the seats of a finished request back. */
  release(request: QueuedRequest, now: number): void {
    this.#sync(now)
    this.#release(request)
    this.#dispatch(now)
    this.#note(now)
  }

  /** The time that has passed counts for the queues as they were. */
  #sync(now: number): void {
    const elapsed = now - this.#lastTime
    if (elapsed <= 0) return
    this.#lastTime = now
    if (this.#activeQueues === 0) return
    const wanted = this.#seatsOfQueues + this.seatsWaiting
    this.#r += ((wanted < this.#limit ? wanted : this.#limit) / this.#activeQueues) * (elapsed / 1000)
  }

  #note(now: number): void {
    this.#meter.note(this, now)
  }

  #startWithoutQueue(request: QueuedRequest, now: number): void {
    if (!this.#canTake(request.seats)) {
      this.rejected++
      return request.meter.rejected('concurrency-limit')
    }
    request.phase = 'executing'
    request.startedAt = now
    this.#queueless.push(request)
    this.#occupy(request)
  }

  /** The one of the hand with the least work before it, each in turn the first to be looked at. */
  #choose(hand: readonly number[]): Queue {
    const offset = this.#enqueues++ % hand.length
    let best: Queue | undefined
    for (let i = 0; i < hand.length; i++) {
      const index = hand[(offset + i) % hand.length] as number
      const queue = (this.#queues[index] ??= new Queue(index))
      if (!best || queue.workWaiting < best.workWaiting) best = queue
      if (best.workWaiting === 0) break
    }
    return best as Queue
  }

  #enqueue(request: QueuedRequest, queue: Queue, now: number): void {
    if (this.seatsInUse >= this.#limit && queue.waiting.length >= this.#queuing.queueLengthLimit) {
      this.rejected++
      return request.meter.rejected('queue-full')
    }
    if (!queue.isActive) {
      queue.nextDispatchR = this.#r
      this.#activeQueues++
    }
    request.phase = 'waiting'
    request.queue = queue
    queue.enqueue(request)
    if (queue.waiting.length === 1) this.#busy.push(queue)
    this.waiting++
    this.seatsWaiting += request.seats
    request.meter.inQueue++
    request.meter.seatsInQueue += request.seats
    request.meter.queueLength.observe(queue.waiting.length)
    queue.bound()
    this.#dispatch(now)
  }

  #unqueue(queue: Queue, request: QueuedRequest): void {
    queue.leave(request)
    if (queue.waiting.length === 0) this.#busy.splice(this.#busy.indexOf(queue), 1)
    this.waiting--
    this.seatsWaiting -= request.seats
    request.meter.inQueue--
    request.meter.seatsInQueue -= request.seats
  }

  #canTake(seats: number): boolean {
    if (this.#queuing.queues < 0) return true
    // Wider than the level: it goes alone.
    if (seats > this.#limit) return this.executing === 0
    return this.seatsInUse + seats <= this.#limit
  }

  #occupy(request: QueuedRequest): void {
    this.executing++
    this.seatsInUse += request.seats
    request.meter.executing++
    request.meter.seatsInUse += request.seats
  }

  #release(request: QueuedRequest): void {
    const { queue, seats, meter } = request
    this.seatsInUse -= seats
    meter.seatsInUse -= seats
    if (!queue) return
    queue.seatsInUse -= seats
    this.#seatsOfQueues -= seats
    this.#tidy(queue)
  }

  /** Drops a queue that is empty and not wanted any more. */
  #tidy(queue: Queue): void {
    if (queue.index < this.#queuing.queues || queue.isActive || queue.seatsInUse > 0) return
    this.#queues[queue.index] = undefined
    let { length } = this.#queues
    while (length > 0 && !this.#queues[length - 1]) length--
    this.#queues.length = length
  }

  #dispatch(now: number): void {
    while (this.waiting > 0 && this.seatsInUse < this.#limit) {
      const queue = this.#next()
      const request = queue.waiting.first as QueuedRequest
      if (!this.#canTake(request.seats)) return void request.meter.noAccommodation++
      this.#meter.noteDispatch(this.#r, queue, this.#busy)
      this.#robin = queue.index
      this.#unqueue(queue, request)
      this.#narrow(request)
      this.#execute(queue, request, now)
    }
  }

  #execute(queue: Queue, request: QueuedRequest, now: number): void {
    request.phase = 'executing'
    request.startedAt = now
    queue.executing.push(request)
    queue.seatsInUse += request.seats
    this.#seatsOfQueues += request.seats
    this.#occupy(request)
    queue.nextDispatchR += request.work
    queue.bound()
    request.dispatched?.()
  }

  /** Of those that wait, the queue whose next request would be done first; of several, the next in the round. */
  #next(): Queue {
    const busy = this.#busy
    let best = busy[0] as Queue
    if (busy.length === 1) return best
    let bestFinish = Infinity
    let bestTurn = 0
    const round = Math.max(this.#queues.length, this.#queuing.queues)
    for (const queue of busy) {
      const finish = queue.nextDispatchR + (queue.waiting.first as QueuedRequest).work
      const turn = (queue.index - this.#robin - 1 + round) % round
      if (finish > bestFinish || (finish === bestFinish && turn > bestTurn)) continue
      best = queue
      bestFinish = finish
      bestTurn = turn
    }
    return best
  }

  /** The same work behind the answer, on no more seats than there are. */
  #narrow(request: QueuedRequest): void {
    if (request.finalSeats <= this.#limit) return
    request.additionalMs = (request.finalSeats * request.additionalMs) / this.#limit
    request.finalSeats = this.#limit
    request.seats = Math.max(request.initialSeats, request.finalSeats)
  }
}
