// Takes out of an object what its schema does not know, and nulls where there may be none, and puts defaults in.
// All of it changes the object in place: callers hand in a fresh one.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema (pruning, defaulting).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { nodeAt, type SchemaNode } from './structural.ts'

/** What every object has, which schemas of whole objects do not say. */
const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])
/** As many unknown fields as an answer names; all of them are taken out. */
const MAX_UNKNOWN = 100

/** Where a walk is, and what it has found. */
interface Walk {
  readonly path: string[]
  readonly unknown: Set<string>
}

/** Prunes a whole object; returns the paths of what was unknown, sorted: "spec.foo", "spec.list[0].bar". */
export function prune(object: JsonObject, schema: SchemaNode): string[] {
  const walk: Walk = { path: [], unknown: new Set() }
  if (schema.preserve) keepUnknown(object, schema, true, walk)
  else pruneMap(object, schema, true, walk)
  return [...walk.unknown].sort()
}

/** The same for a value that is no object of the API: a default. */
export function pruneValue(value: Json, schema: SchemaNode): void {
  pruneNode(value, schema, { path: [], unknown: new Set() })
}

function record(walk: Walk, key: string): void {
  if (walk.unknown.size < MAX_UNKNOWN)
    walk.unknown.add(walk.path.join('') + (walk.path.length ? `.${key}` : key))
}

function pruneNode(value: Json, schema: SchemaNode | boolean | undefined, walk: Walk): void {
  if (typeof value !== 'object' || value === null) return
  const node = typeof schema === 'object' ? schema : undefined
  if (Array.isArray(value)) return pruneList(value, node, walk)
  if (node === undefined) {
    for (const key of Object.keys(value)) {
      record(walk, key)
      delete value[key]
    }
  } else if (node.preserve) keepUnknown(value, node, node.embedded, walk)
  else pruneMap(value, node, node.embedded, walk)
}

function pruneList(list: Json[], node: SchemaNode | undefined, walk: Walk): void {
  if (node?.preserve) return keepInList(list, node, walk)
  list.forEach((item, i) => {
    walk.path.push(`[${i}]`)
    pruneNode(item, node?.items, walk)
    walk.path.pop()
  })
}

function pruneMap(map: JsonObject, node: SchemaNode, embedded: boolean, walk: Walk): void {
  for (const key of Object.keys(map)) {
    if (embedded && META_FIELDS.has(key)) continue
    const below = nodeAt(node, key)
    if (below === undefined || below === false) {
      if (!META_FIELDS.has(key) || walk.path.length > 0) record(walk, key)
      delete map[key]
    } else descend(map, key, below, walk)
  }
}

function descend(map: JsonObject, key: string, below: SchemaNode | boolean, walk: Walk): void {
  walk.path.push(walk.path.length ? `.${key}` : key)
  pruneNode(map[key] as Json, below, walk)
  walk.path.pop()
}

/** x-kubernetes-preserve-unknown-fields: what is known is pruned below, the rest stays. */
function keepUnknown(map: JsonObject, node: SchemaNode, embedded: boolean, walk: Walk): void {
  for (const key of Object.keys(map)) {
    if (embedded && META_FIELDS.has(key)) continue
    const below = nodeAt(node, key)
    if (below !== undefined && below !== false) descend(map, key, below, walk)
  }
}

function keepInList(list: Json[], node: SchemaNode, walk: Walk): void {
  const { items } = node
  if (!items) return
  list.forEach((item, i) => {
    walk.path.push(`[${i}]`)
    if (isObject(item)) keepUnknown(item, items, items.embedded, walk)
    else if (Array.isArray(item)) keepInList(item, items, walk)
    walk.path.pop()
  })
}

const asNode = (schema: SchemaNode | boolean | undefined): SchemaNode | undefined =>
  typeof schema === 'object' ? schema : undefined

/** Drops nulls of fields that may not be null and have no default that would take their place. */
export function dropNulls(value: Json, schema: SchemaNode | undefined): void {
  if (schema === undefined || typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema.items)
    return
  }
  for (const key of Object.keys(value)) {
    const below = asNode(nodeAt(schema, key))
    if (value[key] !== null) dropNulls(value[key] as Json, below)
    else if (below && !below.nullable && below.default === undefined) delete value[key]
  }
}

const withDefaults = new WeakMap<SchemaNode, boolean>()

/** Whether anything in the schema has a default: most have none, and walks are saved. */
export function hasDefaults(schema: SchemaNode): boolean {
  let known = withDefaults.get(schema)
  if (known === undefined) {
    known =
      schema.default !== undefined ||
      [...schema.properties.values()].some(hasDefaults) ||
      (typeof schema.additional === 'object' && hasDefaults(schema.additional)) ||
      (schema.items !== undefined && hasDefaults(schema.items))
    withDefaults.set(schema, known)
  }
  return known
}

const pruned = new WeakMap<SchemaNode, Json>()

/** A fresh copy of the node's default, pruned by the node itself. */
function freshDefault(node: SchemaNode): Json {
  let value = pruned.get(node)
  if (value === undefined) {
    value = structuredClone(node.default) as Json
    pruneValue(value, node)
    pruned.set(node, value)
  }
  return structuredClone(value)
}

const wantsDefault = (value: Json | undefined, node: SchemaNode): boolean =>
  value === undefined || (value === null && !node.nullable)

/** Fills in the defaults of what is not there, and of nulls that may not be. */
export function applyDefaults(value: Json, schema: SchemaNode | undefined): void {
  if (schema === undefined || typeof value !== 'object' || value === null || !hasDefaults(schema)) return
  if (Array.isArray(value)) return defaultItems(value, schema.items)
  for (const [key, node] of schema.properties) {
    if (node.default === undefined) continue
    if (wantsDefault(Object.hasOwn(value, key) ? value[key] : undefined, node))
      assign(value, key, freshDefault(node))
  }
  for (const key of Object.keys(value)) {
    const node = asNode(nodeAt(schema, key))
    if (!node) continue
    if (value[key] === null && !node.nullable && node.default !== undefined)
      assign(value, key, freshDefault(node))
    applyDefaults(value[key] as Json, node)
  }
}

function defaultItems(list: Json[], items: SchemaNode | undefined): void {
  if (!items) return
  list.forEach((item, i) => {
    if (item === null && !items.nullable && items.default !== undefined) list[i] = freshDefault(items)
    applyDefaults(list[i] as Json, items)
  })
}
