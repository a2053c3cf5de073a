import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { parseJson } from '../json/json.ts'
import type { Field, StructType, Type } from '../type.ts'
import { typeForKind } from '../types.ts'
import { fieldsOf } from './fieldsof.ts'
import { mergeApplied } from './merge.ts'
import { removeFields } from './remove.ts'
import { ConversionError, fromUnstructured } from './unstructured.ts'
import { faultsOf, faultsText } from './validate.ts'

const pod = typeForKind({ group: '', version: 'v1', kind: 'Pod' }) as StructType
const spec = (spec: Json): JsonObject => ({ spec })
const merged = (live: Json, applied: Json): Json | undefined =>
  mergeApplied(pod, spec(live), spec(applied))['spec']

/** A type as a custom resource's schema makes it. */
function struct(fields: Record<string, Type>, rest?: Type): StructType {
  const list = Object.entries(fields).map(([name, type]): Field => ({
    name,
    type,
    required: false,
    patchStrategy: [],
    pointer: true,
    omitEmpty: true,
  }))
  const byName = new Map(list.map((field) => [field.name, field]))
  return { kind: 'struct', name: 'x', fields: list, byName, atomic: false, ...(rest && { rest }) }
}

describe('the merge', () => {
  it('is the stored object itself where nothing changes', () => {
    const live = spec({ containers: [{ name: 'a', image: 'i' }, { name: 'b' }], nodeSelector: { a: '1' } })
    expect(mergeApplied(pod, live, spec({ containers: [{ name: 'a', image: 'i' }] }))).toBe(live)
    expect(mergeApplied(pod, live, spec({ containers: [], nodeSelector: { a: '1' } }))).toBe(live)
    expect(mergeApplied(pod, live, { spec: null })).toBe(live)
  })
  it('keeps what the configuration does not say, and shares it', () => {
    const live = spec({ containers: [{ name: 'a', ports: [{ containerPort: 80 }] }], hostname: 'h' })
    const result = mergeApplied(pod, live, spec({ containers: [{ name: 'a', image: 'i' }], hostname: 'g' }))
    expect(result).toEqual(
      spec({ containers: [{ name: 'a', ports: [{ containerPort: 80 }], image: 'i' }], hostname: 'g' }),
    )
    expect(live).toEqual(spec({ containers: [{ name: 'a', ports: [{ containerPort: 80 }] }], hostname: 'h' }))
  })
  it('replaces what is atomic', () => {
    expect(
      merged(
        { nodeSelector: { a: '1' }, tolerations: [{ key: 'a' }] },
        { nodeSelector: { b: '1' }, tolerations: [] },
      ),
    ).toEqual({
      nodeSelector: { b: '1' },
      tolerations: [],
    })
  })
  it('finds items by keys with their defaults', () => {
    const ports = (list: Json): JsonObject => ({ containers: [{ name: 'a', ports: list }] })
    expect(
      merged(
        ports([{ containerPort: 80, protocol: 'TCP', name: 'w' }]),
        ports([{ containerPort: 80, hostPort: 1 }]),
      ),
    ).toEqual(ports([{ containerPort: 80, protocol: 'TCP', name: 'w', hostPort: 1 }]))
  })
  it.each([
    ['abc', 'b', 'abc'],
    ['abc', 'cb', 'acb'],
    ['abc', 'd', 'abcd'],
    ['abc', 'dac', 'dabc'],
    ['abcd', 'dxb', 'acdxb'],
    ['ab', 'ba', 'ba'],
    ['aab', 'b', 'aab'],
    ['aab', 'a', 'ab'],
  ])('orders %s with %s: %s', (live, applied, result) => {
    const items = (text: string): Json => [...text].map((name) => ({ name }))
    expect(merged({ containers: items(live) }, { containers: items(applied) })).toEqual({
      containers: items(result),
    })
  })
  it('takes any key for data', () => {
    const { value } = parseJson(Buffer.from('{"metadata":{"labels":{"__proto__":"1","constructor":"2"}}}'))
    const result = mergeApplied(pod, { metadata: { labels: { a: '1' } } }, value as JsonObject)
    expect(JSON.stringify(result)).toBe('{"metadata":{"labels":{"a":"1","__proto__":"1","constructor":"2"}}}')
    expect(Object.keys(fieldsOf(pod, value))).toEqual(['f:metadata'])
    expect(JSON.stringify(fieldsOf(pod, value))).toContain('"f:__proto__":{}')
  })
})

