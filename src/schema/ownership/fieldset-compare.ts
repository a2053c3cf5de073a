// Which fields of an object changed: the typed comparison that ownership of fields rests on. A struct, map or
// associative list is compared part by part, everything else (atomic ones too) as one leaf.
// Follows sigs.k8s.io/structured-merge-diff/v6/typed (Compare). "Added" and "modified" are one set here, because every
// user of the comparison unites them.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { comparePathElements, type FieldSet, LEAF } from './fieldset.ts'
import { itemElement } from './fieldset-items.ts'
import { emptyShape, type Shape, wholeOf } from './fieldset-shape.ts'
import { structElements } from './fieldset-struct.ts'
import type { ListType, StructType, Type } from '../type.ts'

export interface Comparison {
  /** Paths that `after` has and `before` has not, or not with this value. */
  readonly changed: FieldSet
  /** Paths that only `before` has. */
  readonly removed: FieldSet
}

/** Where a walk leaves its two results: one object for all nodes, read by the caller before the next call. */
interface Result {
  changed: FieldSet | undefined
  removed: FieldSet | undefined
}

type Value = Json | undefined

/**
 * Compares two objects of one type.
 * @throws FieldSetError where an item of an associative list has no identity
 */
export function compareObjects(type: StructType, before: JsonObject, after: JsonObject): Comparison {
  const result: Result = { changed: undefined, removed: undefined }
  compare(type, before, after, result)
  return { changed: result.changed ?? LEAF, removed: result.removed ?? LEAF }
}

function compare(type: Type, before: Value, after: Value, result: Result): void {
  if (before === after) {
    result.changed = result.removed = undefined
    return
  }
  if (before === undefined) {
    result.changed = wholeOf(type, after as Json)
    result.removed = undefined
    return
  }
  switch (type.kind) {
    case 'struct':
    case 'map':
      if (type.atomic) return compareLeaf(before, after, result)
      return compareMaps(type, before, after, result)
    case 'list':
      return compareLists(type, before, after, result)
    case 'any':
      if (type.format === 'rawExtension') return compareLeaf(before, after, result)
      return compareUntyped(type, before, after, result)
    default:
      return compareLeaf(before, after, result)
  }
}

function compareLeaf(before: Value, after: Value, result: Result): void {
  result.removed = after === undefined ? LEAF : undefined
  result.changed = after !== undefined && !isSame(before, after) ? LEAF : undefined
}

const isNothing = (value: Value): boolean => value === undefined || value === null

function isEmptyMap(value: Value): boolean {
  if (!isObject(value)) return true
  for (const key in value) if (value[key] !== undefined) return false
  return true
}

/** Structs, granular maps, and untyped maps. */
function compareMaps(type: Type, before: Value, after: Value, result: Result): void {
  if (isEmptyMap(before) && isEmptyMap(after)) return compareLeaf(before, after, result)
  let changed: Shape | undefined
  let removed: FieldSet | undefined = after === undefined ? { '.': LEAF } : undefined
  const old = isObject(before) ? before : undefined
  const now = isObject(after) ? after : undefined
  const fields = type.kind === 'struct' ? structElements(type) : undefined
  const valueType = type.kind === 'struct' ? type.rest : type.kind === 'map' ? type.value : type
  for (const key of unitedKeys(old, now)) {
    const x = old && Object.hasOwn(old, key) ? old[key] : undefined
    const y = now && Object.hasOwn(now, key) ? now[key] : undefined
    if (x === y) continue
    const field = fields?.get(key)
    const below = field ? field.type : valueType
    if (!below) continue
    compare(below, x, y, result)
    const element = field ? field.element : `f:${key}`
    if (result.changed) changed = (changed ?? emptyShape()).with(element, result.changed)
    if (result.removed) (removed ??= {})[element] = result.removed
  }
  result.changed = changed?.set
  result.removed = removed
}

