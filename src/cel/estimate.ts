// What an expression may cost at worst, before it is ever run: from the largest sizes that its data can have.
// Only the upper end of cel-go's estimates is worked out, since nothing is decided by the lower one.
// Follows cel-go checker/cost.go.
import type { CallExpr, Expr, FoldExpr, ListExpr, MapExpr, SelectExpr } from './ast.ts'
import type { Checked } from './checker.ts'
import { callEstimate, type Estimated, type Operand } from './estimate-calls.ts'
import type { Overload } from './overload.ts'
import { either, fixed, type Size, times, UNKNOWN_SIZE } from './estimate-sizes.ts'
import { type CelType, isOptional } from './types.ts'

/** The largest size of what stands at a path ("self", "list", "@items", "name"); undefined where nobody knows. */
export type SizeOf = (path: readonly string[]) => number | undefined

const SELECT_COST = 1
const LIST_COST = 10
const MAP_COST = 30
const STRUCT_COST = 40

/** In units of the cost model; Infinity where nothing bounds it. */
export function estimateCost(expr: Expr, checked: Checked, sizeOf: SizeOf): number {
  return new Estimator(checked, sizeOf).cost(expr)
}

/** Of the keys (or indices) and values of a map or list that the expression makes. */
interface EntrySize {
  readonly isList: boolean
  readonly key: Size
  readonly value: Size
}

interface Local {
  readonly path: readonly string[]
  readonly size: Size | undefined
  readonly entry: EntrySize | undefined
}

const NO_PATH: readonly string[] = []

class Estimator {
  readonly #checked: Checked
  readonly #sizeOf: SizeOf
  readonly #paths = new Map<Expr, readonly string[]>()
  readonly #sizes = new Map<Expr, Size>()
  readonly #entries = new Map<Expr, EntrySize>()
  readonly #locals = new Map<string, Local[]>()

  constructor(checked: Checked, sizeOf: SizeOf) {
    this.#checked = checked
    this.#sizeOf = sizeOf
  }

