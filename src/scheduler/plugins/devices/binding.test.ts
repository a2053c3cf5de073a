// Claims whose devices are made ready after they were handed out.
import { expect, it } from 'vitest'
import { ManualClock } from '../../../client/clock.ts'
import type { ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import { hasConditions, isBroken, isReady, untilReady } from './binding.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const claimWith = (...conditions: readonly [type: string, status: string][]): ResourceClaim => ({
  metadata: { name: 'c', namespace: 'n' },
  spec: { devices: { requests: [] } },
  status: {
    allocation: {
      allocationTimestamp: '2026-01-01T00:00:00Z',
      devices: {
        results: [
          {
            ...{ request: 'r', driver: 'd', pool: 'p', device: 'x' },
            bindingConditions: ['Attached', 'Warm'],
            bindingFailureConditions: ['Lost'],
          },
        ],
      },
    },
    devices: [
      {
        ...{ driver: 'd', pool: 'p', device: 'x' },
        conditions: conditions.map(([type, status]) => ({
          ...{ type, status, reason: 'Gone', message: 'no such "x"', lastTransitionTime: '' },
        })),
      },
    ],
  },
})

it('is ready when all conditions are true, and never where one says that it failed', () => {
  expect(isReady(claimWith())).toBe(false)
  expect(isReady(claimWith(['Attached', 'True'], ['Warm', 'False']))).toBe(false)
  expect(isReady(claimWith(['Attached', 'True'], ['Warm', 'True'], ['Lost', 'False']))).toBe(true)
  expect(() => isReady(claimWith(['Attached', 'True'], ['Warm', 'True'], ['Lost', 'True']))).toThrow(
    'device binding failed: claim=c, reason=Gone, message="no such \\"x\\""',
  )
  const plain = claimWith()
  for (const one of plain.status.allocation?.devices.results ?? []) delete one.bindingConditions
  expect([hasConditions(claimWith()), hasConditions(plain), isReady(plain)]).toEqual([true, false, true])
})
it('is broken where it failed or took too long', () => {
  expect(isBroken(claimWith(), NOW + 1000, 5000)).toBe(false)
  expect(isBroken(claimWith(), NOW + 6000, 5000)).toBe(true)
  expect(isBroken(claimWith(['Attached', 'True'], ['Warm', 'True']), NOW + 6000, 5000)).toBe(false)
  expect(isBroken(claimWith(['Lost', 'True']), NOW, 5000)).toBe(true)
})
it('is waited for until it is ready, or the time is over', async () => {
  const clock = new ManualClock(NOW)
  const { signal } = new AbortController()
  let claim = claimWith()
  const wait = (): Promise<void> => untilReady({ clock, timeoutMs: 5000, signal, claims: () => [claim] })
  const waiting = wait()
  claim = claimWith(['Attached', 'True'], ['Warm', 'True'])
  clock.advance(200)
  await expect(waiting).resolves.toBeUndefined()
  claim = claimWith()
  clock.advance(6000)
  await expect(wait()).rejects.toThrow('device binding timeout: claim=c')
})
