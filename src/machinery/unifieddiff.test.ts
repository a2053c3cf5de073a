// What go-difflib gives for the same lines; the expected texts are its answers.
import { describe, expect, it } from 'vitest'
import { unifiedDiff } from './unifieddiff.ts'

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}`)

describe('unifiedDiff', () => {
  it('is empty where nothing changed', () => {
    expect(unifiedDiff(['a', 'b'], ['a', 'b'])).toBe('')
  })

  it('shows three lines around a change', () => {
    const old = numbered(12)
    const now = old.with(5, 'other')
    expect(unifiedDiff(old, now)).toBe(
      '@@ -3,7 +3,7 @@\n line 2\n line 3\n line 4\n-line 5\n+other\n line 6\n line 7\n line 8\n',
    )
  })

  it('keeps changes apart that more than six lines part', () => {
    const old = numbered(20)
    const near = unifiedDiff(old, old.with(4, 'x').with(11, 'y'))
    const far = unifiedDiff(old, old.with(4, 'x').with(12, 'y'))
    expect(near.match(/^@@.*/gm)).toEqual(['@@ -2,14 +2,14 @@'])
    expect(far.match(/^@@.*/gm)).toEqual(['@@ -2,7 +2,7 @@', '@@ -10,7 +10,7 @@'])
  })

  it('numbers ranges as patches do', () => {
    expect(unifiedDiff([], ['a'])).toBe('@@ -0,0 +1 @@\n+a\n')
    expect(unifiedDiff(['a'], ['b'])).toBe('@@ -1 +1 @@\n-a\n+b\n')
    expect(unifiedDiff(['a', 'b'], [])).toBe('@@ -1,2 +0,0 @@\n-a\n-b\n')
  })

  it('takes the longest block for the same, which is not the shortest answer', () => {
    const [old, now] = ['x', 'q', 'a', 'q', 'b'].map((line) => [line]) && [
      ['x', 'q', 'a', 'q', 'b'],
      ['q', 'b', 'x', 'q', 'a'],
    ]
    expect(unifiedDiff(old, now)).toBe('@@ -1,5 +1,5 @@\n+q\n+b\n x\n q\n a\n-q\n-b\n')
  })

  it('begins no block with what stands everywhere in long texts', () => {
    const common = (count: number): string[] => Array.from({ length: count }, () => 'null')
    const old = [...common(100), 'a', ...common(100), 'b']
    const now = ['b', ...common(100), 'c', ...common(100)]
    // Without the rule for many lines a hundred of them would be one block.
    expect(
      unifiedDiff(old, now)
        .split('\n')
        .filter((line) => line.startsWith(' ')),
    ).toEqual([' b'])
  })

  it('ends, whatever the texts', () => {
    const words = Array.from({ length: 30_000 }, (_, i) => `w${(i * 7919) % 211}`)
    const other = Array.from({ length: 30_000 }, (_, i) => `w${(i * 104_729) % 199}`)
    expect(unifiedDiff(words, other)).toMatch(/^@@ /)
  })
})
