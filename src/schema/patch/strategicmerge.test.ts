import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { StatusError } from '../../machinery/status.ts'
import { strategicMergePatch } from './strategicmerge.ts'
import type { StructType } from '../type.ts'
import { typeForKind } from '../types.ts'

const pod = typeForKind({ group: '', version: 'v1', kind: 'Pod' }) as StructType

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

const merge = (current: JsonObject, patch: JsonObject): JsonObject =>
  strategicMergePatch(freeze(current), freeze(patch), pod)
const spec = (current: JsonObject, patch: JsonObject): Json =>
  merge({ spec: current }, { spec: patch }).spec as Json
const refusal = (current: JsonObject, patch: JsonObject): unknown => {
  try {
    return spec(current, patch)
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError)
    return [(error as StatusError).code, (error as StatusError).message]
  }
}

const two = {
  containers: [
    { name: 'a', image: '1' },
    { name: 'b', image: '2', args: ['x'] },
  ],
}

describe('strategic merge', () => {
  it('merges lists by key, in the order of the patch, the others between as they were', () => {
    const patch = {
      containers: [
        { name: 'c', image: '3' },
        { name: 'b', args: ['y'] },
      ],
    }
    expect(spec(two, patch)).toEqual({
      containers: [
        { name: 'c', image: '3' },
        { name: 'a', image: '1' },
        { name: 'b', image: '2', args: ['y'] },
      ],
    })
  })
  it('deletes, replaces and orders as directives say', () => {
    expect(spec(two, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual({
      containers: [two.containers[1]],
    })
    expect(spec(two, { containers: [{ $patch: 'replace' }, { name: 'z' }] })).toEqual({
      containers: [{ name: 'z' }],
    })
    expect(spec(two, { $patch: 'replace', nodeName: 'n' })).toEqual({ nodeName: 'n' })
    expect(spec({ nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'delete' } })).toEqual({
      nodeSelector: {},
    })
    const order = [{ name: 'b' }, { name: 'a' }]
    expect(spec(two, { '$setElementOrder/containers': order })).toEqual({
      containers: [two.containers[1], two.containers[0]],
    })
  })
  it('merges lists of scalars as sets and removes from them', () => {
    const metadata = { finalizers: ['a', 'b'] }
    expect(merge({ metadata }, { metadata: { finalizers: ['c', 'a'] } })).toEqual({
      metadata: { finalizers: ['c', 'a', 'b'] },
    })
    const removal = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a', 'x'] } }
    expect(merge({ metadata }, removal)).toEqual({ metadata: { finalizers: ['b'] } })
  })
  it('keeps only what $retainKeys lists', () => {
    const volumes = [{ name: 'v', hostPath: { path: '/' } }]
    const patch = { volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] }
    expect(spec({ volumes }, patch)).toEqual({ volumes: [{ name: 'v', emptyDir: {} }] })
  })
  it('drops nulls, and parts with directives, from what is new', () => {
    const affinity = { nodeAffinity: { $patch: 'delete' }, podAffinity: { x: null, y: 1 } }
    expect(spec({}, { affinity, nodeName: null })).toEqual({ affinity: { podAffinity: { y: 1 } } })
    expect(spec({ nodeName: 'n' }, { nodeName: null })).toEqual({})
  })
  it('treats names of JavaScript as data', () => {
    const patch = JSON.parse('{"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}') as JsonObject
    expect(JSON.stringify(merge({ metadata: { labels: { a: '1' } } }, patch))).toBe(
      '{"metadata":{"labels":{"a":"1","__proto__":"x","constructor":"y"}}}',
    )
  })
  it.each<[string, JsonObject, [number, string]]>([
    [
      'an item without its key',
      { containers: [{ image: 'x' }] },
      [500, 'map: map[image:x] does not contain declared merge key: name'],
    ],
    [
      'an unknown directive',
      { containers: [{ name: 'a', $patch: 'odd' }] },
      [500, 'unknown patch type: odd in map: map[$patch:odd name:a]'],
    ],
    [
      'retainKeys that miss a field',
      { $retainKeys: [], nodeName: 'x' },
      [400, 'invalid patch format of retainKeys'],
    ],
    ['retainKeys that are no list', { $retainKeys: 1 }, [400, 'invalid patch format of retainKeys']],
    [
      'lists in lists',
      { containers: [[]] },
      [
        500,
        'list element types are not identical: [[map[image:1 name:a] map[args:[x] image:2 name:b]] [[]]]',
      ],
    ],
    [
      'items of two kinds',
      { containers: ['x'] },
      [500, 'list element types are not identical: [[map[image:1 name:a] map[args:[x] image:2 name:b]] [x]]'],
    ],
    [
      'an order without the item',
      { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'q' }] },
      [
        500,
        "The order in patch list:\n[map[name:q]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
      ],
    ],
    [
      'an order of an unknown list',
      { '$setElementOrder/x': [] },
      [500, 'unable to find api field in struct PodSpec for the json field "x"'],
    ],
    [
      'maps for one value, which is a struct to Go',
      { containers: Array(2).fill({ name: 'q', livenessProbe: { httpGet: { port: { x: { y: 1 } } } } }) },
      [500, 'unable to find api field in struct IntOrString for the json field "x"'],
    ],
    [
      'a deletion of nothing named',
      { $deleteFromPrimitiveList: [] },
      [400, 'invalid patch format of primitive list'],
    ],
  ])('refuses %s', (_, patch, refused) => expect(refusal(two, patch)).toEqual(refused))

  it('stays quick with long lists', () => {
    const items = Array.from({ length: 20_000 }, (_, i) => `f${i}`)
    const start = process.cpuUsage()
    const out = merge({ metadata: { finalizers: items } }, { metadata: { finalizers: items.toReversed() } })
    expect((out.metadata as JsonObject).finalizers).toHaveLength(20_000)
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2_000)
  })
})
