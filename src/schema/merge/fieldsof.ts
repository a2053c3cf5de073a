// The fields that an object says: what its applier owns. Leaves, the items of lists with keys, the keys of maps; not
// the structs on the way there. Follows sigs.k8s.io/structured-merge-diff/v6/typed (tofieldset.go).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { comparePathElements, type FieldSet, LEAF } from '../ownership/fieldset.ts'
import { itemElement } from '../ownership/fieldset-items.ts'
import { structElements } from '../ownership/fieldset-struct.ts'
import type { ListType, StructType, Type } from '../type.ts'

/** The set of all that `value` says; `value` must fit `type` (faultsOf), but lists may have an item twice. */
export function fieldsOf(type: StructType, value: Json): FieldSet {
  return isObject(value) ? (fieldsOfMap(type, value) ?? LEAF) : LEAF
}

/** The node below an element: undefined where the value adds nothing of its own. */
function walk(type: Type, value: Json): FieldSet | undefined {
  switch (type.kind) {
    case 'struct':
    case 'map':
      if (type.atomic) return LEAF
      return isObject(value) ? fieldsOfMap(type, value) : undefined
    case 'list':
      if (type.listType === 'atomic') return LEAF
      return Array.isArray(value) ? fieldsOfList(type, value) : undefined
    case 'any':
      if (type.format === 'rawExtension' || !isObject(value)) return LEAF
      return fieldsOfMap(type, value)
    default:
      return LEAF
  }
}

function fieldsOfMap(type: Type, map: JsonObject): FieldSet | undefined {
  const fields = type.kind === 'struct' ? structElements(type) : undefined
  const rest = type.kind === 'struct' ? type.rest : type.kind === 'map' ? type.value : type
  let out: FieldSet | undefined
  for (const key of sorted(Object.keys(map))) {
    const value = map[key] as Json
    const field = fields?.get(key)
    const below = field ? field.type : rest
    if (!below) continue
    const node = walk(below, value)
    const isItem = field === undefined || value === null || isEmptyMap(value)
    const grown = isItem ? withSelf(node) : node
    if (grown) (out ??= {})[field ? field.element : `f:${key}`] = grown
  }
  return out
}

function sorted(keys: string[]): string[] {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort()
  return keys
}

function isEmptyMap(value: Json): boolean {
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}

/** The node as a member itself, with what is below it. */
function withSelf(node: FieldSet | undefined): FieldSet {
  if (node === undefined) return LEAF
  for (const element in node) return element === '.' ? node : { '.': LEAF, ...node }
  return LEAF
}

function fieldsOfList(type: ListType, list: readonly Json[]): FieldSet | undefined {
  const nodes = new Map<string, FieldSet>()
  for (const item of list) {
    // What pruning left of an item that had nothing else.
    if (item === null) continue
    const element = itemElement(type, item)
    // Of an item that is there twice nobody owns a part, only the item.
    nodes.set(element, nodes.has(element) ? LEAF : withSelf(walk(type.item, item)))
  }
  if (nodes.size === 0) return undefined
  const out: FieldSet = {}
  const elements = [...nodes.keys()]
  if (elements.length > 1) elements.sort(comparePathElements)
  for (const element of elements) out[element] = nodes.get(element)
  return out
}
