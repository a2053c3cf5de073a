// JSON merge patches. Follows RFC 7386 as gopkg.in/evanphx/json-patch.v4 has it, and
// k8s.io/apiserver/pkg/endpoints/handlers/patch.go for what is refused.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { badRequest } from '../../machinery/status.ts'
import { kindOf } from '../decode-names.ts'
import { assign } from '../../machinery/jsonassign.ts'

/**
 * What `patch` makes of `current`. Neither is changed; the answer shares parts with both. Keys of merged objects come
 * sorted, as upstream shows them where it quotes the patched object in an error.
 *
 * @throws StatusError 400 for a patch that is no object
 */
export function mergePatch(current: JsonObject, patch: Json): JsonObject {
  if (patch === null) throw badRequest('Invalid JSON Patch')
  if (isObject(patch)) return merge(current, patch)
  // DEVIATION: without field validation upstream takes a list for the object itself, and fails to decode it afterwards.
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${kindOf(patch)} into Go value of type map[string]interface {}`,
  )
}

function merge(current: JsonObject, patch: JsonObject): JsonObject {
  const out: JsonObject = {}
  const keys = new Set([...Object.keys(current), ...Object.keys(patch)])
  for (const key of [...keys].sort()) {
    const merged = Object.hasOwn(patch, key)
      ? mergeValue(Object.hasOwn(current, key) ? current[key] : undefined, patch[key] as Json)
      : current[key]
    if (merged !== undefined) assign(out, key, merged)
  }
  return out
}

function mergeValue(current: Json | undefined, patch: Json): Json | undefined {
  if (patch === null) return undefined
  if (!isObject(current)) return withoutNulls(patch)
  return isObject(patch) ? merge(current, patch) : patch
}

/** New parts have no nulls to delete anything with; those in lists stay. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => (item === null ? item : withoutNulls(item)))
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const key of Object.keys(value)) {
    const item = value[key] as Json
    if (item !== null) assign(out, key, withoutNulls(item))
  }
  return out
}
