// What the cells of every kind's table are made with: reading parts that may be absent, ages, and lists cut short.
// Follows the small functions of kubernetes/pkg/printers/internalversion/printers.go.
import { humanDuration } from '../../machinery/duration.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import { labelSelectorText, selectorOfObject } from '../../machinery/labels.ts'
import type { KubeObject } from '../../machinery/object.ts'

/** Tells clients that a row's object is through with its work. */
export interface RowCondition extends JsonObject {
  type: string
  status: string
  reason?: string
  message?: string
}

/** How one kind is shown. */
export interface Printer {
  /** The version that `cells` reads ("autoscaling/v2"); absent where all served versions look the same to it. */
  readonly reads?: string
  /** One cell for each column; `now` in milliseconds since 1970. */
  cells(object: KubeObject, now: number): Json[]
  conditions?(object: KubeObject): RowCondition[] | undefined
  /** The order of the rows; absent: as the list has them. */
  compare?(a: KubeObject, b: KubeObject): number
  /** Go's generic printer says null where there are no rows. */
  readonly nullWhenEmpty?: boolean
}

/** Printers by resource ("deployments"), one such record for each group. */
export type Printers = Readonly<Record<string, Printer>>

const NOTHING: JsonObject = Object.freeze({})

/** The object at a key; an empty one where there is none. */
export function part(object: JsonObject, key: string): JsonObject {
  const value = object[key]
  return isObject(value) ? value : NOTHING
}

/** The objects of the list at a key. */
export function parts(object: JsonObject, key: string): JsonObject[] {
  const value = object[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The text at a key, or `fallback` where there is none or an empty one. */
export function text(object: JsonObject, key: string, fallback = ''): string {
  const value = object[key]
  return typeof value === 'string' && value !== '' ? value : fallback
}

/** The texts of the list at a key. */
export function texts(object: JsonObject, key: string): string[] {
  const value = object[key]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The number at a key, about right beyond 2^53; zero where there is none. */
export function count(object: JsonObject, key: string): number {
  const value = object[key]
  return isNumeric(value) ? Number(value) : 0
}

/** As count, exact beyond 2^53. */
export function whole(object: JsonObject, key: string): number | bigint {
  const value = object[key]
  return isNumeric(value) ? value : 0
}

/** The quantity at a key, as its text. */
export function quantity(object: JsonObject, key: string, fallback = '0'): string {
  const value = object[key]
  return typeof value === 'string' || isNumeric(value) ? String(value) : fallback
}

export const flag = (object: JsonObject, key: string, fallback = false): boolean =>
  typeof object[key] === 'boolean' ? object[key] : fallback

/** How many entries the list or map at a key has. */
export function size(object: JsonObject, key: string): number {
  const value = object[key]
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : 0
}

export const nameOf = (object: KubeObject): string => object.metadata.name ?? ''

/** True once the object has been told to go. */
export const deleting = (object: KubeObject): boolean => typeof object.metadata.deletionTimestamp === 'string'

/** The time since a timestamp: "5m3s". */
export function since(timestamp: unknown, now: number): string {
  if (typeof timestamp !== 'string') return '<unknown>'
  return humanDuration(now - Date.parse(timestamp))
}

/** The time since the object was made. */
export const age = (object: KubeObject, now: number): string => since(object.metadata.creationTimestamp, now)

/** "a=b,c=d", sorted; "<none>" for an empty map. */
export function labelsText(map: JsonObject): string {
  const keys = Object.keys(map).sort()
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${String(map[key])}`).join(',')
}

/** The text of a LabelSelector object at a key; `invalid` where it is none. */
export function selectorText(object: JsonObject, key: string, empty = '<none>', invalid = '<error>'): string {
  try {
    return labelSelectorText(selectorOfObject(object[key])) || empty
  } catch {
    return invalid
  }
}

/** The names and the images of a pod template's containers. */
export function containerCells(template: JsonObject): [string, string] {
  const containers = parts(part(template, 'spec'), 'containers')
  return [containers.map((c) => text(c, 'name')).join(','), containers.map((c) => text(c, 'image')).join(',')]
}

/** At most `max` items, and how many there are beyond. */
export function cutShort(items: readonly string[], max: number, separator = ','): string {
  const shown = items.slice(0, max).join(separator)
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown
}

/** The condition of a type; the last where there are several. */
export function conditionOf(status: JsonObject, type: string): JsonObject | undefined {
  return parts(status, 'conditions').findLast((condition) => condition.type === type)
}

/** Kinds of which only name and age are shown. */
export const NAME_AND_AGE: Printer = { cells: (object, now) => [nameOf(object), age(object, now)] }

/** Kinds that upstream has no printer for: name and time of creation. */
export const NAME_AND_CREATED: Printer = {
  cells: (object) => [nameOf(object), object.metadata.creationTimestamp ?? '0001-01-01T00:00:00Z'],
  nullWhenEmpty: true,
}
