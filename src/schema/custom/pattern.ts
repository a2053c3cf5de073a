// Regular expressions of definitions, which strangers write: Go's syntax, in time linear in the text, so that no pattern
// can hold up the server. Follows Go's regexp (RE2).
import { RE2JS } from 're2js'

/** Patterns that were compiled lately: those of one definition come again and again. */
const compiled = new Map<string, RE2JS | string>()
/** Enough for the patterns of a few hundred definitions; beyond, all is forgotten. */
const MAX_COMPILED = 2000

function compile(pattern: string): RE2JS | string {
  let known = compiled.get(pattern)
  if (known !== undefined) return known
  try {
    known = RE2JS.compile(pattern)
  } catch (error) {
    known = error instanceof Error ? error.message : String(error)
  }
  if (compiled.size >= MAX_COMPILED) compiled.clear()
  compiled.set(pattern, known)
  return known
}

/** What is wrong with a pattern, in Go's words; undefined for a good one. */
export function patternFault(pattern: string): string | undefined {
  const known = compile(pattern)
  return typeof known === 'string' ? known : undefined
}

/** Whether the pattern is found anywhere in the text; false for patterns that are none. */
export function matchesPattern(pattern: string, text: string): boolean {
  const known = compile(pattern)
  return typeof known !== 'string' && known.matcher(text).find()
}
