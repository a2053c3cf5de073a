import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { StatusError } from '../../machinery/status.ts'
import { applyJsonPatch, readJsonPatch } from './jsonpatch.ts'
import { mergePatch } from './mergepatch.ts'

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

const apply = (document: JsonObject, ...operations: Json[]): Json =>
  applyJsonPatch(freeze(document), readJsonPatch(freeze(operations)))
const refusal = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError)
    return [(error as StatusError).code, (error as StatusError).message]
  }
}
const REJECTED = [422, 'the server rejected our request due to an error in our request']

const document = { a: { b: [1, 2, 3] }, c: 'x', 'd/e': { '~f': 1 } }

describe('JSON patch', () => {
  it.each<[string, Json[], Json]>([
    ['adds at an index', [{ op: 'add', path: '/a/b/1', value: 9 }], [1, 9, 2, 3]],
    ['appends', [{ op: 'add', path: '/a/b/-', value: 9 }], [1, 2, 3, 9]],
    ['adds from behind', [{ op: 'add', path: '/a/b/-1', value: 9 }], [1, 2, 3, 9]],
    ['removes from behind', [{ op: 'remove', path: '/a/b/-3' }], [2, 3]],
    ['replaces', [{ op: 'replace', path: '/a/b/+0', value: 9 }], [9, 2, 3]],
    ['moves', [{ op: 'move', from: '/a/b/0', path: '/a/b/2' }], [2, 3, 1]],
    [
      'ignores what stands before the first slash',
      [{ op: 'add', path: 'zzz/a/b/0', value: 0 }],
      [0, 1, 2, 3],
    ],
  ])('%s', (_, operations, b) => expect((apply(document, ...operations) as { a: JsonObject }).a.b).toEqual(b))

  it('takes missing values for null', () => {
    expect(apply({}, { op: 'replace', path: '/x', value: 1 })).toEqual({ x: 1 })
    expect(apply({}, { op: 'copy', from: '/y', path: '/x' })).toEqual({ x: null })
    expect(apply({}, { op: 'add', path: '/x' })).toEqual({ x: null })
    expect(apply({ x: 1 }, { op: 'test', path: '/y', value: null })).toEqual({ x: 1 })
  })
  it('reads escaped names', () => {
    expect(apply(document, { op: 'test', path: '/d~1e/~0f', value: 1 })).toEqual(document)
  })
  it('compares by value', () => {
    const value = { b: [1, 2, 3] }
    expect(apply(document, { op: 'test', path: '/a', value })).toEqual(document)
    expect(refusal(() => apply(document, { op: 'test', path: '/a', value: { b: [1, 2] } }))).toEqual(REJECTED)
    expect(refusal(() => apply(document, { op: 'test', path: '/a', value: {} }))).toEqual(REJECTED)
    expect(refusal(() => apply(document, { op: 'test', path: '/a', value: null }))).toEqual(REJECTED)
  })
  it('keeps copies apart', () => {
    const operations = [
      { op: 'copy', from: '/a', path: '/z' },
      { op: 'add', path: '/z/b/-', value: 4 },
      { op: 'remove', path: '/a/b/0' },
    ]
    expect(apply(document, ...operations)).toMatchObject({ a: { b: [2, 3] }, z: { b: [1, 2, 3, 4] } })
  })
  it('never changes the patch', () => {
    const patch = readJsonPatch(
      freeze([
        { op: 'add', path: '/x', value: { y: [] } },
        { op: 'add', path: '/x/y/-', value: 1 },
      ]),
    )
    expect(applyJsonPatch({}, patch)).toEqual({ x: { y: [1] } })
    expect(applyJsonPatch({}, patch)).toEqual({ x: { y: [1] } })
  })
  it('treats names of JavaScript as data', () => {
    const out = apply(
      { a: {} },
      { op: 'add', path: '/a/__proto__', value: { x: 1 } },
      { op: 'add', path: '/a/constructor', value: 'y' },
    )
    expect(JSON.stringify(out)).toBe('{"a":{"__proto__":{"x":1},"constructor":"y"}}')
    expect(refusal(() => apply({}, { op: 'add', path: '/constructor/prototype/x', value: 1 }))).toEqual(
      REJECTED,
    )
    expect(refusal(() => apply({}, { op: 'remove', path: '/toString' }))).toEqual(REJECTED)
  })
  it.each<[string, Json]>([
    ['an unknown operation', { op: 'fly', path: '/a' }],
    ['no operation', { path: '/a' }],
    ['no path', { op: 'add', value: 1 }],
    ['a path without parents', { op: 'add', path: '/x/y', value: 1 }],
    ['a path into a string', { op: 'add', path: '/c/0', value: 1 }],
    ['an index beyond the end', { op: 'add', path: '/a/b/4', value: 1 }],
    ['an index before the start', { op: 'remove', path: '/a/b/-4' }],
    ['no index', { op: 'add', path: '/a/b/x', value: 1 }],
    ['removing what is not there', { op: 'remove', path: '/x' }],
    ['moving into itself', { op: 'move', from: '/a', path: '/a/b/c' }],
    ['a scalar for the root', { op: 'replace', path: '', value: 1 }],
    ['removing the root', { op: 'remove', path: '' }],
    ['null', null],
  ])('rejects %s', (_, operation) => expect(refusal(() => apply(document, operation))).toEqual(REJECTED))

  it('reads its shape first', () => {
    const read = (patch: Json): unknown => refusal(() => readJsonPatch(patch))
    expect(read({})).toEqual([
      400,
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ])
    expect(read([5])).toEqual([
      400,
      'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp',
    ])
    expect(read([{ op: 1 }])).toEqual([
      400,
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
    ])
    expect(readJsonPatch([{ op: 'add', path: '/x', From: 'y' }]).strictErrors).toEqual([
      'json patch unknown field "[0].From"',
    ])
  })

  it('is bounded in operations, copies and depth', () => {
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a' }))
    expect(refusal(() => readJsonPatch(many))).toEqual([
      413,
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    ])
    const bomb = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` }))
    expect(refusal(() => apply({ a: 1 }, ...bomb.map((o) => ({ ...o, from: '/a' }))))).toHaveProperty(
      'x39',
      1,
    )
    const big = { a: 'x'.repeat(1_000_000) }
    expect(refusal(() => apply(big, ...bomb.slice(0, 4).map((o) => ({ ...o, from: '/a' }))))).toEqual(
      REJECTED,
    )
    const deepen = Array.from({ length: 20 }, () => ({ op: 'copy', from: '/a', path: '/a/a' }))
    const wrap = Array.from({ length: 12 }, () => [
      { op: 'move', from: '/a', path: '/b' },
      { op: 'add', path: '/a', value: JSON.parse('{"a":'.repeat(200) + '{}' + '}'.repeat(200)) as Json },
      { op: 'move', from: '/b', path: `${'/a'.repeat(200)}/z` },
    ]).flat()
    expect(refusal(() => apply({ a: {} }, ...wrap))).toEqual(REJECTED)
    expect(refusal(() => apply({ a: {} }, ...deepen))).toBeInstanceOf(Object)
  })

  it('stays quick with many operations on a large object', () => {
    const operations = Array.from({ length: 10_000 }, (_, i) => ({
      op: i % 2 ? 'copy' : 'add',
      from: '/a/k0',
      path: `/a/k${i}`,
      value: 'v',
    }))
    const start = process.cpuUsage()
    apply({ a: { k0: '1' } }, ...operations)
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2_000)
  })
})

describe('merge patch', () => {
  it('merges, removes and replaces', () => {
    const current = freeze({ a: { b: 1, c: { d: 1 } }, e: 'x' })
    expect(
      mergePatch(
        current,
        freeze({ a: { b: null, c: [{ f: null }] }, e: { g: null, h: [{ i: null, j: 1 }, null] } }),
      ),
    ).toEqual({
      a: { c: [{ f: null }] },
      e: { h: [{ j: 1 }, null] },
    })
  })
  it('refuses what is no object', () => {
    expect(refusal(() => mergePatch({}, null))).toEqual([400, 'Invalid JSON Patch'])
    expect(refusal(() => mergePatch({}, []))).toEqual([
      400,
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ])
  })
})
