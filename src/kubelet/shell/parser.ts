// A shell script as a tree: lists, conditions and loops of simple commands.
import { NotUnderstood, type Token, tokens, type Word } from './lexer.ts'

/** A file that the command's output goes to; what it says of errors is empty. */
export interface Redirect {
  readonly to: Word
  readonly isError: boolean
  readonly appends: boolean
}

export type Command =
  | {
      readonly kind: 'simple'
      readonly words: readonly Word[]
      readonly writes: readonly Redirect[]
    }
  | { readonly kind: 'list'; readonly commands: readonly Command[] }
  | { readonly kind: 'and' | 'or'; readonly left: Command; readonly right: Command }
  | { readonly kind: 'not'; readonly command: Command }
  | {
      readonly kind: 'if'
      readonly branches: readonly (readonly [Command, Command])[]
      readonly otherwise: Command
    }
  | { readonly kind: 'while'; readonly until: boolean; readonly test: Command; readonly body: Command }
  | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: Command }

const NOTHING: Command = { kind: 'list', commands: [] }
const CLOSING = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', '}'])
/** A script nested deeper is not followed: the parser's own stack is not the script's to fill. */
const MAX_DEPTH = 50
/** Whoever writes more than that writes a program. */
const MAX_SCRIPT = 16_384

/** Throws NotUnderstood where the script has what is not followed. */
export function parseScript(script: string): Command {
  if (script.length > MAX_SCRIPT) throw new NotUnderstood('length')
  const parser = new Parser(tokens(script))
  const command = parser.list()
  if (!parser.isAtEnd()) throw new NotUnderstood('more than a list')
  return command
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(found: readonly Token[]) {
    this.#tokens = found
  }

  isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  /** Commands up to the end, or up to a word that closes what is around them. */
  list(): Command {
    if (++this.#depth > MAX_DEPTH) throw new NotUnderstood('depth')
    const commands: Command[] = []
    for (this.#skip(); !this.isAtEnd() && !CLOSING.has(this.#keyword() ?? '') && !this.#is(')'); this.#skip())
      commands.push(this.#chain())
    this.#depth--
    return { kind: 'list', commands }
  }

  #chain(): Command {
    let left = this.#one()
    for (;;) {
      const kind = this.#is('&&') ? 'and' : this.#is('||') ? 'or' : undefined
      if (kind === undefined) break
      this.#at++
      this.#skip()
      left = { kind, left, right: this.#one() }
    }
    if (!this.isAtEnd() && !this.#is(';') && !this.#is('\n') && !this.#is(')'))
      throw new NotUnderstood('operator')
    return left
  }

  #one(): Command {
    const keyword = this.#keyword()
    if (keyword === '!') return this.#after(() => ({ kind: 'not', command: this.#one() }))
    if (keyword === 'if') return this.#after(() => this.#if())
    if (keyword === 'while' || keyword === 'until') return this.#after(() => this.#while(keyword === 'until'))
    if (keyword === 'for') return this.#after(() => this.#for())
    if (keyword === '{') return this.#after(() => this.#closed('}'))
    if (CLOSING.has(keyword ?? '') || keyword === 'case' || keyword === 'function')
      throw new NotUnderstood('keyword')
    return this.#simple()
  }

  #after(rest: () => Command): Command {
    if (++this.#depth > MAX_DEPTH) throw new NotUnderstood('depth')
    this.#at++
    const command = rest()
    this.#depth--
    return command
  }

  #closed(keyword: string): Command {
    const body = this.list()
    this.#expect(keyword)
    return body
  }

  #if(): Command {
    const branches: (readonly [Command, Command])[] = []
    for (;;) {
      const test = this.#closed('then')
      branches.push([test, this.list()])
      if (this.#keyword() !== 'elif') break
      this.#at++
    }
    let otherwise = NOTHING
    if (this.#keyword() === 'else') otherwise = this.#after(() => this.list())
    this.#expect('fi')
    return { kind: 'if', branches, otherwise }
  }

  #while(until: boolean): Command {
    const test = this.#closed('do')
    return { kind: 'while', until, test, body: this.#closed('done') }
  }

  #for(): Command {
    const name = this.#keyword()
    if (name === undefined) throw new NotUnderstood('for')
    this.#at++
    this.#expect('in')
    const words: Word[] = []
    for (let token = this.#tokens[this.#at]; token?.kind === 'word'; token = this.#tokens[++this.#at])
      words.push(token.parts)
    this.#skip()
    this.#expect('do')
    return { kind: 'for', name, words, body: this.#closed('done') }
  }

  #simple(): Command {
    const words: Word[] = []
    const writes: Redirect[] = []
    for (; ; this.#at++) {
      const token = this.#tokens[this.#at]
      if (token?.kind === 'word') words.push(token.parts)
      else if (token && ['>', '>>', '>&'].includes(token.text)) this.#redirect(token.text, words, writes)
      else break
    }
    if (words.length === 0) throw new NotUnderstood('no command')
    return { kind: 'simple', words, writes }
  }

  /** `2>&1` and `>&2` write no file. */
  #redirect(operator: string, words: Word[], writes: Redirect[]): void {
    const before = plainText(words.at(-1))
    const isError = before === '2'
    if (isError || before === '1') words.pop()
    const target = this.#tokens[++this.#at]
    if (target?.kind !== 'word') throw new NotUnderstood('redirection')
    if (operator === '>&') {
      if (!/^[12]$/.test(plainText(target.parts) ?? '')) throw new NotUnderstood('redirection')
    } else writes.push({ to: target.parts, isError, appends: operator === '>>' })
  }

  #keyword(): string | undefined {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' ? plainText(token.parts) : undefined
  }

  #is(operator: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'operator' && token.text === operator
  }

  #skip(): void {
    while (this.#is(';') || this.#is('\n')) this.#at++
  }

  #expect(keyword: string): void {
    if (this.#keyword() !== keyword) throw new NotUnderstood(`no ${keyword}`)
    this.#at++
  }
}

/** A word without quotes and expansions. */
function plainText(word: Word | undefined): string | undefined {
  if (!word?.every((part) => part.kind === 'text' && !part.isQuoted)) return undefined
  return word.map((part) => (part.kind === 'text' ? part.text : '')).join('')
}
