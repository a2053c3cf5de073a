// Reads fields and items of values, plainly or as optionals. Follows cel-go interpreter/attributes.go.
import { CelError } from './fault.ts'
import { isKeyed, kindOf, ListValue, NONE, Optional, Uint, type Value } from './values.ts'

/** What is there by this key; in null, and in all else that has no parts, nothing is. Throws a CelError for lists. */
function foundIn(value: Value, key: Value): Value | undefined {
  if (isKeyed(value)) return value.get(key)
  if (value instanceof ListValue) wholeOf(key)
  return undefined
}

/** value.field; of an optional, an optional. Throws a CelError where there is none. */
export function fieldOf(value: Value, field: string): Value {
  if (value instanceof Optional) return optionalField(value, field)
  const found = foundIn(value, field)
  if (found === undefined) throw new CelError(`no such key: ${field}`)
  return found
}

/** has(value.field) */
export function hasField(value: Value, field: string): boolean {
  if (value instanceof Optional) return value.value !== undefined && hasField(value.value, field)
  return foundIn(value, field) !== undefined
}

/** value.?field */
export function optionalField(value: Value, field: string): Optional {
  if (value instanceof Optional) return value.value === undefined ? NONE : optionalField(value.value, field)
  const found = foundIn(value, field)
  return found === undefined ? NONE : new Optional(found)
}

/** value[index] */
export function indexOf(value: Value, index: Value): Value {
  if (value instanceof Optional) return optionalIndex(value, index)
  if (value instanceof ListValue) {
    const i = wholeOf(index)
    if (i < 0 || i >= value.size) throw new CelError(`index out of bounds: ${i}`)
    return value.at(i)
  }
  const found = foundIn(value, index)
  if (found === undefined) throw new CelError(`no such key: ${shown(index)}`)
  return found
}

/** value[?index] */
export function optionalIndex(value: Value, index: Value): Optional {
  if (value instanceof Optional) return value.value === undefined ? NONE : optionalIndex(value.value, index)
  if (value instanceof ListValue) {
    const i = wholeOf(index)
    return i < 0 || i >= value.size ? NONE : new Optional(value.at(i))
  }
  const found = foundIn(value, index)
  return found === undefined ? NONE : new Optional(found)
}

function wholeOf(index: Value): number {
  const i = index instanceof Uint ? Number(index.value) : Number(index)
  if (typeof index === 'number' && !Number.isInteger(i))
    throw new CelError(`unsupported index value ${index} in list`)
  const isWhole = typeof index === 'bigint' || typeof index === 'number' || index instanceof Uint
  if (!isWhole) throw new CelError(`unsupported index type '${kindOf(index)}' in list`)
  return i
}

const shown = (key: Value): string => (key instanceof Uint ? String(key.value) : String(key as string))
