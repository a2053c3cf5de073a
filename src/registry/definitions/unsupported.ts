// Keys that no structural schema has, at all: what has one is not looked at as one.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema (NewStructural, validateUnsupportedFields).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { listOf, namedOf } from './reading.ts'

/** How each is called, in the order in which they are looked for. */
const UNSUPPORTED: readonly (readonly [key: string, called: string])[] = [
  ['id', 'id'],
  ['$schema', 'schema'],
  ['$ref', '$ref'],
  ['patternProperties', 'patternProperties'],
  ['dependencies', 'dependencies'],
  ['additionalItems', 'additionalItems'],
  ['definitions', 'definitions'],
]

const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const ARRAY = "'items' must be a schema, but is an array"

/** What of a schema, or of any below it, no structural schema has; undefined for nothing. */
export function unsupportedFault(schema: JsonObject): string | undefined {
  for (const [key, called] of UNSUPPORTED) if (isSet(schema[key])) return `'${called}' is not supported`
  for (const below of belowOf(schema)) {
    const fault = unsupportedFault(below)
    if (fault !== undefined) return fault
  }
  if (schema[PRESERVE] === false) return `'${PRESERVE}' must be true or undefined`
  return Array.isArray(schema['items']) && schema['items'].length > 0 ? ARRAY : undefined
}

function isSet(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false
  return !isObject(value) || Object.keys(value).length > 0
}

function belowOf(schema: JsonObject): JsonObject[] {
  const { not, items, additionalProperties } = schema
  const nested = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => listOf(schema, key))
  const single = [not, items, additionalProperties].filter((one) => isObject(one))
  return [...nested, ...single, ...namedOf(schema, 'properties').values()] as JsonObject[]
}
