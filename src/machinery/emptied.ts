// Empty lists and maps that a client sent and decoding dropped, as Go's omitempty drops them when an object is written:
// to Go they were there until then, and refusals show them as [] and {}, not as null. A note of them stays on the
// object, and on its copies by spread, under a symbol: no reader of its fields meets it.
import type { Json, JsonObject } from './json.ts'

const EMPTIED = Symbol('emptied')

type Noted = JsonObject & { [EMPTIED]?: Record<string, Json> }

/** Says that the object's field of this name was an empty list or map. */
export function noteEmptied(object: JsonObject, name: string, value: Json): void {
  const noted = object as Noted
  noted[EMPTIED] = { __proto__: null as never, ...noted[EMPTIED], [name]: Array.isArray(value) ? [] : {} }
}

/** What the field of this name was, if it was empty and is gone. */
export const emptiedAt = (object: JsonObject, name: string): Json | undefined =>
  (object as Noted)[EMPTIED]?.[name]

/** Whether there is such a note on the value, or on anything in it, of what no default has filled since. */
export function hasEmptied(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false
  const noted = (value as Noted)[EMPTIED]
  if (noted && Object.keys(noted).some((name) => (value as Noted)[name] === undefined)) return true
  return Object.values(value).some(hasEmptied)
}

/** Hands the note on to what takes the object's place. */
export function keepEmptied(from: JsonObject, to: JsonObject): void {
  const noted = (from as Noted)[EMPTIED]
  if (noted) (to as Noted)[EMPTIED] = noted
}
