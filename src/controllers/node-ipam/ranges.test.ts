// Ranges cut into pieces, and who has which.
import { describe, expect, it } from 'vitest'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { NodeRanges } from './node-ipam.ts'
import { parseRange, Pieces, type Range, rangeText } from './ranges.ts'

const range = (text: string): Range => parseRange(text) as Range

it.each([
  ['10.1.2.3/16', '10.1.0.0/16'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['FD00::1:0:0:1/48', 'fd00::/48'],
  ['2001:db8:0:1::/64', '2001:db8:0:1::/64'],
  ['1:0:0:2:0:0:0:3/128', '1:0:0:2::3/128'],
  ['::ffff:1.2.3.4/128', '::ffff:102:304/128'],
  ['::/0', '::/0'],
  ['1::/128', '1::/128'],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0', undefined],
  ['fd00::/129', undefined],
  ['10.0.0/8', undefined],
  ['10.0.0.0/8/8', undefined],
])('%s is %s', (text, canonical) => {
  const parsed = parseRange(text)
  expect(parsed && rangeText(parsed)).toBe(canonical)
})

describe('pieces', () => {
  const take = (pieces: Pieces, count: number) =>
    Array.from({ length: count }, () => pieces.take()).map((one) => one && rangeText(one))
  it('are given out in turn, but for those that others have', () => {
    const pieces = new Pieces(range('10.0.0.0/22'), 24)
    pieces.reserve(range('10.0.0.0/24'))
    pieces.reserve(range('172.16.0.0/12'))
    expect(pieces.occupy(range('10.0.2.128/25'))).toBe(true)
    expect(pieces.occupy(range('10.0.4.0/24'))).toBe(false)
    expect(pieces.occupy(range('fd00::/64'))).toBe(false)
    expect(take(pieces, 3)).toEqual(['10.0.1.0/24', '10.0.3.0/24', undefined])
    for (const freed of ['10.0.0.0/24', '10.0.2.0/24']) pieces.release(range(freed))
    expect(take(pieces, 2)).toEqual(['10.0.2.0/24', undefined])
  })
  it('may all be under one wider range', () => {
    const pieces = new Pieces(range('10.0.0.0/23'), 24)
    pieces.occupy(range('10.0.0.0/8'))
    expect(take(pieces, 1)).toEqual([undefined])
    pieces.release(range('10.0.0.0/8'))
    expect(take(pieces, 3)).toEqual(['10.0.0.0/24', '10.0.1.0/24', undefined])
  })
  it('of IPv6 cross the middle', () => {
    expect(take(new Pieces(range('fd00:0:0:ff00::/56'), 72), 2)).toEqual([
      'fd00:0:0:ff00::/72',
      'fd00:0:0:ff00:100::/72',
    ])
  })
  it('must fit', () => {
    expect(() => new Pieces(range('10.0.0.0/24'), 16)).toThrow('mask size of cluster CIDR must be less')
    expect(() => new Pieces(range('fd00::/8'), 64)).toThrow('the node CIDR size is too big')
  })
})

describe('nodes', () => {
  const maskSize = { 4: 24, 6: 64 }
  const node = (uid: string, podCIDRs: string[] = []): Node =>
    ({ metadata: { name: uid, uid }, spec: { podCIDRs } }) as unknown as Node
  it('get one range of each family, and the same again until they are gone', () => {
    const ranges = new NodeRanges({ clusterCidrs: ['10.0.0.0/23', 'fd00::/60'], reservedCidrs: [], maskSize })
    expect(ranges.take(node('a'))).toEqual(['10.0.0.0/24', 'fd00::/64'])
    expect(ranges.take(node('a'))).toEqual(['10.0.0.0/24', 'fd00::/64'])
    ranges.occupy(node('a', ['10.0.0.0/24', 'fd00::/64']))
    ranges.occupy(node('b', ['10.0.1.0/24']))
    expect(ranges.take(node('c'))).toBe(undefined)
    ranges.forget(node('a', ['10.0.0.0/24', 'fd00::/64']))
    expect(ranges.take(node('c'))).toEqual(['10.0.0.0/24', 'fd00:0:0:1::/64'])
    expect(() => ranges.occupy(node('d', ['10.0.0.0/24', 'fd00::/64', '10.0.0.0/24']))).toThrow('at index:2')
    expect(() => ranges.occupy(node('d', ['11.0.0.0/24']))).toThrow('failed to mark cidr[11.0.0.0/24]')
  })
  it.each([
    [[], 'Must specify --cluster-cidr'],
    [['10.0.0.0/8', '11.0.0.0/8'], 'not configured as dual stack'],
    [['10.0.0.0/8', 'fd00::/56', '11.0.0.0/8'], 'more than max allowed of 2'],
    [['nonsense'], 'invalid CIDR address: nonsense'],
  ])('of a cluster with %j have none: %s', (clusterCidrs, message) => {
    expect(() => new NodeRanges({ clusterCidrs, reservedCidrs: [], maskSize })).toThrow(message)
  })
})
