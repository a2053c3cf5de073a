// Paths of fields in a schema (".spec.replicas", ".labels['a']"): of rules, and of fields to select by.
// Follows apiextensions-apiserver/pkg/apiserver/schema/cel (ValidFieldPath).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { namedOf, textAt } from './reading.ts'

const SEGMENT = /^(?:\.([^.[\]]*)|\[([^\]]*)\])/

/** Where the path leads; or why it leads nowhere. */
export function findField(
  path: string,
  schema: JsonObject,
  allowBrackets: boolean,
): { readonly schema: JsonObject } | { readonly fault: string } {
  let rest = path
  let at: JsonObject = schema
  while (rest !== '') {
    const match = SEGMENT.exec(rest)
    if (!match) return { fault: `expected [ or . but got: ${rest[0]}` }
    const bracket = match[2]
    if (bracket !== undefined && !allowBrackets) return { fault: 'does not refer to a valid field' }
    const key = bracket === undefined ? (match[1] as string) : unquoted(bracket)
    const below = key === undefined ? undefined : step(at, key, bracket !== undefined)
    if (!below) return { fault: 'does not refer to a valid field' }
    at = below
    rest = rest.slice(match[0].length)
  }
  return { schema: at }
}

const unquoted = (text: string): string | undefined => /^'(.*)'$/s.exec(text)?.[1]

function step(schema: JsonObject, key: string, inBrackets: boolean): JsonObject | undefined {
  const property = namedOf(schema, 'properties').get(key)
  if (property) return property
  const additional = schema['additionalProperties']
  if (inBrackets && isObject(additional)) return additional
  return undefined
}

/** Why a path is none; undefined for a good one. */
export function fieldPathFault(path: string, schema: JsonObject, brackets: boolean): string | undefined {
  const found = findField(path, schema, brackets)
  return 'fault' in found ? found.fault : undefined
}

/** The type at the end of the path. */
export const typeAt = (found: { readonly schema: JsonObject }): string => textAt(found.schema, 'type')
