// What `test`, `[` and `[[` say.
import { NotUnderstood } from './lexer.ts'

/** Whether the condition holds. `exists` tells of files; all of them are plain ones, which everybody may read and write. */
export function holds(args: readonly string[], exists: (path: string) => boolean): boolean {
  const [first = '', second = '', third = ''] = args
  if (first === '!' && args.length > 1) return !holds(args.slice(1), exists)
  if (args.length <= 1) return first !== ''
  if (args.length === 2) return one(first, second, exists)
  if (args.length !== 3) throw new NotUnderstood('test')
  if (second === '=' || second === '==') return first === third
  if (second === '!=') return first !== third
  const compare = NUMBERS.get(second)
  if (!compare || !isNumber(first) || !isNumber(third)) throw new NotUnderstood('test')
  return compare(Number(first), Number(third))
}

function one(operator: string, operand: string, exists: (path: string) => boolean): boolean {
  if (operator === '-z') return operand === ''
  if (operator === '-n') return operand !== ''
  if (/^-[erwf]$/.test(operator)) return exists(operand)
  throw new NotUnderstood('test')
}

const isNumber = (text: string): boolean => /^-?\d{1,15}$/.test(text)

const NUMBERS = new Map<string, (left: number, right: number) => boolean>([
  ['-eq', (left, right) => left === right],
  ['-ne', (left, right) => left !== right],
  ['-lt', (left, right) => left < right],
  ['-le', (left, right) => left <= right],
  ['-gt', (left, right) => left > right],
  ['-ge', (left, right) => left >= right],
])
