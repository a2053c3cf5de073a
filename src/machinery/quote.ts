// How Go quotes text (%q), which upstream's messages show to clients. Follows strconv.Quote.

/** The control characters that have a letter of their own in Go's literals, and the backslash. */
export const GO_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
const ESCAPES: Readonly<Record<string, string>> = { ...GO_ESCAPES, '"': '\\"' }
const PLAIN = /^[ !#-[\]-~]*$/
/** What Go does not call printable: all but letters, marks, numbers, punctuation, symbols and the plain space. */
const TO_ESCAPE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu

/** The text in double quotes, with Go's escapes. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return `"${text.replace(TO_ESCAPE, escape)}"`
}

/** A list as Go prints a []string with %q: ["a" "b"]. */
export function goQuoteList(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(' ')}]`
}

function escape(character: string): string {
  const short = ESCAPES[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) as number
  const hex = (digits: number): string => code.toString(16).padStart(digits, '0')
  if (code < 0x20 || code === 0x7f) return `\\x${hex(2)}`
  return code > 0xffff ? `\\U${hex(8)}` : `\\u${hex(4)}`
}

/** As package time quotes what it refuses: what is no printable ASCII as \xNN, byte by byte. */
export function quoteAscii(text: string): string {
  const escaped = text.replace(/[^\x20-\x7f]|["\\]/gu, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`
    return [...Buffer.from(c)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  return `"${escaped}"`
}
