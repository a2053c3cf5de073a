// Assignment to keys that a client chose.
import type { Json, JsonObject } from './json.ts'

/** Sets a key that may be any text: a plain assignment of "__proto__" would change the object's prototype instead. */
export function assign(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  } else object[key] = value
}
