// Reads fields and items of values, plainly or as optionals. Follows cel-go interpreter/attributes.go.
import { noOverload } from './equality.ts'
import { CelError } from './fault.ts'
import { isKeyed, ListValue, NONE, Optional, Uint, type Value } from './values.ts'

/** value.field; of an optional, an optional. Throws a CelError where there is none. */
export function fieldOf(value: Value, field: string): Value {
  if (value instanceof Optional) return optionalField(value, field)
  if (!isKeyed(value)) throw noOverload()
  const found = value.get(field)
  if (found === undefined) throw new CelError(`no such key: ${field}`)
  return found
}

/** has(value.field) */
export function hasField(value: Value, field: string): boolean {
  if (value instanceof Optional) return value.value !== undefined && hasField(value.value, field)
  if (!isKeyed(value)) throw noOverload()
  return value.get(field) !== undefined
}

/** value.?field */
export function optionalField(value: Value, field: string): Optional {
  if (value instanceof Optional) return value.value === undefined ? NONE : optionalField(value.value, field)
  if (!isKeyed(value)) throw noOverload()
  const found = value.get(field)
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
  if (!isKeyed(value)) throw noOverload()
  const found = value.get(index)
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
  if (!isKeyed(value)) throw noOverload()
  const found = value.get(index)
  return found === undefined ? NONE : new Optional(found)
}

function wholeOf(index: Value): number {
  const i = index instanceof Uint ? Number(index.value) : Number(index)
  if (typeof index === 'string' || typeof index === 'boolean' || !Number.isInteger(i)) {
    throw new CelError(
      `unsupported index type '${typeof index === 'string' ? 'string' : typeof index}' in list`,
    )
  }
  return i
}

const shown = (key: Value): string => (key instanceof Uint ? String(key.value) : String(key as string))
