// The tree of an expression, with macros already expanded. Follows cel-go common/ast.
import type { Constant } from './values.ts'

interface Node {
  /** Where errors about it point: an offset in UTF-16 units of the source. */
  readonly pos: number
}

export interface ConstExpr extends Node {
  readonly kind: 'const'
  readonly value: Constant
}
export interface IdentExpr extends Node {
  readonly kind: 'ident'
  readonly name: string
}
export interface SelectExpr extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** has(a.b) */
  readonly test: boolean
}
export interface CallExpr extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly target?: Expr
  readonly args: readonly Expr[]
}
export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly items: readonly Expr[]
  readonly optional: ReadonlySet<number>
}
export interface Entry {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}
export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}
export interface StructExpr extends Node {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly {
    readonly name: string
    readonly pos: number
    readonly value: Expr
    readonly optional: boolean
  }[]
}
/** What every macro over a range becomes. */
export interface FoldExpr extends Node {
  readonly kind: 'fold'
  readonly range: Expr
  readonly item: string
  /** The second variable; the first is then the index or key. */
  readonly item2?: string
  readonly accu: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}
export type Expr = ConstExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | FoldExpr

/** The parts that an expression is made of, in the order in which they are evaluated. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'const':
    case 'ident':
      return []
    case 'select':
      return [expr.operand]
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list':
      return expr.items
    case 'map':
      return expr.entries.flatMap((entry) => [entry.key, entry.value])
    case 'struct':
      return expr.fields.map((field) => field.value)
    case 'fold':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result]
  }
}

/** The dotted name that a chain of plain selections spells; undefined where it is something else. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return undefined
  const name = qualifiedName(expr.operand)
  return name === undefined ? undefined : `${name}.${expr.field}`
}
