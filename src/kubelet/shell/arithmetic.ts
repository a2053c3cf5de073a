// Sums in shell scripts, $((…)) and expr: whole numbers, variables, + - * / %, comparisons, parentheses.
import { NotUnderstood } from './lexer.ts'

/** Longer sums are nobody's; the bound keeps the depth of the parentheses small. */
const MAX_SUM = 200

/** The value in digits. A variable may be written without its dollar. */
export function expandSum(text: string, variable: (name: string) => string): string {
  if (text.length > MAX_SUM) throw new NotUnderstood('sum')
  const bare = text.replace(/\$(?:\{(\w+)\}|(?=\w))/g, '$1')
  const sum = new Sum(bare.match(/\d+|[A-Za-z_]\w*|[-+*/%()]|==|!=|<=|>=|<|>|\S/g) ?? [], variable)
  return String(sum.whole())
}

class Sum {
  readonly #tokens: readonly string[]
  readonly #variable: (name: string) => string
  #at = 0

  constructor(found: readonly string[], variable: (name: string) => string) {
    this.#tokens = found
    this.#variable = variable
  }

  whole(): number {
    const value = this.#comparison()
    if (this.#at < this.#tokens.length || !Number.isSafeInteger(value)) throw new NotUnderstood('sum')
    return value
  }

  #comparison(): number {
    const left = this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#atom()))
    const compare = COMPARISONS.get(this.#tokens[this.#at] ?? '')
    if (!compare) return left
    this.#at++
    return Number(compare(left, this.#comparison()))
  }

  #chain(operators: readonly string[], next: () => number): number {
    let value = next()
    for (;;) {
      const operator = this.#tokens[this.#at] ?? ''
      if (!operators.includes(operator)) return value
      this.#at++
      value = combined(operator, value, next())
    }
  }

  #atom(): number {
    const token = this.#tokens[this.#at++] ?? ''
    if (token === '-') return -this.#atom()
    if (token === '(') {
      const value = this.#comparison()
      if (this.#tokens[this.#at++] !== ')') throw new NotUnderstood('sum')
      return value
    }
    const text = /^[A-Za-z_]/.test(token) ? this.#variable(token) : token
    if (!/^-?\d{1,15}$/.test(text)) throw new NotUnderstood('sum')
    return Number(text)
  }
}

const COMPARISONS = new Map<string, (left: number, right: number) => boolean>([
  ['==', (left, right) => left === right],
  ['!=', (left, right) => left !== right],
  ['<', (left, right) => left < right],
  ['>', (left, right) => left > right],
  ['<=', (left, right) => left <= right],
  ['>=', (left, right) => left >= right],
])

function combined(operator: string, left: number, right: number): number {
  if (operator === '+') return left + right
  if (operator === '-') return left - right
  if (operator === '*') return left * right
  if (right === 0) throw new NotUnderstood('division by zero')
  return operator === '/' ? Math.trunc(left / right) : left % right
}
