// Cuts the source of an expression into tokens. Follows cel-go parser/gen/CEL.g4 and parser/unescape.go.
import { SyntaxFault } from './fault.ts'
import { Uint, type Constant } from './values.ts'

export interface Token {
  readonly kind: 'ident' | 'const' | 'op' | 'end'
  /** As it stands in the source; "<EOF>" at the end. */
  readonly text: string
  readonly pos: number
  readonly value?: Constant
}

const OPERATORS = ['==', '!=', '<=', '>=', '&&', '||', ...'+-*/%<>!?:.,()[]{}']
const SPACE = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER =
  /(?:0x[0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d+[uU]?)/y
const TEXT = /([bB]?[rR]?|[rR][bB])("""|'''|"|')/y

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

/** All tokens, the end included. Throws a SyntaxFault. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += matchAt(SPACE, source, at)?.[0].length ?? 0
    if (at >= source.length) break
    const token = textAt(source, at) ?? numberAt(source, at) ?? wordAt(source, at)
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '<EOF>', pos: at })
  return tokens
}

function wordAt(source: string, pos: number): Token {
  const word = matchAt(IDENT, source, pos)?.[0]
  if (word === 'true' || word === 'false') return { kind: 'const', text: word, pos, value: word === 'true' }
  if (word === 'null') return { kind: 'const', text: word, pos, value: null }
  if (word !== undefined) return { kind: word === 'in' ? 'op' : 'ident', text: word, pos }
  const operator = OPERATORS.find((one) => source.startsWith(one, pos))
  if (operator !== undefined) return { kind: 'op', text: operator, pos }
  const char = String.fromCodePoint(source.codePointAt(pos) ?? 0)
  throw new SyntaxFault(pos, `Syntax error: token recognition error at: '${char}'`)
}

const MAX_INT = 2n ** 63n
const MAX_UINT = 2n ** 64n

function numberAt(source: string, pos: number): Token | undefined {
  const text = matchAt(NUMBER, source, pos)?.[0]
  if (text === undefined) return undefined
  const hex = text.startsWith('0x')
  if (!hex && /[.eE]/.test(text)) return { kind: 'const', text, pos, value: Number(text) }
  const unsigned = /[uU]$/.test(text)
  const value = BigInt(unsigned ? text.slice(0, -1) : text)
  if (unsigned && value >= MAX_UINT) throw new SyntaxFault(pos, 'invalid uint literal')
  // One more than the greatest is the least, once the sign is read.
  if (!unsigned && value > MAX_INT) throw new SyntaxFault(pos, 'invalid int literal')
  return { kind: 'const', text, pos, value: unsigned ? new Uint(value) : value }
}

function textAt(source: string, pos: number): Token | undefined {
  const open = matchAt(TEXT, source, pos)
  if (!open) return undefined
  const [start, prefix = '', quote = ''] = open
  const raw = /r/i.test(prefix)
  let at = pos + start.length
  const from = at
  while (!source.startsWith(quote, at)) {
    if (at >= source.length || (quote.length === 1 && /[\n\r]/.test(source.charAt(at)))) {
      throw new SyntaxFault(pos, `Syntax error: token recognition error at: '${source.slice(pos, at)}'`)
    }
    at += source.charAt(at) === '\\' && !raw ? 2 : 1
  }
  const body = source.slice(from, at)
  const text = source.slice(pos, at + quote.length)
  const bytes = /b/i.test(prefix)
  if (raw) return { kind: 'const', text, pos, value: bytes ? new Uint8Array(Buffer.from(body)) : body }
  return { kind: 'const', text, pos, value: unescape(body, bytes, pos) }
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}
const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([abfnrtv\\'"`?]))/y

/** The text that escapes stand for; in bytes, \x and octal escapes are bytes. */
function unescape(body: string, bytes: boolean, pos: number): string | Uint8Array {
  const parts: (string | number)[] = []
  for (let i = 0; i < body.length;) {
    if (body.charAt(i) !== '\\') {
      const next = body.indexOf('\\', i)
      parts.push(body.slice(i, next === -1 ? body.length : next))
      i = next === -1 ? body.length : next
      continue
    }
    const match = matchAt(ESCAPE, body, i)
    const [all = '', x, X, u, U, octal, simple] = match ?? []
    const code = parseInt(x ?? X ?? u ?? U ?? '', 16)
    if (!match || code > 0x10ffff || (bytes && (u ?? U))) {
      throw new SyntaxFault(pos, 'unable to unescape string')
    }
    parts.push(simple ? (SIMPLE[simple] ?? '') : octal ? parseInt(octal, 8) : code)
    i += all.length
  }
  if (!bytes)
    return parts.map((part) => (typeof part === 'string' ? part : String.fromCodePoint(part))).join('')
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part])))),
  )
}
