// The words and operators of a shell script, as far as simulated containers understand them. What is not understood is
// an error: a script is followed as a whole or not at all.
// Follows the token recognition of POSIX's shell command language.

/** Something that simulated containers do not follow; the message is for the developer alone. */
export class NotUnderstood extends Error {}

/** A piece of a word. Text in quotes is neither split nor an operator. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  | {
      readonly kind: 'variable'
      readonly name: string
      readonly otherwise: string
      readonly isQuoted: boolean
    }
  | { readonly kind: 'command'; readonly script: string; readonly isQuoted: boolean }
  | { readonly kind: 'sum'; readonly text: string; readonly isQuoted: boolean }

export type Word = readonly Part[]

export type Token =
  { readonly kind: 'word'; readonly parts: Word } | { readonly kind: 'operator'; readonly text: string }

/** Longer ones first. Those that run things beside each other are known, to be refused. */
const OPERATORS = ['&&', '||', ';;', '>>', '<<', '>&', '\n', ';', '(', ')', '>', '<', '|', '&']
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/
/** Nobody's script is that deep. */
const MAX_NESTING = 20

export function tokens(script: string): Token[] {
  return new Lexer(script).all()
}

class Lexer {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  all(): Token[] {
    const found: Token[] = []
    while (this.#at < this.#text.length) {
      const token = this.#next()
      if (token) found.push(token)
    }
    return found
  }

  #next(): Token | undefined {
    const char = this.#text[this.#at]
    if (char === ' ' || char === '\t' || char === '\r') this.#at++
    else if (char === '#') this.#at = ends(this.#text.indexOf('\n', this.#at), this.#text)
    else if (this.#text.startsWith('\\\n', this.#at)) this.#at += 2
    else return this.#operator() ?? { kind: 'word', parts: this.#word() }
    return undefined
  }

  #operator(): Token | undefined {
    const text = OPERATORS.find((one) => this.#text.startsWith(one, this.#at))
    if (text === undefined) return undefined
    this.#at += text.length
    return { kind: 'operator', text }
  }

  #word(): Word {
    const parts: Part[] = []
    while (this.#at < this.#text.length && !/[\s;&|<>()]/.test(this.#text[this.#at] ?? '')) {
      const char = this.#text[this.#at] ?? ''
      if (char === "'") parts.push(this.#single())
      else if (char === '"') parts.push(...this.#double())
      else if (char === '$') parts.push(this.#dollar(false))
      else if (char === '`' || char === '*' || char === '?') throw new NotUnderstood(char)
      else parts.push({ kind: 'text', text: this.#plain(char), isQuoted: char === '\\' })
    }
    return parts
  }

  #plain(char: string): string {
    this.#at++
    if (char !== '\\') return char
    return this.#text[this.#at++] ?? ''
  }

  #single(): Part {
    const end = this.#text.indexOf("'", this.#at + 1)
    if (end < 0) throw new NotUnderstood('quote')
    const text = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    return { kind: 'text', text, isQuoted: true }
  }

  #double(): Part[] {
    const parts: Part[] = [{ kind: 'text', text: '', isQuoted: true }]
    for (this.#at++; this.#text[this.#at] !== '"';) {
      const char = this.#text[this.#at]
      if (char === undefined || char === '`') throw new NotUnderstood('quote')
      if (char === '$') parts.push(this.#dollar(true))
      else {
        const isEscape = char === '\\' && /["\\$`]/.test(this.#text[this.#at + 1] ?? '')
        parts.push({ kind: 'text', text: isEscape ? this.#plain(char) : char, isQuoted: true })
        if (!isEscape) this.#at++
      }
    }
    this.#at++
    return parts
  }

  #dollar(isQuoted: boolean): Part {
    const rest = this.#text.slice(this.#at + 1)
    if (rest.startsWith('((')) return { kind: 'sum', text: this.#enclosed(3, 2), isQuoted }
    if (rest.startsWith('(')) return { kind: 'command', script: this.#enclosed(2, 1), isQuoted }
    const braced = /^\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^${}"'`\\]*))?\}/.exec(rest)
    const name = braced?.[1] ?? NAME.exec(rest)?.[0] ?? (rest.startsWith('?') ? '?' : undefined)
    if (name === undefined) {
      if (/^[\s"']|^$/.test(rest)) return { kind: 'text', text: this.#plain('$'), isQuoted: true }
      throw new NotUnderstood('$')
    }
    this.#at += 1 + (braced?.[0].length ?? name.length)
    return { kind: 'variable', name, otherwise: braced?.[2] ?? '', isQuoted }
  }

  /** What stands between parentheses: so many characters open it, and so many of them close it. */
  #enclosed(opening: number, closing: number): string {
    const start = this.#at + opening
    let depth = closing
    let deepest = 0
    for (let at = start; at < this.#text.length; at++) {
      if (this.#text[at] === '(') depth++
      if (this.#text[at] === ')') depth--
      deepest = Math.max(deepest, depth)
      if (deepest > MAX_NESTING) break
      if (depth > 0) continue
      this.#at = at + 1
      return this.#text.slice(start, at - closing + 1)
    }
    throw new NotUnderstood('parenthesis')
  }
}

const ends = (at: number, text: string): number => (at < 0 ? text.length : at)
