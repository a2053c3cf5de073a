// JSON texts to values and back with every integer of 64 bits kept: JSON.parse and JSON.stringify, and what they cannot.
// All that a client wrote, or that was stored, comes through here. Follows sigs.k8s.io/json and encoding/json.
import { jsonNumber } from './numbers.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { assign } from './jsonassign.ts'

/** A number of so many digits is the shortest that may be rounded. */
const LONG = 16
/** Such a number where a value stands, which is not within most strings. */
const LONG_NUMBER = /(?:^|[:,[\s])-?[0-9]{16}/

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** Whether JSON.parse may round a number of this text. Of every run of 16 digits, one stands where this looks. */
function mayRound(text: string): boolean {
  for (let i = LONG - 1; i < text.length; i += LONG) {
    if (isDigit(text.charCodeAt(i)) && isLongRun(text, i)) return LONG_NUMBER.test(text)
  }
  return false
}

function isLongRun(text: string, at: number): boolean {
  let start = at
  let end = at + 1
  while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--
  while (end < text.length && isDigit(text.charCodeAt(end))) end++
  return end - start >= LONG
}

/** As JSON.parse, with integers exact. @throws SyntaxError */
export function readJson(text: string): Json {
  const value = JSON.parse(text) as Json
  return mayRound(text) ? readTokens(text, {}) : value
}

/** As JSON.stringify, of plain data that may hold integers of 64 bits. */
export function jsonText(value: unknown): string {
  // There is no cheaper way to learn of a bigint than to meet it.
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return exactText(value as Json, '', '')
  }
}

/** The same on many lines, each indented by two blanks for each level. */
export const indentedJson = (value: Json): string => exactText(value, '\n', '  ')

function exactText(value: Json, line: string, indent: string): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const below = line + indent
  if (Array.isArray(value)) {
    const items = value.map((item) => below + exactText(item, below, indent))
    return items.length === 0 ? '[]' : `[${items.join(',')}${line}]`
  }
  const colon = indent === '' ? ':' : ': '
  const members: string[] = []
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member === undefined) continue
    members.push(below + JSON.stringify(key) + colon + exactText(member, below, indent))
  }
  return members.length === 0 ? '{}' : `{${members.join(',')}${line}}`
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[[\]{},]|true|false|null/g

interface Frame {
  readonly container: JsonObject | Json[]
  /** Of the member that comes next; undefined where a key must come. */
  key: string | undefined
}

/**
 * The value of a text that is known to be valid JSON, token by token: slow, and exact. Of a key that stands twice the
 * last value counts; with `merge` two objects become one, as where Go decodes into a struct.
 */
export function readTokens(text: string, { merge = false }: { readonly merge?: boolean }): Json {
  const stack: Frame[] = []
  let root: Json = null
  const put = (value: Json): void => {
    const top = stack[stack.length - 1]
    if (!top) root = value
    else if (Array.isArray(top.container)) top.container.push(value)
    else assign(top.container, top.key as string, value)
  }
  for (const [token] of text.matchAll(TOKEN)) {
    const top = stack[stack.length - 1]
    if (token === '{' || token === '[') {
      const container = token === '{' ? ((merge ? objectAt(top) : undefined) ?? {}) : []
      put(container)
      stack.push({ container, key: undefined })
    } else if (token === '}' || token === ']') stack.pop()
    else if (token === ',') {
      if (top) top.key = undefined
    } else if (top && top.key === undefined && !Array.isArray(top.container)) {
      top.key = JSON.parse(token) as string
    } else put(scalarOf(token))
  }
  return root
}

function scalarOf(token: string): Json {
  const first = token[0] as string
  return first === '-' || (first >= '0' && first <= '9') ? jsonNumber(token) : (JSON.parse(token) as Json)
}

/** What an earlier member of the same key left. */
function objectAt(frame: Frame | undefined): JsonObject | undefined {
  if (!frame || Array.isArray(frame.container) || frame.key === undefined) return undefined
  const { container, key } = frame
  const value = Object.hasOwn(container, key) ? container[key] : undefined
  return isObject(value) ? value : undefined
}
