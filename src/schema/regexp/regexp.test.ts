import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { inTurns } from '../turns.ts'
import { findAll, isFound, PatternFault, patternFault } from './regexp.ts'
import { weightOf } from './weight.ts'

describe('the weight of a pattern', () => {
  it.each([
    'abc',
    '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    'a{1000}',
    'a{10,}',
    '(a|b){20}c{2,30}',
    '((a{10}){10}){10}',
    '[]{3}]{40}\\{5}\\d{50}',
    '\\p{Greek}{100}\\x{41}{3}',
    '(?:x{2}){3}',
    '(?:(?:a{9}){8}b){7}',
  ])('of %s is at least half of its machine', (pattern) => {
    expect(weightOf(pattern) * 2 + 10).toBeGreaterThanOrEqual(RE2JS.compile(pattern).programSize())
  })

  it('takes what is no pattern', () => {
    for (const text of ['', '(', ')', '[', '[^', '\\', '{3}', 'a{', '))){9}', 'a{1001}'])
      expect(weightOf(text)).toBeGreaterThanOrEqual(0)
  })
})

describe('a pattern', () => {
  it('is told to be none in the words of Go', () => {
    expect(patternFault('^a+$')).toBeUndefined()
    expect(patternFault('a(b')).toBe('error parsing regexp: missing closing ): `a(b`')
    expect(() => isFound('a(b', 'ab')).toThrow(PatternFault)
  })

  it('is found, once or as often as is asked', () => {
    expect(isFound('b+', 'abbc')).toBe(true)
    expect(isFound('^b+', 'abbc')).toBe(false)
    expect(findAll('b.', 'babcbd', -1)).toEqual(['ba', 'bc', 'bd'])
    expect(findAll('b.', 'babcbd', 2)).toEqual(['ba', 'bc'])
    expect(findAll('b.', 'babcbd', 0)).toEqual([])
  })

  const LARGE = '\\b(a|b)*a(a|b){901}[cd]'
  const TEXT = 'ab'.repeat(5000)

  it('is looked for elsewhere where that takes long, and is found all the same', async () => {
    const said: string[] = []
    const found = inTurns(() => [
      isFound(LARGE, TEXT),
      isFound(LARGE, `${TEXT}c`),
      findAll(LARGE, `${TEXT}c`, 1).length,
    ])
    void found.then(() => said.push('found'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(said).toEqual([])
    expect(await found).toEqual([false, true, 1])
  })

  it('is built elsewhere where it is large', async () => {
    const pattern = 'a{1000}'.repeat(40)
    expect(await inTurns(() => patternFault(`${pattern}(`))).toContain('missing closing )')
    expect(await inTurns(() => patternFault(pattern))).toBeUndefined()
    expect(await inTurns(() => isFound(pattern, 'a'.repeat(100)))).toBe(false)
  })

  it('without turns is looked for at once', () => {
    expect(isFound(LARGE, TEXT)).toBe(false)
  })
})
