// What operations cost, by the sizes of what they walk. Follows cel-go interpreter/runtimecost.go, common/cost.go and
// k8s.io/apiserver/pkg/cel/library/cost.go.
import type { Cost } from './overload.ts'
import { isKeyed, ListValue, Optional, type Value } from './values.ts'

export const TEXT_FACTOR = 0.1
export const REGEX_FACTOR = 0.25

/** The length of a text or list, the keys of a map; 1 for all else. */
export function sizeOf(value: Value | undefined): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return value.length
  if (value instanceof ListValue || (value !== undefined && isKeyed(value))) return value.size
  if (value instanceof Optional && value.value !== undefined) return sizeOf(value.value)
  return 1
}

const textCost = (size: number): number => Math.ceil(size * TEXT_FACTOR)

/** Walks its first argument once. */
export const walk: Cost = ([arg]) => textCost(sizeOf(arg))
/** Walks its first argument, and builds as much. */
export const rebuild: Cost = ([arg]) => textCost(2 * sizeOf(arg))
/** Builds its result. */
export const build: Cost = (_args, result) => textCost(2 * sizeOf(result))
export const both: Cost = ([a, b]) => textCost(sizeOf(a) + sizeOf(b))
export const lesser: Cost = ([a, b]) => textCost(Math.min(sizeOf(a), sizeOf(b)))
export const product: Cost = ([a, b]) => textCost(sizeOf(a)) * textCost(sizeOf(b))
export const search: Cost = ([text, pattern]) =>
  textCost(1 + sizeOf(text)) * Math.ceil(sizeOf(pattern) * REGEX_FACTOR)
/** One for each item. */
export const items: Cost = ([list]) => sizeOf(list)
/** Every item with every other. */
export const pairs: Cost = ([a, b]) => 1 + sizeOf(a) * sizeOf(b)
export const nothing: Cost = () => 0
