import { expect, it } from 'vitest'
import { DroppedRequests } from './dropped.ts'

const drop = (dropped: DroppedRequests, second: number, times: number): void => {
  for (let i = 0; i < times; i++) dropped.record(second)
}

it('tells clients to stay away for a second, and longer while many are refused', () => {
  const dropped = new DroppedRequests()
  expect(dropped.retryAfter).toBe(1)
  drop(dropped, 100, 5)
  expect(dropped.retryAfter).toBe(1)
  drop(dropped, 101, 5)
  expect(dropped.retryAfter).toBe(2)
  // Not again before so many seconds have passed.
  drop(dropped, 102, 50)
  expect(dropped.retryAfter).toBe(2)
  drop(dropped, 103, 50)
  expect(dropped.retryAfter).toBe(4)
  for (let second = 104; second < 300; second++) drop(dropped, second, 500)
  expect(dropped.retryAfter).toBe(32)
})

it('goes back second by second when few are', () => {
  const dropped = new DroppedRequests()
  for (let second = 100; second < 120; second++) drop(dropped, second, 100)
  const before = dropped.retryAfter
  expect(before).toBeGreaterThan(4)
  drop(dropped, 500, 1)
  expect(dropped.retryAfter).toBe(before - 1)
  drop(dropped, 600, 1)
  expect(dropped.retryAfter).toBe(before - 2)
})
