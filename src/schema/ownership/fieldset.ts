// Sets of field paths in the JSON form of FieldsV1, which is their only form here: {"f:spec": {"f:replicas": {}}}.
// A node without keys, or with the key ".", belongs to the set itself; its other keys are its children. Sets are never
// changed in place and share their parts, so an unchanged one goes back into an object as it is.
// Follows sigs.k8s.io/structured-merge-diff/v6/fieldpath (Set, PathElement). Every key begins with a letter and a
// colon, or is ".", so no path is ever taken for a property of Object.prototype or for an array index.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { jsonText as exactJson, readJson } from '../../machinery/jsontext.ts'
import { escapeHtml } from '../json/json.ts'

/** At the root: its children only. Below: a node. */
export type FieldSet = JsonObject

/** A leaf, and also the empty set. */
export const LEAF: FieldSet = Object.freeze({})
const SELF = '.'

/** True where the set has no path. */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** Whether a node below the root is itself in the set. */
export const isMember = (node: FieldSet): boolean => node[SELF] !== undefined || isEmptySet(node)

const childrenOf = (node: FieldSet): string[] => {
  const elements = Object.keys(node)
  return elements[0] === SELF ? elements.slice(1) : elements
}

const child = (node: FieldSet, element: string): FieldSet | undefined => node[element] as FieldSet | undefined

/** The node of these parts; undefined where nothing is left. */
function nodeOf(self: boolean, children: FieldSet): FieldSet | undefined {
  if (isEmptySet(children)) return self ? LEAF : undefined
  return self ? { [SELF]: LEAF, ...children } : children
}

/** Paths in `a` or `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const left = childrenOf(a)
  const right = childrenOf(b)
  if (left.length === 0) return right.length === 0 ? LEAF : withoutSelf(b)
  if (right.length === 0) return withoutSelf(a)
  const out: FieldSet = {}
  for (const element of mergeElements(left, right)) {
    const x = child(a, element)
    const y = child(b, element)
    out[element] = x && y ? nodeOf(isMember(x) || isMember(y), union(x, y)) : (x ?? y)
  }
  return out
}

function withoutSelf(node: FieldSet): FieldSet {
  if (node[SELF] === undefined) return node
  const { [SELF]: _self, ...children } = node
  return children
}

function mergeElements(left: string[], right: string[]): string[] {
  const out: string[] = []
  let j = 0
  for (const element of left) {
    let order = 1
    while (j < right.length && (order = comparePathElements(right[j] as string, element)) < 0) {
      out.push(right[j++] as string)
    }
    if (j < right.length && order === 0) j++
    out.push(element)
  }
  return out.concat(right.slice(j))
}

/** Paths in `a` and `b`. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = {}
  for (const element in a) {
    if (element === SELF) continue
    const x = child(a, element) as FieldSet
    const y = child(b, element)
    const node = y && nodeOf(isMember(x) && isMember(y), intersection(x, y))
    if (node) out[element] = node
  }
  return out
}

/** Paths in `a` that are not in `b`; a path whose parent is in `b` stays. Returns `a` itself where nothing goes. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (x, y) => nodeOf(isMember(x) && !isMember(y), withoutSelf(difference(x, y))))
}

/** Paths in `a` that are not in `b` and have no parent there. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (x, y) =>
    isMember(y) ? undefined : nodeOf(isMember(x), withoutSelf(recursiveDifference(x, y))),
  )
}

function subtract(
  a: FieldSet,
  b: FieldSet,
  remainder: (x: FieldSet, y: FieldSet) => FieldSet | undefined,
): FieldSet {
  let touched = false
  for (const element in b) if (element !== SELF && a[element] !== undefined) touched = true
  if (!touched) return a
  const out: FieldSet = {}
  for (const element in a) {
    const x = child(a, element) as FieldSet
    const y = element === SELF ? undefined : child(b, element)
    const node = y ? remainder(x, y) : x
    if (node) out[element] = node
  }
  return out
}

/** Whether all paths in `a` are in `b`. */
export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  for (const element in a) {
    if (element === SELF) continue
    const x = child(a, element) as FieldSet
    const y = child(b, element)
    if (!y || (isMember(x) && !isMember(y)) || !isSubset(x, y)) return false
  }
  return true
}

