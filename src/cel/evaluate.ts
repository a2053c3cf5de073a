// Turns a checked expression into closures that evaluate it, and counts what it costs, so that every evaluation ends.
// Follows cel-go interpreter/{planner,interpretable,runtimecost}.go.
import type { CallExpr, Expr, FoldExpr, ListExpr, MapExpr, StructExpr } from './ast.ts'
import type { Checked, Names } from './checker.ts'
import { noOverload } from './equality.ts'
import { CelError } from './fault.ts'
import type { Evaluation, Overload } from './overload.ts'
import { fieldOf, hasField, indexOf, optionalField, optionalIndex } from './access.ts'
import type { CelType } from './types.ts'
import {
  isKeyed,
  kindOf,
  ListValue,
  MapValue,
  ObjectValue,
  Optional,
  TypeValue,
  type Value,
} from './values.ts'

export const LIST_COST = 10
export const MAP_COST = 30
const STRUCT_COST = 40

/** One evaluation: its variables, what it holds in folds, and what it has cost. */
export class Frame implements Evaluation {
  readonly variable: (name: string) => Value | undefined
  readonly authorize?: (attributes: unknown) => Value
  readonly locals: (Value | CelError)[] = []
  readonly #limit: number
  cost = 0
  constructor(
    variable: (name: string) => Value | undefined,
    limit: number,
    authorize?: (attributes: unknown) => Value,
  ) {
    this.variable = variable
    this.#limit = limit
    if (authorize) this.authorize = authorize
  }
  spend(cost: number): void {
    this.cost += cost
    if (this.cost > this.#limit) throw new CelError('operation cancelled: actual cost limit exceeded', true)
  }
}

export type Step = (frame: Frame) => Value

/** The program of a checked expression. */
export function plan(expr: Expr, checked: Checked, names: Names): Step {
  return new Planner(checked, names).plan(expr)
}

class Planner {
  readonly #checked: Checked
  readonly #names: Names
  readonly #scope: string[] = []
  /** Macros use some parts twice. */
  readonly #planned = new Map<Expr, Step>()
  constructor(checked: Checked, names: Names) {
    this.#checked = checked
    this.#names = names
  }

  plan(expr: Expr): Step {
    let step = this.#planned.get(expr)
    if (!step) this.#planned.set(expr, (step = this.#make(expr)))
    return step
  }

  #make(expr: Expr): Step {
    const named = this.#checked.names.get(expr)
    if (named) return this.#name(named)
    switch (expr.kind) {
      case 'const': {
        const { value } = expr
        return () => value
      }
      case 'ident':
        return () => {
          throw new CelError(`no such attribute(s): ${expr.name}`)
        }
      case 'select': {
        const operand = this.plan(expr.operand)
        const read = expr.test ? hasField : fieldOf
        const cost = expr.test ? 0 : 1
        return (frame) => {
          const value = operand(frame)
          frame.spend(cost)
          return read(value, expr.field)
        }
      }
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return this.#struct(expr)
      case 'fold':
        return this.#fold(expr)
    }
  }

  #name({ name, type }: { name: string; type?: string }): Step {
    const slot = this.#scope.lastIndexOf(name)
    if (slot !== -1) {
      return (frame) => {
        frame.spend(1)
        const value = frame.locals[slot] as Value | CelError
        if (value instanceof CelError) throw value
        return value
      }
    }
    if (type !== undefined) {
      const value = new TypeValue(type)
      return () => value
    }
    return (frame) => {
      frame.spend(1)
      const value = frame.variable(name)
      if (value === undefined) throw new CelError(`no such attribute(s): ${name}`)
      return value
    }
  }

  #call(expr: CallExpr): Step {
    if (expr.name === '_?._') {
      const [operand, field] = expr.args as [Expr, Expr]
      const step = this.plan(operand)
      const name = field.kind === 'const' ? String(field.value) : ''
      return (frame) => {
        const value = step(frame)
        frame.spend(1)
        return optionalField(value, name)
      }
    }
    const append = this.#append(expr)
    if (append) return append
    const member = this.#checked.overloads.get(expr)?.[0]?.member === true
    const parts = member && expr.target ? [expr.target, ...expr.args] : expr.args
    const args = parts.map((part) => this.plan(part))
    const lazy = LAZY.get(expr.name)
    if (lazy && !expr.target) return lazy(args)
    return dispatch(this.#checked.overloads.get(expr) ?? [], args)
  }

  /** What folds do to collect: adds to the list itself, which nothing else can reach. */
  #append(expr: CallExpr): Step | undefined {
    const [accu, items] = expr.args
    if (expr.name !== '_+_' || accu?.kind !== 'ident' || accu.name !== '@result') return undefined
    if (items?.kind !== 'list') return undefined
    const slot = this.#scope.lastIndexOf('@result')
    const item = this.plan(items.items[0] as Expr)
    return (frame) => {
      const list = frame.locals[slot] as Value | CelError
      if (!(list instanceof ListValue)) throw noOverload()
      const value = item(frame)
      frame.spend(LIST_COST + 2)
      ;(list.items as Value[]).push(value)
      return list
    }
  }

  #list({ items, optional }: ListExpr): Step {
    const steps = items.map((item) => this.plan(item))
    return (frame) => {
      frame.spend(LIST_COST)
      const values: Value[] = []
      steps.forEach((step, i) => {
        const value = optional.has(i) ? unwrap(step(frame)) : step(frame)
        if (value !== undefined) values.push(value)
      })
      return new ListValue(values)
    }
  }

  #map({ entries }: MapExpr): Step {
    const steps = entries.map(({ key, value, optional }) => ({
      key: this.plan(key),
      value: this.plan(value),
      optional,
    }))
    return (frame) => {
      frame.spend(MAP_COST)
      const map = new MapValue()
      for (const { key, value, optional } of steps) {
        const name = key(frame)
        if (!KEYS.has(kindOf(name))) throw new CelError('unsupported key type')
        const held = optional ? unwrap(value(frame)) : value(frame)
        if (held === undefined) continue
        if (map.get(name) !== undefined) throw new CelError(`Failed with repeated key`)
        map.set(name, held)
      }
      return map
    }
  }

  #struct({ name, fields }: StructExpr): Step {
    const type = this.#names.struct?.(name)
    const steps = fields.map((field) => ({ ...field, step: this.plan(field.value) }))
    return (frame) => {
      frame.spend(STRUCT_COST)
      if (!type) throw new CelError(`unknown type: ${name}`)
      const values: Record<string, Value> = Object.create(null) as Record<string, Value>
      for (const field of steps) {
        const value = field.optional ? unwrap(field.step(frame)) : field.step(frame)
        if (value !== undefined) values[field.name] = value
      }
      return new ObjectValue(values, type, true)
    }
  }

  #fold(expr: FoldExpr): Step {
    const range = this.plan(expr.range)
    const init = this.plan(expr.init)
    const accu = this.#scope.push(expr.accu) - 1
    this.#scope.push(expr.item)
    if (expr.item2 !== undefined) this.#scope.push(expr.item2)
    const condition = this.plan(expr.condition)
    const step = this.plan(expr.step)
    this.#scope.length = accu + 1
    const result = this.plan(expr.result)
    this.#scope.length = accu
    const two = expr.item2 !== undefined
    return (frame) => {
      const over = range(frame)
      const { locals } = frame
      locals[accu] = init(frame)
      for (const [first, second] of pairsOf(over, two)) {
        locals[accu + 1] = first
        if (second !== undefined) locals[accu + 2] = second
        if (condition(frame) === false) break
        locals[accu] = attempt(step, frame)
      }
      return result(frame)
    }
  }
}

