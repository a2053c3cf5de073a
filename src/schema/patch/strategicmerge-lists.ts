// The lists of strategic merge patches: merged by key or as sets, with deletions and a wanted order.
// Follows mergeSlice, mergePatchIntoOriginal and normalizeElementOrder of k8s.io/apimachinery/pkg/util/strategicpatch,
// but looks items up in maps where upstream searches, so that long lists stay cheap.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { badType, failure, goText, noMergeKey, rejected, unknownDirective } from './strategicmerge-errors.ts'
import type { Type } from '../type.ts'

const DIRECTIVE = '$patch'

export interface ListMerge {
  readonly item: Type
  /** "" for lists of scalars. */
  readonly mergeKey: string
  /** The patch lists what to remove. */
  readonly isDeletion: boolean
  /** Merges two items of one key. */
  readonly mergeMaps: (original: JsonObject, patch: JsonObject, item: Type) => JsonObject
}

/** Merges `patch` into `original`; the patch's items come in the patch's order, and first where nothing else says so. */
export function mergeLists(original: Json[], patch: Json[], merge: ListMerge): Json[] {
  if (original.length === 0 && patch.length === 0) return original
  const { mergeKey } = merge
  if (!haveMaps(original, patch)) {
    if (merge.isDeletion) {
      const gone = new Set(patch)
      return original.filter((item) => !gone.has(item))
    }
    const merged = [...new Set([...original, ...patch])]
    return inOrder(partition(merged, patch, mergeKey), patch, original, mergeKey)
  }
  if (mergeKey === '') throw failure(`cannot merge lists without merge key for ${goKindOf(merge.item)}`)
  const plain = applySpecialItems(original as JsonObject[], patch as JsonObject[], mergeKey)
  const merged = mergeItems(plain.original, plain.patch, merge)
  return inOrder(partition(merged, plain.patch, mergeKey), plain.patch, plain.original, mergeKey)
}

const goKindOf = (type: Type): string => (type.kind === 'map' ? 'map' : 'struct')

/** Whether the items are maps; all of both lists must be of one kind, and no lists. */
function haveMaps(...lists: (Json[] | undefined)[]): boolean {
  let kind: string | undefined
  for (const list of lists) {
    for (const item of list ?? []) {
      const now = item === null ? 'null' : Array.isArray(item) ? 'list' : typeof item
      if (now === 'list' && kind === undefined) throw rejected()
      if (kind !== undefined && kind !== now) {
        throw failure(
          `list element types are not identical: [${lists.map((l) => goText(l ?? [])).join(' ')}]`,
        )
      }
      kind = now
    }
  }
  if (kind === undefined) throw failure('no elements in any of the given slices')
  return kind === 'object'
}

/** Deletes and replaces as the items with $patch say; returns both lists without these. */
function applySpecialItems(
  original: JsonObject[],
  patch: JsonObject[],
  mergeKey: string,
): { original: JsonObject[]; patch: JsonObject[] } {
  const plain: JsonObject[] = []
  const deleted = new Set<Json>()
  let replace = false
  for (const item of patch) {
    const directive = item[DIRECTIVE]
    if (directive === undefined) plain.push(item)
    else if (directive === 'delete') {
      if (item[mergeKey] === undefined) throw noMergeKey(item, mergeKey)
      deleted.add(item[mergeKey])
    } else if (directive === 'replace') replace = true
    else if (directive === 'merge') throw failure('merging lists cannot yet be specified in the patch')
    else throw unknownDirective(directive, item)
  }
  // Upstream takes the patch for the original here, so that its order is kept.
  if (replace) return { original: plain, patch: [] }
  const kept = original.filter((item) => item[mergeKey] === undefined || !deleted.has(item[mergeKey]))
  return { original: kept, patch: plain }
}

function mergeItems(original: JsonObject[], patch: JsonObject[], merge: ListMerge): JsonObject[] {
  const merged = original.slice()
  const places = placesOf(original, merge.mergeKey)
  for (const item of patch) {
    const key = item[merge.mergeKey]
    if (key === undefined) throw noMergeKey(item, merge.mergeKey)
    const place = places.get(key)
    if (place !== undefined) merged[place] = merge.mergeMaps(merged[place] as JsonObject, item, merge.item)
    else {
      places.set(key, merged.length)
      merged.push(item)
    }
  }
  return merged
}

