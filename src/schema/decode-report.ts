// The second, slow walk over an input that the quick decoder found odd: it goes in the order of the text and finds the
// error, or the unknown fields, that Go would report. Follows sigs.k8s.io/json (error context, strict field paths).
import type { Json, JsonObject } from '../machinery/json.ts'
import { isNumeric } from '../machinery/numbers.ts'
import { Base64Error, scalarDecoder } from './decode-scalar.ts'
import { type GoPlace, goTypeOf, kindOf } from './decode-names.ts'
import type { NumberTokens } from './json/json.ts'
import type { Field, ScalarType, StructType, Type } from './type.ts'

/** A body that does not fit the type; the message is Go's, to follow `Pod in version "v1" cannot be handled as a Pod: `. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DecodeError'
  }
}

/** As many as upstream reports, so that a hostile body cannot make an answer many times its own size. */
const MAX_STRICT_ERRORS = 100

/** Where the walk stands: Go names the innermost struct and the path of field names without list indices and map keys. */
interface Place extends GoPlace {
  readonly struct: string
  readonly fields: string
  /** The strict path, with indices and keys. */
  readonly path: string
}

interface Findings {
  readonly tokens: NumberTokens | undefined
  /** The first type error; the walk goes on, because a failing UnmarshalJSON later on has precedence. */
  error: DecodeError | undefined
  readonly unknown: Set<string>
}

/**
 * Unknown fields of `input`, as `unknown field "spec.foo"`. `tokens`: how its numbers were written, where that is known.
 * @throws DecodeError where a value has the wrong type
 */
export function report(type: StructType, input: Json, tokens?: NumberTokens): string[] {
  const findings: Findings = { tokens, error: undefined, unknown: new Set() }
  walk(type, input, { struct: '', fields: '', path: '', owner: '', field: '', depth: 0 }, findings)
  if (findings.error) throw findings.error
  return [...findings.unknown]
}

function mismatch(value: string, goType: string, place: Place): DecodeError {
  const target = place.fields === '' ? 'Go value' : `Go struct field ${place.struct}.${place.fields}`
  return new DecodeError(`json: cannot unmarshal ${value} into ${target} of type ${goType}`)
}

function walk(type: Type, value: Json, place: Place, findings: Findings): void {
  switch (type.kind) {
    case 'any':
      return
    case 'struct':
      if (kindOf(value) === 'object') return walkStruct(type, value as JsonObject, place, findings)
      break
    case 'list':
      if (Array.isArray(value)) return walkList(type.item, value, place, findings)
      break
    case 'map':
      if (kindOf(value) === 'object') return walkMap(type.value, value as JsonObject, place, findings)
      break
    default:
      return checkScalar(type, value, place, findings)
  }
  if (value !== null) findings.error ??= mismatch(kindOf(value), goTypeOf(type, place), place)
}

function walkStruct(type: StructType, object: JsonObject, place: Place, findings: Findings): void {
  const struct = type.name.slice(type.name.lastIndexOf('.') + 1)
  for (const key of Object.keys(object)) {
    const field = type.byName.get(key)
    const path = place.path === '' ? key : `${place.path}.${key}`
    if (!field) {
      if (findings.unknown.size < MAX_STRICT_ERRORS)
        findings.unknown.add(`unknown field ${JSON.stringify(path)}`)
      continue
    }
    const fields = [place.fields, ...embeddedOf(field), key].filter((name) => name !== '').join('.')
    walk(
      field.type,
      object[key] as Json,
      { struct, fields, path, owner: type.name, field: key, depth: 0 },
      findings,
    )
  }
}

/** Go counts the structs that it inlines as fields of the path: "spec.volumes.VolumeSource.emptyDir". */
const embeddedOf = (field: Field): string[] =>
  field.embedded?.map(({ message }) => message.slice(message.lastIndexOf('.') + 1)) ?? []

function walkList(item: Type, list: readonly Json[], place: Place, findings: Findings): void {
  list.forEach((value, i) =>
    walk(item, value, { ...place, path: `${place.path}[${i}]`, depth: place.depth + 1 }, findings),
  )
}

function walkMap(item: Type, map: JsonObject, place: Place, findings: Findings): void {
  for (const key of Object.keys(map)) {
    walk(item, map[key] as Json, { ...place, path: `${place.path}.${key}`, depth: place.depth + 1 }, findings)
  }
}

/** Scalars that Go reads by a method of their own fail at once; the others let the walk go on. */
function checkScalar(type: ScalarType, value: Json, place: Place, findings: Findings): void {
  // Only a duration's method has no case for null.
  const given = value === null && type.kind === 'duration' ? '' : value
  if (given === null) return
  const token = typeof given === 'number' ? findings.tokens?.get(place.path) : undefined
  try {
    if (scalarDecoder(type)(given) !== undefined && !isFraction(type, token)) return
  } catch (error) {
    const failure = new DecodeError((error as Error).message)
    if (!(error instanceof Base64Error)) throw failure
    findings.error ??= failure
    return
  }
  const error = mismatch(describe(type, given, token), targetOf(type, place), place)
  if (OWN_METHOD.has(type.kind)) throw error
  findings.error ??= error
}

/** What Go says of a value that stands alone, undefined where it fits. */
export function scalarFault(type: ScalarType, value: Json): string | undefined {
  const findings: Findings = { tokens: undefined, error: undefined, unknown: new Set() }
  const nowhere = { struct: '', fields: '', path: '', owner: '', field: '', depth: 0 }
  try {
    checkScalar(type, value, nowhere, findings)
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
  return findings.error?.message
}

const OWN_METHOD: ReadonlySet<string> = new Set(['time', 'microtime', 'duration', 'intOrString'])

/** What the methods themselves try to decode into. */
function targetOf(type: ScalarType, place: Place): string {
  if (type.kind === 'intOrString') return 'int32'
  return OWN_METHOD.has(type.kind) ? 'string' : goTypeOf(type, place)
}

/** 1.0 and 1e3 are no integers to Go, whatever their value. */
const isFraction = (type: ScalarType, token: string | undefined): boolean =>
  token !== undefined && (type.kind === 'integer' || type.kind === 'intOrString') && /[.eE]/.test(token)

/** Go quotes a number that does not fit as it was written; where nobody knows, as it would write it itself. */
function describe(type: ScalarType, value: Json, token: string | undefined): string {
  const takesNumbers = type.kind === 'integer' || type.kind === 'number' || type.kind === 'intOrString'
  return isNumeric(value) && takesNumbers ? `number ${token ?? String(value)}` : kindOf(value)
}
