// The refusals of strategic merge patches, with upstream's codes and texts: many are a 500 there, because the API
// server knows only a few of the library's errors. Follows k8s.io/apimachinery/pkg/util/mergepatch/errors.go and
// interpretStrategicMergePatchError in k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { isInteger, isNumeric } from '../../machinery/numbers.ts'
import { badRequest, StatusError } from '../../machinery/status.ts'

/** An error that upstream passes on as it is: 500 without a reason. */
export function failure(message: string): StatusError {
  return new StatusError({ code: 500, reason: '', message })
}

/** 400; `what`: "retainKeys", "primitive list", "setElementOrder list". */
export function badFormat(what: string): StatusError {
  return badRequest(`invalid patch format of ${what}`)
}

/** 422 with the text that upstream gives to whatever it wants to say no more about. */
export function rejected(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}

/** An item of a list without the field that identifies it. */
export function noMergeKey(item: JsonObject, mergeKey: string): StatusError {
  return failure(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`)
}

/** A value of another type than the patch's form demands. */
export function badType(expected: string, actual: Json): StatusError {
  return failure(`expected a ${expected}, but received a ${goTypeOf(actual)}`)
}

/** A $patch that is none of those that apply here. */
export function unknownDirective(directive: Json, patch: JsonObject): StatusError {
  const text = typeof directive === 'string' ? directive : `%!s(${goTypeOf(directive)}=${goText(directive)})`
  return failure(`unknown patch type: ${text} in map: ${goText(patch)}`)
}

function goTypeOf(value: Json): string {
  if (value === null) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (isNumeric(value)) return isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** A JSON value as Go's %v prints it: "map[image:x ports:[80 81]]". */
export function goText(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const keys = Object.keys(value).sort()
  return `map[${keys.map((key) => `${key}:${goText(value[key] as Json)}`).join(' ')}]`
}