/** Whether a path is in the set. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set
  for (const element of path) {
    node = child(node, element)
    if (!node) return false
  }
  return isMember(node)
}

/** The paths of the set: at each level the members first, then what is below. */
export function* pathsOf(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  const elements = childrenOf(set)
  for (const element of elements) if (isMember(child(set, element) as FieldSet)) yield [...above, element]
  for (const element of elements) yield* pathsOf(child(set, element) as FieldSet, [...above, element])
}

/** The set of dotted paths of field names: ["status", "metadata.labels"]. */
export function setOfPaths(paths: readonly string[]): FieldSet {
  let out: FieldSet = LEAF
  for (const path of paths) {
    const names = path.split('.')
    out = union(
      out,
      names.reduceRight<FieldSet>((node, name) => ({ [`f:${name}`]: node }), LEAF),
    )
  }
  return out
}

// ---- path elements

/** Texts that JSON and upstream's encoder write as they are. */
const PLAIN_TEXT = /^[\w .:/-]*$/

/** A value as it stands in an element: JSON as Go's encoder writes it. */
export function jsonText(value: Json): string {
  if (typeof value === 'string' && PLAIN_TEXT.test(value)) return `"${value}"`
  return escapeHtml(exactJson(value))
}

const KINDS = 'fkvi'

/** Upstream's order of path elements: fields, keys, values, indices. */
export function comparePathElements(a: string, b: string): number {
  if (a === b) return 0
  const kind = KINDS.indexOf(a[0] as string) - KINDS.indexOf(b[0] as string)
  if (kind !== 0) return kind
  if (a[0] === 'f') return a < b ? -1 : 1
  if (a[0] === 'i') return Number(a.slice(2)) - Number(b.slice(2))
  const x = parsedElement(a)
  const y = parsedElement(b)
  return a[0] === 'v' ? compareScalars(x, y) : compareKeys(x as JsonObject, y as JsonObject)
}

/** Elements that were parsed lately: those of one kind of object come again and again. */
const parsedElements = new Map<string, Json>()
/** Enough for the names and ports that a cluster's objects have in common; beyond, all is forgotten. */
const MAX_PARSED_ELEMENTS = 2000
/** Longer ones are not worth their memory. */
const MAX_PARSED_LENGTH = 200

function parsedElement(element: string): Json {
  let value = parsedElements.get(element)
  if (value !== undefined) return value
  value = readJson(element.slice(2))
  if (element.length > MAX_PARSED_LENGTH) return value
  if (parsedElements.size >= MAX_PARSED_ELEMENTS) parsedElements.clear()
  parsedElements.set(element, value)
  return value
}

function compareKeys(a: JsonObject, b: JsonObject): number {
  const left = Object.keys(a)
  const right = Object.keys(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] as string
    const y = right[i] as string
    if (x !== y) return x < y ? -1 : 1
    const order = compareScalars(a[x] as Json, b[y] as Json)
    if (order !== 0) return order
  }
  return left.length - right.length
}

const RANK = ['number', 'string', 'boolean', 'object']
const kindOf = (value: Json): string => (typeof value === 'bigint' ? 'number' : typeof value)

function compareScalars(a: Json, b: Json): number {
  const rank = RANK.indexOf(kindOf(a)) - RANK.indexOf(kindOf(b))
  if (rank !== 0) return rank
  if (typeof a === 'object') return 0
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1
}

/**
 * A path element as this file writes it; undefined for the kinds that upstream drops.
 * @throws SyntaxError for one that upstream refuses
 */
export function canonicalElement(element: string): string | undefined {
  if (element[1] !== ':') throw new SyntaxError(`missing colon: ${element}`)
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return element
    case 'i':
      if (!/^[+-]?\d+$/.test(rest)) throw new SyntaxError(`no index: ${element}`)
      return `i:${Number(rest)}`
    case 'v':
      return `v:${jsonText(readJson(rest))}`
    case 'k': {
      const key = readJson(rest)
      if (typeof key !== 'object' || key === null || Array.isArray(key))
        throw new SyntaxError(`no key: ${element}`)
      return `k:${jsonText(Object.fromEntries(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))))}`
    }
    default:
      return undefined
  }
}
