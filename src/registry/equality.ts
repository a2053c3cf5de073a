// Whether two states of an object mean the same. Asked by strategies for generation and immutability.
// Follows k8s.io/apimachinery/pkg/api/equality (Semantic): an empty list or map equals an absent one.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { isSame } from '../schema/ownership/fieldset-compare.ts'
import type { Resource } from '../schema/resource.ts'
import type { StructType, Type } from '../schema/type.ts'
import { typeForKind } from '../schema/types.ts'

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

/**
 * Whether two states of an object, in the stored version of a kind of the release, have the same at a path, as
 * semanticEqual says it but for one thing: behind a pointer, an empty struct is another than none.
 */
export function sameAt(
  resource: Resource,
  path: readonly string[],
  states: readonly [Value, Value],
): boolean {
  let [a, b] = states
  for (const key of path) [a, b] = [valueOf(a, key), valueOf(b, key)]
  if (a === b || (a !== undefined && b !== undefined && isSame(a, b))) return true
  let type: Type | undefined = typeForKind({ ...resource.storage, kind: resource.kind })
  for (const key of path) type = type?.kind === 'struct' ? type.byName.get(key)?.type : undefined
  return type ? sameOfType(type, a, b) : semanticEqual(a, b)
}

const valueOf = (value: Value, key: string): Value =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

function sameOfType(type: Type, a: Value, b: Value): boolean {
  if (type.kind === 'any') return isSame(a ?? null, b ?? null)
  if (type.kind === 'list' && Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => sameOfType(type.item, item, b[i]))
  if (!isObject(a) || !isObject(b)) return semanticEqual(a, b)
  if (type.kind === 'map') {
    const keys = Object.keys(a)
    const isAll = keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key))
    return isAll && keys.every((key) => sameOfType(type.value, a[key], b[key]))
  }
  return type.kind === 'struct' ? sameStructs(type, a, b) : semanticEqual(a, b)
}

function sameStructs(type: StructType, a: JsonObject, b: JsonObject): boolean {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [valueOf(a, key), valueOf(b, key)]
    if (left === right) continue
    const field = type.byName.get(key)
    const isPointer = field?.pointer && field.type.kind === 'struct'
    if (isPointer && isObject(left) !== isObject(right)) return false
    if (field ? !sameOfType(field.type, left, right) : !semanticEqual(left, right)) return false
  }
  return true
}
