// The periodic compaction, on the memory engine and a clock of the test's own.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startCompaction } from './compactor.ts'
import { put } from './contract.probe.suite.ts'
import { isCompacted } from './interface.ts'
import { MemoryStorage } from './memory.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('keeps the history of one interval at least, of two at most', async () => {
  const storage = new MemoryStorage()
  const early = await put(storage, '/a/x', 'v')
  const told: number[] = []
  const stop = startCompaction(storage, 1000, { compacted: (revision) => told.push(revision) })
  await vi.advanceTimersByTimeAsync(500)
  const middle = await put(storage, '/a/y', 'v')
  await vi.advanceTimersByTimeAsync(600)
  const late = await put(storage, '/a/z', 'v')
  const compacted = async (revision: number): Promise<boolean> =>
    isCompacted(await storage.list({ prefix: '/a/', revision }))
  expect(await compacted(early)).toBe(false)
  await vi.advanceTimersByTimeAsync(1000)
  expect(await compacted(early)).toBe(true)
  expect(await compacted(middle)).toBe(false)
  expect(told).toEqual([early, middle])
  stop()
  await vi.advanceTimersByTimeAsync(5000)
  expect(await compacted(middle)).toBe(false)
  expect(await compacted(late)).toBe(false)
  await storage.close()
})

it('tells of a failure and tries again', async () => {
  const storage = new MemoryStorage()
  await put(storage, '/a/x', 'v')
  const failures: unknown[] = []
  const currentRevision = storage.currentRevision.bind(storage)
  vi.spyOn(storage, 'currentRevision')
    .mockRejectedValueOnce(new Error('away'))
    .mockImplementation(currentRevision)
  const compact = vi.spyOn(storage, 'compact')
  const stop = startCompaction(storage, 1000, { failed: (error) => failures.push(error) })
  await vi.advanceTimersByTimeAsync(2500)
  expect(failures).toHaveLength(1)
  expect(compact).toHaveBeenCalledTimes(1)
  stop()
  await storage.close()
})
