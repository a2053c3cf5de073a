import { expect, it } from 'vitest'
import { deal, Hands, hashFlow } from './hand.ts'

/** Said by upstream's own functions. */
const KNOWN: readonly [string, string, bigint, readonly [number[], number[], number[]]][] = [
  [
    'global-default',
    'alice',
    17644606172554983095n,
    [
      [55, 62, 126, 125, 105, 1],
      [55, 56, 51, 36, 11, 5],
      [7, 14, 0, 3],
    ],
  ],
  [
    'service-accounts',
    'system:serviceaccount:a:b',
    8690863317635817527n,
    [
      [55, 113, 71, 36, 27, 19],
      [55, 49, 50, 0, 33, 37],
      [7, 11, 8, 0],
    ],
  ],
  [
    '',
    '',
    10987292151339758702n,
    [
      [110, 115, 6, 122, 92, 14],
      [46, 53, 5, 47, 33, 18],
      [14, 3, 12, 11],
    ],
  ],
]

it.each(KNOWN)(
  'deals the flow %j %j upstream’s cards',
  (schema, distinguisher, hash, [of128, of64, of16]) => {
    expect(hashFlow(schema, distinguisher)).toBe(hash)
    expect(deal(hash, 128, 6)).toEqual(of128)
    expect(deal(hash, 64, 6)).toEqual(of64)
    expect(deal(hash, 16, 4)).toEqual(of16)
  },
)

it('deals each card once, of any deck', () => {
  for (let i = 0; i < 500; i++) {
    const hand = deal(hashFlow('s', String(i)), 12, 10)
    expect(new Set(hand).size).toBe(10)
    expect(hand.every((card) => card >= 0 && card < 12)).toBe(true)
  }
})

it('forgets hands rather than keeping all there ever were', () => {
  const hands = new Hands('s', 64, 6)
  const first = hands.of('flow-0')
  for (let i = 0; i < 5000; i++) hands.of(`flow-${i}`)
  expect(hands.of('flow-0')).toEqual(first)
})
