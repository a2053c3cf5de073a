// OpenAPI schemas of built-in types, in both dialects, from the rows of api/openapi/types.
// v3 writes defaults, and wraps a reference that has siblings in allOf; v2 has neither.
// Follows k8s.io/kube-openapi/pkg/generators and its conversion of v3 to v2 (pkg/openapiconv, pkg/builder).
import type { JsonObject } from '../../machinery/json.ts'
import { packageRow, structRow } from '../../schema/types.ts'
import type { FieldRow, StructRow, TypeRow } from '../../schema/types-rows.ts'

export type Dialect = 'v2' | 'v3'

const REFERENCE = { v2: '#/definitions/', v3: '#/components/schemas/' } as const

/** Definition → the text of its description ('' as field name) and of its fields'. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** What the scalar rows are in a schema: inline, or a reference to a definition of their own. */
const SCALARS: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  boolean: { type: 'boolean' },
  bytes: { type: 'string', format: 'byte' },
  any: {},
}
const NAMED: Readonly<Record<string, string>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  time: `${META}.Time`,
  microtime: `${META}.MicroTime`,
  duration: `${META}.Duration`,
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  'any:rawExtension': 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'any:fieldsV1': `${META}.FieldsV1`,
}
const ZERO: Readonly<Record<string, string | number | boolean>> = {
  string: '',
  int32: 0,
  int64: 0,
  double: 0,
  boolean: false,
}

/** Definitions that are no structs. */
function specialSchema(definition: string, dialect: Dialect): JsonObject | undefined {
  switch (definition) {
    case NAMED['quantity']:
      return dialect === 'v2' ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] }
    case NAMED['intOrString']:
      return dialect === 'v2'
        ? { type: 'string', format: 'int-or-string' }
        : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
    case NAMED['time']:
    case NAMED['microtime']:
      return { type: 'string', format: 'date-time' }
    case NAMED['any:rawExtension']:
    case NAMED['any:fieldsV1']:
    case `${META}.Patch`:
      return { type: 'object' }
    case `${EXTENSIONS}.JSON`:
    case `${EXTENSIONS}.JSONSchemaPropsOrArray`:
    case `${EXTENSIONS}.JSONSchemaPropsOrBool`:
    case `${EXTENSIONS}.JSONSchemaPropsOrStringArray`:
      return {}
    default:
      return undefined
  }
}

/**
 * The schema of a definition; undefined for names that api/openapi does not have. `gvk` limits the group, version
 * and kind of kinds that many groups share (DeleteOptions) to these.
 */
export function schemaOf(
  definition: string,
  dialect: Dialect,
  options: { readonly descriptions?: Descriptions; readonly gvk: (gvk: Gvk) => boolean },
): JsonObject | undefined {
  const texts = options.descriptions?.[definition]
  const described = texts?.[''] === undefined ? {} : { description: texts[''] }
  const special = specialSchema(definition, dialect)
  if (special !== undefined) return { ...described, ...special }
  const row = structRow(definition)
  if (row === undefined) return undefined
  const home = definition.slice(0, definition.lastIndexOf('.'))
  const fields = Object.entries(row.fields)
  const required = fields.filter(([, field]) => field.required === true).map(([name]) => name)
  const gvks = row.gvk === undefined ? ownGvk(definition, row) : row.gvk.filter((gvk) => options.gvk(gvk))
  const properties = fields.map(([name, field]) => [
    name,
    propertyOf({ home, dialect }, field, texts?.[name]),
  ])
  return {
    ...described,
    type: 'object',
    ...(required.length > 0 && { required }),
    ...(fields.length > 0 && { properties: Object.fromEntries(properties) as JsonObject }),
    ...(gvks.length > 0 && {
      'x-kubernetes-group-version-kind': gvks.map(([group, version, kind]) => ({ group, version, kind })),
    }),
    ...(row.atomic === true && { 'x-kubernetes-map-type': 'atomic' }),
    ...(row.unions !== undefined && { 'x-kubernetes-unions': row.unions as JsonObject[] }),
  }
}

type Gvk = readonly [group: string, version: string, kind: string]