/** The keys of both, in order. */
function unitedKeys(a: JsonObject | undefined, b: JsonObject | undefined): string[] {
  const keys = b ? Object.keys(b) : []
  if (a) for (const key of Object.keys(a)) if (!b || !Object.hasOwn(b, key)) keys.push(key)
  return sortTexts(keys)
}

/** Up to here an insertion sort beats the engine's own, which pays for every call. */
const FEW = 24

function sortTexts(texts: string[]): string[] {
  if (texts.length > FEW) return texts.sort()
  for (let i = 1; i < texts.length; i++) {
    const text = texts[i] as string
    let at = i
    for (; at > 0 && (texts[at - 1] as string) > text; at--) texts[at] = texts[at - 1] as string
    texts[at] = text
  }
  return texts
}

/** Any JSON: maps are granular all the way down, lists are leaves. */
function compareUntyped(type: Type, before: Value, after: Value, result: Result): void {
  const wasMap = isObject(before)
  const isMap = isObject(after)
  if ((wasMap || isMap) && (wasMap || isNothing(before)) && (isMap || isNothing(after))) {
    return compareMaps(type, before, after, result)
  }
  if (isMap && !isEmptyMap(after)) {
    compareMaps(type, null, after, result)
    result.changed = { '.': LEAF, ...result.changed }
    return
  }
  if (wasMap && !isEmptyMap(before)) {
    compareMaps(type, before, null, result)
    result.changed = LEAF
    return
  }
  compareLeaf(before, after, result)
}

function compareLists(type: ListType, before: Value, after: Value, result: Result): void {
  const old = Array.isArray(before) ? before : []
  const now = Array.isArray(after) ? after : []
  if (type.listType === 'atomic' || (old.length === 0 && now.length === 0)) {
    return compareLeaf(before, after, result)
  }
  let changed: Shape | undefined
  let removed: FieldSet | undefined = after === undefined ? { '.': LEAF } : undefined
  const olds = itemsByElement(type, old)
  const nows = itemsByElement(type, now)
  const elements = [...nows.keys()]
  for (const element of olds.keys()) if (!nows.has(element)) elements.push(element)
  if (elements.length > 1) elements.sort(comparePathElements)
  for (const element of elements) {
    compareItems(type.item, olds.get(element) ?? NO_ITEMS, nows.get(element) ?? NO_ITEMS, result)
    if (result.changed) changed = (changed ?? emptyShape()).with(element, result.changed)
    if (result.removed) (removed ??= {})[element] = result.removed
  }
  result.changed = changed?.set
  result.removed = removed
}

const NO_ITEMS: readonly Json[] = []

/** The items of one identity: one on each side as a rule, else duplicates, which count as one leaf. */
function compareItems(type: Type, olds: readonly Json[], nows: readonly Json[], result: Result): void {
  if (olds.length <= 1 && nows.length <= 1) return compare(type, olds[0], nows[0], result)
  if (olds.length >= 2 && nows.length >= 2) {
    result.removed = undefined
    result.changed = isSame(olds as Json[], nows as Json[]) ? undefined : LEAF
  } else if (olds.length >= 2) {
    compare(type, undefined, nows[0], result)
    result.removed = LEAF
  } else {
    compare(type, olds[0], undefined, result)
    result.changed = LEAF
  }
}

function itemsByElement(type: ListType, list: Json[]): Map<string, Json[]> {
  const items = new Map<string, Json[]>()
  for (const item of list) {
    const element = itemElement(type, item)
    const same = items.get(element)
    if (same) same.push(item)
    else items.set(element, [item])
  }
  return items
}

/** Equal as JSON values, whatever the order of keys. */
export function isSame(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]))
  }
  if (Array.isArray(b)) return false
  let count = 0
  for (const key in a) {
    if (a[key] === undefined) continue
    if (!Object.hasOwn(b, key) || !isSame(a[key], b[key])) return false
    count++
  }
  for (const key in b) if (b[key] !== undefined) count--
  return count === 0
}
