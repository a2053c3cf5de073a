// The schemas that OpenAPI shows of custom kinds: an object's and a list's, in both dialects.
// Follows k8s.io/apiextensions-apiserver/pkg/controller/openapi (builder, v2).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { assign } from '../../machinery/jsonassign.ts'
import type { Definition, Version } from './definition.ts'
import { definitionName } from './rows.ts'

export type Dialect = 'v2' | 'v3'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const REFERENCE = { v2: '#/definitions/', v3: '#/components/schemas/' } as const

const reference = (name: string, dialect: Dialect): JsonObject =>
  dialect === 'v2' ? { $ref: REFERENCE.v2 + name } : { allOf: [{ $ref: REFERENCE.v3 + name }] }

const TYPE_META = (): JsonObject => ({ apiVersion: { type: 'string' }, kind: { type: 'string' } })

const gvk = (group: string, version: string, kind: string): JsonObject => ({
  'x-kubernetes-group-version-kind': [{ group, version, kind }],
})

/** The schema of the objects of a version. */
export function objectSchema(definition: Definition, version: Version, dialect: Dialect): JsonObject {
  const { group, accepted } = definition
  const named = gvk(group, version.name, accepted.kind)
  const { schema } = version
  const open = schema?.['x-kubernetes-preserve-unknown-fields'] === true || definition.preserveUnknownFields
  if (!schema || (dialect === 'v2' && open)) return { type: 'object', ...named }
  const shown = render(schema, dialect)
  const properties = isObject(shown['properties']) ? shown['properties'] : {}
  return {
    ...shown,
    properties: { ...properties, ...TYPE_META(), metadata: reference(`${META}.ObjectMeta`, dialect) },
    ...named,
  }
}

/** The schema of their lists. */
export function listSchema(definition: Definition, version: Version, dialect: Dialect): JsonObject {
  const { group, accepted } = definition
  const item = { $ref: REFERENCE[dialect] + definitionName(definition, version.name) }
  return {
    description: `${accepted.listKind} is a list of ${accepted.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...TYPE_META(),
      items: { type: 'array', items: item },
      metadata: reference(`${META}.ListMeta`, dialect),
    },
    ...gvk(group, version.name, accepted.listKind),
  }
}

/** Keys whose value is a schema, a list of schemas, schemas by name. */
const ONE: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not'])
const LISTED: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf'])
const NAMED: ReadonlySet<string> = new Set(['properties', 'patternProperties'])
/** What version 2 of OpenAPI has no words for. */
const NOT_IN_V2: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable'])
const SHAPE: ReadonlySet<string> = new Set([
  'type',
  'items',
  'properties',
  'additionalProperties',
  'required',
])

function render(schema: JsonObject, dialect: Dialect): JsonObject {
  const open =
    dialect === 'v2' &&
    (schema['nullable'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true)
  const out: JsonObject = {}
  for (const key of Object.keys(schema)) {
    if (dialect === 'v2' && (NOT_IN_V2.has(key) || (open && SHAPE.has(key)))) continue
    out[key] = renderMember(key, schema[key] as Json, dialect)
  }
  if (schema['x-kubernetes-embedded-resource'] === true && !open) embed(out, dialect)
  return out
}

function renderMember(key: string, value: Json, dialect: Dialect): Json {
  if (ONE.has(key) && isObject(value)) return render(value, dialect)
  if (LISTED.has(key) && Array.isArray(value))
    return value.map((one) => (isObject(one) ? render(one, dialect) : one))
  if (!NAMED.has(key) || !isObject(value)) return value
  const out: JsonObject = {}
  for (const name of Object.keys(value)) {
    const one = value[name] as Json
    assign(out, name, isObject(one) ? render(one, dialect) : one)
  }
  return out
}

function embed(schema: JsonObject, dialect: Dialect): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  schema['properties'] = {
    ...properties,
    ...TYPE_META(),
    metadata: reference(`${META}.ObjectMeta`, dialect),
  }
  schema['required'] = [...new Set([...required, 'kind', 'apiVersion'])]
}
