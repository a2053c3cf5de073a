import { describe, expect, it } from 'vitest'
import { compareObjects } from './fieldset-compare.ts'
import { FieldSetError } from './fieldset-items.ts'
import {
  canonicalElement,
  comparePathElements,
  difference,
  intersection,
  recursiveDifference,
  setOfPaths,
  union,
} from './fieldset.ts'
import type { StructType } from '../type.ts'
import { typeForKind } from '../types.ts'

const pod = typeForKind({ group: '', version: 'v1', kind: 'Pod' }) as StructType

const a = { 'f:m': { '.': {}, 'f:x': {}, 'f:y': {} }, 'f:s': {} }
const b = { 'f:m': { 'f:y': {}, 'f:z': {} } }

describe('field sets', () => {
  it('unite', () => {
    expect(union(a, b)).toEqual({ 'f:m': { '.': {}, 'f:x': {}, 'f:y': {}, 'f:z': {} }, 'f:s': {} })
    expect(JSON.stringify(union(b, { 'f:a': {}, 'f:m': { 'f:a': {} } }))).toBe(
      '{"f:a":{},"f:m":{"f:a":{},"f:y":{},"f:z":{}}}',
    )
    expect(union(a, {})).toEqual(a)
  })
  it('intersect', () => {
    expect(intersection(a, b)).toEqual({ 'f:m': { 'f:y': {} } })
    expect(intersection(a, { 'f:m': {} })).toEqual({ 'f:m': {} })
  })
  it('subtract without touching children of what goes', () => {
    expect(difference(a, b)).toEqual({ 'f:m': { '.': {}, 'f:x': {} }, 'f:s': {} })
    expect(difference(a, { 'f:m': {} })).toEqual({ 'f:m': { 'f:x': {}, 'f:y': {} }, 'f:s': {} })
    expect(difference(a, { 'f:q': {} })).toBe(a)
  })
  it('subtract with children', () => {
    expect(recursiveDifference(a, setOfPaths(['m']))).toEqual({ 'f:s': {} })
    expect(recursiveDifference(a, setOfPaths(['m.x', 's']))).toEqual({ 'f:m': { '.': {}, 'f:y': {} } })
  })
  it('sort elements as upstream: numbers by value, fields before keys before values', () => {
    const elements = [
      'v:"b"',
      'k:{"p":80}',
      'k:{"p":443}',
      'f:b',
      'v:"a"',
      'f:B',
      'i:10',
      'i:9',
      'k:{"p":80,"q":"x"}',
    ]
    expect(elements.sort(comparePathElements)).toEqual([
      'f:B',
      'f:b',
      'k:{"p":80}',
      'k:{"p":80,"q":"x"}',
      'k:{"p":443}',
      'v:"a"',
      'v:"b"',
      'i:9',
      'i:10',
    ])
  })
  it('read elements that others wrote', () => {
    expect(canonicalElement('k:{ "b": 1, "a": "x" }')).toBe('k:{"a":"x","b":1}')
    expect(canonicalElement('v: 5')).toBe('v:5')
    expect(canonicalElement('z:later')).toBeUndefined()
    for (const bad of ['nocolon', 'v:{', 'k:5', 'i:x', ''])
      expect(() => canonicalElement(bad)).toThrow(SyntaxError)
  })
})

describe('comparison', () => {
  const spec = (spec: object): never => ({ spec }) as never
  it('goes into associative lists by their keys, with defaults', () => {
    const before = spec({ containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] })
    const after = spec({
      containers: [{ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP', name: 'w' }] }, { name: 'd' }],
    })
    expect(compareObjects(pod, before, after)).toEqual({
      changed: {
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { 'f:name': {}, 'f:protocol': {} } },
            },
            'k:{"name":"d"}': { '.': {}, 'f:name': {} },
          },
        },
      },
      removed: {},
    })
  })
  it('takes atomic parts as one', () => {
    const before = spec({ nodeSelector: { a: '1' }, tolerations: [{ key: 'a' }] })
    const after = spec({ nodeSelector: { a: '2' }, tolerations: [{ key: 'a' }, { key: 'b' }] })
    expect(compareObjects(pod, before, after).changed).toEqual({
      'f:spec': { 'f:nodeSelector': {}, 'f:tolerations': {} },
    })
  })
  it('tells what went', () => {
    const before = { metadata: { labels: { a: '1', b: '2' }, annotations: { x: '1' } } }
    const after = { metadata: { labels: { a: '1' } } }
    expect(compareObjects(pod, before, after)).toEqual({
      changed: {},
      removed: { 'f:metadata': { 'f:labels': { 'f:b': {} }, 'f:annotations': { '.': {}, 'f:x': {} } } },
    })
  })
  it('counts duplicates as one leaf', () => {
    const one = spec({ containers: [{ name: 'c', env: [{ name: 'A', value: '1' }] }] })
    const two = spec({
      containers: [
        {
          name: 'c',
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ],
    })
    const at = (leaf: object): object => ({
      'f:spec': { 'f:containers': { 'k:{"name":"c"}': { 'f:env': { 'k:{"name":"A"}': leaf } } } },
    })
    expect(compareObjects(pod, one, two)).toEqual({
      changed: at({}),
      removed: at({ '.': {}, 'f:name': {}, 'f:value': {} }),
    })
    expect(compareObjects(pod, two, two)).toEqual({ changed: {}, removed: {} })
  })
  it('refuses items without identity', () => {
    expect(() => compareObjects(pod, {}, spec({ containers: [null] }))).toThrow(FieldSetError)
    expect(() => compareObjects(pod, {}, spec({ containers: ['c'] }))).toThrow(FieldSetError)
  })
})
