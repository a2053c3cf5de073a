// What a definition's schema may say beyond being structural: known types, list types that fit, no extras.
// Follows ValidateCustomResourceDefinitionOpenAPISchema of apiextensions-apiserver/pkg/apis/apiextensions/validation.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { listCauses } from './lists.ts'
import { listOf, namedOf, textAt } from './reading.ts'
import { ruleCauses } from './rules.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const META: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion'])

/** Where a schema stands. */
interface Walk {
  readonly root: boolean
  /** Why there may be no default here. */
  readonly noDefault?: string
  /** Inside of the metadata of a whole object. */
  readonly inMeta: boolean
  readonly causes: StatusCause[]
}

/** Keys that are refused wherever they stand. */
const REFUSED: readonly (readonly [key: string, why: string])[] = [
  ['id', 'id is not supported'],
  ['additionalItems', 'additionalItems is not supported'],
  ['patternProperties', 'patternProperties is not supported'],
  ['definitions', 'definitions is not supported'],
  ['dependencies', 'dependencies is not supported'],
  ['$ref', '$ref is not supported'],
]

/** Causes for which the schema at `path` is refused. */
export function openApiCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  walk(schema, path, { root: true, inMeta: false, causes })
  return causes
}

function walk(schema: JsonObject, path: string, at: Walk): void {
  standard(schema, path, at)
  const { causes } = at
  if (schema['uniqueItems'] === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    causes.push(cause.forbidden(`${path}.uniqueItems`, why))
  }
  const inner = { ...at, root: false }
  additional(schema, path, inner)
  properties(schema, path, at)
  if (isObject(schema['not'])) walk(schema['not'], `${path}.not`, inner)
  for (const key of ['allOf', 'oneOf', 'anyOf'])
    listOf(schema, key).forEach((one, i) => walk(one, `${path}.${key}[${i}]`, inner))
  if (isObject(schema['items'])) walk(schema['items'], `${path}.items`, inner)
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const field = `${path}.x-kubernetes-preserve-unknown-fields`
    causes.push(cause.invalid(field, false, 'must be true or undefined'))
  }
  mapType(schema, path, causes)
  causes.push(...listCauses(schema, path), ...ruleCauses(schema, path))
}

function standard(schema: JsonObject, path: string, { noDefault, inMeta, causes }: Walk): void {
  const type = textAt(schema, 'type')
  if (type !== '' && !TYPES.includes(type)) causes.push(cause.notSupported(`${path}.type`, type, TYPES))
  if (noDefault !== undefined && schema['default'] !== undefined && schema['default'] !== null)
    causes.push(cause.forbidden(`${path}.default`, `must not be set ${noDefault}`))
  for (const [key, why] of REFUSED)
    if (schema[key] !== undefined) causes.push(cause.forbidden(`${path}.${key}`, why))
  if (type === 'null')
    causes.push(cause.forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  if (Array.isArray(schema['items']))
    causes.push(cause.forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  if (inMeta && schema['x-kubernetes-embedded-resource'] === true) {
    const field = `${path}.x-kubernetes-embedded-resource`
    causes.push(cause.forbidden(field, 'must not be used inside of resource meta'))
  }
}

function additional(schema: JsonObject, path: string, at: Walk): void {
  const below = schema['additionalProperties']
  if (below === undefined) return
  const field = `${path}.additionalProperties`
  if (namedOf(schema, 'properties').size > 0 && below !== true) {
    const why = 'additionalProperties and properties are mutual exclusive'
    at.causes.push(cause.forbidden(field, why))
  }
  const why = 'inside additionalProperties applying to object metadata'
  if (isObject(below)) walk(below, field, at.inMeta ? { ...at, noDefault: why } : at)
}

function properties(schema: JsonObject, path: string, at: Walk): void {
  const whole = at.root || schema['x-kubernetes-embedded-resource'] === true
  for (const [key, property] of namedOf(schema, 'properties')) {
    const isMeta = whole && META.has(key)
    walk(property, `${path}.properties[${key}]`, {
      ...at,
      root: false,
      inMeta: at.inMeta || isMeta,
      ...(isMeta && at.root && { noDefault: `in top-level ${key}` }),
    })
  }
}

function mapType(schema: JsonObject, path: string, causes: StatusCause[]): void {
  const map = schema['x-kubernetes-map-type']
  if (map === undefined) return
  const type = textAt(schema, 'type')
  const why = 'must be object if x-kubernetes-map-type is specified'
  if (type === '') causes.push(cause.required(`${path}.type`, why))
  else if (type !== 'object') causes.push(cause.invalid(`${path}.type`, type, why))
  if (map !== 'atomic' && map !== 'granular')
    causes.push(cause.notSupported(`${path}.x-kubernetes-map-type`, map, ['atomic', 'granular']))
}
