import { expect, it } from 'vitest'
import { InflightLimit } from './inflight.ts'

it('lets so many in at once, the others in turn', async () => {
  const limit = new InflightLimit(2)
  const first = await limit.enter()
  await limit.enter()
  const order: string[] = []
  const third = Promise.resolve(limit.enter()).then((leave) => (order.push('third'), leave))
  const fourth = Promise.resolve(limit.enter()).then((leave) => (order.push('fourth'), leave))
  await Promise.resolve()
  expect(order).toEqual([])
  first()
  ;(await third)()
  await fourth
  expect(order).toEqual(['third', 'fourth'])
  expect(limit.running).toBe(2)
})

it('refuses with 429 when the queue is full too', async () => {
  const limit = new InflightLimit(0)
  for (let i = 0; i < 4096; i++) void limit.enter()
  expect(() => limit.enter()).toThrow('Too many requests, please try again later.')
})
