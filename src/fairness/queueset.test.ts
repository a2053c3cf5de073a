import { describe, expect, it } from 'vitest'
import { FlowMeter, LevelMeter } from './meters.ts'
import { QueuedRequest } from './queue.ts'
import { QueueSet } from './queueset.ts'
import type { Queuing } from './spec.ts'

const QUEUES: Queuing = { queues: 8, queueLengthLimit: 5, handSize: 1 }

function setOf(queuing: Queuing, limit: number) {
  const set = new QueueSet(queuing, new LevelMeter(0), 0)
  set.configure(queuing, limit, 0)
  const meter = new FlowMeter('level', 'schema')
  /** Starts a request of the flow that has this one queue. */
  const start = (
    queue: number,
    now: number,
    more: Partial<{ seats: number; final: number; ms: number }> = {},
  ) => {
    const { seats = 1, final = 0, ms = 0 } = more
    const estimate = { initialSeats: seats, finalSeats: final, additionalMs: ms }
    const request = new QueuedRequest(meter, `flow-${queue}`, estimate)
    set.start(request, [queue], now)
    return request
  }
  return { set, meter, start }
}

describe('with queues', () => {
  it('lets in as many as there are seats, has the others wait, and refuses when their queue is full', () => {
    const { set, meter, start } = setOf(QUEUES, 2)
    const all = Array.from({ length: 9 }, (_, i) => start(0, i))
    expect(all.map(({ phase }) => phase)).toEqual([
      ...['executing', 'executing', 'waiting', 'waiting', 'waiting', 'waiting', 'waiting'],
      ...['arriving', 'arriving'],
    ])
    expect([set.executing, set.waiting, set.rejected]).toEqual([2, 5, 2])
    expect(meter.rejections.get('queue-full')).toBe(2)
    // Another queue has room still.
    expect(start(1, 10).phase).toBe('waiting')
  })

  it('serves one queue in the order in which its requests came', () => {
    const { set, start } = setOf(QUEUES, 1)
    const order: string[] = []
    const all = ['a', 'b', 'c', 'd'].map((name, i) => {
      const request = start(0, i)
      request.dispatched = () => void order.push(name)
      return request
    })
    for (const [i, request] of all.entries()) set.finish(request, 10 + i)
    expect(order).toEqual(['b', 'c', 'd'])
    expect(set.isIdle).toBe(true)
    expect(set.seatsInUse).toBe(0)
  })

  it('takes turns between queues, however much waits in one of them', () => {
    const { set, start } = setOf({ ...QUEUES, queueLengthLimit: 1000 }, 1)
    const order: number[] = []
    const running: QueuedRequest[] = []
    const send = (queue: number): void => {
      const request = start(queue, 0)
      if (request.phase === 'executing') return void running.push(request)
      request.dispatched = () => {
        order.push(queue)
        running.push(request)
      }
    }
    for (let i = 0; i < 100; i++) send(0)
    for (let i = 0; i < 10; i++) send(5)
    for (let now = 3; running.length > 0; now += 3) set.finish(running.shift() as QueuedRequest, now)
    expect(order.length).toBe(109)
    // The ten of the quiet queue are served among the first twenty-odd.
    expect(order.lastIndexOf(5)).toBeLessThanOrEqual(21)
  })

  it('reckons by seats and time, not by requests', () => {
    const { set, start } = setOf({ ...QUEUES, queueLengthLimit: 1000 }, 4)
    const done = { wide: 0, narrow: 0 }
    const running: { request: QueuedRequest; kind: 'wide' | 'narrow' }[] = []
    const send = (kind: 'wide' | 'narrow'): void => {
      const request = start(kind === 'wide' ? 0 : 1, 0, { seats: kind === 'wide' ? 4 : 1 })
      const begin = (): void => void running.push({ request, kind })
      if (request.phase === 'executing') begin()
      else request.dispatched = begin
    }
    for (let i = 0; i < 200; i++) send('wide')
    for (let i = 0; i < 200; i++) send('narrow')
    for (let now = 3; done.wide + done.narrow < 100; now += 3) {
      for (const { request, kind } of running.splice(0)) {
        set.finish(request, now)
        done[kind]++
      }
    }
    expect(done.narrow / done.wide).toBeGreaterThan(2.5)
    expect(done.narrow / done.wide).toBeLessThan(6)
  })

  it('keeps seats free for the next request when it is wide, and lets one that is wider than all go alone', () => {
    const { set, meter, start } = setOf(QUEUES, 4)
    const first = start(0, 0, { seats: 2 })
    const wide = start(1, 1, { seats: 9 })
    const third = start(2, 2)
    expect([first.phase, wide.phase, third.phase]).toEqual(['executing', 'waiting', 'executing'])
    expect(meter.noAccommodation).toBeGreaterThan(0)
    set.finish(third, 10)
    set.finish(first, 20)
    expect(wide.phase).toBe('executing')
    const later = start(3, 21)
    expect(later.phase).toBe('waiting')
    set.finish(wide, 30)
    expect(later.phase).toBe('executing')
  })

  it('gives the seats of what goes on behind an answer back later', () => {
    const { set, start } = setOf(QUEUES, 3)
    const write = start(0, 0, { final: 3, ms: 5 })
    const read = start(1, 1)
    expect(set.seatsInUse).toBe(3)
    set.finish(write, 2)
    expect([set.executing, set.seatsInUse, read.phase]).toEqual([0, 3, 'waiting'])
    set.release(write, 7)
    expect([set.seatsInUse, read.phase]).toEqual([1, 'executing'])
  })

  it('makes what goes on behind an answer narrower and longer where there are fewer seats', () => {
    const { set, start } = setOf(QUEUES, 2)
    const write = start(0, 0, { final: 10, ms: 5 })
    expect([write.finalSeats, write.additionalMs, write.seats]).toEqual([2, 25, 2])
    set.finish(write, 1)
    set.release(write, 26)
    expect([set.seatsInUse, set.seatsWaiting]).toEqual([0, 0])
  })

  it('takes out what has waited long enough', () => {
    const { set, meter, start } = setOf(QUEUES, 1)
    const first = start(0, 0)
    const second = start(0, 1)
    const third = start(0, 2)
    expect(set.cancel(second, 5)).toBe(true)
    expect(set.cancel(second, 6)).toBe(false)
    expect(set.cancel(first, 6)).toBe(false)
    expect([set.waiting, set.cancelled, meter.rejections.get('time-out')]).toEqual([1, 1, 1])
    set.finish(first, 10)
    expect(third.phase).toBe('executing')
    expect(second.phase).toBe('over')
    set.finish(third, 11)
    expect([meter.inQueue, meter.executing, meter.seatsInUse, meter.seatsInQueue]).toEqual([0, 0, 0, 0])
  })

  it('does not let a queue save up what it did not use', () => {
    const { set, start } = setOf({ ...QUEUES, queueLengthLimit: 100 }, 1)
    // Busy alone for a long time, then met by another: both begin from here.
    let running = start(0, 0)
    for (let now = 10; now < 1000; now += 10) {
      set.finish(running, now)
      running = start(0, now)
    }
    set.finish(running, 1000)
    const blocker = start(5, 1000)
    const order: number[] = []
    const waiting = [1, 1, 1, 0, 0, 0].map((queue) => {
      const request = start(queue, 1000)
      request.dispatched = () => void order.push(queue)
      return request
    })
    set.finish(blocker, 1003)
    for (let i = 0; i < 5; i++) {
      const next = waiting.find(({ phase }) => phase === 'executing') as QueuedRequest
      set.finish(next, 1006 + 3 * i)
    }
    expect([...order].sort()).toEqual([0, 0, 0, 1, 1, 1])
    expect(new Set(order.slice(0, 2)).size).toBe(2)
    expect(new Set(order.slice(2, 4)).size).toBe(2)
  })

  it('picks the queue of the hand with the least work before it', () => {
    const { set, meter } = setOf({ ...QUEUES, handSize: 3 }, 1)
    const at = Array.from({ length: 13 }, () => {
      const request = new QueuedRequest(meter, 'flow', { initialSeats: 1, finalSeats: 0, additionalMs: 0 })
      set.start(request, [2, 4, 6], 0)
      return request.queue?.index
    })
    const counts = new Map<number | undefined, number>()
    for (const index of at) counts.set(index, (counts.get(index) ?? 0) + 1)
    expect([...counts.keys()].sort()).toEqual([2, 4, 6])
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1)
  })
})