  cost(expr: Expr): number {
    switch (expr.kind) {
      case 'const':
        return 0
      case 'ident':
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name])
        return SELECT_COST
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return expr.fields.reduce((sum, { value }) => sum + this.cost(value), STRUCT_COST)
      case 'fold':
        return this.#fold(expr)
    }
  }

  #select(expr: SelectExpr): number {
    const operand = this.cost(expr.operand)
    if (expr.test) return operand + SELECT_COST
    this.#paths.set(expr, [...this.#path(expr.operand), expr.field])
    const type = this.#checked.types.get(expr.operand)?.kind ?? 'dyn'
    return type === 'map' || type === 'object' || type === 'param' ? operand + SELECT_COST : operand
  }

  #list(expr: ListExpr): number {
    const costs = expr.items.reduce((sum, item) => sum + this.cost(item), LIST_COST)
    const value = expr.items.map((item) => this.size(item)).reduce(either, NO_SIZE)
    this.#entries.set(expr, { isList: true, key: fixed(1), value: orNothing(value) })
    return costs
  }

  #map(expr: MapExpr): number {
    let [costs, key, value] = [MAP_COST, NO_SIZE, NO_SIZE]
    for (const entry of expr.entries) {
      costs += this.cost(entry.key) + this.cost(entry.value)
      key = either(key, this.size(entry.key))
      value = either(value, this.size(entry.value))
    }
    this.#entries.set(expr, { isList: false, key: orNothing(key), value: orNothing(value) })
    return costs
  }

  #fold(expr: FoldExpr): number {
    const before = this.cost(expr.range) + this.cost(expr.init)
    const { accu, init } = expr
    this.#push(accu, { path: this.#path(init), size: this.#known(init), entry: this.#entryOf(init) })
    const names = this.#pushItems(expr)
    const turn = this.cost(expr.condition) + this.cost(expr.step)
    for (const name of names) this.#pop(name)
    const after = this.cost(expr.result)
    this.#pop(accu)
    const turns = this.size(expr.range)
    if (init.kind === 'const') this.#setSize(expr, this.#known(init))
    else if (init.kind === 'list' || init.kind === 'map') {
      this.#sizes.set(expr, turns)
      const entry = this.#entryOf(expr.step)
      if (entry) this.#entries.set(expr, entry)
    }
    return before + after + times(turns.max, turn)
  }

  #pushItems({ range, item, item2 }: FoldExpr): readonly string[] {
    const entry = this.#entryOf(range)
    const path = this.#path(range)
    const isList = entry ? entry.isList : this.#checked.types.get(range)?.kind === 'list'
    const key = { path: [...path, isList ? '@indices' : '@keys'], size: entry?.key, entry: undefined }
    const value = { path: [...path, isList ? '@items' : '@values'], size: entry?.value, entry: undefined }
    if (item2 === undefined) {
      this.#push(item, isList ? value : key)
      return [item]
    }
    this.#push(item, key)
    this.#push(item2, value)
    return [item, item2]
  }

  #call(expr: CallExpr): number {
    const overloads = this.#checked.overloads.get(expr) ?? []
    const [first] = overloads
    if (!first) return 0
    // A name with dots is a function's, and no target.
    const target = first.member ? expr.target : undefined
    const costs = expr.args.map((arg) => this.cost(arg))
    if (first.name === 'dyn' && expr.args[0]) return this.#dyn(expr, expr.args[0], costs[0] ?? 0)
    let sum = 0
    if (target) sum += this.cost(target)
    let most = 0
    let result: Size | undefined
    for (const overload of overloads) {
      const estimated = this.#overload(expr, overload, target, costs)
      most = Math.max(most, estimated.cost)
      if (estimated.size) result = result ? either(result, estimated.size) : estimated.size
      result = this.#indexed(expr, overload) ?? result ?? this.#known(expr)
    }
    this.#setSize(expr, result)
    return sum + most
  }

  #dyn(expr: Expr, arg: Expr, cost: number): number {
    this.#setSize(expr, this.#known(arg))
    const entry = this.#entryOf(arg)
    if (entry) this.#entries.set(expr, entry)
    return cost + 1
  }

  #overload(
    expr: CallExpr,
    overload: Overload,
    target: Expr | undefined,
    costs: readonly number[],
  ): Estimated {
    const { name } = overload
    const all = costs.reduce((sum, cost) => sum + cost, 0)
    const [a, b, c] = expr.args
    if (name === '_&&_' || name === '_||_') return { cost: all }
    if (name === '_?_:_' && b && c) {
      this.#join(expr, b, c)
      return {
        cost: (costs[0] ?? 0) + Math.max(costs[1] ?? 0, costs[2] ?? 0),
        size: either(this.size(b), this.size(c)),
      }
    }
    if (name === '_+_' && a && b) this.#join(expr, a, b)
    const estimated = callEstimate(
      overload,
      target && this.#operand(target),
      expr.args.map((arg) => this.#operand(arg)),
    )
    return { ...estimated, cost: estimated.cost + all }
  }

  /** Both may be what comes of it. */
  #join(expr: Expr, one: Expr, other: Expr): void {
    const [a, b] = [this.#entryOf(one), this.#entryOf(other)]
    if (a && b)
      this.#entries.set(expr, {
        isList: a.isList,
        key: either(a.key, b.key),
        value: either(a.value, b.value),
      })
  }

  /** What an index operation finds stands below what it looks into. */
  #indexed(expr: CallExpr, { name, params }: Overload): Size | undefined {
    const [from] = expr.args
    const kind = params[0]?.kind
    if (name !== '_[_]' || !from || (kind !== 'list' && kind !== 'map')) return undefined
    this.#paths.set(expr, [...this.#path(from), kind === 'list' ? '@items' : '@values'])
    return this.#entryOf(from)?.value
  }

  #operand(expr: Expr): Operand {
    const path = this.#path(expr)
    const type = this.#checked.types.get(expr) ?? { kind: 'dyn' }
    const items = (): Size => {
      const max = path.length ? this.#sizeOf([...path, '@items']) : undefined
      return max === undefined ? UNKNOWN_SIZE : { min: 0, max }
    }
    return { type, size: this.size(expr), expr, items }
  }

  /** Accumulators have no place in the data. */
  #path(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined
    return local?.path ?? this.#paths.get(expr) ?? NO_PATH
  }

  size(expr: Expr): Size {
    return this.#known(expr) ?? UNKNOWN_SIZE
  }

  #known(expr: Expr): Size | undefined {
    const before = this.#sizes.get(expr) ?? literalSize(expr)
    if (before) return before
    const path = this.#path(expr)
    const max = path.length ? this.#sizeOf(path) : undefined
    if (max !== undefined) {
      const size = { min: 0, max }
      this.#sizes.set(expr, size)
      return size
    }
    if (isScalar(this.#checked.types.get(expr))) return fixed(1)
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined
  }

  #setSize(expr: Expr, size: Size | undefined): void {
    if (size) this.#sizes.set(expr, size)
  }

  #entryOf(expr: Expr): EntrySize | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entry : undefined)
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name)
    if (stack) stack.push(local)
    else this.#locals.set(name, [local])
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop()
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }
}

/** Of nothing: any other takes its place. */
const NO_SIZE: Size = { min: Infinity, max: 0 }
const orNothing = (size: Size): Size => (size.min === Infinity && size.max === 0 ? fixed(0) : size)

function literalSize(expr: Expr): Size | undefined {
  switch (expr.kind) {
    case 'const':
      if (typeof expr.value === 'string') return fixed([...expr.value].length)
      return fixed(expr.value instanceof Uint8Array ? expr.value.length : 1)
    case 'list':
      return fixed(expr.items.length)
    case 'map':
      return fixed(expr.entries.length)
    default:
      return undefined
  }
}

const SCALARS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

function isScalar(type: CelType | undefined): boolean {
  if (!type) return false
  return isOptional(type) ? isScalar(type.params[0]) : SCALARS.has(type.kind)
}
