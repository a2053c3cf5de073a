// What upstream's conversion of untyped JSON into a Go struct does with scalars that a decoder of JSON refuses: it wraps
// integers that do not fit, and has words of its own. Only walked where the decoder refused a merged object.
// Follows k8s.io/apimachinery/pkg/runtime (converter.go, FromUnstructured).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { scalarDecoder } from '../decode-scalar.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { isNumeric, jsonInteger, MAX_INT64, MIN_INT64 } from '../../machinery/numbers.ts'
import type { ScalarType, StructType, Type } from '../type.ts'

/** The value cannot be converted; the message is upstream's. */
export class ConversionError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConversionError'
  }
}

/**
 * `value` with integers wrapped to what their type holds.
 * @throws ConversionError for the first scalar that cannot be converted
 */
export function fromUnstructured(type: StructType, value: JsonObject): JsonObject {
  return convertValue(type, value, convertScalar) as JsonObject
}

/**
 * The same for integers alone; all else stays as it is.
 * @throws ConversionError for the first number that cannot be converted
 */
export function withFittedIntegers(type: StructType, value: JsonObject): JsonObject {
  return convertValue(type, value, fitInteger) as JsonObject
}

type ConvertScalar = (type: ScalarType, value: Json) => Json

function convertValue(type: Type, value: Json, scalar: ConvertScalar): Json {
  if (value === null || type.kind === 'any') return value
  if (type.kind === 'list') {
    return Array.isArray(value) ? value.map((item) => convertValue(type.item, item, scalar)) : value
  }
  if (type.kind !== 'struct' && type.kind !== 'map') return scalar(type, value)
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const key of keysInOrder(type, value)) {
    const below = type.kind === 'map' ? type.value : type.byName.get(key)?.type
    const item = value[key] as Json
    assign(out, key, below ? convertValue(below, item, scalar) : item)
  }
  return out
}

/** Go walks the fields of a struct as they are declared. */
function keysInOrder(type: Type, value: JsonObject): string[] {
  if (type.kind !== 'struct') return Object.keys(value).sort()
  const declared = type.fields.map(({ name }) => name).filter((name) => Object.hasOwn(value, name))
  return [...declared, ...Object.keys(value).filter((key) => !type.byName.has(key))]
}

function fitInteger(type: ScalarType, value: Json): Json {
  return type.kind === 'integer' && isNumeric(value) ? wrapped(value, type.format ?? 'int64') : value
}

function convertScalar(type: ScalarType, value: Json): Json {
  if (type.kind === 'integer' && isNumeric(value)) return fitInteger(type, value)
  let decoded: Json | undefined
  try {
    decoded = scalarDecoder(type)(value)
  } catch (error) {
    const why = (error as Error).message
    throw new ConversionError(type.kind === 'bytes' ? `error decoding from json: ${why}` : why)
  }
  if (decoded !== undefined) return value
  const target = type.kind === 'intOrString' ? 'int32' : 'string'
  throw new ConversionError(
    `json: cannot unmarshal ${described(type, value)} into Go value of type ${target}`,
  )
}

const INT32_BITS = 32

function wrapped(value: number | bigint, format: string): number | bigint {
  if (typeof value === 'number' && !Number.isInteger(value))
    throw new ConversionError(`cannot convert float64 to ${format}`)
  const whole = BigInt(value)
  // What the processor makes of a float64 beyond its integers.
  const int64 = whole > MAX_INT64 || whole < MIN_INT64 ? MIN_INT64 : whole
  return jsonInteger(format === 'int32' ? BigInt.asIntN(INT32_BITS, int64) : int64)
}

function described(type: ScalarType, value: Json): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'object') return 'object'
  if (typeof value === 'boolean') return 'bool'
  if (isNumeric(value)) return type.kind === 'intOrString' ? `number ${value}` : 'number'
  return typeof value
}
