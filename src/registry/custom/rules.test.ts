import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import { structuralOf } from '../../schema/custom/structural.ts'
import { ruleFaults } from './rules.ts'

const SCHEMA = structuralOf({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        min: {
          type: 'integer',
          'x-kubernetes-validations': [
            { rule: 'self >= 0', reason: 'FieldValueForbidden', message: 'small' },
          ],
        },
        max: { type: 'integer' },
        name: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed' }] },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            properties: { k: { type: 'string' }, v: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v', fieldPath: '.v' }],
          },
        },
      },
      'x-kubernetes-validations': [
        {
          rule: '!has(self.max) || !has(self.min) || self.min <= self.max',
          messageExpression: '"min " + string(self.min) + " over max"',
        },
      ],
    },
  },
  'x-kubernetes-validations': [{ rule: 'self.metadata.name.startsWith("w")' }],
})

const object = (spec: JsonObject, name = 'w'): JsonObject => ({ metadata: { name }, spec })
const warnings: string[] = []
const faults = (next: JsonObject, old?: JsonObject): string[] =>
  ruleFaults(SCHEMA, next, old, (text) => void warnings.push(text)).map(
    ({ field, message }) => `${field}: ${message}`,
  )

describe('ruleFaults', () => {
  it.each<[JsonObject, string[]]>([
    [object({ min: 1, max: 2 }), []],
    [object({ min: 3, max: 2 }), ['spec: Invalid value: min 3 over max']],
    [object({ min: -1 }), ['spec.min: Forbidden: small']],
    [object({}, 'x'), ['<nil>: Invalid value: failed rule: self.metadata.name.startsWith("w")']],
  ])('%j', (next, causes) => expect(faults(next)).toEqual(causes))

  it('looks back where there is something to look back at', () => {
    expect(faults(object({ name: 'a' }))).toEqual([])
    expect(faults(object({ name: 'b' }), object({ name: 'a' }))).toEqual([
      'spec.name: Invalid value: "b": fixed',
    ])
    const old = object({
      items: [
        { k: 'a', v: 2 },
        { k: 'b', v: 2 },
      ],
    })
    expect(
      faults(
        object({
          items: [
            { k: 'b', v: 1 },
            { k: 'c', v: 0 },
          ],
        }),
        old,
      ),
    ).toEqual(['spec.items[0].v: Invalid value: failed rule: self.v >= oldSelf.v'])
  })

  it('only warns of what was wrong before and has not changed', () => {
    expect(faults(object({ min: -1, max: 5 }), object({ min: -1 }))).toEqual([])
    expect(warnings).toEqual(['spec.min: Forbidden: small'])
  })

  it('ends what costs too much', () => {
    const rule = 'self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))'
    const schema = structuralOf({
      type: 'object',
      properties: { l: { type: 'array', items: { type: 'integer' } } },
      'x-kubernetes-validations': [{ rule, message: 'sum' }],
    })
    const [fault, ...more] = ruleFaults(
      schema,
      { l: Array.from({ length: 300 }, (_, i) => i) },
      undefined,
      () => {},
    )
    expect(more).toEqual([])
    expect(fault?.message).toContain('no further validation rules will be run due to call cost exceeds limit')
  })
})
