import { describe, expect, it } from 'vitest'
import type { Json } from './json.ts'
import { indentedJson, jsonText, readJson, readTokens } from './jsontext.ts'
import { formatFloat, goNumber, jsonInteger, jsonNumber, MAX_INT64, MIN_INT64 } from './numbers.ts'

/** Texts of integers around every power of two up to 2^66, of both signs. */
const boundaries = [...Array(67).keys()].flatMap((power) =>
  [-2n, -1n, 0n, 1n, 2n].flatMap((step) => [(1n << BigInt(power)) + step, -(1n << BigInt(power)) + step]),
)

describe('integers in JSON texts', () => {
  it('come back digit by digit where they fit into 64 bits, as floats beyond', () => {
    for (const exact of boundaries) {
      const value = readJson(`{"a":[${exact}]}`) as { a: Json[] }
      const fits = exact <= MAX_INT64 && exact >= MIN_INT64
      const isSmall = exact >= -(2n ** 53n) + 1n && exact <= 2n ** 53n - 1n
      expect(value.a[0]).toBe(isSmall || !fits ? Number(exact) : exact)
      expect(jsonText(value)).toBe(`{"a":[${fits ? exact : String(Number(exact))}]}`)
      if (fits) expect(jsonInteger(exact)).toBe(value.a[0])
    }
  })

  it.each<[string, Json]>([
    ['9007199254740993', 9007199254740993n],
    [' -9007199254740993 ', -9007199254740993n],
    ['[1,\n 9223372036854775807]', [1, 9223372036854775807n]],
    ['{"a" : -9223372036854775808}', { a: -9223372036854775808n }],
    ['9223372036854775808', 9223372036854775808],
    ['12345678901234567.5', 12345678901234567.5],
    ['1e18', 1e18],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['"9007199254740993"', '9007199254740993'],
    ['{":9007199254740993":"\\",9007199254740993"}', { ':9007199254740993': '",9007199254740993' }],
    ['[1000000000000000000,"é",true,null,false,[],{}]', [10n ** 18n, 'é', true, null, false, [], {}]],
  ])('reads %s', (text, value) => {
    expect(readJson(text)).toEqual(value)
  })

  it('takes keys of the prototype like all others', () => {
    const value = readJson('{"__proto__":9007199254740993,"constructor":{"__proto__":1}}') as Record<
      string,
      Json
    >
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(jsonText(value)).toBe('{"__proto__":9007199254740993,"constructor":{"__proto__":1}}')
  })

  it('refuses what is no JSON, long numbers or not', () => {
    expect(() => readJson('{"a":9007199254740993')).toThrow(SyntaxError)
    expect(() => readJson('09007199254740993')).toThrow(SyntaxError)
  })

  it('makes one of two objects only where it is asked to', () => {
    const text = '{"a":{"x":9007199254740993},"a":{"y":1}}'
    expect(readTokens(text, {})).toEqual({ a: { y: 1 } })
    expect(readTokens(text, { merge: true })).toEqual({ a: { x: 9007199254740993n, y: 1 } })
  })

  it('finds a long number wherever it stands in a text', () => {
    for (let blanks = 0; blanks < 40; blanks++) {
      const text = `["${'x'.repeat(blanks)}",9007199254740993]`
      expect((readJson(text) as Json[])[1]).toBe(9007199254740993n)
    }
  })

  it('writes as JSON.stringify does, on one line or many', () => {
    const plain: Json = { a: [1, 'x\n', null, { b: true }, [], {}], c: undefined, d: -0 }
    expect(indentedJson(plain)).toBe(JSON.stringify(plain, null, 2))
    const odd = { z: plain, n: 9007199254740993n } as Json
    const shown = JSON.stringify({ z: plain, n: 'N' }, null, 2).replace('"N"', '9007199254740993')
    expect(indentedJson(odd)).toBe(shown)
    expect(jsonText(odd)).toBe(JSON.stringify({ z: plain, n: 'N' }).replace('"N"', '9007199254740993'))
  })
})

describe('numbers', () => {
  it.each([
    ['-0', -0],
    ['1.0', 1],
    ['1e400', Infinity],
    ['9'.repeat(400), Infinity],
    ['-9223372036854775809', -9223372036854775808],
  ])('%j is %d', (token, value) => {
    expect(jsonNumber(token)).toBe(value)
  })

  it.each([
    [9007199254740991, '9007199254740991'],
    [9007199254740993n, '9007199254740993'],
    [9007199254740992, '9.007199254740992e+15'],
    [1e20, '1e+20'],
    [0.5, '0.5'],
    [1e-7, '1e-07'],
    [-1234567.5, '-1.2345675e+06'],
  ])('%s is %s to Go', (value, text) => {
    expect(goNumber(value)).toBe(text)
  })

  it('formats what is no number, too', () => {
    expect([NaN, Infinity, -Infinity, -0].map(formatFloat)).toEqual(['.nan', '.inf', '-.inf', '-0'])
  })
})
