import { describe, expect, it } from 'vitest'
import { escapeHtml, parseJson } from './json.ts'
import { MAX_DEPTH } from './inspect.ts'

const parse = (text: string) => parseJson(Buffer.from(text), { findDuplicates: true })

describe('parseJson', () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['nul', "invalid character ' ' in literal null (expecting 'l')"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{}x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e}', "invalid character '}' in exponent of numeric literal"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['[1e400]', 'json: cannot unmarshal number 1e400 into Go value of type float64'],
  ])('words the error in %j as Go does', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it.each([
    ['{"spec":{"replicas":1,"replicas":2}}', ['duplicate field "spec.replicas"']],
    ['{"a":[{"b":1},{"b":1,"b":2}]}', ['duplicate field "a[1].b"']],
    ['{"a":1,"a":2,"a":3}', ['duplicate field "a"']],
    ['{"":{"d":1,"d":2}}', ['duplicate field ".d"']],
    ['{"a\\u0062":1,"ab":2}', ['duplicate field "ab"']],
    [String.raw`{"k:{\"a\"}":1,"k:{\"a\"}":2}`, [String.raw`duplicate field "k:{\"a\"}"`]],
    [String.raw`{"k:{\"a\"}":1,"k:{\u0022a\"}":2}`, [String.raw`duplicate field "k:{\"a\"}"`]],
    [String.raw`{"k:{\"a\"}":1,"k:{\"b\"}":2}`, []],
    ['{"__proto__":1,"__proto__":2}', ['duplicate field "__proto__"']],
    ['{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}', []],
    ['{"a":"{\\"a\\":1,\\"a\\":2}"}', []],
  ])('names the duplicates of %j', (text, duplicates) => {
    expect(parse(text).duplicates).toEqual(duplicates)
    expect(parseJson(Buffer.from(text)).duplicates).toEqual([])
  })

  it.each([
    [
      '{"a":{"x":1,"y":[1]},"b":2,"a":{"y":[2,{"k":1,"k":2}],"z":{"q":"}"}}}',
      { a: { x: 1, y: [2, { k: 2 }], z: { q: '}' } }, b: 2 },
    ],
    ['{"a":{"x":1},"a":null}', { a: null }],
    ['{"a":{"x":1},"a":null,"a":{"y":1}}', { a: { y: 1 } }],
    ['[{"a":{"b":{"c":1}},"a":{"b":{"d":true}}},{"a":{}}]', [{ a: { b: { c: 1, d: true } } }, { a: {} }]],
    [String.raw`{"a\u0062":{"\"x":1},"ab":{"y":-1.5e3}}`, { ab: { '"x': 1, y: -1500 } }],
  ])('makes one object of two with one key in %j, where it is asked to', (text, value) => {
    expect(parseJson(Buffer.from(text), { mergeDuplicates: true }).value).toEqual(value)
  })

  it('finds duplicates among more keys than are hashed, and stops counting at 100', () => {
    const keys = Array.from({ length: 200 }, (_, i) => `"k${i}":${i}`)
    expect(parse(`{${keys.join()}}`).duplicates).toEqual([])
    expect(parse(`{${keys.join()},"k150":0}`).duplicates).toEqual(['duplicate field "k150"'])
    expect(parse(`{${keys.join()},${keys.join()}}`).duplicates).toHaveLength(100)
  })

  it('keeps keys that name parts of the prototype as data', () => {
    const { value } = parse('{"__proto__":{"x":1},"constructor":"c"}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('replaces bytes that are no UTF-8 one by one, and lone halves of surrogate pairs', () => {
    const bytes = Buffer.from([0x22, 0xe2, 0x82, 0x61, 0xff, 0xc3, 0xa9, 0x22])
    expect(parseJson(bytes).value).toBe('\ufffd\ufffda\ufffdé')
    expect(parse('"\\ud800\\u0041\\ud83d\\ude00\\udc00"').value).toBe('\ufffdA\u{1f600}\ufffd')
  })

  it('keeps integers of 64 bits, and rounds larger ones as Go does', () => {
    expect(parse('{"a":{"b":9007199254740993}}').value).toEqual({ a: { b: 9007199254740993n } })
    expect(parse('-9223372036854775808').value).toBe(-9223372036854775808n)
    expect(parse('9223372036854775808').value).toBe(9223372036854775808)
    expect(parse('9007199254740991').value).toBe(Number.MAX_SAFE_INTEGER)
    expect(parse('100000000000000000000').value).toBe(1e20)
    expect(parse('"9007199254740993"').value).toBe('9007199254740993')
    expect(parse('0.12345678901234567890').value).toBe(0.12345678901234568)
    const merged = parseJson(Buffer.from('{"a":{"x":9007199254740993},"a":{}}'), { mergeDuplicates: true })
    expect(merged.value).toEqual({ a: { x: 9007199254740993n } })
  })

  it('tells how numbers were written where their values do not', () => {
    const text = '{"a":[1.0,1e3,-0,7,1.5,18446744073709551615],"b":{"c":9007199254740993},"d":"1.0"}'
    expect([...(parse(text).tokens?.() ?? [])]).toEqual([
      ['a[0]', '1.0'],
      ['a[1]', '1e3'],
      ['a[2]', '-0'],
      ['a[5]', '18446744073709551615'],
    ])
    expect(parse('{"a":[1,-20,"1.0"]}').tokens).toBeUndefined()
  })

  it('bounds the depth, also of bodies that are all brackets', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(JSON.stringify(parse(nested(MAX_DEPTH)).value)).toBe(nested(MAX_DEPTH))
    expect(() => parse(nested(MAX_DEPTH + 1))).toThrow("invalid character '[' exceeded max depth")
    expect(() => parse('{"a":'.repeat(500_000))).toThrow("invalid character '{' exceeded max depth")
  })
})

describe('escapeHtml', () => {
  it('escapes what Go escapes and nothing else', () => {
    expect(escapeHtml(JSON.stringify({ a: '<b>&\u2028\u2029é' }))).toBe(
      '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029é"}',
    )
    const plain = '{"a":1}'
    expect(escapeHtml(plain)).toBe(plain)
  })
})
