// Checks of single values by a schema: type, bounds, length, pattern, format, enum. Made once for each node.
// Follows k8s.io/kube-openapi/pkg/validation/validate (type.go, values.go) and errors/schema.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { isInteger, isNumeric } from '../../machinery/numbers.ts'
import { cause } from '../../machinery/status.ts'
import { isSame } from '../ownership/fieldset-compare.ts'
import { isKnownFormat, textFormat } from './formats.ts'
import { isFound, PatternFault } from '../regexp/regexp.ts'
import type { Result } from './result.ts'

/** Adds what is wrong with a value at a path ("spec.list[0]") to the result. */
export type Check = (value: Json, path: string, result: Result) => void

/** What upstream calls a value's type. */
export function typeNameOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (isNumeric(value)) return isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** The field of a cause: the path as the validator has it, without a dot in front; the root has none. */
export const fieldOf = (path: string): string => {
  const field = path.startsWith('.') ? path.slice(1) : path
  return field === '' ? '<nil>' : field
}

/** A finding about the whole object: upstream gives it no field. */
export const wholeCause = (text: string) => cause.invalid('<nil>', '', text)

const wrongType = (path: string, type: string, found: string) =>
  cause.typeInvalid(fieldOf(path), found, `${path} in body must be of type ${type}: ${JSON.stringify(found)}`)

const textOf = (props: JsonObject, key: string): string => {
  const value = props[key]
  return typeof value === 'string' ? value : ''
}

const numberOf = (props: JsonObject, key: string): number | undefined => {
  const value = props[key]
  return isNumeric(value) ? Number(value) : undefined
}

/** The types that a node allows: none stands for all. */
export function typesOf(props: JsonObject): readonly string[] {
  if (props['x-kubernetes-int-or-string'] === true) return ['integer', 'string']
  const type = textOf(props, 'type')
  return type === '' ? [] : [type]
}

/** The format of a node where it counts. */
export function formatOf(props: JsonObject): string {
  const format = textOf(props, 'format')
  const types = typesOf(props)
  return format !== '' && isKnownFormat(types.length === 1 ? (types[0] as string) : '', format) ? format : ''
}

/** Of the right type: undefined where any will do. */
export function typeCheck(props: JsonObject): Check | undefined {
  const types = typesOf(props)
  const format = formatOf(props)
  if (types.length === 0 && format === '') return undefined
  const nullable = props['nullable'] === true
  const named = types.join(',')
  const takesNumbers = types.includes('number') || types.includes('integer')
  return (value, path, result) => {
    if (value === null) {
      if (types.length > 0 && !nullable) result.add(wrongType(path, named, 'null'))
      else result.matches++
      return
    }
    const found = typeNameOf(value)
    const fits = types.includes(found) || (found === 'integer' && types.includes('number'))
    const isText = found === 'string' || found === 'array'
    if (!isText && format !== '' && !fits) {
      result.add(wrongType(path, format, FORMAT_OF_TYPE[found] ?? ''))
    } else if (!(isText && format !== '' && !takesNumbers) && !fits) {
      result.add(wrongType(path, named, found))
    } else result.matches++
  }
}

/** How upstream names the format of a value. */
const FORMAT_OF_TYPE: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' }

/** Length and pattern: only the first fault is told. */
export function textCheck(props: JsonObject): Check | undefined {
  const max = numberOf(props, 'maxLength')
  const min = numberOf(props, 'minLength')
  const pattern = textOf(props, 'pattern')
  if (max === undefined && min === undefined && pattern === '') return undefined
  return (value, path, result) => {
    if (typeof value !== 'string') return
    const invalid = (text: string) =>
      result.add(cause.invalid(fieldOf(path), value, `${path} in body ${text}`))
    const length = max === undefined && min === undefined ? 0 : lengthOf(value)
    if (max !== undefined && length > max) result.add(cause.tooLong(fieldOf(path), max))
    else if (min !== undefined && length < min) invalid(`should be at least ${min} chars long`)
    else if (pattern !== '' && !fits(pattern, value)) invalid(`should match '${pattern}'`)
  }
}

/** Nothing fits a pattern that is none. */
function fits(pattern: string, text: string): boolean {
  try {
    return isFound(pattern, text)
  } catch (error) {
    if (error instanceof PatternFault) return false
    throw error
  }
}

/** In characters, not in UTF-16 units. */
function lengthOf(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit < 0xdc00) {
      length--
      i++
    }
  }
  return length
}

export function formatCheck(props: JsonObject): Check | undefined {
  const format = formatOf(props)
  const check = format === '' ? undefined : textFormat(format)
  if (!check) return undefined
  return (value, path, result) => {
    if (typeof value === 'string' && !check(value)) result.add(wrongType(path, format, value))
  }
}

export function enumCheck(props: JsonObject): Check | undefined {
  const values = props['enum']
  if (!Array.isArray(values) || values.length === 0) return undefined
  const shown = values.map((one) => (typeof one === 'string' ? one : jsonText(one)))
  const texts = new Set(values.filter((one) => typeof one === 'string'))
  return (value, path, result) => {
    if (
      typeof value === 'string'
        ? texts.has(value)
        : value !== null && values.some((one) => isSame(one, value))
    )
      return
    result.add(cause.notSupported(fieldOf(path), value, shown))
  }
}

/** Keys that are there. */
export function countKeys(value: JsonObject): number {
  let count = 0
  for (const _ in value) count++
  return count
}

export { isObject, numberOf }
