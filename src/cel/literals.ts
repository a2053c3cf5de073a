// Constants that can be checked before anything runs: durations, timestamps and patterns in calls.
// Follows cel-go cel/validator.go.
import { partsOf, type Expr } from './ast.ts'
import { CelError, type Fault } from './fault.ts'
import { requirePattern } from './regex.ts'
import { parseDuration, parseTimestamp } from './values.ts'

const CHECKS: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['duration', parseDuration],
  ['timestamp', parseTimestamp],
  ['matches', requirePattern],
])

/** Faults in the constants of an expression. */
export function literalFaults(root: Expr): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<Expr>()
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return
    seen.add(expr)
    const fault = faultOf(expr)
    if (fault) faults.push(fault)
    for (const part of partsOf(expr)) visit(part)
  }
  visit(root)
  return faults
}

function faultOf(expr: Expr): Fault | undefined {
  if (expr.kind !== 'call') return undefined
  const parse = CHECKS.get(expr.name)
  const literal = expr.name === 'matches' ? expr.args.at(-1) : expr.args[0]
  if (!parse || literal?.kind !== 'const' || typeof literal.value !== 'string') return undefined
  try {
    parse(literal.value)
    return undefined
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return { pos: literal.pos, message: `invalid ${expr.name} argument` }
  }
}
