// What makes a schema structural: its shape is told once, outside of alternatives, and everything in it has a type.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema (validation.go, complete.go).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { patternFault } from '../../schema/regexp/regexp.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { listOf, namedOf, textAt } from './reading.ts'

type Level = 'root' | 'item' | 'field'

/** Where there may be no type: what is asked for instead. */
const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

/** Why the schema at `path` is not structural, sorted. */
export function structuralCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  invariants(schema, 'root', path, causes)
  completeness(schema, schema, { shape: path, values: path }, causes)
  const text = (one: StatusCause): string => `${one.field}: ${one.message}`
  return causes.sort((a, b) => (text(a) < text(b) ? -1 : 1))
}

const keyed = (path: string, key: string): string => `${path}.properties[${key}]`

function invariants(schema: JsonObject, level: Level, path: string, causes: StatusCause[]): void {
  const items = schema['items']
  if (textAt(schema, 'type') === 'array' && !isObject(items))
    causes.push(cause.required(`${path}.items`, 'must be specified'))
  if (isObject(items)) invariants(items, 'item', `${path}.items`, causes)
  for (const [key, property] of namedOf(schema, 'properties'))
    invariants(property, 'field', keyed(path, key), causes)
  const additional = schema['additionalProperties']
  if (additional !== undefined && level === 'root')
    causes.push(cause.forbidden(`${path}.additionalProperties`, 'must not be used at the root'))
  if (isObject(additional)) invariants(additional, 'field', `${path}.additionalProperties`, causes)
  extensions(schema, path, causes)
  values(schema, { level, path, skipAny: isIntOrString(schema['anyOf']) }, causes)
  types(schema, level, path, causes)
  metadata(schema, level, path, causes)
}

const INT_OR_STRING: Json = [{ type: 'integer' }, { type: 'string' }]
/** The one pattern in which alternatives may name types. */
const isIntOrString = (alternatives: Json | undefined): boolean =>
  alternatives !== undefined && isSame(alternatives, INT_OR_STRING)

function extensions(schema: JsonObject, path: string, causes: StatusCause[]): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return
  for (const key of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource']) {
    if (schema[key] !== true) continue
    causes.push(cause.invalid(`${path}.${key}`, true, 'must be false if x-kubernetes-int-or-string is true'))
  }
}

function types(schema: JsonObject, level: Level, path: string, causes: StatusCause[]): void {
  const type = textAt(schema, 'type')
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const open =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (embedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    causes.push(type === '' ? cause.required(`${path}.type`, why) : cause.invalid(`${path}.type`, type, why))
  } else if (type === '' && !open) causes.push(cause.required(`${path}.type`, MISSING_TYPE[level]))
  if (embedded && schema['additionalProperties'] !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set'
    causes.push(cause.forbidden(`${path}.additionalProperties`, why))
  }
  if (level === 'root' && type !== '' && type !== 'object')
    causes.push(cause.invalid(`${path}.type`, type, 'must be object at the root'))
}

function metadata(schema: JsonObject, level: Level, path: string, causes: StatusCause[]): void {
  const properties = namedOf(schema, 'properties')
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const isWhole = level === 'root' || embedded
  for (const key of ['kind', 'apiVersion']) {
    const type = properties.get(key)?.['type'] ?? ''
    if (isWhole && properties.has(key) && type !== 'string')
      causes.push(cause.invalid(`${keyed(path, key)}.type`, type, 'must be string'))
  }
  const meta = properties.get('metadata')
  const metaType = meta && textAt(meta, 'type')
  if (isWhole && meta && metaType !== 'object')
    causes.push(cause.invalid(`${keyed(path, 'metadata')}.type`, metaType, 'must be object'))
  if (meta && level === 'root') metadataShape(meta, keyed(path, 'metadata'), causes)
  if (embedded && schema['x-kubernetes-preserve-unknown-fields'] !== true && properties.size === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    causes.push(cause.required(`${path}.properties`, why))
  }
}

