// Addresses and heartbeats of simulated nodes.
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../client/clock.ts'
import { parseRange, PodAddresses, type Range, subRange } from './addresses.ts'
import { Wheel } from './wheel.ts'

describe('addresses', () => {
  const range = parseRange('10.128.0.0/9') as Range
  it('are cut into ranges', () => {
    expect([subRange(range, 24, 0), subRange(range, 24, 300)]).toEqual(['10.128.0.0/24', '10.129.44.0/24'])
    expect(subRange(range, 24, 2 ** 15)).toBeUndefined()
    expect(['10.0.0.300/8', '10.0.0.0/33', 'fd00::/8', ''].map(parseRange)).toEqual(Array(4).fill(undefined))
  })
  it('are given to one pod at a time, and come back', () => {
    const pods = new PodAddresses(parseRange('10.0.0.0/29') as Range)
    pods.keep('old', '10.0.0.3')
    expect(['a', 'b', 'a', 'c', 'd', 'e'].map((uid) => pods.take(uid))).toEqual([
      '10.0.0.2',
      '10.0.0.4',
      '10.0.0.2',
      '10.0.0.5',
      '10.0.0.6',
      undefined,
    ])
    pods.giveBack('old')
    expect(pods.take('e')).toBe('10.0.0.3')
  })
})

it('a wheel calls each once a turn, spread over it', () => {
  const clock = new ManualClock()
  const wheel = new Wheel(clock, 10_000)
  const calls = new Map<string, number[]>()
  for (const name of ['a', 'b', 'c']) {
    calls.set(name, [])
    wheel.join(name, () => calls.get(name)?.push(clock.now()))
  }
  wheel.start()
  clock.advance(20_000)
  expect([...calls.values()].map(({ length }) => length)).toEqual([2, 2, 2])
  expect(new Set([...calls.values()].flat()).size).toBe(6)
  wheel.leave('a')
  clock.advance(10_000)
  expect([...calls.values()].map(({ length }) => length)).toEqual([2, 3, 3])
  wheel.stop()
  clock.advance(10_000)
  expect(calls.get('b')).toHaveLength(3)
})
