// Checks an expression against the types of its environment: what each part is, and which overloads it may call.
// Follows cel-go checker/checker.go, its words included.
import {
  qualifiedName,
  type CallExpr,
  type Expr,
  type FoldExpr,
  type SelectExpr,
  type StructExpr,
} from './ast.ts'
import type { Fault } from './fault.ts'
import { Mapping, general } from './mapping.ts'
import type { Functions, Overload } from './overload.ts'
import {
  BOOL,
  BYTES,
  describe,
  DOUBLE,
  DYN,
  INT,
  isOptional,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  TYPE,
  UINT,
  type CelType,
  type ObjectType,
} from './types.ts'
import { Uint } from './values.ts'

/** What an expression may name. */
export interface Names {
  variable(name: string): CelType | undefined
  /** Structs that expressions can make: Object{…}. */
  struct?(name: string): ObjectType | undefined
  readonly functions: Functions
}

/** What the checker found. */
export interface Checked {
  readonly faults: readonly Fault[]
  readonly types: ReadonlyMap<Expr, CelType>
  /** Expressions that name a variable (perhaps with dots), or a type. */
  readonly names: ReadonlyMap<Expr, { readonly name: string; readonly type?: string }>
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>
}

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ...['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type', 'dyn'].map(
    (name) => [name, name] as const,
  ),
  ['google.protobuf.Timestamp', 'google.protobuf.Timestamp'],
  ['google.protobuf.Duration', 'google.protobuf.Duration'],
])

export function check(expr: Expr, names: Names): Checked {
  const checker = new Checker(names)
  checker.check(expr)
  return checker.finish()
}

type Scope = ReadonlyMap<string, CelType>

class Checker {
  readonly #env: Names
  readonly #faults: Fault[] = []
  readonly #types = new Map<Expr, CelType>()
  readonly #names = new Map<Expr, { name: string; type?: string }>()
  readonly #overloads = new Map<Expr, readonly Overload[]>()
  readonly #mapping = new Mapping()
  #scopes: Scope[] = []
  #fresh = 0

  constructor(env: Names) {
    this.#env = env
  }

  finish(): Checked {
    for (const [expr, type] of this.#types) this.#types.set(expr, this.#mapping.substitute(type, false))
    return { faults: this.#faults, types: this.#types, names: this.#names, overloads: this.#overloads }
  }

  check(expr: Expr): CelType {
    // Macros use some parts twice: checked once, so that chains of them stay linear.
    const known = this.#types.get(expr)
    if (known) return known
    const type = this.#typeOf(expr)
    this.#types.set(expr, type)
    return type
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'const':
        return constantType(expr.value)
      case 'ident':
        return this.#named(expr, expr.name) ?? this.#unknown(expr, expr.name)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return listOf(this.#joined(expr.items, expr.optional))
      case 'map': {
        const optional = new Set(expr.entries.flatMap((entry, i) => (entry.optional ? [i] : [])))
        const keys = this.#joined(expr.entries.map((entry) => entry.key))
        return mapOf(
          keys,
          this.#joined(
            expr.entries.map((entry) => entry.value),
            optional,
          ),
        )
      }
      case 'struct':
        return this.#struct(expr)
      case 'fold':
        return this.#fold(expr)
    }
  }

