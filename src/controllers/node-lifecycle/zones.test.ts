// How bad it is in a zone, and how fast its nodes are tainted.
import { expect, it } from 'vitest'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { rateIn, TaintQueue, zoneOf, zoneState, Zones } from './zones.ts'

const RATES = { rate: 1, secondaryRate: 0.1, largeZone: 4, unhealthyPart: 0.55 }
const statuses = (ready: number, not: number) => [
  ...Array<string>(ready).fill('True'),
  ...Array<string>(not).fill('Unknown'),
]

it.each([
  [3, 0, 'Normal'],
  [0, 0, 'Normal'],
  [0, 1, 'FullDisruption'],
  [1, 2, 'Normal'],
  [2, 3, 'PartialDisruption'],
  [3, 3, 'Normal'],
])('%i ready and %i not: %s', (ready, not, state) => {
  expect(zoneState(statuses(ready, not), RATES.unhealthyPart)).toBe(state)
})

it('slows down where much is broken in a large zone, and stops in a small one', () => {
  expect([5, 4].map((size) => rateIn('PartialDisruption', size, RATES))).toEqual([0.1, 0])
  expect(rateIn('FullDisruption', 4, RATES)).toBe(1)
})

it('names zones by region and zone, new labels before old ones', () => {
  const of = (labels: Record<string, string>) => zoneOf({ metadata: { labels } } as unknown as Node)
  expect(of({})).toBe('')
  expect(of({ 'topology.kubernetes.io/zone': 'b', 'failure-domain.beta.kubernetes.io/zone': 'c' })).toBe(
    ':\0:b',
  )
  expect(of({ 'topology.kubernetes.io/region': 'r' })).toBe('r:\0:')
})

it('hands out one node at once, then as many as the rate lets', () => {
  const queue = new TaintQueue(1)
  expect([queue.add('a'), queue.add('b'), queue.add('a')]).toEqual([true, true, false])
  expect([queue.take(1000), queue.take(1000), queue.take(1999), queue.take(2000), queue.take(9000)]).toEqual([
    'a',
    undefined,
    undefined,
    'b',
    undefined,
  ])
  expect(queue.add('a')).toBe(false)
  queue.remove('a')
  queue.add('a')
  queue.setRate(0, 9000)
  expect([queue.take(20_000), queue.isWaiting]).toEqual([undefined, false])
  queue.setRate(1, 20_000)
  expect([queue.take(20_500), queue.take(21_000)]).toEqual([undefined, 'a'])
  queue.giveBack('a', 30_000)
  expect([queue.take(29_000), queue.take(30_000)]).toEqual([undefined, 'a'])
})

it('stops everything where nothing is heard of at all, until something is', () => {
  const zones = new Zones(RATES)
  const both = (a: string, b: string) =>
    new Map([
      ['a', [a]],
      ['b', [b]],
    ])
  expect(zones.look(both('True', 'True'), 0)).toBe(undefined)
  expect(zones.look(both('True', 'Unknown'), 0)).toBe(undefined)
  zones.queueOf('b').add('node')
  expect(zones.look(both('Unknown', 'Unknown'), 0)).toBe('begins')
  expect(zones.queueOf('b').take(60_000)).toBe(undefined)
  expect(zones.look(both('Unknown', 'Unknown'), 60_000)).toBe(undefined)
  expect(zones.look(both('True', 'Unknown'), 60_000)).toBe('ends')
  expect(zones.queueOf('b').take(61_000)).toBe('node')
  expect([zones.stateOf('a'), zones.stateOf('b')]).toEqual(['Normal', 'FullDisruption'])
  zones.look(new Map([['a', ['True']]]), 0)
  expect(zones.stateOf('b')).toBe(undefined)
})
