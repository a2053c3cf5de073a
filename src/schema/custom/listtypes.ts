// No item twice in lists that are sets, or maps by keys. Follows apiextensions-apiserver/pkg/apiserver/schema/listtype.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { nodeAt, type SchemaNode } from './structural.ts'

const withLists = new WeakMap<SchemaNode, boolean>()

/** Whether there is any such list below: most schemas have none, and walks are saved. */
function hasUniqueLists(node: SchemaNode): boolean {
  let known = withLists.get(node)
  if (known === undefined) {
    const type = node.props['x-kubernetes-list-type']
    known =
      type === 'set' ||
      type === 'map' ||
      [...node.properties.values()].some(hasUniqueLists) ||
      (typeof node.additional === 'object' && hasUniqueLists(node.additional)) ||
      (node.items !== undefined && hasUniqueLists(node.items))
    withLists.set(node, known)
  }
  return known
}

/** Causes for items that are there twice. */
export function listTypeCauses(schema: SchemaNode, object: JsonObject): StatusCause[] {
  const causes: StatusCause[] = []
  walk(schema, object, '', causes)
  return causes
}

function walk(node: SchemaNode, value: Json, path: string, causes: StatusCause[]): void {
  if (typeof value !== 'object' || value === null || !hasUniqueLists(node)) return
  if (Array.isArray(value)) {
    checkList(node, value, path, causes)
    const { items } = node
    if (items) value.forEach((item, i) => walk(items, item, `${path}[${i}]`, causes))
    return
  }
  for (const key of Object.keys(value)) {
    const below = nodeAt(node, key)
    if (typeof below !== 'object') continue
    const isKey = !node.properties.has(key)
    walk(below, value[key] as Json, isKey ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, causes)
  }
}

function checkList(node: SchemaNode, list: readonly Json[], path: string, causes: StatusCause[]): void {
  const type = node.props['x-kubernetes-list-type']
  if (type === 'set') causes.push(...duplicates(list, path))
  if (type !== 'map') return
  const odd = list.findIndex((item) => item !== null && !isObject(item))
  if (odd >= 0) {
    const why = 'must be an object for an array of list-type map'
    causes.push(cause.invalid(`${path}[${odd}]`, list[odd], why))
    return
  }
  const keys = node.props['x-kubernetes-list-map-keys']
  if (Array.isArray(keys))
    causes.push(
      ...duplicates(
        list.map((item) => keyOf(item, keys.map(String))),
        path,
      ),
    )
}

function keyOf(item: Json, keys: readonly string[]): JsonObject {
  const key: JsonObject = {}
  if (isObject(item)) for (const name of keys) if (Object.hasOwn(item, name)) key[name] = item[name]
  return key
}

/** Each value that is there more than once is named once, at its second place. */
function duplicates(list: readonly Json[], path: string): StatusCause[] {
  const seen = new Map<string, number>()
  const causes: StatusCause[] = []
  list.forEach((item, i) => {
    const text = jsonText(item)
    const times = seen.get(text) ?? 0
    seen.set(text, times + 1)
    if (times === 1) causes.push(cause.duplicate(`${path}[${i}]`, item))
  })
  return causes
}