describe('without queues', () => {
  it('refuses what finds no seat', () => {
    const { set, meter, start } = setOf({ queues: 0, queueLengthLimit: 0, handSize: 0 }, 2)
    const phases = [start(0, 0), start(0, 0), start(0, 0)]
    expect(phases.map(({ phase }) => phase)).toEqual(['executing', 'executing', 'arriving'])
    expect(meter.rejections.get('concurrency-limit')).toBe(1)
    set.finish(phases[0] as QueuedRequest, 1)
    expect(start(0, 2).phase).toBe('executing')
  })

  it('refuses nothing where there is no limit', () => {
    const { set, start } = setOf({ queues: -1, queueLengthLimit: 0, handSize: 0 }, 0)
    for (let i = 0; i < 1000; i++) expect(start(0, i, { seats: 10 }).phase).toBe('executing')
    expect(set.seatsInUse).toBe(10_000)
    expect([...set.queueless].length).toBe(1000)
  })
})

describe('when it is changed', () => {
  it('lets more in at once where there are more seats, and fewer as they come free', () => {
    const { set, start } = setOf(QUEUES, 1)
    const all = [start(0, 0), start(1, 0), start(2, 0)]
    set.configure(QUEUES, 2, 1)
    expect(all.filter(({ phase }) => phase === 'executing').length).toBe(2)
    set.configure(QUEUES, 1, 2)
    set.finish(all[0] as QueuedRequest, 3)
    expect([set.executing, set.waiting]).toEqual([1, 1])
  })

  it('drains queues that are not wanted any more, and drops them', () => {
    const { set, start } = setOf(QUEUES, 1)
    const all = [start(7, 0), start(7, 0), start(6, 0)]
    set.configure({ ...QUEUES, queues: 2 }, 1, 1)
    for (let now = 2; !set.isIdle; now++) {
      const next = all.find(({ phase }) => phase === 'executing') as QueuedRequest
      set.finish(next, now)
    }
    expect(set.queues.length).toBeLessThanOrEqual(2)
    expect(start(1, 10).phase).toBe('executing')
  })

  it('drains what waits when nothing may wait any more', () => {
    const { set, start } = setOf(QUEUES, 1)
    const first = start(0, 0)
    const second = start(0, 0)
    set.configure({ queues: 0, queueLengthLimit: 0, handSize: 0 }, 1, 1)
    expect(start(0, 2).phase).toBe('arriving')
    set.finish(first, 3)
    expect(second.phase).toBe('executing')
    set.finish(second, 4)
    expect([set.isIdle, set.queues.length, set.seatsInUse]).toEqual([true, 0, 0])
  })
})