const KEYS: ReadonlySet<string> = new Set(['string', 'int', 'uint', 'bool', 'double'])

/** A step that fails is kept: a later one may decide all the same. */
function attempt(step: Step, frame: Frame): Value | CelError {
  try {
    return step(frame)
  } catch (error) {
    if (error instanceof CelError && !error.limit) return error
    throw error
  }
}

function unwrap(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value
  throw noOverload()
}

function* pairsOf(over: Value, two: boolean): Iterable<readonly [Value, Value | undefined]> {
  if (over instanceof ListValue) {
    for (let i = 0; i < over.size; i++) yield two ? [BigInt(i), over.at(i)] : [over.at(i), undefined]
    return
  }
  if (!isKeyed(over)) throw noOverload()
  for (const key of over.keys()) yield [key, two ? over.get(key) : undefined]
}

/** Operators that need not evaluate all that they are given. */
const LAZY: ReadonlyMap<string, (args: readonly Step[]) => Step> = new Map([
  ['_&&_', ([left, right]: readonly Step[]) => logic(left as Step, right as Step, false)],
  ['_||_', ([left, right]: readonly Step[]) => logic(left as Step, right as Step, true)],
  ['_?_:_', ternary],
  [
    '@not_strictly_false',
    ([arg]: readonly Step[]): Step =>
      (frame) => {
        frame.spend(1)
        return attempt(arg as Step, frame) !== false
      },
  ],
  ['_[_]', ([operand, index]: readonly Step[]) => access(operand as Step, index as Step, indexOf)],
  ['_[?_]', ([operand, index]: readonly Step[]) => access(operand as Step, index as Step, optionalIndex)],
])

function access(operand: Step, index: Step, read: (operand: Value, index: Value) => Value): Step {
  return (frame) => {
    const value = operand(frame)
    const key = index(frame)
    frame.spend(1)
    return read(value, key)
  }
}

function ternary([condition, yes, no]: readonly Step[]): Step {
  return (frame) => {
    const decided = (condition as Step)(frame)
    if (typeof decided !== 'boolean') throw noOverload()
    return decided ? (yes as Step)(frame) : (no as Step)(frame)
  }
}

/** One side that decides hides the other's error. */
function logic(left: Step, right: Step, decisive: boolean): Step {
  return (frame) => {
    const first = attempt(left, frame)
    if (first === decisive) return decisive
    const second = attempt(right, frame)
    if (second === decisive) return decisive
    if (first instanceof CelError) throw first
    if (second instanceof CelError) throw second
    if (typeof first !== 'boolean' || typeof second !== 'boolean') throw noOverload()
    return !decisive
  }
}

/** Calls the first overload that takes what the arguments turn out to be. */
function dispatch(overloads: readonly Overload[], args: readonly Step[]): Step {
  return (frame) => {
    const values = args.map((arg) => arg(frame))
    for (const overload of overloads) {
      if (!values.every((value, i) => takes(overload.params[i] as CelType, value))) continue
      const result = overload.run(values, frame)
      frame.spend(overload.cost ? overload.cost(values, result) : 1)
      return result
    }
    throw noOverload()
  }
}

function takes(type: CelType, value: Value): boolean {
  if (type.kind === 'param' || type.kind === 'dyn') return true
  const kind = kindOf(value)
  if (type.kind === 'opaque') return kind === type.name
  if (type.kind === 'map') return kind === 'map' || kind === 'object'
  return kind === type.kind
}
