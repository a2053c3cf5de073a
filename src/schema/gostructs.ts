// Objects as upstream's own structs without versions, which some of its refusals print: every field under its Go name,
// absent ones too. Used by rules that compare an object with what it was. Follows encoding/json over pkg/apis/*/types.go
// and the conversions of v1; api/openapi/go-structs.json has the structs, and is read with the first refusal.
import { isDeepStrictEqual } from 'node:util'
import { emptiedAt } from '../machinery/emptied.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import { Worded } from '../machinery/status.ts'
import { unifiedDiff } from '../machinery/unifieddiff.ts'
import { readFacts } from './facts.ts'
import { escapeHtml } from './json/json.ts'
import { typedJson } from './stringify.ts'
import { typeOf } from './types.ts'

type Value = Json | undefined

/** A struct's fields: "Name type", "Name=jsonName type", or "=jsonName type" for fields that stand in its place. */
type Structs = Readonly<Record<string, readonly string[]>>

interface GoField {
  /** "" where the field's own members stand in its place. */
  readonly name: string
  readonly json: string
  readonly type: string
}

const ABSENT: Readonly<Record<string, string>> = {
  string: '""',
  bool: 'false',
  int32: '0',
  int64: '0',
  quantity: '"0"',
  intOrString: '0',
}

let structs: Structs | undefined
const known = new Map<string, readonly GoField[] | undefined>()

/** How `now` differs from `old`, both as upstream prints a Go value of this type: "core.PodSpec", "[]core.Volume". */
export function structDiff(type: string, old: Value, now: Value): string {
  return unifiedDiff(indentedLines(structText(type, old)), indentedLines(structText(type, now)))
}

/** Whether two values of a type are the same to upstream, where no list is an empty one, but no struct is no empty one. */
export function sameStruct(type: string, a: Value, b: Value): boolean {
  return isDeepStrictEqual(a, b) || textOf(type, a, true) === textOf(type, b, true)
}

/** The value, whose type in v1 has the same name, as JSON of upstream's struct on one line. */
export const structText = (type: string, value: Value): string => textOf(type, value, false)

/** The value as a cause shows it that prints upstream's struct. */
export const asStruct = (type: string, value: Value): unknown =>
  type === 'string' ? (value ?? '') : new Worded(() => structText(type, value))

/** With `alike`, empty lists and maps read as absent ones. */
function textOf(type: string, value: Value, alike: boolean): string {
  const isAbsent = value === undefined || value === null || (alike && isEmptyCollection(type, value))
  if (type.startsWith('*')) return isAbsent ? 'null' : textOf(type.slice(1), value, alike)
  if (type.startsWith('[]')) return isAbsent ? 'null' : listText(type.slice(2), value, alike)
  if (type.startsWith('map ')) return isAbsent ? 'null' : mapText(type.slice(4), value, alike)
  if (!type.includes('.')) return isAbsent ? (ABSENT[type] ?? 'null') : plainText(value)
  const object = type === POD_SPEC ? podSpec(value) : isObject(value) ? value : {}
  const fields = fieldsOf(type)
  if (fields) {
    const members = fields.map((field) => memberText(field, object, alike)).filter((text) => text !== '')
    return `{${members.join(',')}}`
  }
  // Types of API machinery have names for JSON in upstream's structs, too.
  const versioned = typeOf(type)
  if (!versioned) throw new Error(`upstream's struct ${type} is not known: see tools/generate/gostructs`)
  return typedJson(object, versioned)
}

const POD_SPEC = 'core.PodSpec'
/** What stands in a pod's spec in v1, and in its security context in upstream's struct. */
const OF_HOST = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers']

/** As upstream's conversion from v1 leaves a spec: its security context is always there. */
function podSpec(value: Value): JsonObject {
  const spec = isObject(value) ? value : {}
  const securityContext: JsonObject = {
    ...(isObject(spec['securityContext']) ? spec['securityContext'] : {}),
  }
  for (const name of OF_HOST) if (spec[name] !== undefined) securityContext[name] = spec[name] as Json
  const serviceAccountName = spec['serviceAccountName'] || spec['serviceAccount'] || ''
  return { ...spec, securityContext, serviceAccountName }
}

const isEmptyCollection = (type: string, value: Json): boolean =>
  type.startsWith('[]')
    ? Array.isArray(value) && value.length === 0
    : type.startsWith('map ') && isEmptyMap(value)
const isEmptyMap = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0

const plainText = (value: Json): string => escapeHtml(jsonText(value))
const listText = (item: string, value: Json, alike: boolean): string =>
  `[${(value as readonly Json[]).map((one) => textOf(item, one, alike)).join(',')}]`

/** Keys sorted by their bytes, as Go's encoder has them. */
function mapText(item: string, value: Json, alike: boolean): string {
  const map = value as JsonObject
  const keys = Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${keys.map((key) => `${plainText(key)}:${textOf(item, map[key], alike)}`).join(',')}}`
}

function memberText({ name, json, type }: GoField, object: JsonObject, alike: boolean): string {
  const value = Object.hasOwn(object, json) ? object[json] : undefined
  const text = textOf(type, value ?? emptiedAt(object, json), alike)
  return name === '' ? text.slice(1, -1) : `"${name}":${text}`
}

function fieldsOf(type: string): readonly GoField[] | undefined {
  if (known.has(type)) return known.get(type)
  structs ??= readFacts<Structs>('go-structs')
  const fields = Object.hasOwn(structs, type) ? structs[type]?.map(fieldOf) : undefined
  known.set(type, fields)
  return fields
}

function fieldOf(row: string): GoField {
  const space = row.indexOf(' ')
  const [name = '', json] = row.slice(0, space).split('=')
  return { name, json: json ?? name.charAt(0).toLowerCase() + name.slice(1), type: row.slice(space + 1) }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[^",:[\]{}]+|[[{][\]}]?|[\]},:]/g

/** The lines of compact JSON that is indented by a blank a level; empty lists and objects stay on their line. */
export function indentedLines(json: string): string[] {
  const lines: string[] = []
  let line = ''
  let depth = 0
  const next = (): void => {
    lines.push(line)
    line = ' '.repeat(depth)
  }
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      line += token
      depth++
      next()
    } else if (token === '}' || token === ']') {
      depth--
      next()
      line += token
    } else if (token === ',') {
      line += token
      next()
    } else line += token === ':' ? ': ' : token
  }
  return [...lines, line]
}