it('counts to nothing in the end, whatever came', () => {
  let seed = 11
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
  const { set, meter, start } = setOf({ queues: 8, queueLengthLimit: 10, handSize: 1 }, 6)
  const live = new Set<QueuedRequest>()
  const lingering: { request: QueuedRequest; at: number }[] = []
  for (let now = 1; now < 5000; now++) {
    const dice = random(10)
    if (dice < 4)
      live.add(start(random(8), now, { seats: 1 + random(9), final: random(3) * 5, ms: random(3) * 7 }))
    if (dice === 9)
      set.configure({ queues: 1 + random(8), queueLengthLimit: 10, handSize: 1 }, 1 + random(9), now)
    for (const request of live) {
      if (request.phase === 'arriving' || request.phase === 'over') live.delete(request)
      else if (request.phase === 'waiting' && random(50) === 0) set.cancel(request, now)
      else if (request.phase === 'executing' && random(6) === 0) {
        set.finish(request, now)
        if (request.additionalMs > 0) lingering.push({ request, at: now + request.additionalMs })
      }
    }
    for (const one of lingering.filter(({ at }) => at <= now)) {
      lingering.splice(lingering.indexOf(one), 1)
      set.release(one.request, now)
    }
  }
  for (let now = 5000; !set.isIdle; now++)
    for (const request of live)
      if (request.phase === 'executing') {
        set.finish(request, now)
        if (request.additionalMs > 0) set.release(request, now)
      }
  for (const { request } of lingering) set.release(request, 9000)
  expect([set.waiting, set.executing, set.seatsInUse, set.seatsWaiting]).toEqual([0, 0, 0, 0])
  expect([meter.inQueue, meter.executing, meter.seatsInUse, meter.seatsInQueue]).toEqual([0, 0, 0, 0])
  for (const queue of set.queues) expect([queue?.seatsWaiting ?? 0, queue?.seatsInUse ?? 0]).toEqual([0, 0])
})
