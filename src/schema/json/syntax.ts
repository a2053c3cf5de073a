// Why a text is no JSON, in the words of Go's encoding/json: they reach clients inside Status messages.
// Only texts that JSON.parse refused come here, so it is written to be plain, not fast.
import { GO_ESCAPES } from '../../machinery/quote.ts'
import { MAX_DEPTH } from './inspect.ts'

/** The message of the first syntax error; undefined where the text is valid. Iterative: depth costs no stack. */
export function syntaxErrorOf(bytes: Buffer): string | undefined {
  return new Scanner(bytes).run()
}

const END = 'unexpected end of JSON input'
const HEX = /[0-9a-fA-F]/

class Scanner {
  private readonly bytes: Buffer
  private position = 0
  private error: string | undefined

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  run(): string | undefined {
    const open: ('{' | '[')[] = []
    let state: 'value' | 'firstElement' | 'firstKey' | 'key' | 'afterValue' = 'value'
    for (;;) {
      const c = this.next()
      if (c === '' && state === 'afterValue' && open.length === 0) return undefined
      if (c === '') return END
      if (state === 'afterValue') {
        const top = open[open.length - 1]
        if (top === undefined) return invalid(c, 'after top-level value')
        if (c === ',') state = top === '{' ? 'key' : 'value'
        else if (c === (top === '{' ? '}' : ']')) open.pop()
        else return invalid(c, top === '{' ? 'after object key:value pair' : 'after array element')
        continue
      }
      if ((state === 'firstKey' && c === '}') || (state === 'firstElement' && c === ']')) {
        open.pop()
        state = 'afterValue'
      } else if (state === 'key' || state === 'firstKey') {
        if (!this.key(c)) return this.error
        state = 'value'
      } else if (c === '{' || c === '[') {
        if (open.push(c) > MAX_DEPTH) return invalid(c, 'exceeded max depth')
        state = c === '{' ? 'firstKey' : 'firstElement'
      } else {
        if (!this.scalar(c)) return this.error
        state = 'afterValue'
      }
    }
  }

  /** The next character that is no white space, '' at the end; bytes stand for themselves, as in Go. */
  private next(): string {
    for (;;) {
      const c = this.take()
      if (c !== ' ' && c !== '\t' && c !== '\r' && c !== '\n') return c
    }
  }

  private take(): string {
    const byte = this.bytes[this.position++]
    return byte === undefined ? '' : String.fromCharCode(byte)
  }

  private peek(): string {
    const byte = this.bytes[this.position]
    return byte === undefined ? '' : String.fromCharCode(byte)
  }

  private fail(c: string, context: string): false {
    // Go closes every text with a blank: inside a number or a word, that blank is what is wrong.
    this.error = invalid(c === '' ? ' ' : c, context)
    return false
  }

  private end(): false {
    this.error = END
    return false
  }

  private key(c: string): boolean {
    if (c !== '"') return this.fail(c, 'looking for beginning of object key string')
    if (!this.string()) return false
    const colon = this.next()
    if (colon === '') return this.end()
    return colon === ':' || this.fail(colon, 'after object key')
  }

  private scalar(c: string): boolean {
    if (c === '"') return this.string()
    if (c === 't') return this.literal('true')
    if (c === 'f') return this.literal('false')
    if (c === 'n') return this.literal('null')
    if (c === '-' || isDigit(c)) return this.number(c)
    return this.fail(c, 'looking for beginning of value')
  }

  private string(): boolean {
    for (;;) {
      const c = this.take()
      if (c === '"') return true
      if (c === '') return this.end()
      if (c < ' ') return this.fail(c, 'in string literal')
      if (c === '\\' && !this.escape()) return false
    }
  }

  private escape(): boolean {
    const c = this.take()
    if (c === '' || !'bfnrt\\/"u'.includes(c)) return this.fail(c, 'in string escape code')
    for (let i = 0; c === 'u' && i < 4; i++) {
      const digit = this.take()
      if (!HEX.test(digit)) return this.fail(digit, 'in \\u hexadecimal character escape')
    }
    return true
  }

  private literal(word: string): boolean {
    for (const expected of word.slice(1)) {
      const c = this.take()
      if (c !== expected) return this.fail(c, `in literal ${word} (expecting '${expected}')`)
    }
    return true
  }

  private number(first: string): boolean {
    const digit = first === '-' ? this.take() : first
    if (!isDigit(digit)) return this.fail(digit, 'in numeric literal')
    if (digit !== '0') this.digits()
    if (this.peek() === '.') {
      this.take()
      if (!isDigit(this.peek())) return this.fail(this.take(), 'after decimal point in numeric literal')
      this.digits()
    }
    if (this.peek() === 'e' || this.peek() === 'E') {
      this.take()
      if (this.peek() === '+' || this.peek() === '-') this.take()
      if (!isDigit(this.peek())) return this.fail(this.take(), 'in exponent of numeric literal')
      this.digits()
    }
    return true
  }

  private digits(): void {
    while (isDigit(this.peek())) this.position++
  }
}

const isDigit = (c: string): boolean => c >= '0' && c <= '9' && c.length === 1

function invalid(c: string, context: string): string {
  return `invalid character ${quoted(c)} ${context}`
}

const NAMED: Readonly<Record<string, string>> = { ...GO_ESCAPES, "'": "\\'" }

/** One character in single quotes as Go's strconv prints it. */
function quoted(c: string): string {
  const code = c.charCodeAt(0)
  const name = NAMED[c]
  if (name) return `'${name}'`
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`
  // What Go does not print as it is, among the code points that one byte can name.
  if ((code >= 0x80 && code <= 0xa0) || code === 0xad) return `'\\u${code.toString(16).padStart(4, '0')}'`
  return `'${c}'`
}
