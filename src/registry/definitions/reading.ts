// Reading parts of schemas that may be absent.
import { isObject, type JsonObject } from '../../machinery/json.ts'

export const textAt = (object: JsonObject, key: string): string => {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}

/** The objects of the list at a key. */
export const listOf = (object: JsonObject, key: string): JsonObject[] => {
  const value = object[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The objects by name at a key. */
export function namedOf(object: JsonObject, key: string): ReadonlyMap<string, JsonObject> {
  const value = object[key]
  const entries = isObject(value) ? Object.entries(value) : []
  return new Map(entries.filter((entry): entry is [string, JsonObject] => isObject(entry[1])))
}

/** Every schema in a schema, itself first, alternatives included. */
export function* schemasIn(schema: JsonObject): Generator<JsonObject> {
  yield schema
  for (const key of ['items', 'not', 'additionalProperties']) {
    const below = schema[key]
    if (isObject(below)) yield* schemasIn(below)
  }
  for (const key of ['allOf', 'anyOf', 'oneOf']) for (const one of listOf(schema, key)) yield* schemasIn(one)
  for (const one of namedOf(schema, 'properties').values()) yield* schemasIn(one)
}
