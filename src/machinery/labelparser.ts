// The grammar of label selector texts: tokens, then one requirement after another.
// Called by labels.ts. Follows k8s.io/apimachinery/pkg/labels (Lexer and Parser), oddities of its errors included.
import { badRequest } from './status.ts'
import { qualifiedNameErrors } from './validation.ts'

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted and without duplicates where they came from a text. */
  readonly values: readonly string[]
}

type TokenKind = 'end' | 'identifier' | ')' | ',' | '!' | '==' | '=' | '>' | 'in' | '<' | '!=' | 'notin' | '('

interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const BINARY = 'in, notin, =, ==, !=, gt, lt'

/** The tokens of a text; the last is "end". A NUL ends the text, as it does upstream. */
function scan(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = /[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^ \t\r\n=!(),<>\0]+))/y
  for (;;) {
    const match = pattern.exec(text)
    if (match === null) break
    const [, symbol, word] = match
    if (symbol !== undefined) tokens.push({ kind: symbol as TokenKind, text: symbol })
    else if (word === 'in' || word === 'notin') tokens.push({ kind: word, text: word })
    else tokens.push({ kind: 'identifier', text: word as string })
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

const END: Token = { kind: 'end', text: '' }

class Cursor {
  private readonly tokens: readonly Token[]
  private position = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  /** The token ahead; "in" and "notin" are plain words unless an operator is due. */
  peek(operatorDue = false): Token {
    const token = this.tokens[this.position] ?? END
    const word = !operatorDue && (token.kind === 'in' || token.kind === 'notin')
    return word ? { kind: 'identifier', text: token.text } : token
  }

  next(operatorDue = false): Token {
    const token = this.peek(operatorDue)
    this.position++
    return token
  }
}

const fail = (message: string): Error => badRequest(message)
const failTerm = (message: string): Error => badRequest(`unable to parse requirement: ${message}`)

/**
 * The requirements of a selector's text, in their order; `check` is called on each as soon as it is read, and throws
 * what is wrong with it. Throws a 400 StatusError where the grammar is broken.
 */
export function parseTerms(text: string, check: (requirement: LabelRequirement) => void): LabelRequirement[] {
  const cursor = new Cursor(scan(text))
  const requirements: LabelRequirement[] = []
  for (;;) {
    const ahead = cursor.peek()
    if (ahead.kind === 'end') return requirements
    if (ahead.kind !== 'identifier' && ahead.kind !== '!') {
      throw fail(`found '${ahead.text}', expected: !, identifier, or 'end of string'`)
    }
    const requirement = parseRequirement(cursor)
    check(requirement)
    requirements.push(requirement)
    const after = cursor.next()
    if (after.kind === 'end') return requirements
    if (after.kind !== ',') throw fail(`found '${after.text}', expected: ',' or 'end of string'`)
    const following = cursor.peek()
    if (following.kind !== 'identifier' && following.kind !== '!') {
      throw fail(`found '${following.text}', expected: identifier after ','`)
    }
  }
}

function parseRequirement(cursor: Cursor): LabelRequirement {
  let token = cursor.next()
  const negated = token.kind === '!'
  if (negated) token = cursor.next()
  if (token.kind !== 'identifier') throw failTerm(`found '${token.text}', expected: identifier`)
  const key = token.text
  const faults = qualifiedNameErrors(key)
  // "<nil>" is what upstream prints for the path that it does not have here.
  if (faults.length > 0) {
    throw failTerm(`<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`)
  }
  const ahead = cursor.peek().kind
  if (negated) return { key, operator: '!', values: [] }
  if (ahead === 'end' || ahead === ',') return { key, operator: 'exists', values: [] }
  const operator = parseOperator(cursor)
  const values = operator === 'in' || operator === 'notin' ? parseValues(cursor) : [parseExact(cursor)]
  return { key, operator, values: [...new Set(values)].sort() }
}

function parseOperator(cursor: Cursor): LabelOperator {
  const { kind, text } = cursor.next(true)
  switch (kind) {
    case 'in':
    case 'notin':
    case '=':
    case '==':
    case '!=':
      return kind
    case '>':
      return 'gt'
    case '<':
      return 'lt'
    default:
      throw failTerm(`found '${text}', expected: ${BINARY}`)
  }
}

function parseValues(cursor: Cursor): string[] {
  const open = cursor.next()
  if (open.kind !== '(') throw failTerm(`found '${open.text}' expected: '('`)
  const ahead = cursor.peek()
  if (ahead.kind === ')') {
    cursor.next()
    return ['']
  }
  if (ahead.kind !== 'identifier' && ahead.kind !== ',') {
    throw failTerm(`found '${ahead.text}', expected: ',', ')' or identifier`)
  }
  const values = parseList(cursor)
  // The list ends before its parenthesis, or has thrown.
  cursor.next()
  return values
}

/** "a,,b": empty places between commas are empty values. */
function parseList(cursor: Cursor): string[] {
  const values: string[] = []
  for (;;) {
    const token = cursor.next()
    const ahead = cursor.peek()
    if (token.kind === 'identifier') {
      values.push(token.text)
      if (ahead.kind === ')') return values
      if (ahead.kind !== ',') throw failTerm(`found '${ahead.text}', expected: ',' or ')'`)
    } else if (token.kind === ',') {
      if (values.length === 0) values.push('')
      if (ahead.kind === ')' || ahead.kind === ',') values.push('')
      if (ahead.kind === ')') return values
    } else throw failTerm(`found '${token.text}', expected: ',', or identifier`)
  }
}

function parseExact(cursor: Cursor): string {
  const ahead = cursor.peek()
  if (ahead.kind === 'end' || ahead.kind === ',') return ''
  const token = cursor.next()
  if (token.kind === 'identifier') return token.text
  throw failTerm(`found '${token.text}', expected: identifier`)
}
