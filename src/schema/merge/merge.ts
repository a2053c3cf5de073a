// The merge of an apply: the stored object with what the applied configuration says put over it. Nothing is taken away
// here. What does not change is the stored object's own part, so a merge that changes nothing gives that very object.
// Follows sigs.k8s.io/structured-merge-diff/v6/typed (merge.go, with the rule that keeps the right side).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { structElements } from '../ownership/fieldset-struct.ts'
import { assign } from '../../machinery/jsonassign.ts'
import type { StructType, Type } from '../type.ts'
import { either, mergeLists } from './lists.ts'

/** `live` with `applied` over it; both fit `type`. Neither is changed, and the answer shares parts with both. */
export function mergeApplied(type: StructType, live: JsonObject, applied: JsonObject): JsonObject {
  return mergeValues(type, live, applied) as JsonObject
}

/** One field or item, present on both sides. */
function mergeValues(type: Type, live: Json, applied: Json): Json {
  if (live === applied) return live
  switch (type.kind) {
    case 'struct':
    case 'map':
      return type.atomic ? either(live, applied) : mergeMaps(type, live, applied)
    case 'list':
      if (type.listType === 'atomic') return either(live, applied)
      return mergeLists(type, live, applied, mergeValues)
    case 'any':
      return type.format === 'rawExtension' ? either(live, applied) : mergeUntyped(type, live, applied)
    default:
      return applied
  }
}

function isEmptyMap(value: Json): boolean {
  if (!isObject(value)) return true
  for (const _ in value) return false
  return true
}

function mergeMaps(type: Type, live: Json, applied: Json): Json {
  if (isEmptyMap(applied)) return isEmptyMap(live) ? either(live, applied) : live
  if (isEmptyMap(live)) return applied
  const before = live as JsonObject
  const wanted = applied as JsonObject
  let out: JsonObject | undefined
  for (const key in wanted) {
    const now = wanted[key] as Json
    const was = Object.hasOwn(before, key) ? (before[key] as Json) : undefined
    const below = typeBelow(type, key)
    const merged = was === undefined || !below ? now : mergeValues(below, was, now)
    if (merged !== was) assign((out ??= { ...before }), key, merged)
  }
  return out ?? live
}

function typeBelow(type: Type, key: string): Type | undefined {
  if (type.kind === 'struct') return structElements(type).get(key)?.type ?? type.rest
  return type.kind === 'map' ? type.value : type
}

/** Any JSON: maps are merged, all else is replaced. */
function mergeUntyped(type: Type, live: Json, applied: Json): Json {
  if (isObject(live) && (isObject(applied) || applied === null)) return mergeMaps(type, live, applied)
  return either(live, applied)
}
