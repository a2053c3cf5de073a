import { expect, it } from 'vitest'
import { allocate, type Claim } from './allocation.ts'

const claim = (target: number, lower: number, upper: number): Claim => ({ target, lower, upper })

it.each([
  ['each the same multiple', 30, [claim(1, 0, 100), claim(2, 0, 100)], [10, 20]],
  ['no less than the lower bound', 12, [claim(10, 10, 100), claim(10, 0, 100)], [10, 2]],
  ['no more than the upper bound', 30, [claim(1, 0, 5), claim(1, 0, 100)], [5, 25]],
  ['all at their lower bounds', 7, [claim(5, 3, 10), claim(5, 4, 10)], [3, 4]],
  ['all at their upper bounds', 11, [claim(5, 0, 5), claim(5, 0, 6)], [5, 6]],
  ['nothing', 0, [claim(5, 0, 5)], [0]],
  [
    'among those that want nothing, in equal parts',
    9,
    [claim(0, 0, 50), claim(0, 0, 50), claim(0, 0, 50)],
    [3, 3, 3],
  ],
] as const)('gives %s', (_, sum, claims, shares) => {
  const { shares: given = [] } = allocate(sum, claims) ?? {}
  expect(given.length).toBe(shares.length)
  given.forEach((share, i) => expect(share).toBeCloseTo(shares[i] as number, 6))
})

it.each([
  ['lower bounds above the sum', 5, [claim(6, 6, 9)]],
  ['upper bounds below the sum', 10, [claim(6, 0, 9)]],
  ['a target below its bound', 10, [claim(1, 2, 20)]],
  ['a sum below nothing', -1, [claim(1, 0, 20)]],
] as const)('knows that there is no way with %s', (_, sum, claims) => {
  expect(allocate(sum, claims)).toBeUndefined()
})

it('holds every bound, and adds up, whatever is claimed', () => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
  for (let round = 0; round < 300; round++) {
    const claims = Array.from({ length: 1 + random(8) }, () => {
      const lower = random(20)
      const target = lower + random(30)
      return claim(target, lower, lower + random(60))
    })
    const low = claims.reduce((all, { lower }) => all + lower, 0)
    const high = claims.reduce((all, { upper }) => all + upper, 0)
    const sum = low + random(high - low + 1)
    const { shares, fraction } = allocate(sum, claims) ?? { shares: [], fraction: 0 }
    expect(shares.reduce((all, one) => all + one, 0)).toBeCloseTo(sum, 4)
    shares.forEach((share, i) => {
      const { lower, upper, target } = claims[i] as Claim
      expect(share).toBeGreaterThanOrEqual(lower)
      expect(share).toBeLessThanOrEqual(upper)
      if (share > lower + 1e-6 && share < upper - 1e-6)
        expect(share).toBeCloseTo(fraction * Math.max(target, 0.001), 4)
    })
  }
})
