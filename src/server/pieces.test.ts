import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { giveBack, joined, SEGMENT_BYTES, shortAsOne } from './pieces.ts'

describe('pieces', () => {
  const parts = [3, 0, 70_000, 1, SEGMENT_BYTES, 1_000_000, 5].map((size) => randomBytes(size))
  const whole = Buffer.concat(parts)

  it('hold what the parts held', () => {
    const pieces = [...joined(parts)]
    expect(Buffer.concat(pieces).equals(whole)).toBe(true)
    expect(pieces.length).toBeLessThan(6)
  })

  it('leave room at the head of each segment', () => {
    const content: Buffer[] = []
    for (const piece of joined(parts, 5)) {
      for (let at = 0; at < piece.length; at += SEGMENT_BYTES) {
        content.push(Buffer.from(piece.subarray(at + 5, at + SEGMENT_BYTES)))
      }
    }
    expect(content.every((segment) => segment.length > 0)).toBe(true)
    expect(Buffer.concat(content).equals(whole)).toBe(true)
  })

  it('are none for nothing', () => {
    expect([...joined([])]).toEqual([])
    expect([...joined([Buffer.alloc(0)])]).toEqual([])
  })

  it('use memory again that was given back, and only such', () => {
    const [first] = [...joined([Buffer.from('first')])]
    const [second] = [...joined([Buffer.from('other')])]
    expect(second?.buffer).not.toBe(first?.buffer)
    giveBack(second as Buffer)
    const [third] = [...joined([Buffer.from('third')])]
    expect(third?.buffer).toBe(second?.buffer)
    expect(first?.toString()).toBe('first')
  })

  it('takes nothing back that is not its own', () => {
    const strange = Buffer.allocUnsafeSlow(4 * SEGMENT_BYTES)
    giveBack(strange)
    const [piece] = [...joined([Buffer.from('x')])]
    expect(piece?.buffer).not.toBe(strange.buffer)
  })
})

describe('short answers', () => {
  const parts = [Buffer.from('a'), Buffer.from('bc'), Buffer.from('d')]

  it('are one buffer below the limit', () => {
    expect(shortAsOne(parts, 5)).toEqual(Buffer.from('abcd'))
    expect(shortAsOne([], 1)).toEqual(Buffer.alloc(0))
  })

  it.each([1, 2, 4])('are parts from it on: %i', (limit) => {
    const result = shortAsOne(parts, limit)
    expect(Buffer.isBuffer(result)).toBe(false)
    expect(Buffer.concat([...(result as Iterable<Buffer>)]).toString()).toBe('abcd')
  })
})
