import { describe, expect, it } from 'vitest'
import { mandatoryLevels, flowControlObjects } from './bootstrap.ts'
import { type Borrower, divide, limitsOf, maxSeatsOf } from './borrowing.ts'
import { NO_DEMAND } from './demand.ts'
import { levelSpecOf } from './spec.ts'

const LEVELS = flowControlObjects().flatMap((object) =>
  object.kind === 'PriorityLevelConfiguration' ? (levelSpecOf(object) ?? []) : [],
)
const SHARES = LEVELS.reduce((all, { shares }) => all + shares, 0)

/** The levels of the start with upstream's 600 seats, and these demands. */
function idle(demands: Readonly<Record<string, number>> = {}) {
  const borrowers = LEVELS.map((spec): Borrower => {
    const seats = demands[spec.name] ?? 0
    const demand = { average: seats, deviation: 0, highWatermark: seats, smoothed: seats }
    return { ...limitsOf(spec, 600, SHARES), isExempt: spec.isExempt, demand, current: 1 }
  })
  const { seats, fraction } = divide(borrowers)
  return { seats: Object.fromEntries(LEVELS.map(({ name }, i) => [name, seats[i]])), fraction, borrowers }
}

describe('the levels of the start', () => {
  it('have the seats that upstream gives them', () => {
    const limits = Object.fromEntries(LEVELS.map((spec) => [spec.name, limitsOf(spec, 600, SHARES)]))
    expect(limits).toMatchObject({
      'catch-all': { nominal: 13, min: 13, max: 613 },
      exempt: { nominal: 0, min: 0 },
      'global-default': { nominal: 49, min: 24, max: 649 },
      'leader-election': { nominal: 25, min: 25, max: 625 },
      'node-high': { nominal: 98, min: 73, max: 698 },
      system: { nominal: 74, min: 50, max: 674 },
      'workload-high': { nominal: 98, min: 49, max: 698 },
      'workload-low': { nominal: 245, min: 24, max: 845 },
    })
    expect(idle().seats).toEqual({
      'catch-all': 30,
      exempt: 0,
      'global-default': 56,
      'leader-election': 58,
      'node-high': 170,
      system: 117,
      'workload-high': 114,
      'workload-low': 56,
    })
  })

  it('lend to the one that wants more than its share', () => {
    const { seats } = idle({ 'workload-low': 400 })
    expect(seats['workload-low']).toBeGreaterThan(300)
    expect(seats['node-high']).toBeGreaterThanOrEqual(73)
    expect(seats['catch-all']).toBeGreaterThanOrEqual(13)
  })

  it('get back what they lent when they want it themselves', () => {
    const { seats } = idle({ 'workload-low': 600, 'workload-high': 98, system: 74 })
    expect(seats['workload-high']).toBeGreaterThanOrEqual(98)
    expect(seats['system']).toBeGreaterThanOrEqual(74)
  })

  it('share what the exempt one leaves', () => {
    const { seats } = idle({ exempt: 500, 'workload-low': 245 })
    expect(seats['exempt']).toBe(500)
    expect(seats['node-high']).toBe(73)
    const { seats: some, fraction } = idle({ exempt: 250, 'workload-low': 245, 'workload-high': 98 })
    expect(fraction).toBe(0)
    expect(some['workload-low']).toBeGreaterThan(24)
    expect(some['workload-low']).toBeLessThan(245)
  })

  it('let one request take a part of them only', () => {
    const widest = Object.fromEntries(
      LEVELS.map((spec) => [spec.name, maxSeatsOf(spec, limitsOf(spec, 600, SHARES))]),
    )
    expect(widest).toMatchObject({ 'catch-all': 0, exempt: 0, 'global-default': 8, 'workload-low': 37 })
  })
})

it('bounds what a level may borrow', () => {
  const spec = {
    ...(LEVELS.find(({ name }) => name === 'system') as (typeof LEVELS)[number]),
    borrowingLimitPercent: 50,
  }
  expect(limitsOf(spec, 600, SHARES)).toEqual({ nominal: 74, min: 50, max: 111 })
})

it('gives the mandatory levels all there is where there are no others', () => {
  const borrowers = mandatoryLevels().map((object): Borrower => {
    const spec = levelSpecOf(object) as (typeof LEVELS)[number]
    return { ...limitsOf(spec, 600, 5), isExempt: spec.isExempt, demand: NO_DEMAND, current: 0 }
  })
  expect(divide(borrowers).seats).toEqual([0, 600])
})
