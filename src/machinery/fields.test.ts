import { describe, expect, it } from 'vitest'
import { fieldExactMatch, fieldSelectorText, parseFieldSelector } from './fields.ts'

describe('parseFieldSelector', () => {
  it.each([
    ['', { a: 'b' }, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a!=b', {}, true],
    ['a=', {}, true],
    ['a=b,c!=d', { a: 'b', c: 'e' }, true],
    [',a=b,,', { a: 'b' }, true],
    ['a=b\\,c', { a: 'b,c' }, true],
    ['a=\\\\', { a: '\\' }, true],
    ['a=b\\=c', { a: 'b=c' }, true],
    ['constructor=', {}, true],
  ])('%j on %j is %s', (text, fields, expected) => {
    expect(parseFieldSelector(text).matches(fields as Record<string, string>)).toBe(expected)
  })

  it.each([
    ['x', "invalid selector: 'x'; can't understand 'x'"],
    ['z=1,y', "invalid selector: 'z=1,y'; can't understand 'y'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('refuses %j', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message)
  })

  it('renames fields, drops terms that became empty, prints what it read', () => {
    const rename = (field: string): string => (field === 'old' ? 'new' : field === 'gone' ? '' : field)
    const selector = parseFieldSelector('old=a\\,b,gone=,x!=y', rename)
    expect(selector.requirements).toEqual([
      { field: 'new', operator: '=', value: 'a,b' },
      { field: 'x', operator: '!=', value: 'y' },
    ])
    expect(fieldSelectorText(selector)).toBe('new=a\\,b,x!=y')
    expect(fieldExactMatch(selector, 'new')).toBe('a,b')
    expect(fieldExactMatch(selector, 'x')).toBeUndefined()
  })
})