/** The metadata of whole objects at the root may be narrowed by names alone. */
function metadataShape(meta: JsonObject, path: string, causes: StatusCause[]): void {
  const named = [...namedOf(meta, 'properties').keys()]
  const known = named.every((key) => key === 'name' || key === 'generateName')
  const others = Object.keys(meta).filter((key) => !['type', 'properties', 'default'].includes(key))
  if (known && others.length === 0) return
  const why =
    'must not specify anything other than name and generateName, but metadata is implicitly specified'
  causes.push(cause.forbidden(path, why))
}

interface Place {
  readonly level: Level
  readonly path: string
  /** anyOf is the pattern of int-or-string. */
  readonly skipAny: boolean
  /** Inside of an alternative. */
  readonly nested?: boolean
}

function values(schema: JsonObject, place: Place, causes: StatusCause[]): void {
  const { level, path } = place
  const each = (key: string): void => {
    listOf(schema, key).forEach((one, i) => {
      const skipAny = key === 'allOf' && i === 0 && isIntOrString(one['anyOf'])
      nested(one, { level, path: `${path}.${key}[${i}]`, skipAny }, key === 'allOf', causes)
    })
  }
  if (!place.skipAny) each('anyOf')
  each('allOf')
  each('oneOf')
  const not = schema['not']
  if (isObject(not)) nested(not, { level, path: `${path}.not`, skipAny: false }, false, causes)
  const pattern = textAt(schema, 'pattern')
  const fault = pattern === '' ? undefined : patternFault(pattern)
  if (fault === undefined) return
  const why = `must be a valid regular expression, but isn't: ${fault}`
  causes.push(cause.invalid(`${path}.pattern`, pattern, why))
}

/** What alternatives may not say, in upstream's order. */
const FORBIDDEN: readonly (readonly [key: string, why: string])[] = [
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function nested(schema: JsonObject, place: Place, inAll: boolean, causes: StatusCause[]): void {
  const { level, path } = place
  values(schema, place, causes)
  const items = schema['items']
  if (isObject(items)) nested(items, { level, path: `${path}.items`, skipAny: false }, inAll, causes)
  const properties = namedOf(schema, 'properties')
  for (const [key, property] of properties)
    nested(property, { level: 'field', path: keyed(path, key), skipAny: false }, inAll, causes)
  if (textAt(schema, 'type') !== '')
    causes.push(cause.forbidden(`${path}.type`, 'must be empty to be structural'))
  if (schema['additionalProperties'] !== undefined)
    causes.push(cause.forbidden(`${path}.additionalProperties`, 'must be undefined to be structural'))
  for (const [key, why] of FORBIDDEN) {
    const value = schema[key]
    const isSet = value !== undefined && value !== false && value !== '' && value !== null
    if (isSet) causes.push(cause.forbidden(`${path}.${key}`, why))
  }
  if (properties.has('metadata'))
    causes.push(cause.forbidden(keyed(path, 'metadata'), 'must not be specified in a nested context'))
}

interface Paths {
  readonly shape: string
  readonly values: string
}

/** What alternatives speak of must be in the shape. */
function completeness(
  schema: JsonObject,
  shape: JsonObject | undefined,
  at: Paths,
  causes: StatusCause[],
): void {
  const not = schema['not']
  if (isObject(not)) nestedCompleteness(not, shape, { ...at, values: `${at.values}.not` }, causes)
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    listOf(schema, key).forEach((one, i) =>
      nestedCompleteness(one, shape, { ...at, values: `${at.values}.${key}[${i}]` }, causes),
    )
  }
}

function nestedCompleteness(
  schema: JsonObject,
  shape: JsonObject | undefined,
  at: Paths,
  causes: StatusCause[],
): void {
  if (!shape) {
    causes.push(cause.required(at.shape, `because it is defined in ${at.values}`))
    return
  }
  completeness(schema, shape, at, causes)
  const { items } = schema
  const below = isObject(shape['items']) ? shape['items'] : undefined
  if (isObject(items))
    nestedCompleteness(items, below, { shape: `${at.shape}.items`, values: `${at.values}.items` }, causes)
  const known = namedOf(shape, 'properties')
  for (const [key, property] of namedOf(schema, 'properties')) {
    const paths = { shape: keyed(at.shape, key), values: keyed(at.values, key) }
    nestedCompleteness(property, known.get(key), paths, causes)
  }
}
