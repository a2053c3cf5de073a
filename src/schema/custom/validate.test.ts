import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { applyDefaults, dropNulls, prune } from './prune.ts'
import { structuralOf } from './structural.ts'
import { schemaCauses } from './validate.ts'

const messages = (schema: JsonObject, value: Json, old?: Json): string[] =>
  schemaCauses(schema, value, 'spec', old).map(({ field, message }) => `${field}: ${message}`)

describe('schemaCauses', () => {
  it.each<[JsonObject, Json, string[]]>([
    [
      { type: 'integer' },
      'x',
      ['spec: Invalid value: "string": spec in body must be of type integer: "string"'],
    ],
    [{ type: 'string' }, null, ['spec: Invalid value: "null": spec in body must be of type string: "null"']],
    [{ type: 'string', nullable: true }, null, []],
    [
      { 'x-kubernetes-int-or-string': true },
      true,
      ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
    ],
    [{ type: 'string', maxLength: 1 }, '😀', []],
    [
      { type: 'string', pattern: '^(a+)+$' },
      `${'a'.repeat(200)}!`,
      [`spec: Invalid value: "${'a'.repeat(200)}!": spec in body should match '^(a+)+$'`],
    ],
    [
      { type: 'string', format: 'date' },
      '2024-02-30',
      ['spec: Invalid value: "2024-02-30": spec in body must be of type date: "2024-02-30"'],
    ],
    [
      { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ['a', 'b'],
      ['spec: Too many: 2: must have at most 1 items'],
    ],
    [
      { type: 'string', oneOf: [{ pattern: '^a' }, { pattern: 'b$' }] },
      'ab',
      [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
  ])('%j of %j', (schema, value, causes) => expect(messages(schema, value)).toEqual(causes))

  it('lets be what was wrong before and has not changed', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } }
    expect(messages(schema, { a: 'x', b: 'y' }, { a: 'x', b: 1 })).toEqual([
      'spec.b: Invalid value: "string": spec.b in body must be of type integer: "string"',
    ])
  })
})

describe('prune and applyDefaults', () => {
  const schema = structuralOf({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          a: { type: 'string', default: 'd' },
          list: { type: 'array', items: { type: 'object', properties: { x: { type: 'string' } } } },
          open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          n: { type: 'string' },
        },
      },
    },
  })

  it('takes out what is unknown, and says where', () => {
    const object = {
      kind: 'W',
      metadata: { any: 1 },
      spec: { list: [{ y: 1 }], open: { z: { q: 1 } }, constructor: 1 },
      other: 1,
    }
    expect(prune(object, schema)).toEqual(['other', 'spec.constructor', 'spec.list[0].y'])
    expect(object).toEqual({ kind: 'W', metadata: { any: 1 }, spec: { list: [{}], open: { z: { q: 1 } } } })
  })

  it('fills in defaults for what is absent and for nulls that may not be', () => {
    const object: JsonObject = { spec: { a: null, n: null } }
    dropNulls(object, schema)
    applyDefaults(object, schema)
    expect(object).toEqual({ spec: { a: 'd' } })
  })
})