describe('fields that an object says', () => {
  it('are leaves, items, keys of maps and empty maps', () => {
    const object = {
      metadata: { labels: {}, annotations: { a: '1' }, finalizers: ['x'] },
      spec: {
        containers: [{ name: 'a', ports: [{ containerPort: 80 }] }],
        nodeSelector: {},
        hostname: null,
        volumes: [],
      },
    }
    expect(fieldsOf(pod, object)).toEqual({
      'f:metadata': { 'f:annotations': { 'f:a': {} }, 'f:finalizers': { 'v:"x"': {} }, 'f:labels': {} },
      'f:spec': {
        'f:containers': {
          'k:{"name":"a"}': {
            '.': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
        'f:hostname': {},
        'f:nodeSelector': {},
      },
    })
  })
  it('of duplicates are the items alone', () => {
    expect(fieldsOf(pod, spec({ containers: [{ name: 'a', image: 'i' }, { name: 'a' }] }))).toEqual({
      'f:spec': { 'f:containers': { 'k:{"name":"a"}': {} } },
    })
  })
})

describe('schemas of others', () => {
  const any: Type = { kind: 'any', format: 'json' }
  const open = struct({ known: { kind: 'string' } }, any)
  it('may leave fields open, which are granular maps all the way down', () => {
    expect(faultsOf(open, { known: 'x', other: { a: [1] } })).toEqual([])
    expect(fieldsOf(open, { known: 'x', other: { a: [1], b: { c: 1 } } })).toEqual({
      'f:known': {},
      'f:other': { '.': {}, 'f:a': {}, 'f:b': { '.': {}, 'f:c': {} } },
    })
    expect(mergeApplied(open, { other: { a: 1, b: { c: 1 } } }, { other: { a: [2], b: { d: 1 } } })).toEqual({
      other: { a: [2], b: { c: 1, d: 1 } },
    })
    expect(removeFields(open, { other: { a: 1, b: 2 } }, { 'f:other': { 'f:a': {} } })).toEqual({
      other: { b: 2 },
    })
  })
  it('refuse what they do not name', () => {
    expect(faultsOf(struct({ known: { kind: 'string' } }), { other: 1 })).toEqual([
      '.other: field not declared in schema',
    ])
  })
  it('have sets of numbers and maps of lists', () => {
    const type = struct({
      set: { kind: 'list', item: { kind: 'integer' }, listType: 'set', mapKeys: [] },
      map: {
        kind: 'map',
        value: { kind: 'list', item: { kind: 'string' }, listType: 'set', mapKeys: [] },
        atomic: false,
      },
    })
    expect(
      mergeApplied(type, { set: [1, 2], map: { a: ['x'] } }, { set: [3], map: { a: ['y'], b: [] } }),
    ).toEqual({
      set: [1, 2, 3],
      map: { a: ['x', 'y'], b: [] },
    })
    expect(faultsOf(type, { set: [1, 1, null] })).toEqual([
      '.set: duplicate entries for key [=1]',
      ".set: element 2: associative list without keys has an element that's an explicit null",
    ])
  })
})

describe('configurations that do not fit', () => {
  it.each<[string, Json, string]>([
    ['a field that is none', { nope: 1 }, '.spec.nope: field not declared in schema'],
    ['a text for a map', 'x', '.spec: expected map, got &{x}'],
    [
      'a map for a list',
      { containers: { a: [1, null] } },
      '.spec.containers: expected list, got &{map[a:[1 <nil>]]}',
    ],
    [
      'a number for a text',
      { hostname: 1.5 },
      '.spec.hostname: expected string, got &value.valueUnstructured{Value:1.5}',
    ],
    [
      'a map for a text',
      { hostname: { b: 'x', a: [null, true] } },
      '.spec.hostname: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{interface {}(nil), true}, "b":"x"}}',
    ],
    ['a text for a number', { priority: 'x' }, '.spec.priority: expected numeric (int or float), got string'],
    ['a text for a boolean', { hostPID: 'x' }, '.spec.hostPID: expected boolean, got &{x}'],
    [
      'a list for a quantity',
      { overhead: { cpu: [] } },
      '.spec.overhead.cpu: expected any scalar, got &{[]}',
    ],
    [
      'an item that is null',
      { containers: [null] },
      '.spec.containers: element 0: associative list with keys may not have a null element',
    ],
    [
      'an item that is there twice',
      { containers: [{ name: 'a"' }, { name: 'a"' }] },
      '.spec.containers: duplicate entries for key [name="a\\""]',
    ],
    [
      'a deep one',
      { containers: [{ name: 'a', args: ['x', 1e21] }] },
      '.spec.containers[name="a"].args[1]: expected string, got &value.valueUnstructured{Value:1e+21}',
    ],
  ])('%s', (_, value, fault) => expect(faultsOf(pod, spec(value))).toEqual([fault]))
  it('are told all at once', () => {
    expect(faultsText(faultsOf(pod, spec({ hostname: 1, hostPID: 1 })))).toBe(
      'errors:\n  .spec.hostname: expected string, got &value.valueUnstructured{Value:1}\n  .spec.hostPID: expected boolean, got &{1}',
    )
  })
  it('make no answer without end', () => {
    const containers = Array.from({ length: 1000 }, () => ({ name: 'a' }))
    expect(faultsOf(pod, spec({ containers }))).toHaveLength(100)
  })
})

describe('scalars that the decoder refuses', () => {
  const port = (containerPort: Json): JsonObject =>
    spec({ containers: [{ name: 'a', ports: [{ containerPort }] }] })
  it('wrap where they are too large', () =>
    expect(fromUnstructured(pod, port(1e12))).toEqual(port(-727379968)))
  it.each<[Json, string]>([
    [port(1.5), 'cannot convert float64 to int32'],
    [
      spec({ overhead: { cpu: 'x' } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      spec({ containers: [{ name: 'a', livenessProbe: { httpGet: { port: { a: 1 } } } }] }),
      'json: cannot unmarshal object into Go value of type int32',
    ],
  ])('are refused: %j', (value, words) => {
    expect(() => fromUnstructured(pod, value as JsonObject)).toThrow(new ConversionError(words))
  })
})
