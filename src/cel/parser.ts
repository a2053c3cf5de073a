// Reads an expression into its tree. Follows cel-go parser (CEL.g4, parser.go); the words of syntax errors are those of
// its parser generator where they are the usual ones.
import type { Entry, Expr, StructExpr } from './ast.ts'
import { SyntaxFault } from './fault.ts'
import { tokenize, type Token } from './lexer.ts'
import { expandGlobal, expandMember } from './macros.ts'
import { Uint } from './values.ts'

/** As cel-go's: deeper expressions are refused, so that no walk of a tree runs out of stack. */
const MAX_DEPTH = 250
const MAX_LENGTH = 100_000
const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
/** Binary operators from the loosest to the tightest. */
const LEVELS: readonly (readonly string[])[] = [
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** The tree of a source. Throws a SyntaxFault. */
export function parse(source: string): Expr {
  if (source.length > MAX_LENGTH) {
    throw new SyntaxFault(
      0,
      `expression code point size exceeds limit: size: ${[...source].length}, limit ${MAX_LENGTH}`,
    )
  }
  return new Parser(tokenize(source)).whole()
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #ops = 0
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Expr {
    const expr = this.#expr()
    const { kind, text, pos } = this.#next
    if (kind !== 'end') {
      // One that stands alone is left out; what comes before others is none of the expression's.
      const how = this.#tokens[this.#at + 1]?.kind === 'end' ? 'extraneous' : 'mismatched'
      throw new SyntaxFault(pos, `Syntax error: ${how} input '${text}' expecting <EOF>`)
    }
    return expr
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token
  }

  #is(text: string): boolean {
    return this.#next.kind === 'op' && this.#next.text === text
  }

  #take(text: string): Token | undefined {
    return this.#is(text) ? this.#tokens[this.#at++] : undefined
  }

  #need(text: string): Token {
    const token = this.#take(text)
    if (token) return token
    throw new SyntaxFault(
      this.#next.pos,
      `Syntax error: mismatched input '${this.#next.text}' expecting '${text}'`,
    )
  }

  #expr(): Expr {
    if (++this.#depth > MAX_DEPTH) {
      throw new SyntaxFault(this.#next.pos, `expression recursion limit exceeded: ${MAX_DEPTH}`)
    }
    const condition = this.#logic('||', () => this.#logic('&&', () => this.#binary(0)))
    const question = this.#take('?')
    let expr = condition
    if (question) {
      const yes = this.#logic('||', () => this.#logic('&&', () => this.#binary(0)))
      this.#need(':')
      const no = this.#expr()
      expr = call('_?_:_', question.pos, [condition, yes, no])
    }
    this.#depth--
    return expr
  }

  /** Chains of && and || become balanced trees, as cel-go's, so that long ones are not deep. */
  #logic(operator: '&&' | '||', part: () => Expr): Expr {
    const terms = [part()]
    const places: number[] = []
    for (let token = this.#take(operator); token; token = this.#take(operator)) {
      places.push(token.pos)
      terms.push(part())
    }
    return balance(`_${operator}_`, terms, places)
  }

  #binary(level: number): Expr {
    const operators = LEVELS[level]
    if (!operators) return this.#unary()
    const before = this.#ops
    let left = this.#binary(level + 1)
    while (this.#next.kind === 'op' && operators.includes(this.#next.text)) {
      const { text, pos } = this.#next
      this.#at++
      if (++this.#ops - before > MAX_DEPTH) {
        throw new SyntaxFault(pos, `expression recursion limit exceeded: ${MAX_DEPTH}`)
      }
      left = call(text === 'in' ? '@in' : `_${text}_`, pos, [left, this.#binary(level + 1)])
    }
    this.#ops = before
    return left
  }

  #unary(): Expr {
    const { text, pos } = this.#next
    if (!this.#is('!') && !this.#is('-')) return this.#member()
    const follows = this.#tokens[this.#at + 1]
    const value = follows?.value
    if (text === '-' && (typeof value === 'bigint' || typeof value === 'number')) return this.#member()
    let count = 0
    while (this.#take(text)) count++
    const operand = this.#member()
    return count % 2 === 0 ? operand : call(text === '!' ? '!_' : '-_', pos, [operand])
  }

  #member(): Expr {
    let expr = this.#primary()
    for (let links = 0; ; links++) {
      if (links > MAX_DEPTH) {
        throw new SyntaxFault(this.#next.pos, `expression recursion limit exceeded: ${MAX_DEPTH}`)
      }
      const next = this.#next
      if (this.#take('.')) expr = this.#selection(expr, next.pos)
      else if (this.#take('[')) {
        const optional = this.#take('?') !== undefined
        const index = this.#expr()
        this.#need(']')
        expr = call(optional ? '_[?_]' : '_[_]', next.pos, [expr, index])
      } else return expr
    }
  }

  #selection(operand: Expr, dot: number): Expr {
    const optional = this.#take('?') !== undefined
    const name = this.#next
    if (name.kind !== 'ident') {
      const what =
        name.kind === 'end'
          ? `Syntax error: no viable alternative at input '.'`
          : `Syntax error: no viable alternative at input '.${name.text}'`
      throw new SyntaxFault(name.pos, what)
    }
    this.#at++
    if (optional) {
      return call('_?._', dot, [operand, { kind: 'const', pos: name.pos, value: name.text }])
    }
    const open = this.#take('(')
    if (!open) return { kind: 'select', pos: dot, operand, field: name.text, test: false }
    const args = this.#arguments(')')
    return (
      expandMember(name.text, operand, args, open.pos) ?? {
        kind: 'call',
        pos: open.pos,
        name: name.text,
        target: operand,
        args,
      }
    )
  }

  #arguments(close: string): Expr[] {
    const args: Expr[] = []
    if (this.#take(close)) return args
    do args.push(this.#expr())
    while (this.#take(','))
    this.#need(close)
    return args
  }

  #primary(): Expr {
    const token = this.#next
    const { pos, text } = token
    if (token.kind === 'const') return this.#literal(1n)
    if (token.kind === 'ident') return this.#name()
    if (token.kind === 'op') {
      if (text === '-') {
        this.#at++
        return this.#literal(-1n, pos)
      }
      if (text === '.') {
        this.#at++
        return this.#name()
      }
      this.#at++
      if (text === '(') {
        const expr = this.#expr()
        this.#need(')')
        return expr
      }
      if (text === '[') return this.#list(pos)
      if (text === '{') return { kind: 'map', pos, entries: this.#entries() }
      this.#at--
    }
    const how = token.kind === 'end' || this.#at > 0 ? 'mismatched' : 'extraneous'
    throw new SyntaxFault(pos, `Syntax error: ${how} input '${text}' expecting ${OPERAND}`)
  }

  #literal(sign: bigint, from?: number): Expr {
    const { value, pos } = this.#next
    this.#at++
    if (typeof value === 'bigint') {
      if (sign === 1n && value === 2n ** 63n) throw new SyntaxFault(pos, 'invalid int literal')
      return { kind: 'const', pos: from ?? pos, value: sign * value }
    }
    if (typeof value === 'number') return { kind: 'const', pos: from ?? pos, value: Number(sign) * value }
    if (from !== undefined && value instanceof Uint) throw new SyntaxFault(from, 'invalid uint literal')
    return { kind: 'const', pos, value: value as Exclude<Token['value'], undefined> }
  }

  /** An identifier, a call, or the name of a struct that follows. */
  #name(): Expr {
    const { text, pos, kind } = this.#next
    if (kind !== 'ident')
      throw new SyntaxFault(pos, `Syntax error: no viable alternative at input '.${text}'`)
    const struct = this.#struct()
    if (struct) return struct
    this.#at++
    if (RESERVED.has(text)) throw new SyntaxFault(pos, `reserved identifier: ${text}`)
    const open = this.#take('(')
    if (!open) return { kind: 'ident', pos, name: text }
    const args = this.#arguments(')')
    return expandGlobal(text, args, open.pos) ?? call(text, open.pos, args)
  }

  /** A dotted name with a brace behind it; nothing is read where there is none. */
  #struct(): StructExpr | undefined {
    let end = this.#at
    const names: string[] = []
    for (;;) {
      const token = this.#tokens[end]
      if (token?.kind !== 'ident') return undefined
      names.push(token.text)
      end++
      const after = this.#tokens[end]
      if (after?.kind !== 'op') return undefined
      if (after.text === '{') break
      if (after.text !== '.') return undefined
      end++
    }
    const pos = (this.#tokens[end] as Token).pos
    this.#at = end + 1
    return { kind: 'struct', pos, name: names.join('.'), fields: this.#fields() }
  }

  #fields(): StructExpr['fields'] {
    const fields: StructExpr['fields'][number][] = []
    while (!this.#is('}')) {
      const optional = this.#take('?') !== undefined
      const { kind, text, pos } = this.#next
      if (kind !== 'ident') {
        throw new SyntaxFault(
          pos,
          `Syntax error: mismatched input '${text}' expecting {'}', ',', '?', IDENTIFIER}`,
        )
      }
      this.#at++
      const colon = this.#need(':')
      fields.push({ name: text, pos: colon.pos, value: this.#expr(), optional })
      if (!this.#take(',')) break
    }
    this.#need('}')
    return fields
  }

  #entries(): Entry[] {
    const entries: Entry[] = []
    while (!this.#is('}')) {
      const optional = this.#take('?') !== undefined
      const key = this.#expr()
      this.#need(':')
      entries.push({ key, value: this.#expr(), optional })
      if (!this.#take(',')) break
    }
    this.#need('}')
    return entries
  }

  #list(pos: number): Expr {
    const items: Expr[] = []
    const optional = new Set<number>()
    while (!this.#is(']')) {
      if (this.#take('?')) optional.add(items.length)
      items.push(this.#expr())
      if (!this.#take(',')) break
    }
    this.#need(']')
    return { kind: 'list', pos, items, optional }
  }
}

const call = (name: string, pos: number, args: readonly Expr[]): Expr => ({ kind: 'call', pos, name, args })

function balance(name: string, terms: readonly Expr[], places: readonly number[]): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const middle = Math.floor(places.length / 2)
  return call(name, places[middle] as number, [
    balance(name, terms.slice(0, middle + 1), places.slice(0, middle)),
    balance(name, terms.slice(middle + 1), places.slice(middle + 1)),
  ])
}
