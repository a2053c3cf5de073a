// Which keys share a lease; on a clock of the test's own and without an etcd.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Leases } from './leases.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function granting(): { leases: Leases; granted: number[] } {
  const granted: number[] = []
  const leases = new Leases((ttl) => Promise.resolve(`lease ${granted.push(ttl)}`))
  return { leases, granted }
}

it('shares a lease as long as it lives for what the key needs, at most a minute too long', async () => {
  const { leases, granted } = granting()
  expect(await leases.get(3600)).toBe('lease 1')
  vi.advanceTimersByTime(59_000)
  expect(await leases.get(3600)).toBe('lease 1')
  vi.advanceTimersByTime(2_000)
  expect(await leases.get(3600)).toBe('lease 2')
  expect(granted).toEqual([3660, 3660])
})

it('shares for a twentieth of a short time', async () => {
  const { leases, granted } = granting()
  await leases.get(100)
  vi.advanceTimersByTime(4_000)
  expect(await leases.get(100)).toBe('lease 1')
  vi.advanceTimersByTime(2_000)
  expect(await leases.get(100)).toBe('lease 2')
  expect(granted).toEqual([105, 105])
})

it('does not share between different times', async () => {
  const { leases } = granting()
  expect(await leases.get(100)).toBe('lease 1')
  expect(await leases.get(200)).toBe('lease 2')
  expect(await leases.get(100)).toBe('lease 1')
})

it('hangs a thousand keys on a lease, no more', async () => {
  const { leases } = granting()
  const ids = await Promise.all(Array.from({ length: 2001 }, () => leases.get(3600)))
  expect(ids.filter((id) => id === 'lease 1')).toHaveLength(1000)
  expect(ids.filter((id) => id === 'lease 2')).toHaveLength(1000)
  expect(ids[2000]).toBe('lease 3')
})

it('asks anew after a failure, and for a lease that was forgotten', async () => {
  const grant = vi.fn().mockRejectedValueOnce(new Error('away')).mockResolvedValue('lease')
  const leases = new Leases(grant)
  await expect(leases.get(60)).rejects.toThrow('away')
  expect(await leases.get(60)).toBe('lease')
  leases.forget(60)
  expect(await leases.get(60)).toBe('lease')
  expect(grant).toHaveBeenCalledTimes(3)
})
