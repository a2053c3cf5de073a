// The merge of lists with keys and of sets. The applied items stand in the applied order; the stored ones between them
// stay where they are. Follows sigs.k8s.io/structured-merge-diff/v6/typed (mergingWalker.visitListItems).
import type { Json } from '../../machinery/json.ts'
import { isSame } from '../ownership/fieldset-compare.ts'
import { itemElement } from '../ownership/fieldset-items.ts'
import type { ListType, Type } from '../type.ts'

/** One side: the identities in order, and the item of each; null for one that is there twice, which is not merged. */
interface Side {
  readonly list: readonly Json[]
  readonly elements: readonly string[]
  readonly byElement: ReadonlyMap<string, Json>
}

function sideOf(type: ListType, list: readonly Json[]): Side {
  const byElement = new Map<string, Json>()
  const elements = list.map((item) => {
    const element = itemElement(type, item)
    byElement.set(element, byElement.has(element) ? null : item)
    return element
  })
  return { list, elements, byElement }
}

/** Merges two values of one type, present on both sides. */
export type Merge = (type: Type, live: Json, applied: Json) => Json

/** The applied one; the stored one where they are the same, so that what does not change can be told by identity. */
export const either = (live: Json, applied: Json): Json => (isSame(live, applied) ? live : applied)

const isEmptyList = (value: Json): boolean => !Array.isArray(value) || value.length === 0

/** Merges two lists of one type; the stored list itself where nothing changes. */
export function mergeLists(type: ListType, live: Json, applied: Json, merge: Merge): Json {
  if (isEmptyList(applied)) return isEmptyList(live) ? either(live, applied) : live
  if (isEmptyList(live)) return applied
  const left = sideOf(type, live as Json[])
  const merged = new ListMerge(left, sideOf(type, applied as Json[]), (was, now) =>
    merge(type.item, was, now),
  ).run()
  const same = merged.length === left.list.length && merged.every((item, i) => item === left.list[i])
  return same ? live : merged
}

class ListMerge {
  readonly #left: Side
  readonly #right: Side
  readonly #mergeItems: (live: Json, applied: Json) => Json
  /** The identities that both have, in the applied order. */
  readonly #shared: readonly string[]
  #nextShared = 0
  readonly #taken = new Set<string>()
  readonly #out: Json[] = []
  #l = 0
  #r = 0

  constructor(left: Side, right: Side, mergeItems: (live: Json, applied: Json) => Json) {
    this.#mergeItems = mergeItems
    this.#left = left
    this.#right = right
    this.#shared = right.elements.filter((element) => left.byElement.has(element))
  }

  run(): Json[] {
    const { elements: lefts } = this.#left
    const { elements: rights } = this.#right
    while (this.#l < lefts.length || this.#r < rights.length) {
      if (!this.#step(lefts[this.#l], rights[this.#r])) return this.#out
    }
    return this.#out
  }

  /** False where there is nothing left to do. */
  #step(left: string | undefined, right: string | undefined): boolean {
    if (left !== undefined && right !== undefined) {
      if (left === right) {
        this.#takeApplied(left)
        this.#l++
        this.#nextShared++
        return true
      }
      const wanted = this.#shared[this.#nextShared]
      // Both have it, but the applied order wants another one first.
      if (this.#right.byElement.has(left) && wanted !== undefined && wanted !== left) {
        this.#l++
        return true
      }
    }
    if (left !== undefined && !this.#right.byElement.has(left)) {
      this.#out.push(this.#left.list[this.#l++] as Json)
      return true
    }
    if (left !== undefined && this.#taken.has(left)) this.#l++
    if (right === undefined) return left !== undefined
    this.#takeApplied(right)
    if (this.#shared[this.#nextShared] === right) this.#nextShared++
    return true
  }

  #takeApplied(element: string): void {
    this.#taken.add(element)
    const applied = this.#right.byElement.get(element) as Json
    const live = this.#left.byElement.get(element)
    this.#out.push(live === undefined || live === null ? applied : this.#mergeItems(live, applied))
    this.#r++
  }
}
