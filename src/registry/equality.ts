// Whether two states of an object mean the same. Asked by strategies for generation and immutability.
// Follows k8s.io/apimachinery/pkg/api/equality (Semantic): an empty list or map equals an absent one.
import type { Json, JsonObject } from '../machinery/json.ts'

type Value = Json | undefined

const isEmpty = (value: Value): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0)

function sameItems(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length) return false
  return a.every((item, i) => semanticEqual(item, b[i]))
}

function sameFields(a: JsonObject, b: JsonObject): boolean {
  for (const key of Object.keys(a)) {
    if (!semanticEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false
  }
  for (const key of Object.keys(b)) {
    if (!Object.hasOwn(a, key) && !isEmpty(b[key])) return false
  }
  return true
}

/** Deep equality in which absent, null, {} and [] are one. Quantities and times compare as the texts they are. */
export function semanticEqual(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return isEmpty(a) && isEmpty(b)
  if (Array.isArray(a)) return Array.isArray(b) ? sameItems(a, b) : isEmpty(a) && isEmpty(b)
  return Array.isArray(b) ? isEmpty(a) && isEmpty(b) : sameFields(a, b)
}
