// Regular expressions as RE2 has them: linear in the text, so that no pattern can stall the server.
// Follows k8s.io/apiserver/pkg/cel/library/regex.go.
import { RE2JS } from 're2js'
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { search } from './size.ts'
import { ListValue } from './values.ts'

/** Compiled patterns that are kept; most expressions have one constant. */
const MAX_KEPT = 256
const kept = new Map<string, RE2JS>()

/** The pattern, compiled once. Throws a CelError that says what is wrong with it. */
export function pattern(source: string): RE2JS {
  const known = kept.get(source)
  if (known) return known
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CelError(why.startsWith('error parsing regexp') ? why : `error parsing regexp: ${why}`)
  }
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(source, compiled)
  return compiled
}

/** The pattern is somewhere in the text. */
export const matches = (text: string, source: string): boolean => pattern(source).matcher(text).find()

function findAll(text: string, source: string, limit: bigint): ListValue {
  const matcher = pattern(source).matcher(text)
  const found: string[] = []
  while ((limit < 0n || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return new ListValue(found)
}

export const regex: Library = (define) => {
  const find = (text: string, source: string): string => {
    const matcher = pattern(source).matcher(text)
    return matcher.find() ? (matcher.group() ?? '') : ''
  }
  define('string->find(string) string', ([a, b]) => find(a as string, b as string), search)
  define('string->findAll(string) list(string)', ([a, b]) => findAll(a as string, b as string, -1n), search)
  define(
    'string->findAll(string, int) list(string)',
    ([a, b, limit]) => findAll(a as string, b as string, limit as bigint),
    search,
  )
}
