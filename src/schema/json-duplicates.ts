// A JSON text in which a key stands twice in one object, as Go reads it into a struct: the second value is decoded into
// what the first one left, so two objects become one. Only texts that may have such keys come here.
// Follows encoding/json (decoding into maps and structs that are there already).
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { assign } from './json-assign.ts'

const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[[\]{},]|true|false|null/g

interface Frame {
  readonly container: JsonObject | Json[]
  /** Of the member that comes next; undefined where a key must come. */
  key: string | undefined
}

/** The value of a text that is known to be valid JSON; of other values of one key the last counts. */
export function parseMerging(text: string): Json {
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
      const container = token === '{' ? (objectAt(top) ?? {}) : []
      put(container)
      stack.push({ container, key: undefined })
    } else if (token === '}' || token === ']') stack.pop()
    else if (token === ',') {
      if (top) top.key = undefined
    } else if (top && top.key === undefined && !Array.isArray(top.container)) {
      top.key = JSON.parse(token) as string
    } else put(JSON.parse(token) as Json)
  }
  return root
}

/** What an earlier member of the same key left. */
function objectAt(frame: Frame | undefined): JsonObject | undefined {
  if (!frame || Array.isArray(frame.container) || frame.key === undefined) return undefined
  const { container, key } = frame
  const value = Object.hasOwn(container, key) ? container[key] : undefined
  return isObject(value) ? value : undefined
}
