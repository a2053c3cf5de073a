// What Go says of an object whose patch went through maps and then fits its type no more: a strategic merge patch is not
// read as JSON, but restored value by value from what was merged, with words of its own and in the order of the struct.
// A walk of its own, taken only where the quick decoder has refused.
// Follows k8s.io/apimachinery/pkg/runtime/converter.go (from unstructured).
import type { Json, JsonObject } from '../machinery/json.ts'
import { isInteger, isNumeric } from '../machinery/numbers.ts'
import { type GoPlace, goTypeOf } from './decode-names.ts'
import { scalarFault } from './decode-report.ts'
import type { ScalarKind, ScalarType, StructType, Type } from './type.ts'

/** The first value that cannot be restored, in Go's words; undefined where all of them can. */
export function restoreFault(type: StructType, value: Json): string | undefined {
  return fault(type, value, { owner: '', field: '', depth: 0 })
}

function fault(type: Type, value: Json, place: GoPlace): string | undefined {
  if (value === null) return undefined
  const kind = kindOf(value)
  switch (type.kind) {
    case 'any':
      return undefined
    case 'struct':
      if (kind !== 'map') return `cannot restore struct from: ${kind}`
      return structFault(type, value as JsonObject)
    case 'map': {
      if (kind !== 'map') return `cannot restore map from ${kind}`
      return firstFault(type.value, Object.values(value) as Json[], place)
    }
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${kind}`
      return firstFault(type.item, value, place)
    default:
      return scalar(type, value, place)
  }
}

function structFault(type: StructType, object: JsonObject): string | undefined {
  for (const { name, type: own } of type.fields) {
    if (!Object.hasOwn(object, name)) continue
    const found = fault(own, object[name] as Json, { owner: type.name, field: name, depth: 0 })
    if (found !== undefined) return found
  }
  return undefined
}

function firstFault(item: Type, values: readonly Json[], place: GoPlace): string | undefined {
  const below = { ...place, depth: place.depth + 1 }
  for (const value of values) {
    const found = fault(item, value, below)
    if (found !== undefined) return found
  }
  return undefined
}

/** What these are read by: Go's reflection, not a method of the type. */
const PLAIN: ReadonlySet<ScalarKind> = new Set<ScalarKind>([
  'string',
  'integer',
  'number',
  'boolean',
  'bytes',
])

function scalar(type: ScalarType, value: Json, place: GoPlace): string | undefined {
  const kind = kindOf(value)
  if (!PLAIN.has(type.kind)) return scalarFault(type, value)
  if (type.kind === 'bytes') {
    if (kind !== 'string') return `cannot restore slice from ${kind}`
    const why = scalarFault(type, value)
    return why === undefined ? undefined : `error decoding from json: ${why}`
  }
  if (isRestored(type, value)) return undefined
  const target = basicKind(type)
  // A number can be converted to a text in Go, as a character, so that it is refused with other words than the rest.
  const isConvertible = kind === 'int64' ? target !== 'bool' : kind === 'float64' && target.startsWith('int')
  return isConvertible ? `cannot convert ${kind} to ${goTypeOf(type, place)}` : `unrecognized type: ${target}`
}

/** An integer that has too many bits for its type is cut off (withFittedIntegers in merge/unstructured.ts). */
function isRestored(type: ScalarType, value: Json): boolean {
  if (!isNumeric(value)) return typeof value === type.kind
  const isWhole = typeof value === 'bigint' || Number.isInteger(value)
  return type.kind === 'number' || (type.kind === 'integer' && isWhole)
}

function basicKind(type: ScalarType): string {
  if (type.kind === 'integer') return type.format === 'int32' ? 'int32' : 'int64'
  if (type.kind === 'number') return 'float64'
  return type.kind === 'boolean' ? 'bool' : 'string'
}

/** What Go has of a JSON value in a map of anything. */
function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'slice'
  switch (typeof value) {
    case 'object':
      return 'map'
    case 'number':
    case 'bigint':
      return isInteger(value) ? 'int64' : 'float64'
    case 'boolean':
      return 'bool'
    default:
      return 'string'
  }
}
