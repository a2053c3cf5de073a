import { describe, expect, it } from 'vitest'
import type { Json } from '../../machinery/json.ts'
import { MAX_DEPTH } from '../json/inspect.ts'
import { parseYaml, toYaml } from './yaml.ts'

const parse = (text: string) => parseYaml(Buffer.from(text), { findDuplicates: true })
const valueOf = async (text: string) => (await parse(text)).value

describe('parseYaml', () => {
  // What sigs.k8s.io/yaml makes of each scalar.
  it.each<[string, Json]>([
    ['y', true],
    ['No', false],
    ['ON', true],
    ['"y"', 'y'],
    ['yES', 'yES'],
    ['~', null],
    ['Null', null],
    ['0755', 493],
    ['0o17', 15],
    ['0x1F', 31],
    ['-0b11', -3],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000],
    ['1.', 1],
    ['.5', 0.5],
    ['1:30', '1:30'],
    ['2026-01-02', '2026-01-02'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['1e999', '1e999'],
    ['100000000000000000000', 1e20],
    ['!!str 1', '1'],
    ['!!int "3"', 3],
    ['!!float 3', 3],
    ['!!binary aGk=', 'hi'],
    ['!foo bar', 'bar'],
    ['"\\u00e9\\n\\x41"', 'é\nA'],
    ["'it''s'", "it's"],
    ['[a, {b: c}]', ['a', { b: 'c' }]],
  ])('reads %s', async (text, value) => {
    expect(await valueOf(`a: ${text}\n`)).toEqual({ a: value })
  })

  it.each<[string, Json]>([
    ['', null],
    ['# nothing\n', null],
    ['a: 1\n---\nb: 2', { a: 1 }],
    ['a: 1\n---\n}{', { a: 1 }],
    ['1: a\ntrue: b\n1.5: c\ny: d', { 1: 'a', true: 'd', 1.5: 'c' }],
    ['s: |\n  x\n  y\nt: >-\n  a\n  b\n\n  c\n', { s: 'x\ny\n', t: 'a b\nc' }],
    ['s: |\n  x', { s: 'x' }],
    ['{a: 1} b', { a: 1 }],
    ['# c\n%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n...\n}', { a: '1' }],
    ['a: !<tag:yaml.org,2002:str> 1', { a: '1' }],
    ['a: |\n  x\n---\nb: 1', { a: 'x\n' }],
    ['a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2', { a: { b: 1 }, c: { b: 1 }, d: { b: 1, e: 2 } }],
    ['a: 1\n<<: [{a: 2, c: 3},{c: 4}]', { a: 2, c: 3 }],
    ['a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['a:\n- b\n- - c\n  -\n', { a: ['b', ['c', null]] }],
    ['{"a": 1e3, "b": "y"}', { a: 1000, b: 'y' }],
  ])('reads the document %j', async (text, value) => {
    expect(await valueOf(text)).toEqual(value)
  })

  it.each([
    ['key: value: x', 'yaml: mapping values are not allowed in this context'],
    ['a: 1\n  b: 2', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: "x', 'yaml: found unexpected end of stream'],
    ['a: [1, 2', "yaml: line 1: did not find expected ',' or ']'"],
    ['a:\n\tb: 1', 'yaml: line 2: found character that cannot start any token'],
    ['a: @x', 'yaml: found character that cannot start any token'],
    ['b:\n   a: 1\n  c: 2', 'yaml: line 2: did not find expected key'],
    ['a: 1\nb', "yaml: line 3: could not find expected ':'"],
    ['a: &é x', 'yaml: did not find expected alphabetic or numeric character'],
    ['a: 1\nb: *é', 'yaml: line 2: did not find expected alphabetic or numeric character'],
    ['a: *x', "yaml: unknown anchor 'x' referenced"],
    ['a: &a [*a]', "yaml: anchor 'a' value contains itself"],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['a: !!binary x', 'yaml: !!binary value contains invalid base64 data'],
    ['a: .nan', 'json: unsupported value: NaN'],
    ['~: 1', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: 1'],
    ['<<: 1', 'yaml: map merge requires map or sequence of maps as the value'],
    ['a: \x01', 'yaml: control characters are not allowed'],
  ])('refuses %j', async (text, message) => {
    await expect(parse(text)).rejects.toThrow(message)
  })

  it('keeps integers of 64 bits, and rounds larger ones', async () => {
    const text = 'a: 9223372036854775807\nb: -0x20000000000001\nc: 18446744073709551615\n'
    const value = { a: 9223372036854775807n, b: -9007199254740993n, c: 18446744073709551615 }
    expect(await valueOf(text)).toEqual(value)
    expect(await valueOf('{"a":9007199254740993}')).toEqual({ a: 9007199254740993n })
    expect(toYaml({ a: 9223372036854775807n })).toBe('a: 9223372036854775807\n')
  })

  it('words duplicates as one text, by their types', async () => {
    const { value, duplicates } = await parse('a: 1\na: 2\nb: {c: 1, c: 2}\n1: x\n"1": z\n')
    expect(value).toEqual({ a: 2, b: { c: 2 }, 1: 'z' })
    expect(duplicates).toEqual([
      'yaml: unmarshal errors:\n  line 2: key "a" already set in map\n  line 3: key "c" already set in map',
    ])
    expect((await parse('{"a":1,"a":2}')).duplicates).toEqual([
      'yaml: unmarshal errors:\n  line 1: key "a" already set in map',
    ])
  })

  it('keeps keys that name parts of the prototype as data', async () => {
    const value = (await valueOf('__proto__: {x: 1}\nconstructor: c')) as object
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it('bounds what aliases make of a short text', async () => {
    const names = 'abcdefghij'
    const text = [...names].map((name, i) => {
      const inner = i === 0 ? 'x' : `*${names[i - 1]}`
      return `${name}: &${name} [${Array(9).fill(inner).join()}]`
    })
    await expect(parse(text.join('\n'))).rejects.toThrow('yaml: document contains excessive aliasing')
  })

  it.each(['[', '{a: ', '- ', '? ', '[\n', 'a: ', '&a ', '!a '])(
    'bounds the depth of %j repeated',
    async (piece) => {
      await expect(parse(piece.repeat(MAX_DEPTH * 5))).rejects.toThrow(/^yaml: /)
    },
  )

  it('reads and refuses bodies of any length that comes this far', async () => {
    const lines = 'b:\n' + '- x: &a "y"\n  z: *a\n'.repeat(150_000)
    expect(((await valueOf(lines)) as { b: Json[] }).b).toHaveLength(150_000)
    await expect(parse(`${lines}}`)).rejects.toThrow('yaml: line 300002: did not find expected node content')
  })

  it('bounds what is said of duplicates', async () => {
    const { duplicates } = await parse('a: 1\n'.repeat(100_000))
    expect(duplicates[0]?.split('\n')).toHaveLength(101)
    expect(duplicates[0]).toMatch(/\n {2}line 101: key "a" already set in map$/)
  })

  it('answers mutations of a good text with a value or an error of its own', async () => {
    const good =
      'kind: Pod\nmetadata: &m {name: "a", labels: [x, y]}\nspec:\n- a: |\n    b\n  <<: *m\n  c: 1\n'
    let seed = 3
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    for (let round = 0; round < 1000; round++) {
      const at = random(good.length)
      const text = good.slice(0, at) + ' \n:-[]{},"\'#&*!|>?%@`a1\t'[random(24)] + good.slice(at + random(3))
      await parse(text).catch((error: Error) => {
        if (error.name !== 'YamlError') throw error
      })
    }
  })
})

describe('toYaml', () => {
  it('writes the style of sigs.k8s.io/yaml', () => {
    const object = {
      kind: 'ConfigMap',
      metadata: { name: 'a', creationTimestamp: '2026-01-02T03:04:05Z', labels: {}, finalizers: [] },
      data: { a10: 'x\ny', a9: 'x\n\n', b: ' x\n', c: 'tail \n', on: 'y' },
      list: [
        '',
        'null',
        '1.5',
        '1:30',
        'a: b',
        '-',
        "it's",
        'a\tb',
        '\u{1f600}',
        null,
        true,
        1.5e6,
        [1, []],
        { a: 1, b: {} },
      ],
    }
    expect(toYaml(object)).toBe(
      [
        'data:',
        '  a9: |+',
        '    x',
        '',
        '  a10: |-',
        '    x',
        '    y',
        '  b: |2',
        '     x',
        '  c: "tail \\n"',
        '  "on": "y"',
        'kind: ConfigMap',
        'list:',
        '- ""',
        '- "null"',
        '- "1.5"',
        '- "1:30"',
        "- 'a: b'",
        "- '-'",
        "- it's",
        '- "a\\tb"',
        '- "\\U0001F600"',
        '- null',
        '- true',
        '- 1500000',
        '- - 1',
        '  - []',
        '- a: 1',
        '  b: {}',
        'metadata:',
        '  creationTimestamp: "2026-01-02T03:04:05Z"',
        '  finalizers: []',
        '  labels: {}',
        '  name: a',
        '',
      ].join('\n'),
    )
  })

  it('writes what parseYaml reads back', async () => {
    const texts = [
      '',
      ' ',
      'a\nb',
      '\n',
      '#',
      '@',
      '- x',
      '? x',
      'x: ',
      'a #b',
      '0x1',
      '2026-1-2',
      '---',
      "'",
      '"',
      '\r',
      'é',
    ]
    for (const text of texts) {
      expect(await valueOf(toYaml({ [text]: text, list: [text] }))).toEqual({ [text]: text, list: [text] })
    }
  })

  it('announces long keys', () => {
    const key = 'k'.repeat(200)
    expect(toYaml({ [key]: { a: 1 } })).toBe(`? ${key}\n: a: 1\n`)
  })
})