  #fault(pos: number, message: string): CelType {
    this.#faults.push({ pos, message })
    return DYN
  }

  #unknown(expr: Expr, name: string): CelType {
    return this.#fault(expr.pos, `undeclared reference to '${name}' (in container '')`)
  }

  #local(name: string): CelType | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const type = this.#scopes[i]?.get(name)
      if (type) return type
    }
    return undefined
  }

  #named(expr: Expr, name: string): CelType | undefined {
    const type = (expr.kind === 'ident' ? this.#local(name) : undefined) ?? this.#env.variable(name)
    if (type) {
      this.#names.set(expr, { name })
      return type
    }
    const known = TYPE_NAMES.get(name)
    if (known === undefined) return undefined
    this.#names.set(expr, { name, type: known })
    return TYPE
  }

  #select(expr: SelectExpr): CelType {
    const name = qualifiedName(expr)
    const root = name?.split('.', 1)[0]
    if (name !== undefined && root !== undefined && !this.#local(root)) {
      const type = this.#named(expr, name)
      if (type) return type
    }
    const type = this.#field(expr, this.check(expr.operand), expr.field)
    return expr.test ? BOOL : type
  }

  /** The type of a field; of an optional, an optional of it. */
  #field(expr: Expr, operand: CelType, field: string): CelType {
    const target = this.#mapping.substitute(operand)
    if (isOptional(target)) return optionalOf(this.#plainField(expr, target.params[0] ?? DYN, field))
    return this.#plainField(expr, target, field)
  }

  #plainField(expr: Expr, target: CelType, field: string): CelType {
    if (target.kind === 'map') return target.value
    if (target.kind === 'dyn') return DYN
    if (target.kind === 'object') {
      return (
        target.field(field)?.type ?? (target.open ? DYN : this.#fault(expr.pos, `undefined field '${field}'`))
      )
    }
    if (target.kind === 'param') {
      this.#mapping.assign(target, DYN)
      return DYN
    }
    return this.#fault(expr.pos, `type '${describe(target)}' does not support field selection`)
  }

  #call(expr: CallExpr): CelType {
    if (expr.name === '_?._') return this.#optionalField(expr)
    const { target } = expr
    if (!target) {
      const args = expr.args.map((arg) => this.check(arg))
      return this.#resolve(expr, expr.name, args, false)
    }
    const prefix = qualifiedName(target)
    const qualified = prefix === undefined ? undefined : `${prefix}.${expr.name}`
    if (qualified !== undefined && this.#env.functions.has(qualified)) {
      const args = expr.args.map((arg) => this.check(arg))
      return this.#resolve(expr, qualified, args, false)
    }
    const args = [target, ...expr.args].map((arg) => this.check(arg))
    return this.#resolve(expr, expr.name, args, true)
  }

  #optionalField(expr: CallExpr): CelType {
    const [operand, field] = expr.args as [Expr, Expr]
    const name = field.kind === 'const' ? String(field.value) : ''
    const type = this.#field(expr, this.check(operand), name)
    return isOptional(type) ? type : optionalOf(type)
  }

  #resolve(expr: CallExpr, name: string, args: readonly CelType[], member: boolean): CelType {
    const declared = this.#env.functions.get(name)
    if (!declared) return this.#unknown(expr, name)
    const found: Overload[] = []
    let result: CelType | undefined
    for (const overload of declared) {
      if (overload.member !== member || overload.params.length !== args.length) continue
      const type = this.#fits(overload, args)
      if (!type) continue
      found.push(overload)
      result = result === undefined || describe(result) === describe(type) ? type : DYN
    }
    if (result) {
      this.#overloads.set(expr, found)
      return result
    }
    const shown = args.map((arg) => describe(this.#mapping.substitute(arg, false)))
    const applied = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
    return this.#fault(expr.pos, `found no matching overload for '${name}' applied to '${applied}'`)
  }

  /** The type of the result, where the overload takes the arguments; it then keeps what its parameters are bound to. */
  #fits(overload: Overload, args: readonly CelType[]): CelType | undefined {
    const renamed = new Map<string, CelType>()
    const fresh = new Mapping(renamed)
    for (const type of [...overload.params, overload.result]) {
      for (const name of paramsOf(type)) {
        if (!renamed.has(name)) renamed.set(name, { kind: 'param', name: `_var${this.#fresh++}` })
      }
    }
    const attempt = this.#mapping.copy()
    const all = overload.params.every((param, i) =>
      attempt.assign(args[i] as CelType, fresh.substitute(param)),
    )
    if (!all) return undefined
    this.#mapping.take(attempt)
    return this.#mapping.substitute(fresh.substitute(overload.result))
  }

  /** The type that all items share. */
  #joined(items: readonly Expr[], optional?: ReadonlySet<number>): CelType {
    let joined: CelType | undefined
    items.forEach((item, i) => {
      let type = this.check(item)
      if (optional?.has(i)) type = this.#unwrapped(item, type)
      if (!joined) joined = type
      else if (this.#mapping.assign(joined, type) || this.#mapping.assign(type, joined)) {
        joined = general(this.#mapping.substitute(joined), this.#mapping.substitute(type))
      } else this.#mismatch(item, joined, type)
    })
    return joined ?? { kind: 'param', name: `_var${this.#fresh++}` }
  }

  #unwrapped(item: Expr, type: CelType): CelType {
    const known = this.#mapping.substitute(type)
    if (isOptional(known)) return known.params[0] ?? DYN
    if (known.kind !== 'dyn') this.#mismatch(item, optionalOf(known), known)
    return known
  }

  #mismatch(expr: Expr, expected: CelType, found: CelType): void {
    const [a, b] = [expected, found].map((type) => describe(this.#mapping.substitute(type, false)))
    this.#fault(expr.pos, `expected type '${a}' but found '${b}'`)
  }

  #struct(expr: StructExpr): CelType {
    const type = this.#env.struct?.(expr.name)
    for (const field of expr.fields) {
      let given = this.check(field.value)
      if (field.optional) given = this.#unwrapped(field.value, given)
      if (!type) continue
      const wanted = type.field(field.name)?.type
      if (!wanted) this.#fault(field.pos, `undefined field '${field.name}'`)
      else if (!this.#mapping.assign(given, wanted)) {
        const [a, b] = [wanted, this.#mapping.substitute(given, false)].map(describe)
        this.#fault(field.pos, `expected type of field '${field.name}' is '${a}' but provided type is '${b}'`)
      }
    }
    return type ?? this.#unknown(expr, expr.name)
  }

  #fold(expr: FoldExpr): CelType {
    const range = this.#mapping.substitute(this.check(expr.range))
    const accu = this.check(expr.init)
    const items = this.#rangeItems(expr, range)
    this.#scopes.push(new Map([[expr.accu, accu]]))
    this.#scopes.push(new Map(items))
    this.#expect(expr.condition, this.check(expr.condition), BOOL)
    this.#expect(expr.step, this.check(expr.step), accu)
    this.#scopes.pop()
    const result = this.check(expr.result)
    this.#scopes.pop()
    return this.#mapping.substitute(result)
  }

  #expect(expr: Expr, found: CelType, wanted: CelType): void {
    if (!this.#mapping.assign(found, wanted)) this.#mismatch(expr, wanted, found)
  }

  #rangeItems({ item, item2, range }: FoldExpr, type: CelType): [string, CelType][] {
    const two = (first: CelType, second: CelType): [string, CelType][] =>
      item2 === undefined
        ? [[item, first]]
        : [
            [item, first],
            [item2, second],
          ]
    if (type.kind === 'list') return two(item2 === undefined ? type.item : INT, type.item)
    if (type.kind === 'map') return two(type.key, type.value)
    if (type.kind === 'param') this.#mapping.assign(type, DYN)
    else if (type.kind !== 'dyn') {
      this.#fault(
        range.pos,
        `expression of type '${describe(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      )
    }
    return two(DYN, DYN)
  }
}

function constantType(value: unknown): CelType {
  if (value === null) return NULL
  if (typeof value === 'boolean') return BOOL
  if (typeof value === 'bigint') return INT
  if (typeof value === 'number') return DOUBLE
  if (typeof value === 'string') return STRING
  return value instanceof Uint ? UINT : BYTES
}

function paramsOf(type: CelType): string[] {
  if (type.kind === 'param') return [type.name]
  if (type.kind === 'list') return paramsOf(type.item)
  if (type.kind === 'map') return [...paramsOf(type.key), ...paramsOf(type.value)]
  return type.kind === 'opaque' ? type.params.flatMap(paramsOf) : []
}
