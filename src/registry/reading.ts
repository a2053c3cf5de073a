// Reading plain objects whose types the schema has already checked: absent fields read as empty, so that rules stay one line.
// Stands under every strategy and validation of this room; follows no upstream package (Go reads structs).
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { isNumeric } from '../machinery/numbers.ts'

const EMPTY_OBJECT: JsonObject = Object.freeze({})
const EMPTY_LIST: readonly never[] = Object.freeze([])

type Value = Json | undefined

/** The value as an object; an empty frozen one where it is none. */
export const objectAt = (value: Value): JsonObject => (isObject(value) ? value : EMPTY_OBJECT)

/** The items of a list of objects; none where it is no list. */
export const objectsAt = (value: Value): readonly JsonObject[] =>
  Array.isArray(value) ? (value as JsonObject[]) : EMPTY_LIST

/** The items of a list of texts; none where it is no list. */
export const textsAt = (value: Value): readonly string[] =>
  Array.isArray(value) ? (value as string[]) : EMPTY_LIST

/** The value as text; "" where it is none. */
export const textAt = (value: Value): string => (typeof value === 'string' ? value : '')

/** The value as a number, about right beyond 2^53; 0 where it is none. */
export const numberAt = (value: Value): number => (isNumeric(value) ? Number(value) : 0)

/** The number as it is, an integer of 64 bits; 0 where it is none. */
export const exactAt = (value: Value): number | bigint => (isNumeric(value) ? value : 0)

/** True where the field was given: neither absent nor null. */
export const present = (value: Value): boolean => value !== undefined && value !== null

/** The object below `key`, made where it is absent. */
export function childOf(parent: JsonObject, key: string): JsonObject {
  const child = parent[key]
  if (isObject(child)) return child
  const made: JsonObject = {}
  parent[key] = made
  return made
}
