// Taking fields out of an object by the paths of a set. Follows sigs.k8s.io/structured-merge-diff/v6/typed (remove.go)
// and fieldpath (EnsureNamedFieldsAreMembers).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { type FieldSet, isEmptySet, isMember, LEAF } from '../ownership/fieldset.ts'
import { itemElement } from '../ownership/fieldset-items.ts'
import { structElements } from '../ownership/fieldset-struct.ts'
import { assign } from '../../machinery/jsonassign.ts'
import type { ListType, Type } from '../type.ts'

/** `value` without the members of `set`; null where nothing is left of it. Shares what it keeps. */
export function removeFields(type: Type, value: Json, set: FieldSet): Json {
  if (Array.isArray(value)) {
    return type.kind === 'list' && type.listType !== 'atomic' ? removeItems(type, value, set) : null
  }
  if (!isObject(value)) return value
  const isAtomic = 'atomic' in type ? type.atomic : type.kind === 'any' && type.format === 'rawExtension'
  return isAtomic ? null : removeKeys(type, value, set)
}

function removeKeys(type: Type, map: JsonObject, set: FieldSet): Json {
  const out: JsonObject = {}
  let left = false
  for (const key of Object.keys(map)) {
    const node = set[`f:${key}`] as FieldSet | undefined
    if (node && isMember(node)) continue
    const value = map[key] as Json
    const below = typeBelow(type, `f:${key}`)
    assign(out, key, node && below ? removeFields(below, value, node) : value)
    left = true
  }
  return left ? out : null
}

function removeItems(type: ListType, list: readonly Json[], set: FieldSet): Json {
  const out: Json[] = []
  for (const item of list) {
    const node = item === null ? undefined : (set[itemElement(type, item)] as FieldSet | undefined)
    if (node && isMember(node)) continue
    out.push(node ? removeFields(type.item, item, node) : item)
  }
  return out.length ? out : null
}

function typeBelow(type: Type | undefined, element: string): Type | undefined {
  switch (type?.kind) {
    case 'struct':
      return structElements(type).get(element.slice(2))?.type ?? type.rest
    case 'map':
      return type.value
    case 'list':
      return type.item
    case 'any':
      return type
    default:
      return undefined
  }
}

/** `set` with every named field of a struct that has members below it a member, too. */
export function withNamedFields(type: Type | undefined, set: FieldSet): FieldSet {
  const out: FieldSet = {}
  for (const element in set) {
    const node = set[element] as FieldSet
    if (element === '.' || isEmptySet(node)) {
      out[element] = LEAF
      continue
    }
    const below = withNamedFields(typeBelow(type, element), node)
    const isNamed = type?.kind === 'struct' && type.byName.has(element.slice(2))
    out[element] = isNamed && node['.'] === undefined ? { '.': LEAF, ...below } : below
  }
  return out
}
