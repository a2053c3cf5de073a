// Paths and values in the words in which upstream shows them: `.spec.containers[name="c"].image`, `&{[1 2]}`.
// Follows sigs.k8s.io/structured-merge-diff/v6 (fieldpath.Path.String, value.ToString) and Go's fmt (%v, %#v, %T).
import { type GroupVersionKind, parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { readJson } from '../../machinery/jsontext.ts'
import { goNumber, isInteger } from '../../machinery/numbers.ts'
import { goQuote } from '../../machinery/quote.ts'

/** A path of elements as they stand in a field set: ["f:spec", "f:containers", "k:{\"name\":\"c\"}"]. */
export type FieldPath = readonly string[]

/** `.spec.containers[name="c"]`; "" for the root. */
export function pathText(path: FieldPath): string {
  return path.map(elementText).join('')
}

/** One element of a path: `.spec`, `[name="c"]`, `[="x"]`, `[0]`. */
export function elementText(element: string): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${rest}`
    case 'k': {
      const key = readJson(rest) as JsonObject
      return `[${Object.keys(key)
        .map((name) => `${name}=${keyText(key[name] as Json)}`)
        .join(',')}]`
    }
    case 'v':
      return `[=${keyText(readJson(rest))}]`
    default:
      return `[${rest}]`
  }
}

function keyText(value: Json): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[${value.map(keyText).join(',')}]`
  if (isObject(value))
    return Object.keys(value)
      .map((key) => `${key}=${keyText(value[key] as Json)}`)
      .join('')
  return String(value)
}

const textAt = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** What the apiVersion and kind of an object say; nothing where there is no valid apiVersion. */
export function kindOf(object: JsonObject): GroupVersionKind {
  const gv = parseGroupVersion(textAt(object['apiVersion']))
  return gv ? { ...gv, kind: textAt(object['kind']) } : { group: '', version: '', kind: '' }
}

/** `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
export const kindText = ({ group, version, kind }: GroupVersionKind): string =>
  `${group}/${version}, Kind=${kind}`

/** How upstream names an object in its errors: namespace, name and kind as the object says them. */
export function describeObject(object: JsonObject): string {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return `${textAt(metadata['namespace'])}/${textAt(metadata['name'])}; ${kindText(kindOf(object))}`
}

/** Go's %v of a decoded JSON value. */
export function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return String(value)
  const members = Object.keys(value).sort()
  return `map[${members.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`
}

/** Go's %#v of a decoded JSON value. */
export function goSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)'
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isObject(value)) return String(value)
  const members = Object.keys(value).sort()
  return `map[string]interface {}{${members.map((key) => `${goQuote(key)}:${goSyntax(value[key] as Json)}`).join(', ')}}`
}

/** Go's %T of a decoded JSON value. */
export function goType(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : isInteger(value) ? 'int64' : 'float64'
}
