// Macros: calls that the parser rewrites into folds and selections. Follows cel-go parser/macro.go, cel/library.go
// (optional types) and ext/comprehensions.go (two variables).
import type { Expr, FoldExpr } from './ast.ts'
import { SyntaxFault } from './fault.ts'

const ACCU = '@result'

const constant = (pos: number, value: bigint | boolean): Expr => ({ kind: 'const', pos, value })
const ident = (pos: number, name: string): Expr => ({ kind: 'ident', pos, name })
const call = (pos: number, name: string, ...args: Expr[]): Expr => ({ kind: 'call', pos, name, args })
const empty = (pos: number, kind: 'list' | 'map'): Expr =>
  kind === 'list' ? { kind, pos, items: [], optional: new Set() } : { kind, pos, entries: [] }
const single = (item: Expr): Expr => ({ kind: 'list', pos: item.pos, items: [item], optional: new Set() })

/** A call without a target, where it is a macro. */
export function expandGlobal(name: string, args: readonly Expr[], pos: number): Expr | undefined {
  const [arg] = args
  if (name !== 'has' || args.length !== 1 || !arg) return undefined
  if (arg.kind === 'select') return { ...arg, pos, test: true }
  throw new SyntaxFault(arg.pos, 'invalid argument to has() macro')
}

/** A call on a target, where it is a macro. */
export function expandMember(
  name: string,
  target: Expr,
  args: readonly Expr[],
  pos: number,
): Expr | undefined {
  const expand = MEMBERS.get(`${name}:${args.length}`)
  return expand?.({ target, args, pos })
}

interface Call {
  readonly target: Expr
  readonly args: readonly Expr[]
  readonly pos: number
}
type Expand = (call: Call) => Expr

type Shape = Pick<FoldExpr, 'init' | 'step'> & { condition?: Expr; result?: Expr }

/** A fold over the target with the variables that the first arguments name. */
function fold({ target, args, pos }: Call, variables: 1 | 2, shape: Shape): Expr {
  const names = args.slice(0, variables).map(nameOf)
  const accu = ident(pos, ACCU)
  const [item = '', item2] = names
  if (item2 !== undefined && item === item2) {
    throw new SyntaxFault((args[1] as Expr).pos, `duplicate variable name: ${item2}`)
  }
  return {
    kind: 'fold',
    pos,
    range: target,
    item,
    ...(item2 !== undefined && { item2 }),
    accu: ACCU,
    init: shape.init,
    condition: shape.condition ?? constant(pos, true),
    step: shape.step,
    result: shape.result ?? accu,
  }
}

function nameOf(arg: Expr): string {
  if (arg.kind !== 'ident') throw new SyntaxFault(arg.pos, 'argument must be a simple name')
  if (arg.name === ACCU) throw new SyntaxFault(arg.pos, 'iteration variable overwrites accumulator variable')
  return arg.name
}

const last = (args: readonly Expr[]): Expr => args[args.length - 1] as Expr

const all =
  (variables: 1 | 2): Expand =>
  (on) =>
    fold(on, variables, {
      init: constant(on.pos, true),
      condition: call(on.pos, '@not_strictly_false', ident(on.pos, ACCU)),
      step: call(on.pos, '_&&_', ident(on.pos, ACCU), last(on.args)),
    })

const exists =
  (variables: 1 | 2): Expand =>
  (on) =>
    fold(on, variables, {
      init: constant(on.pos, false),
      condition: call(on.pos, '@not_strictly_false', call(on.pos, '!_', ident(on.pos, ACCU))),
      step: call(on.pos, '_||_', ident(on.pos, ACCU), last(on.args)),
    })

const existsOne =
  (variables: 1 | 2): Expand =>
  (on) => {
    const accu = ident(on.pos, ACCU)
    return fold(on, variables, {
      init: constant(on.pos, 0n),
      step: call(on.pos, '_?_:_', last(on.args), call(on.pos, '_+_', accu, constant(on.pos, 1n)), accu),
      result: call(on.pos, '_==_', accu, constant(on.pos, 1n)),
    })
  }

/** A fold that adds to a list, perhaps only where a filter holds. */
function collect(on: Call, variables: 1 | 2, item: Expr, filter: Expr | undefined): Expr {
  const accu = ident(on.pos, ACCU)
  const added = call(on.pos, '_+_', accu, single(item))
  return fold(on, variables, {
    init: empty(on.pos, 'list'),
    step: filter ? call(on.pos, '_?_:_', filter, added, accu) : added,
  })
}

const map: Expand = (on) => collect(on, 1, last(on.args), on.args.length === 3 ? on.args[1] : undefined)
const filter: Expand = (on) => collect(on, 1, on.args[0] as Expr, on.args[1])
const transformList: Expand = (on) =>
  collect(on, 2, last(on.args), on.args.length === 4 ? on.args[2] : undefined)

const transformMap =
  (entries: boolean): Expand =>
  (on) => {
    const accu = ident(on.pos, ACCU)
    const key = on.args[0] as Expr
    const added = entries
      ? call(on.pos, 'cel.@mapInsert', accu, last(on.args))
      : call(on.pos, 'cel.@mapInsert', accu, key, last(on.args))
    const filter = on.args.length === 4 ? on.args[2] : undefined
    return fold(on, 2, {
      init: empty(on.pos, 'map'),
      step: filter ? call(on.pos, '_?_:_', filter, added, accu) : added,
    })
  }

/** target.optMap(x, f(x)): a fold over nothing binds the name. */
const optional =
  (flat: boolean): Expand =>
  ({ target, args, pos }) => {
    const name = nameOf(args[0] as Expr)
    const value: Expr = { kind: 'call', pos, name: 'value', target, args: [] }
    const bound: FoldExpr = {
      kind: 'fold',
      pos,
      range: empty(pos, 'list'),
      item: '#unused',
      accu: name,
      init: value,
      condition: constant(pos, false),
      step: ident(pos, name),
      result: args[1] as Expr,
    }
    const has: Expr = { kind: 'call', pos, name: 'hasValue', target, args: [] }
    return call(pos, '_?_:_', has, flat ? bound : call(pos, 'optional.of', bound), call(pos, 'optional.none'))
  }

const MEMBERS: ReadonlyMap<string, Expand> = new Map<string, Expand>([
  ['all:2', all(1)],
  ['all:3', all(2)],
  ['exists:2', exists(1)],
  ['exists:3', exists(2)],
  ['exists_one:2', existsOne(1)],
  ['existsOne:2', existsOne(1)],
  ['existsOne:3', existsOne(2)],
  ['map:2', map],
  ['map:3', map],
  ['filter:2', filter],
  ['transformList:3', transformList],
  ['transformList:4', transformList],
  ['transformMap:3', transformMap(false)],
  ['transformMap:4', transformMap(false)],
  ['transformMapEntry:3', transformMap(true)],
  ['transformMapEntry:4', transformMap(true)],
  ['optMap:2', optional(false)],
  ['optFlatMap:2', optional(true)],
  ['sortBy:2', ({ target, args, pos }) => sortBy(target, args, pos)],
])

/** list.sortBy(x, key): the list, and beside it the keys. */
function sortBy(target: Expr, args: readonly Expr[], pos: number): Expr {
  const keys = collect({ target, args, pos }, 1, last(args), undefined)
  return { kind: 'call', pos, name: '@sortByAssociatedKeys', target, args: [keys] }
}
