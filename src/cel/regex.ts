// Regular expressions as RE2 has them: linear in the text, so that no pattern can stall the server.
// Follows k8s.io/apiserver/pkg/cel/library/regex.go.
import { findAll, isFound, patternFault, PatternFault } from '../schema/regexp/regexp.ts'
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { search } from './size.ts'
import { ListValue } from './values.ts'

/** Throws a CelError that says what is wrong with a pattern. */
export function requirePattern(source: string): void {
  const why = patternFault(source)
  if (why !== undefined) throw faultOf(why)
}

const faultOf = (why: string): CelError =>
  new CelError(why.startsWith('error parsing regexp') ? why : `error parsing regexp: ${why}`)

function told<T>(search: () => T): T {
  try {
    return search()
  } catch (error) {
    throw error instanceof PatternFault ? faultOf(error.message) : error
  }
}

/** The pattern is somewhere in the text. */
export const matches = (text: string, source: string): boolean => told(() => isFound(source, text))

const all = (text: string, source: string, most: number): ListValue =>
  new ListValue(told(() => findAll(source, text, most)))

export const regex: Library = (define) => {
  define(
    'string->find(string) string',
    ([a, b]) => told(() => findAll(b as string, a as string, 1))[0] ?? '',
    search,
  )
  define('string->findAll(string) list(string)', ([a, b]) => all(a as string, b as string, -1), search)
  define(
    'string->findAll(string, int) list(string)',
    ([a, b, most]) => all(a as string, b as string, Number(most)),
    search,
  )
}