/** Where each identity first occurs. */
function placesOf(list: Json[], mergeKey: string): Map<Json, number> {
  const places = new Map<Json, number>()
  list.forEach((item, i) => {
    const key = mergeKey === '' ? item : isObject(item) ? item[mergeKey] : undefined
    if (key !== undefined && !places.has(key)) places.set(key, i)
  })
  return places
}

interface Partition {
  readonly listed: Json[]
  readonly others: Json[]
}

/** The items that `by` has, and those that it has not. */
function partition(merged: Json[], by: Json[], mergeKey: string): Partition {
  const listed: Json[] = []
  const others: Json[] = []
  if (mergeKey !== '' && merged.length > 0) {
    const odd = by.findIndex((item) => !isObject(item))
    if (odd >= 0) throw failure(`value for key ${odd} is not a map`)
  }
  const places = placesOf(by, mergeKey)
  for (const item of merged) {
    if (places.has(identityOf(item, mergeKey))) listed.push(item)
    else others.push(item)
  }
  return { listed, others }
}

function identityOf(item: Json, mergeKey: string): Json {
  if (mergeKey === '') return item
  if (!isObject(item)) throw badType('map[string]interface {}', item)
  const key = item[mergeKey]
  if (key === undefined) throw noMergeKey(item, mergeKey)
  return key
}

/** The listed items in the order of `order`, the others, in the order of `live`, put between them as `live` has them. */
function inOrder({ listed, others }: Partition, order: Json[], live: Json[], mergeKey: string): Json[] {
  const left = sorted(others, live, mergeKey)
  const right = sorted(listed, order, mergeKey)
  const places = placesOf(live, mergeKey)
  const placeOf = (item: Json | undefined): number | undefined =>
    places.get(identityOf(item as Json, mergeKey))
  const out: Json[] = []
  let i = 0
  let j = 0
  while (i < left.length && j < right.length) {
    const l = placeOf(left[i])
    const r = placeOf(right[j])
    out.push((l !== undefined && r !== undefined && l < r ? left[i++] : right[j++]) as Json)
  }
  return out.concat(left.slice(i), right.slice(j))
}

/** Sorted as `order` has them, items to delete last. */
function sorted(items: Json[], order: Json[], mergeKey: string): Json[] {
  for (const item of order) identityOf(item, mergeKey)
  const places = placesOf(order, mergeKey)
  const placeOf = (item: Json): number => places.get(identityOf(item, mergeKey)) ?? -1
  const isDeleted = (item: Json): boolean => isObject(item) && item[DIRECTIVE] === 'delete'
  const kept = items.filter((item) => !isDeleted(item))
  kept.sort((a, b) => placeOf(a) - placeOf(b))
  return kept.concat(items.filter(isDeleted))
}

export interface OrderedLists {
  readonly original: Json[] | undefined
  readonly patch: Json[] | undefined
  readonly order: Json[]
  /** The list before it is put in order; called after the order was checked. */
  merged(): Json[] | undefined
}

/** The list in the order that $setElementOrder states; undefined where neither side has the list. */
export function orderLists(lists: OrderedLists, mergeKey: string): Json[] | undefined {
  const { original, patch, order } = lists
  checkOrder(patch ?? [], order, mergeKey)
  if (!original && !patch) return undefined
  const parts = partition(lists.merged() ?? [], order, mergeKey)
  haveMaps(original, patch)
  return inOrder(parts, order, original ?? [], mergeKey)
}

/** The items of the patch must be among those of the order, and in the same order. */
function checkOrder(patch: Json[], order: Json[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return
  const items = mergeKey === '' ? patch : patch.filter((item) => !hasDirective(item))
  let at = 0
  for (const wanted of order) {
    if (at >= items.length) return
    if (sameIdentity(items[at] as Json, wanted, mergeKey)) at++
  }
  if (at < items.length) {
    throw failure(
      `The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
    )
  }
}

function hasDirective(item: Json): boolean {
  if (!isObject(item)) throw badType('map[string]interface {}', item)
  return item[DIRECTIVE] !== undefined
}

const sameIdentity = (a: Json, b: Json, mergeKey: string): boolean =>
  identityOf(a, mergeKey) === identityOf(b, mergeKey)
