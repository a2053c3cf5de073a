// Expressions over the claims of a token, and over the user that they become. Loaded with the first configuration that has
// any. Follows k8s.io/apiserver/pkg/authentication/cel.
import { partsOf, type Expr } from '../cel/ast.ts'
import { compile, CelError, type Environment, type Program } from '../cel/compile.ts'
import { BOOL, DOUBLE, DYN, listOf, mapOf, objectOf, sameType, STRING } from '../cel/types.ts'
import { JsonMap, ListValue, type Value } from '../cel/values.ts'
import type { JsonObject } from '../machinery/json.ts'
import { cause, type StatusCause } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'

/** An expression that compiled. */
export interface Expression {
  readonly source: string
  readonly program: Program
}

/** One that must be true of every token, and what is said where it is not. */
export interface Rule {
  readonly expression: Expression
  readonly message: string
}

const USER = objectOf('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})
const CLAIMS: Environment = { variables: new Map([['claims', mapOf(STRING, DYN)]]) }
const USERS: Environment = { variables: new Map([['user', USER]]) }

/** What an expression may give: a condition must be boolean, a mapping shows what it gives when it runs. */
export type Over = 'claims' | 'condition' | 'user'

/** An expression, or why there is none. */
export function compileExpression(source: string, over: Over, field: string): Expression | StatusCause {
  const compiled = compile(source, over === 'user' ? USERS : CLAIMS)
  if (!compiled.program) return cause.invalid(field, source, `compilation failed: ${compiled.errors}`)
  const { program } = compiled
  if (over !== 'claims' && !sameType(program.type, BOOL))
    return cause.invalid(field, source, 'must evaluate to bool')
  return { source, program }
}

/** Does the expression read this claim, as `claims.name` or `claims.?name`? */
export function readsClaim({ program }: Expression, name: string): boolean {
  const isClaims = (expr: Expr | undefined): boolean => expr?.kind === 'ident' && expr.name === 'claims'
  const reads = (expr: Expr): boolean => {
    if (expr.kind === 'select' && expr.field === name && isClaims(expr.operand)) return true
    if (expr.kind === 'call' && expr.name === '_?._') {
      const [operand, field] = expr.args
      if (isClaims(operand) && field?.kind === 'const' && field.value === name) return true
    }
    return partsOf(expr).some(reads)
  }
  return reads(program.expr)
}

/** Throws an Error in upstream's words where it cannot be evaluated. */
function evaluate({ source, program }: Expression, name: string, value: Value | JsonObject): Value {
  try {
    return program.run((asked) => (asked === name ? value : undefined)).value
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new Error(`expression '${source}' resulted in error: ${error.message}`)
  }
}

/** The claims of one token, for its expressions. Their numbers are doubles, as Go reads JSON. */
export const claimsValue = (claims: JsonObject): Value => new JsonMap(claims, DOUBLE)

/** Throws an Error unless it is a text. */
export function textFrom(expression: Expression, claims: Value, what: string): string {
  const value = evaluate(expression, 'claims', claims)
  if (typeof value === 'string') return value
  throw new Error(`${what} claim expression must return a string`)
}

/** A text or a list of texts, without empty ones; none for null. Throws an Error for anything else. */
export function textsFrom(expression: Expression, claims: Value): string[] {
  const value = evaluate(expression, 'claims', claims)
  if (value === null) return []
  const texts = value instanceof ListValue ? value.values() : [value]
  if (texts.every((text) => typeof text === 'string')) return texts.filter((text) => text !== '')
  throw new Error('expression must return a string or a list of strings')
}

/** Throws an Error that names the first rule which does not hold of the claims. */
export function checkClaims(rules: readonly Rule[], claims: Value): void {
  check(rules, (expression) => evaluate(expression, 'claims', claims))
}

/** The same of a user. */
export function checkUser(rules: readonly Rule[], { name, uid = '', groups, extra = {} }: UserInfo): void {
  const user = { username: name, uid, groups: [...groups], extra: extra as JsonObject }
  check(rules, (expression) => evaluate(expression, 'user', user))
}

/** All are evaluated before any is judged. */
function check(rules: readonly Rule[], value: (expression: Expression) => Value): void {
  const values = rules.map(({ expression }) => value(expression))
  rules.forEach(({ expression, message }, i) => {
    if (typeof values[i] !== 'boolean') throw new Error('validation expression must return a boolean')
    if (!values[i]) throw new Error(`validation expression '${expression.source}' failed: ${message}`)
  })
}
