// The rules for x-kubernetes-list-type and -list-map-keys in a definition's schema.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { namedOf, textAt } from './reading.ts'

const LIST_TYPE = 'x-kubernetes-list-type'
const LIST_KEYS = 'x-kubernetes-list-map-keys'
const MAP_TYPE = 'x-kubernetes-map-type'

const keysOf = (schema: JsonObject): string[] => {
  const keys = schema[LIST_KEYS]
  return Array.isArray(keys) ? keys.map(String) : []
}

/** Causes for one node, not those below. */
export function listCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  const list = schema[LIST_TYPE]
  const items = isObject(schema['items']) ? schema['items'] : undefined
  if (list !== undefined && textAt(schema, 'type') !== 'array') notArray(schema, path, causes)
  else if (list === 'set' && items) setItems(items, path, causes)
  if (list !== undefined && !['atomic', 'set', 'map'].includes(String(list)))
    causes.push(cause.notSupported(`${path}.${LIST_TYPE}`, list, ['atomic', 'set', 'map']))
  const keys = keysOf(schema)
  const why = `must be map if ${LIST_KEYS} is non-empty`
  if (keys.length > 0 && list === undefined) causes.push(cause.required(`${path}.${LIST_TYPE}`, why))
  else if (keys.length > 0 && list !== 'map') causes.push(cause.invalid(`${path}.${LIST_TYPE}`, list, why))
  if (list === 'map') mapItems(items, keys, path, causes)
  if (items && (list === 'map' || list === 'set')) uniqueItems(items, { list, keys }, path, causes)
  return causes
}

function notArray(schema: JsonObject, path: string, causes: StatusCause[]): void {
  const type = textAt(schema, 'type')
  const why = `must be array if ${LIST_TYPE} is specified`
  causes.push(type === '' ? cause.required(`${path}.type`, why) : cause.invalid(`${path}.type`, type, why))
}

function setItems(items: JsonObject, path: string, causes: StatusCause[]): void {
  const type = textAt(items, 'type')
  const list = items[LIST_TYPE]
  const why = `must be atomic as item of a list with ${LIST_TYPE}=set`
  if (type === 'array' && list !== undefined && list !== 'atomic')
    causes.push(cause.invalid(`${path}.items.${LIST_TYPE}`, list, why))
  if (type === 'object' && items[MAP_TYPE] !== 'atomic')
    causes.push(cause.invalid(`${path}.items.${MAP_TYPE}`, list ?? null, why))
}

function mapItems(
  items: JsonObject | undefined,
  keys: readonly string[],
  path: string,
  causes: StatusCause[],
): void {
  const field = `${path}.${LIST_KEYS}`
  if (keys.length === 0) causes.push(cause.required(field, `must not be empty if ${LIST_TYPE} is map`))
  if (!items) {
    causes.push(cause.required(`${path}.items`, `must have a schema if ${LIST_TYPE} is map`))
    return
  }
  const type = textAt(items, 'type')
  if (type !== 'object') {
    const why = `must be object if parent array's ${LIST_TYPE} is map`
    causes.push(cause.invalid(`${path}.items.type`, type, why))
    return
  }
  const seen = new Set<string>()
  const properties = namedOf(items, 'properties')
  for (const key of keys) {
    const property = properties.get(key)
    const scalar = property && !['array', 'object'].includes(textAt(property, 'type'))
    const why = `must be a scalar type if parent array's ${LIST_TYPE} is map`
    if (!property) causes.push(cause.invalid(field, keys, 'entries must all be names of item properties'))
    else if (!scalar) causes.push(cause.invalid(`${path}.items.properties[${key}].type`, type, why))
    if (seen.has(key)) causes.push(cause.invalid(field, keys, 'must not contain duplicate entries'))
    seen.add(key)
  }
}

interface Unique {
  readonly list: 'map' | 'set'
  readonly keys: readonly string[]
}

/** What tells items apart must be there. */
function uniqueItems(items: JsonObject, { list, keys }: Unique, path: string, causes: StatusCause[]): void {
  if (items['nullable'] === true)
    causes.push(cause.forbidden(`${path}.items.nullable`, `cannot be nullable when ${LIST_TYPE} is ${list}`))
  if (list === 'set') return
  const required = Array.isArray(items['required']) ? items['required'] : []
  for (const key of keys) {
    const property = namedOf(items, 'properties').get(key)
    if (!property) continue
    const field = `${path}.items.properties[${key}]`
    const isKey = `this property is in ${LIST_KEYS}, so it`
    if (!required.includes(key) && property['default'] === undefined)
      causes.push(
        cause.required(`${field}.default`, `${isKey} must have a default or be a required property`),
      )
    if (property['nullable'] === true)
      causes.push(cause.forbidden(`${field}.nullable`, `${isKey} cannot be nullable`))
  }
}
