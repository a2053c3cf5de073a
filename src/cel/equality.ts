// When two values are equal, and which comes first. Follows cel-go common/types and apiserver pkg/cel/common/equality.go.
import { CelError } from './fault.ts'
import {
  Duration,
  isKeyed,
  ListValue,
  ObjectValue,
  OpaqueValue,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Keyed,
  type Value,
} from './values.ts'

export const noOverload = (): CelError => new CelError('no such overload')

/** The value as a number of one sort, where it is one. */
function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}

/** a == b. Values of different types are unequal, but numbers are compared as numbers. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return x <= y && x >= y
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b)
  if (isKeyed(a)) return isKeyed(b) && equalMaps(a, b)
  if (a instanceof OpaqueValue) return b instanceof OpaqueValue && a.type === b.type && a.text === b.text
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional) return b instanceof Optional && equalOptionals(a, b)
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
}

function equalOptionals({ value: a }: Optional, { value: b }: Optional): boolean {
  return a === undefined || b === undefined ? a === b : equal(a, b)
}

function equalMaps(a: Keyed, b: Keyed): boolean {
  if (a instanceof ObjectValue && b instanceof ObjectValue && a.json === b.json) return true
  if (a.size !== b.size) return false
  return a.keys().every((key) => {
    const [x, y] = [a.get(key), b.get(key)]
    return x !== undefined && y !== undefined && equal(x, y)
  })
}

/** Lists that a schema calls sets or maps are equal in any order. */
function equalLists(a: ListValue, b: ListValue): boolean {
  if (a.size !== b.size) return false
  const type = a.type ?? b.type
  if (type?.listType === 'set' || type?.listType === 'map') {
    const others = b.values()
    return a.values().every((item) => others.some((other) => equal(item, other)))
  }
  return a.values().every((item, i) => equal(item, b.at(i)))
}

/** Negative, zero or positive. Throws a CelError for values without an order. */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (
    (a instanceof Timestamp && b instanceof Timestamp) ||
    (a instanceof Duration && b instanceof Duration)
  ) {
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  }
  throw noOverload()
}

/** By code points, as Go's bytes: UTF-16 order differs where there are surrogates. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return /[\ud800-\udfff]/.test(a) || /[\ud800-\udfff]/.test(b)
    ? Buffer.compare(Buffer.from(a), Buffer.from(b))
    : a < b
      ? -1
      : 1
}

/** The items, without those that are equal to one before. */
export function distinct(items: readonly Value[]): Value[] {
  const texts = new Set<string>()
  const kept: Value[] = []
  for (const item of items) {
    if (typeof item === 'string') {
      if (texts.has(item)) continue
      texts.add(item)
    } else if (kept.some((one) => equal(one, item))) continue
    kept.push(item)
  }
  return kept
}
