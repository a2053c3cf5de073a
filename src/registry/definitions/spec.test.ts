import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { definitionCauses, definitionUpdateCauses, formatWarnings } from './spec.ts'

const ROOT = 'spec.validation.openAPIV3Schema'

function definition(schema: JsonObject, version: JsonObject = {}, spec: JsonObject = {}): KubeObject {
  return {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version },
      ],
      ...spec,
    },
    status: { storedVersions: ['v1'] },
  }
}

const causesOf = (object: KubeObject): string[] =>
  definitionCauses(object).map(({ field, message }) => `${field}: ${message}`)
const field = (a: JsonObject): JsonObject => ({ type: 'object', properties: { a } })

describe('a definition', () => {
  it('is good with a structural schema', () => {
    const schema = field({ type: 'array', items: { type: 'string' }, default: ['x'] })
    expect(causesOf(definition(schema))).toEqual([])
    const intOrString = {
      'x-kubernetes-int-or-string': true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
    }
    expect(causesOf(definition(field(intOrString)))).toEqual([])
  })

  it.each<[string, JsonObject, string[]]>([
    ['no type', {}, ['properties[a].type: Required value: must not be empty for specified object fields']],
    ['no items', { type: 'array' }, ['properties[a].items: Required value: must be specified']],
    [
      'a type in an alternative',
      { type: 'string', oneOf: [{ type: 'string' }] },
      ['properties[a].oneOf[0].type: Forbidden: must be empty to be structural'],
    ],
    [
      'a default of another type',
      { type: 'string', default: 5 },
      ['properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"'],
    ],
    [
      'a default with more than the schema has',
      { type: 'object', properties: {}, default: { b: 1 } },
      ['properties[a].default: Invalid value: {"b":1}: must not have unknown fields'],
    ],
    [
      'a pattern that is none',
      { type: 'string', pattern: '(' },
      [
        'properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: ' +
          'error parsing regexp: missing closing ): `(`',
      ],
    ],
    [
      'keys that may be missing',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', properties: { k: { type: 'string' } } },
      },
      [
        'properties[a].items.properties[k].default: Required value: this property is in ' +
          'x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    ],
  ])('is refused for %s', (_name, a, causes) => {
    expect(causesOf(definition(field(a)))).toEqual(causes.map((text) => `${ROOT}.${text}`))
  })

  const many = { type: 'array', items: { type: 'string' } }
  const costly = { ...many, 'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x == y))' }] }
  const spoiled = (more: JsonObject): JsonObject => ({
    type: 'object',
    properties: { a: { type: 'string', ...more }, list: costly },
  })

  it('is asked what its rules cost where only something beside them is wrong', () => {
    const causes = causesOf(definition(spoiled({ uniqueItems: true })))
    expect(causes[0]).toContain('uniqueItems cannot be set to true')
    expect(causes[1]).toContain(`${ROOT}.properties[list].x-kubernetes-validations[0].rule: Forbidden`)
    const within = { ...costly, items: { type: 'string', uniqueItems: true } }
    expect(causesOf(definition(field(within)))).toHaveLength(1)
  })

  it('is asked neither for defaults nor for rules where it says what no structural schema says', () => {
    const why = 'Forbidden: id is not supported'
    expect(causesOf(definition(spoiled({ id: 'x', default: 1 })))).toEqual([
      `${ROOT}.properties[a].id: ${why}`,
    ])
    expect(causesOf(definition(spoiled({ $schema: 'x' })))).toEqual([
      `${ROOT}: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`,
    ])
  })

  it('has no default that its rules refuse', () => {
    const rule = { rule: "self.startsWith('a') && self > 'a'" }
    const a = { type: 'string', maxLength: 9, default: 'b', 'x-kubernetes-validations': [rule] }
    expect(causesOf(definition(field(a)))).toEqual([
      `${ROOT}.properties[a].default: Invalid value: "b": failed rule: ${rule.rule}`,
    ])
    expect(causesOf(definition({ type: 'object', default: {} })).slice(0, 2)).toEqual([
      `${ROOT}.default.apiVersion: Required value`,
      `${ROOT}.default.kind: Required value`,
    ])
  })

  it('prints rules as Go prints JSON, and texts that may be absent, too', () => {
    const rules = { 'x-kubernetes-validations': [{ rule: 'self < 3 && ' }] }
    expect(causesOf(definition(field({ type: 'integer', ...rules })))[0]).toContain(
      '{"Rule":"self \\u003c 3 \\u0026\\u0026 "',
    )
    const warned = { deprecated: true, deprecationWarning: 'a\u0007' }
    expect(causesOf(definition(field({ type: 'string' }), warned))[0]).toContain('Invalid value: "a\\u0007"')
  })

  it.each<[string, string]>([
    ['.spec', 'must point to a field of type string, boolean or integer'],
    ['spec.a', 'is an invalid path: expected [ or . but got: spec'],
    ['.spec.list[0]', 'is an invalid path: array notation is not allowed'],
    ['.spec.gone', 'is an invalid path: does not refer to a valid field'],
    ['.spec.', 'is an invalid path: unexpected end of JSON path'],
  ])('may not be selected by %s', (jsonPath, why) => {
    const spec = { type: 'object', properties: { a: { type: 'string' }, list: many } }
    const schema = { type: 'object', properties: { spec } }
    const causes = causesOf(definition(schema, { selectableFields: [{ jsonPath }] }))
    expect(causes).toHaveLength(1)
    expect(causes[0]).toContain(`Invalid value: "${jsonPath}": ${why}`)
  })

  it('names the service of its webhook whole, and certificates once it is established', () => {
    const conversion = (clientConfig: JsonObject): JsonObject => ({
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
    })
    const made = (config: JsonObject): KubeObject =>
      definition(field({ type: 'string' }), {}, conversion(config))
    const path = 'spec.conversion.webhookClientConfig'
    expect(causesOf(made({ service: { name: 's', port: 443 } }))).toEqual([
      `${path}.service.name: Required value`,
    ])
    const status = { storedVersions: ['v1'], conditions: [{ type: 'Established', status: 'True' }] }
    const old = { ...made({ url: 'https://a' }), status }
    const next = { ...made({ url: 'https://a', caBundle: 'AAAA' }), status }
    expect(definitionUpdateCauses(next, old)).toMatchObject([{ field: `${path}.caBundle` }])
    expect(definitionUpdateCauses(next, next)).toEqual([])
  })

  it('says in alternatives only what the shape has', () => {
    const schema = { type: 'object', not: { properties: { b: { minimum: 1 } } } }
    expect(causesOf(definition(schema))).toEqual([
      `${ROOT}.properties[b]: Required value: because it is defined in ${ROOT}.not.properties[b]`,
    ])
  })

  it('names what one of several versions says by that version', () => {
    const object = definition(field({ type: 'string' }))
    const versions = (object['spec'] as JsonObject)['versions'] as JsonObject[]
    versions.push({
      name: 'v2',
      served: true,
      storage: false,
      schema: { openAPIV3Schema: { type: 'string' } },
    })
    expect(causesOf(object)).toEqual([
      'spec.versions[1].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root',
    ])
  })

  it('keeps its names once they are established', () => {
    const old = definition(field({ type: 'string' }))
    const status = { storedVersions: ['v1'], conditions: [{ type: 'Established', status: 'True' }] }
    const next = { ...definition(field({ type: 'string' }), {}, { scope: 'Cluster' }), status }
    expect(definitionUpdateCauses(next, { ...old, status })).toMatchObject([{ field: 'spec.scope' }])
    expect(definitionUpdateCauses(next, old)).toEqual([])
  })

  it('warns of formats that nobody knows, once', () => {
    const object = definition(field({ type: 'string', format: 'odd' }))
    expect(formatWarnings(object, undefined)).toEqual(['unrecognized format "odd"'])
    expect(formatWarnings(object, object)).toEqual([])
  })
})
