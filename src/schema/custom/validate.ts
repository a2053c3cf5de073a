// Whether a value fits the schema of its definition, in upstream's words. Compiled node by node at first use, as closures.
// On an update, what is wrong with a part that did not change is let be (ratcheting).
// Follows k8s.io/kube-openapi/pkg/validation/validate and apiextensions-apiserver/pkg/apiserver/validation (ratcheting.go).
import type { Json, JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { isSame } from '../ownership/fieldset-compare.ts'
import { remembered } from '../turns.ts'
import { numberCheck } from './numbers.ts'
import { Result } from './result.ts'
import {
  type Check,
  countKeys,
  enumCheck,
  fieldOf,
  formatCheck,
  isObject,
  numberOf,
  textCheck,
  typeCheck,
  wholeCause,
} from './scalars.ts'

/** The value that stood in this place before; undefined where there was none, or none that can be told. */
type Old = Json | undefined
type Validate = (value: Json, path: string, old: Old, result: Result) => void

const compiled = new WeakMap<JsonObject, Validate>()

/**
 * What is wrong with a value. `path` is where it stands ("" for a whole object, "status"); `old` what it replaces.
 */
export function schemaCauses(props: JsonObject, value: Json, path: string, old?: Json): StatusCause[] {
  const result = new Result()
  validatorOf(props)(value, path, old, result)
  return result.causes
}

function validatorOf(props: JsonObject): Validate {
  let validate = compiled.get(props)
  if (!validate) compiled.set(props, (validate = ratcheted(compile(props))))
  return validate
}

/** Faults of what is as it was count for nothing. */
function ratcheted(validate: Validate): Validate {
  return (value, path, old, result) => {
    if (old === undefined) return validate(value, path, old, result)
    const own = new Result()
    validate(value, path, old, own)
    if (!own.isValid && isSame(value, old)) result.matches += own.matches
    else result.merge(own)
  }
}

function compile(props: JsonObject): Validate {
  const type = typeCheck(props)
  const alternatives = alternativesOf(props)
  const list = listCheck(props)
  const object = objectCheck(props)
  const own: Check[] = []
  for (const make of [textCheck, formatCheck, numberCheck]) {
    const check = make(props)
    if (check) own.push(check)
  }
  const listed = enumCheck(props)
  return (value, path, old, result) => {
    if (value === null) {
      type?.(value, path, result)
      listed?.(value, path, result)
      return
    }
    type?.(value, path, result)
    alternatives?.(value, path, old, result)
    for (const check of own) check(value, path, result)
    if (Array.isArray(value)) list(value, path, old, result)
    listed?.(value, path, result)
    if (typeof value === 'object' && !Array.isArray(value)) object(value, path, old, result)
    result.matches += 2
  }
}

const LIST = (props: JsonObject, key: string): JsonObject[] => {
  const value = props[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

// ---- alternatives

function alternativesOf(props: JsonObject): Validate | undefined {
  const anyOf = LIST(props, 'anyOf')
  const oneOf = LIST(props, 'oneOf')
  const allOf = LIST(props, 'allOf')
  const not = isObject(props['not']) ? props['not'] : undefined
  if (anyOf.length + oneOf.length + allOf.length === 0 && !not) return undefined
  return (value, path, old, result) => {
    const tried = (schema: JsonObject): Result => {
      const one = new Result()
      validatorOf(schema)(value, path, old, one)
      return one
    }
    if (anyOf.length) checkAny(anyOf, tried, { path, result })
    if (oneOf.length) checkOne(oneOf.map(tried), path, result)
    if (allOf.length) checkAll(allOf.map(tried), path, result)
    if (not && tried(not).isValid) result.add(wholeCause(`"${path}" must not validate the schema (not)`))
    result.matches++
  }
}

const nearest = (results: readonly Result[]): Result | undefined => {
  let best: Result | undefined
  for (const one of results) if (!best || one.matches > best.matches) best = one
  return best
}

interface Found {
  readonly path: string
  readonly result: Result
}

/** The first that fits ends the search. */
function checkAny(
  schemas: readonly JsonObject[],
  tried: (schema: JsonObject) => Result,
  { path, result }: Found,
): void {
  const failed: Result[] = []
  for (const schema of schemas) {
    const one = tried(schema)
    if (one.isValid) return result.merge(one)
    failed.push(one)
  }
  result.add(wholeCause(`"${path}" must validate at least one schema (anyOf)`))
  const best = nearest(failed)
  if (best) result.merge(best)
}

function checkOne(results: readonly Result[], path: string, result: Result): void {
  const valid = results.filter((one) => one.isValid)
  if (valid.length === 1) return result.merge(valid[0] as Result)
  const found = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`
  result.add(wholeCause(`"${path}" must validate one and only one schema (oneOf). ${found}`))
  const best = valid.length === 0 ? nearest(results) : undefined
  if (best) result.merge(best)
}

function checkAll(results: readonly Result[], path: string, result: Result): void {
  for (const one of results) result.merge(one)
  const valid = results.filter((one) => one.isValid).length
  if (valid === results.length) return
  const none = valid === 0 ? '. None validated' : ''
  result.add(wholeCause(`"${path}" must validate all the schemas (allOf)${none}`))
}

// ---- parts, which may be many

/** Parts that are looked at in one go. */
const CHUNK = 64

/** Checks of lists and objects that were made: each has its number. */
let made = 0

interface Parts {
  readonly of: object
  readonly count: number
  /** Which check it is, and where. */
  readonly name: string
}

/** Many parts are looked at in turns with other requests. */
function inChunks(parts: Parts, result: Result, check: (i: number, result: Result) => void): void {
  const { of, count, name } = parts
  if (count <= CHUNK) {
    for (let i = 0; i < count; i++) check(i, result)
    return
  }
  for (let start = 0; start < count; start += CHUNK) {
    const found = remembered(of, `${name} ${start}`, () => {
      const own = new Result()
      for (let i = start; i < Math.min(count, start + CHUNK); i++) check(i, own)
      return own
    })
    result.merge(found)
  }
}

// ---- lists

type ListCheck = (list: readonly Json[], path: string, old: Old, result: Result) => void

function listCheck(props: JsonObject): ListCheck {
  const items = isObject(props['items']) ? props['items'] : undefined
  const min = numberOf(props, 'minItems')
  const max = numberOf(props, 'maxItems')
  const unique = props['uniqueItems'] === true
  const previous = correlation(props)
  const id = String(made++)
  let validate: Validate | undefined
  return (list, path, old, result) => {
    if (items) {
      const before = previous && Array.isArray(old) ? previous(old) : undefined
      const check = (validate ??= validatorOf(items))
      inChunks({ of: list, count: list.length, name: `${id} ${path}` }, result, (i, found) => {
        const item = list[i] as Json
        check(item, `${path}[${i}]`, before?.(item), found)
      })
    }
    const size = list.length
    if (min !== undefined && size < min)
      result.add(cause.invalid(fieldOf(path), size, `${path} in body should have at least ${min} items`))
    if (max !== undefined && size > max) result.add(cause.tooMany(fieldOf(path), size, max))
    if (unique && hasTwice(list))
      result.add(cause.invalid(fieldOf(path), '', `${path} in body shouldn't contain duplicates`))
    result.matches += 2
  }
}

const hasTwice = (list: readonly Json[]): boolean => new Set(list.map(jsonText)).size < list.length

type Correlate = (old: readonly Json[]) => (item: Json) => Old

/** Items of lists with keys are found again by these; others are new whenever the list is. */
function correlation(props: JsonObject): Correlate | undefined {
  const keys = props['x-kubernetes-list-map-keys']
  if (props['x-kubernetes-list-type'] !== 'map' || !Array.isArray(keys)) return undefined
  const identity = (item: Json): string | undefined =>
    isObject(item) ? jsonText(keys.map((key) => item[String(key)] ?? null)) : undefined
  return (old) => {
    const byKeys = new Map(old.map((item) => [identity(item), item]))
    return (item) => {
      const key = identity(item)
      return key === undefined ? undefined : byKeys.get(key)
    }
  }
}

// ---- objects

type ObjectCheck = (object: JsonObject, path: string, old: Old, result: Result) => void

function objectCheck(props: JsonObject): ObjectCheck {
  const properties = propertiesOf(props)
  const additional = props['additionalProperties']
  const id = String(made++)
  const required = Array.isArray(props['required']) ? props['required'].map(String) : []
  const min = numberOf(props, 'minProperties')
  const max = numberOf(props, 'maxProperties')
  let others: Validate | undefined
  return (object, path, old, result) => {
    if (min !== undefined || max !== undefined) checkSize(countKeys(object), { min, max }, path, result)
    const before = isObject(old) ? old : undefined
    const was = (key: string): Old => (before && Object.hasOwn(before, key) ? before[key] : undefined)
    if (additional === false || isObject(additional)) {
      const check = additional === false ? undefined : (others ??= validatorOf(additional))
      const keys = Object.keys(object).filter((key) => !properties.has(key))
      inChunks({ of: object, count: keys.length, name: `${id} ${path}` }, result, (i, found) => {
        const key = keys[i] as string
        if (check) check(object[key] as Json, `${path}.${key}`, was(key), found)
        else found.add(forbiddenKey(path, key))
      })
    }
    for (const [key, schema] of properties) {
      if (!Object.hasOwn(object, key)) continue
      validatorOf(schema)(object[key] as Json, path === '' ? key : `${path}.${key}`, was(key), result)
    }
    for (const key of required) {
      if (!Object.hasOwn(object, key)) result.add(cause.required(fieldOf(`${path}.${key}`)))
    }
    result.matches++
  }
}

function propertiesOf(props: JsonObject): ReadonlyMap<string, JsonObject> {
  const given = props['properties']
  const entries = isObject(given) ? Object.entries(given) : []
  return new Map(entries.filter((entry): entry is [string, JsonObject] => isObject(entry[1])))
}

interface Bounds {
  readonly min: number | undefined
  readonly max: number | undefined
}

function checkSize(size: number, { min, max }: Bounds, path: string, result: Result): void {
  if (min !== undefined && size < min)
    result.add(cause.invalid(fieldOf(path), size, `${path} in body should have at least ${min} properties`))
  if (max !== undefined && size > max) result.add(cause.tooMany(fieldOf(path), size, max))
}

const forbiddenKey = (path: string, key: string): StatusCause =>
  cause.invalid(fieldOf(path), key, `${path}.${key} in body is a forbidden property`)
