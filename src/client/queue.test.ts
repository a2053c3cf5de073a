import { describe, expect, it } from 'vitest'
import { ManualClock } from './clock.ts'
import { WorkQueue } from './queue.ts'

describe('a work queue', () => {
  it('holds a key once, however often it is added', async () => {
    const queue = new WorkQueue(new ManualClock())
    for (const key of ['a', 'b', 'a']) queue.add(key)
    expect(queue.length).toBe(2)
    expect([await queue.next(), await queue.next()]).toEqual(['a', 'b'])
  })

  it('gives a key to one worker at a time, and again when it was added meanwhile', async () => {
    const queue = new WorkQueue(new ManualClock())
    queue.add('a')
    expect(await queue.next()).toBe('a')
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(await queue.next()).toBe('a')
    queue.done('a')
    expect(queue.idle).toBe(true)
  })

  it('hands a key to who waits for one', async () => {
    const queue = new WorkQueue(new ManualClock())
    const next = queue.next()
    queue.add('a')
    expect(await next).toBe('a')
  })

  it('waits longer after each failure in a row, until they are forgotten', () => {
    const clock = new ManualClock()
    const queue = new WorkQueue(clock)
    const waits = (): number => {
      queue.addRateLimited('a')
      let ms = 0
      for (; queue.length === 0; ms++) clock.advance(1)
      void queue.next()
      queue.done('a')
      return ms
    }
    expect([waits(), waits(), waits()]).toEqual([5, 10, 20])
    queue.forget('a')
    expect(waits()).toBe(5)
  })

  it('takes the earliest of several times for one key', () => {
    const clock = new ManualClock()
    const queue = new WorkQueue(clock)
    queue.addAfter('a', 100)
    queue.addAfter('a', 50)
    queue.addAfter('a', 70)
    clock.advance(50)
    expect(queue.length).toBe(1)
    clock.advance(100)
    expect(queue.length).toBe(1)
  })

  it('tells those who wait that it is shut down, and takes nothing more', async () => {
    const clock = new ManualClock()
    const queue = new WorkQueue(clock)
    const next = queue.next()
    queue.addAfter('b', 10)
    queue.shutDown()
    queue.add('a')
    clock.advance(20)
    expect(await next).toBeUndefined()
    expect(await queue.next()).toBeUndefined()
  })
})
