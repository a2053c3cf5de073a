import { describe, expect, it } from 'vitest'
import { firstFree, format, has, indexesOf, merge, overlap, parse, total } from './indexes.ts'

describe('indexes', () => {
  it.each([
    [[], ''],
    [[3], '3'],
    [[4, 3], '3,4'],
    [[1, 3, 4, 5, 7], '1,3-5,7'],
  ])('%j are written as %j, and read', (numbers, text) => {
    expect(format(indexesOf(numbers))).toBe(text)
    expect(parse(text, 10)).toEqual(indexesOf(numbers))
  })

  it('are cut where the job ends, and passed over where they are no numbers', () => {
    expect(parse('0,x,2-8,9', 5)).toEqual([
      [0, 0],
      [2, 4],
    ])
    expect(parse(undefined, 5)).toEqual([])
  })

  it('are merged, counted and searched', () => {
    const all = merge(parse('0-2,8', 10), parse('3,5-6', 10))
    expect(format(all)).toBe('0-3,5,6,8')
    expect(total(all)).toBe(7)
    expect([3, 4, 8].map((index) => has(all, index))).toEqual([true, false, true])
    expect(overlap(all, parse('2-5', 10))).toBe(3)
    expect(firstFree(all, 2, 10)).toEqual([4, 7])
    expect(firstFree(all, 9, 10)).toEqual([4, 7, 9])
  })
})
