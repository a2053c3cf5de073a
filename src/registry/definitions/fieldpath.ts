// Paths of fields in a schema (".spec.replicas", ".labels['a']"): of rules, and of fields to select by.
// Follows apiextensions-apiserver/pkg/apiserver/schema/cel (ValidFieldPath).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { namedOf, textAt } from './reading.ts'

/** Delimiters, names between them, and texts in quotes, which may have delimiters in them. */
const TOKEN = /[.[\]]|'(?:[^'\\]|\\.)*'|'[^]*$|[^.[\]']+[^.[\]]*/gy

const NOWHERE = 'does not refer to a valid field'
const END = 'unexpected end of JSON path'

interface Found {
  readonly schema: JsonObject
}
interface Fault {
  readonly fault: string
}

/** Where the path leads; or why it leads nowhere. */
export function findField(path: string, schema: JsonObject, allowBrackets: boolean): Found | Fault {
  const tokens = path.match(TOKEN) ?? []
  let at: JsonObject = schema
  for (let i = 0; i < tokens.length;) {
    const first = tokens[i] as string
    if (first !== '.' && first !== '[') return { fault: `expected [ or . but got: ${first}` }
    const inBrackets = first === '['
    if (inBrackets && !allowBrackets) return { fault: 'array notation is not allowed' }
    const key = tokens[i + 1]
    if (key === undefined) return { fault: END }
    if (inBrackets && !/^'[^]*'$/.test(key)) return { fault: `expected single quoted string but got ${key}` }
    const below = step(at, inBrackets ? unquoted(key) : key)
    if (!below) return { fault: NOWHERE }
    at = below
    i += 2
    if (!inBrackets) continue
    const last = tokens[i++]
    if (last !== ']') return { fault: last === undefined ? END : `expected ] but got ${last}` }
  }
  return { schema: at }
}

const unquoted = (text: string): string => text.slice(1, -1).replaceAll(/\\(.)/gs, '$1')

/** A field where there are fields, else an entry of a map. */
function step(schema: JsonObject, key: string): JsonObject | undefined {
  const properties = namedOf(schema, 'properties')
  if (properties.size > 0) return properties.get(key)
  const additional = schema['additionalProperties']
  return isObject(additional) ? additional : undefined
}

/** Why a path is none; undefined for a good one. */
export function fieldPathFault(path: string, schema: JsonObject, brackets: boolean): string | undefined {
  const found = findField(path, schema, brackets)
  return 'fault' in found ? found.fault : undefined
}

/** The type at the end of the path. */
export const typeAt = (found: { readonly schema: JsonObject }): string => textAt(found.schema, 'type')
