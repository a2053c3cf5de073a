// Reading the operations of a JSON patch: their shape is checked before any of them is applied.
// Follows jsonPatchOp in k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
import { isObject, type Json } from '../../machinery/json.ts'
import { badRequest } from '../../machinery/status.ts'
import { kindOf } from '../decode-names.ts'

export interface Operation {
  readonly op: string
  readonly path: string | undefined
  readonly from: string | undefined
  /** Absent or null mean the same, but for a replacement of the root. */
  readonly value: Json | undefined
}

export interface JsonPatch {
  readonly operations: readonly Operation[]
  /** `json patch unknown field "[0].foo"`. */
  readonly strictErrors: readonly string[]
}

/** As many as upstream reports. */
const MAX_STRICT_ERRORS = 100

/** @throws StatusError 400 for what is no list of operations */
export function readOperations(patch: Json): JsonPatch {
  if (patch === null) return { operations: [], strictErrors: [] }
  if (!Array.isArray(patch)) throw mismatch(kindOf(patch), 'Go value of type []handlers.jsonPatchOp')
  const strictErrors: string[] = []
  const operations = patch.map((given, i) => readOperation(given, i, strictErrors))
  return { operations, strictErrors }
}

function readOperation(given: Json, at: number, strictErrors: string[]): Operation {
  if (given === null) return { op: 'unknown', path: undefined, from: undefined, value: undefined }
  if (!isObject(given)) throw mismatch(kindOf(given), 'Go value of type handlers.jsonPatchOp')
  for (const key of Object.keys(given)) {
    const value = given[key] as Json
    if (key === 'op' || key === 'path' || key === 'from') {
      if (value !== null && typeof value !== 'string') {
        throw mismatch(kindOf(value), `Go struct field jsonPatchOp.${key} of type string`)
      }
    } else if (key !== 'value' && strictErrors.length < MAX_STRICT_ERRORS) {
      strictErrors.push(`json patch unknown field ${JSON.stringify(`[${at}].${key}`)}`)
    }
  }
  return {
    op: (given.op as string | undefined) ?? 'unknown',
    path: (given.path as string | undefined) ?? undefined,
    from: (given.from as string | undefined) ?? undefined,
    value: given.value,
  }
}

const mismatch = (value: string, target: string): Error =>
  badRequest(`error decoding patch: json: cannot unmarshal ${value} into ${target}`)