function ownGvk(definition: string, row: StructRow): readonly Gvk[] {
  if (row.kind !== true) return []
  const [version = '', kind = ''] = definition.split('.').slice(-2)
  const group = packageRow(definition.slice(0, definition.lastIndexOf('.')))?.group
  return typeof group === 'string' ? [[group, version, kind]] : []
}

interface Place {
  /** The package that the row is written in. */
  readonly home: string
  readonly dialect: Dialect
  /** The definition of "any:json" at this place. */
  readonly json?: string
}

/** CustomResourceDefinition has four types that are any JSON; their protobuf messages tell them apart. */
function jsonDefinition({ protoType = 'JSON' }: FieldRow): string {
  return `${EXTENSIONS}.${protoType.slice(protoType.lastIndexOf('.') + 1).replace('>', '')}`
}

function propertyOf(place: Place, field: FieldRow, description: string | undefined): JsonObject {
  const schema = typeSchema({ ...place, json: jsonDefinition(field) }, field.type, field.enum)
  const preset = place.dialect === 'v3' ? defaultOf(field) : undefined
  return withSiblings(place.dialect, schema, {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset as JsonObject }),
    ...(field.patchMergeKey !== undefined && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.listType !== undefined && { 'x-kubernetes-list-type': field.listType }),
    ...(field.patchStrategy !== undefined && { 'x-kubernetes-patch-strategy': field.patchStrategy }),
  })
}

/** In v3 nothing may stand beside a $ref. */
function withSiblings(dialect: Dialect, schema: JsonObject, siblings: JsonObject): JsonObject {
  const { $ref, ...own } = schema
  const rest = { ...siblings, ...own }
  if ($ref === undefined || dialect === 'v2' || Object.keys(rest).length === 0)
    return { ...schema, ...siblings }
  return { ...rest, allOf: [{ $ref }] }
}

function defaultOf(field: FieldRow): unknown {
  if (field.default !== undefined) return field.default
  if (field.pointer === true) return undefined
  if (typeof field.type === 'string' && Object.hasOwn(ZERO, field.type)) {
    return field.omitEmpty === true || field.omitZero === true ? undefined : ZERO[field.type]
  }
  return isStruct(field.type) ? {} : undefined
}

function isStruct(row: TypeRow): boolean {
  return typeof row === 'string' ? row.includes('.') : 'struct' in row
}

function typeSchema(place: Place, row: TypeRow, values?: readonly string[]): JsonObject {
  if (typeof row === 'string') {
    const scalar = SCALARS[row]
    if (scalar === undefined) return { $ref: referenceTo(place, row) }
    return values === undefined ? scalar : { ...scalar, enum: [...values] }
  }
  if ('list' in row) {
    return {
      type: 'array',
      items: elementSchema(place, row.list, values),
      ...(row.keys !== undefined && { 'x-kubernetes-list-map-keys': [...row.keys] }),
      ...(row.listType !== undefined && { 'x-kubernetes-list-type': row.listType }),
    }
  }
  if ('map' in row) {
    const map = { type: 'object', additionalProperties: elementSchema(place, row.map, values) }
    return row.atomic === undefined ? map : { ...map, 'x-kubernetes-map-type': mapTypeOf(row.atomic) }
  }
  return { $ref: referenceTo(place, row.struct), 'x-kubernetes-map-type': mapTypeOf(row.atomic) }
}

function mapTypeOf(atomic: boolean): string {
  return atomic ? 'atomic' : 'granular'
}

function elementSchema(place: Place, row: TypeRow, values?: readonly string[]): JsonObject {
  const schema = typeSchema(place, row, values)
  if (place.dialect === 'v2') return schema
  if (typeof row === 'string' && Object.hasOwn(ZERO, row)) return { ...schema, default: ZERO[row] }
  return isStruct(row) ? withSiblings('v3', schema, { default: {} }) : schema
}

function referenceTo({ home, dialect, json }: Place, name: string): string {
  const definition = (name === 'any:json' ? json : NAMED[name]) ?? (name.startsWith('.') ? home + name : name)
  return REFERENCE[dialect] + definition
}
