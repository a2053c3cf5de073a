// What a version that looks different brings along: the way to the version that is stored, and back.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'

/** Neither function changes its argument; both leave kind, apiVersion, order and zero values to convert(). */
export interface Shape {
  /** To the shape of the version that lies in the store. */
  toHub(object: KubeObject): KubeObject
  /** Absent for versions that are only read. */
  fromHub?(object: KubeObject): KubeObject
}

/** A part with `change` applied to it; where it is absent, the object itself. */
export function changed<T extends JsonObject>(
  object: T,
  key: string,
  change: (part: JsonObject) => JsonObject,
): T {
  const part = object[key]
  return isObject(part) ? { ...object, [key]: change(part) } : object
}

/** The same for each object of a list. */
export function changedEach<T extends JsonObject>(
  object: T,
  key: string,
  change: (item: JsonObject) => JsonObject,
): T {
  const list = object[key]
  if (!Array.isArray(list)) return object
  return { ...object, [key]: list.map((item) => (isObject(item) ? change(item) : item)) }
}

/** The object with keys renamed; a Map, so that keys like "constructor" are what they are. */
export function renamed(object: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.keys(object).map((key) => [names.get(key) ?? key, object[key]] as const)
  return Object.fromEntries(entries)
}
