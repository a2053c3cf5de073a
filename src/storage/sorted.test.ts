// The ordered map against a plain map that is sorted for each look.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteOrdered, prefixEnd, SortedMap } from './sorted.ts'

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'z'), maxLength: 6 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ set: key }) },
  { weight: 1, arbitrary: fc.record({ remove: key }) },
  { weight: 1, arbitrary: fc.record({ from: key, to: key, limit: fc.integer({ min: 1, max: 50 }) }) },
)

function scanned(map: SortedMap<string>, from: string, to: string, limit = Infinity): string[] {
  const values: string[] = []
  map.scan(from, to, (value) => values.push(value) < limit)
  return values
}

describe('the ordered map', () => {
  it('is one with a map that is sorted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new SortedMap<string>()
        const model = new Map<string, string>()
        for (const [index, one] of steps.entries()) {
          if ('set' in one) {
            map.set(one.set, `${one.set}#${index}`)
            model.set(one.set, `${one.set}#${index}`)
          } else if ('remove' in one) {
            map.delete(one.remove)
            model.delete(one.remove)
          } else {
            const inside = [...model.keys()].filter((k) => k >= one.from && k < one.to).sort()
            const expected = inside.slice(0, one.limit).map((k) => model.get(k))
            expect(scanned(map, one.from, one.to, one.limit)).toEqual(expected)
          }
        }
      }),
    )
  })

  it.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => 20_000 - i],
    ['scattered', (i: number) => (i * 7919) % 20_000],
  ])('keeps %s keys of many chunks in order, and loses them all again', (_name, nth) => {
    const map = new SortedMap<string>()
    const keys = Array.from({ length: 20_000 }, (_, i) => String(nth(i)).padStart(6, '0'))
    for (const k of keys) map.set(k, k)
    expect(scanned(map, '', '~')).toEqual([...keys].sort())
    expect(scanned(map, '000100', '000103')).toEqual(['000100', '000101', '000102'])
    for (const k of keys) map.delete(k)
    expect(scanned(map, '', '~')).toEqual([])
    map.set('again', 'again')
    expect(scanned(map, '', '~')).toEqual(['again'])
  })
})

describe('byte order', () => {
  it('is that of UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const [x, y] = [byteOrdered(a), byteOrdered(b)]
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(bytes)
      }),
    )
  })

  it('ends a prefix right after it', () => {
    expect(prefixEnd('/registry/pods/')).toBe('/registry/pods0')
  })
})
