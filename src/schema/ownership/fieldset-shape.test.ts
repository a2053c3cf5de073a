import { expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import { compareObjects } from './fieldset-compare.ts'
import { emptyShape, oncePerSet, textOfSet, wholeOf } from './fieldset-shape.ts'
import { type FieldSet, LEAF } from './fieldset.ts'
import type { StructType } from '../type.ts'
import { typeForKind } from '../types.ts'

const pod = typeForKind({ group: '', version: 'v1', kind: 'Pod' }) as StructType

const podOf = (name: string, ...labels: string[]): JsonObject => ({
  metadata: { name, labels: Object.fromEntries(labels.map((label) => [label, name])) },
  spec: {
    containers: [{ name: 'b', image: name, ports: [{ containerPort: 80 }] }, { name: 'a' }],
    nodeSelector: {},
    restartPolicy: 'Always',
  },
})

it('names every field, those of maps and of items by their keys, in order', () => {
  expect(JSON.stringify(wholeOf(pod, podOf('x', 'z', 'y')))).toBe(
    JSON.stringify({
      '.': {},
      'f:metadata': { '.': {}, 'f:labels': { '.': {}, 'f:y': {}, 'f:z': {} }, 'f:name': {} },
      'f:spec': {
        '.': {},
        'f:containers': {
          '.': {},
          'k:{"name":"a"}': { '.': {}, 'f:name': {} },
          'k:{"name":"b"}': {
            '.': {},
            'f:image': {},
            'f:name': {},
            'f:ports': {
              '.': {},
              'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
            },
          },
        },
        'f:nodeSelector': {},
        'f:restartPolicy': {},
      },
    }),
  )
})

it('gives objects of one shape the same set, whatever their values', () => {
  expect(wholeOf(pod, podOf('x', 'l'))).toBe(wholeOf(pod, podOf('y', 'l')))
  expect(wholeOf(pod, podOf('x', 'l'))).not.toBe(wholeOf(pod, podOf('x', 'm')))
  const changed = (name: string): FieldSet => compareObjects(pod, podOf('x'), podOf(name)).changed
  expect(changed('y')).toBe(changed('z'))
  expect(changed('y')).toEqual({
    'f:metadata': { 'f:name': {} },
    'f:spec': { 'f:containers': { 'k:{"name":"b"}': { 'f:image': {} } } },
  })
})

it('counts items of one identity as one leaf', () => {
  const twice = { spec: { containers: [{ name: 'a', image: 'x' }, { name: 'a' }, { name: 'b' }] } }
  expect(wholeOf(pod, twice)).toEqual({
    '.': {},
    'f:spec': {
      '.': {},
      'f:containers': { '.': {}, 'k:{"name":"a"}': {}, 'k:{"name":"b"}': { '.': {}, 'f:name': {} } },
    },
  })
})

it('remains right when there are more shapes than it remembers', () => {
  for (let i = 0; i < 20_000; i++) {
    const set = wholeOf(pod, podOf('x', `label-${i}`)) as Record<string, Record<string, FieldSet>>
    if (i % 1000 === 0) expect(set['f:metadata']?.['f:labels']).toEqual({ '.': {}, [`f:label-${i}`]: {} })
  }
  const labels = Array.from({ length: 20_000 }, (_, i) => `l${i}`)
  const { 'f:metadata': metadata } = wholeOf(pod, podOf('x', ...labels)) as Record<string, FieldSet>
  expect(Object.keys(metadata?.['f:labels'] as FieldSet)).toHaveLength(20_001)
})

it('works out once what comes of a set that comes back, and each time for others', () => {
  let count = 0
  const work = oncePerSet((set) => (count++, { 'f:seen': LEAF, ...set }))
  const shape = emptyShape().with('f:one', LEAF).set
  expect(work(shape)).toBe(work(shape))
  expect(count).toBe(1)
  expect(work({ 'f:one': LEAF })).toEqual(work({ 'f:one': LEAF }))
  expect(count).toBe(3)
  const write = (set: FieldSet): string => (count++, JSON.stringify(set))
  expect([textOfSet(shape, write), textOfSet(shape, write)]).toEqual(['{"f:one":{}}', '{"f:one":{}}'])
  expect(count).toBe(4)
})
