import { describe, expect, it } from 'vitest'
import { type ResourceStats, estimateWork } from './estimate.ts'
import { infoOf } from './room.fixture.ts'
import { WatchTracker } from './watches.ts'

const KB = 1000
const ONE = { initialSeats: 1, finalSeats: 0, additionalMs: 0 }

function listed(verb: string, query: string, stats: ResourceStats | undefined, more: object = {}): number {
  const estimator = { statsOf: () => stats, watches: new WatchTracker() }
  const asked = { info: infoOf({ verb, ...more }), query: new URLSearchParams(query) }
  return estimateWork(estimator, asked, 0, () => undefined).initialSeats
}

const MANY: ResourceStats = { count: 10_000, averageBytes: 2 * KB }

describe('a list', () => {
  it.each([
    ['of nothing known', '', undefined, 1],
    ['of little', '', { count: 10, averageBytes: 2 * KB }, 1],
    ['of 250 kB', '', { count: 125, averageBytes: 2 * KB }, 3],
    ['of much, in pieces from the cache', '', MANY, 10],
    ['of one page', 'limit=100', MANY, 2],
    ['of the next page', 'limit=500&continue=x', MANY, 10],
    ['of an exact version', 'resourceVersion=5&resourceVersionMatch=Exact', MANY, 100],
    ['of a version at least', 'resourceVersion=5&resourceVersionMatch=NotOlderThan', MANY, 10],
    ['of a page at a version, the old way', 'resourceVersion=5&limit=300', MANY, 6],
    [
      'of what a selector leaves of an exact version',
      'resourceVersion=5&resourceVersionMatch=Exact&limit=1&labelSelector=a',
      { count: 1000, averageBytes: 2 * KB },
      10,
    ],
    ['with a limit that is none', 'limit=many', MANY, 100],
    ['of objects of unknown size', '', { count: 1, averageBytes: 0 }, 10],
  ] as const)('%s', (_, query, stats, seats) => {
    expect(listed('list', query, stats)).toBe(seats)
  })

  it('of one object is a get', () => {
    expect(listed('list', 'fieldSelector=metadata.name%3Dx', MANY, { name: 'x' })).toBe(1)
  })

  it('takes no more than its level lets it', () => {
    const estimator = { statsOf: () => MANY, watches: new WatchTracker() }
    const asked = { info: infoOf({ verb: 'list' }), query: new URLSearchParams() }
    expect(estimateWork(estimator, asked, 4, () => undefined).initialSeats).toBe(4)
  })
})

it.each([
  ['from a version on', 'resourceVersion=5', 1],
  ['from now', '', 10],
  ['from any version', 'resourceVersion=0', 10],
  ['from a version on with the state first', 'resourceVersion=5&sendInitialEvents=true', 10],
  ['from a version on without it', 'resourceVersion=5&sendInitialEvents=false', 1],
] as const)('a watch %s', (_, query, seats) => {
  expect(listed('watch', query, MANY)).toBe(seats)
})

describe('a write', () => {
  const written = (watchers: number, maxSeats: number, more: object = {}) => {
    const watches = new WatchTracker()
    for (let i = 0; i < watchers; i++) watches.register(infoOf({ verb: 'watch' }), null)
    const noted: number[] = []
    const asked = { info: infoOf({ verb: 'create', namespace: 'a', ...more }), query: new URLSearchParams() }
    const estimate = estimateWork({ statsOf: () => undefined, watches }, asked, maxSeats, (n) =>
      noted.push(n),
    )
    return { estimate, noted }
  }

  it('that few hear of takes a seat', () => {
    expect(written(9, 0)).toEqual({ estimate: ONE, noted: [9] })
  })

  it('that many hear of goes on behind its answer, on no more seats than it may take', () => {
    expect(written(95, 0).estimate).toEqual({ initialSeats: 1, finalSeats: 10, additionalMs: 5 })
    expect(written(1000, 0).estimate).toEqual({ initialSeats: 1, finalSeats: 10, additionalMs: 50 })
    expect(written(95, 4).estimate).toEqual({ initialSeats: 1, finalSeats: 4, additionalMs: 12.5 })
  })

  it('of a token is heard of by nobody', () => {
    const watches = new WatchTracker()
    for (let i = 0; i < 50; i++)
      watches.register(infoOf({ verb: 'watch', resource: 'serviceaccounts' }), null)
    const info = infoOf({ verb: 'create', resource: 'serviceaccounts', subresource: 'token' })
    const asked = { info, query: new URLSearchParams() }
    expect(estimateWork({ statsOf: () => undefined, watches }, asked, 0, () => undefined)).toEqual(ONE)
  })

  it('of a collection, and a get, take a seat', () => {
    expect(written(50, 0, { verb: 'deletecollection' }).estimate).toEqual(ONE)
    expect(written(50, 0, { verb: 'get' }).estimate).toEqual(ONE)
  })
})
