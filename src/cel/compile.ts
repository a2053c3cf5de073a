// The room's entry: compiles an expression against an environment, and evaluates it within bounds.
// Everybody else in the server reaches CEL by this file and by types.ts. Load it late (import()), it is not small.
// Follows cel-go cel/{env,program}.go and k8s.io/apiserver/pkg/cel.
import type { Expr } from './ast.ts'
import { check, type Checked, type Names } from './checker.ts'
import { Frame, plan } from './evaluate.ts'
import { CelError, showFault, showFaults, SyntaxFault, type Fault } from './fault.ts'
import { kubernetesFunctions } from './libraries.ts'
import { literalFaults } from './literals.ts'
import type { Functions } from './overload.ts'
import { parse } from './parser.ts'
import { typeName, type CelType, type ObjectType } from './types.ts'
import { fromJson, type Value } from './values.ts'

/** As upstream's: what one evaluation of one expression may cost. */
export const PER_CALL_LIMIT = 1_000_000

/** What expressions may name. Functions are Kubernetes' own where none are given. */
export interface Environment {
  readonly variables: ReadonlyMap<string, CelType>
  struct?(name: string): ObjectType | undefined
  readonly functions?: Functions
}

/** What variables hold: JSON, or values. Asked for once a variable and evaluation; undefined: no such variable. */
export type Activation = (name: string) => unknown

export interface Outcome {
  readonly value: Value
  /** Units of upstream's cost model. */
  readonly cost: number
}

export interface RunOptions {
  /** Default PER_CALL_LIMIT. */
  readonly limit?: number
  /** Answers authorizer checks; see authorizer.ts. */
  readonly authorize?: (attributes: unknown) => Value
}

export interface Program {
  readonly type: CelType
  readonly expr: Expr
  readonly checked: Checked
  /** Throws a CelError: its message is upstream's; `limit` is set where it cost too much. */
  run(activation: Activation, options?: RunOptions): Outcome
}

/** A program, or what is wrong: `errors` is cel-go's text ("ERROR: <input>:1:5: …"), `faults` its parts. */
export type Compiled =
  | { readonly program: Program; readonly errors?: undefined }
  | { readonly program?: undefined; readonly errors: string; readonly faults: readonly Fault[] }

/** Compiles. Never throws for bad input. */
export function compile(source: string, environment: Environment): Compiled {
  const { variables, struct } = environment
  const names: Names = {
    variable: (name) => variables.get(name),
    functions: environment.functions ?? kubernetesFunctions(),
    ...(struct && { struct: (name: string) => struct(name) }),
  }
  let expr: Expr
  try {
    expr = parse(source)
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    const fault = { pos: error.pos, message: error.message }
    return { errors: showFault(source, fault), faults: [fault] }
  }
  const checked = check(expr, names)
  const faults = checked.faults.length ? checked.faults : literalFaults(expr)
  if (faults.length) return { errors: showFaults(source, faults), faults }
  const type = checked.types.get(expr) as CelType
  const step = plan(expr, checked, names)
  const run: Program['run'] = (activation, { limit = PER_CALL_LIMIT, authorize } = {}) => {
    const frame = new Frame(remembered(variables, activation), limit, authorize)
    return { value: step(frame), cost: frame.cost }
  }
  return { program: { type, expr, checked, run } }
}

/** Variables as values, each read once. */
function remembered(
  types: ReadonlyMap<string, CelType>,
  activation: Activation,
): (name: string) => Value | undefined {
  const known = new Map<string, Value>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const given = activation(name)
    if (given === undefined) return undefined
    const value = isValue(given) ? given : fromJson(given, types.get(name) ?? { kind: 'dyn' })
    known.set(name, value)
    return value
  }
}

/** Instances of classes are values already; plain objects and arrays are JSON. */
function isValue(given: unknown): given is Value {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  const prototype: unknown = Object.getPrototypeOf(given)
  return prototype !== Object.prototype && prototype !== null
}

/**
 * Why the program's type is not one of `wanted`, in upstream's words ("must evaluate to bool but got int"); undefined
 * where it is.
 */
export function typeFault(program: Program, ...wanted: readonly CelType[]): string | undefined {
  const names = wanted.map(typeName)
  const got = typeName(program.type)
  if (names.includes(got)) return undefined
  const shown = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`
  return `must evaluate to ${shown} but got ${got}`
}

export { CelError }
