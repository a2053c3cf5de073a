// What one call may cost at worst, and how large its result may be, by the sizes of its arguments.
// Follows cel-go checker/cost.go (functionCost), ext/{lists,sets}.go and k8s.io/apiserver/pkg/cel/library/cost.go.
import type { Expr } from './ast.ts'
import { either, fixed, plus, product, type Size, times, walked } from './estimate-sizes.ts'
import type { Overload } from './overload.ts'
import type { CelType } from './types.ts'

/** An argument of a call, or what it is called on. */
export interface Operand {
  readonly type: CelType
  readonly size: Size
  readonly expr: Expr
  /** The size of its items, where it is a list. */
  items(): Size
}

export interface Estimated {
  readonly cost: number
  /** Of the result; absent where the call says nothing of it. */
  readonly size?: Size
}

/** A part of a unit for each character of a text. */
const TEXT = 0.1
/** The same for a pattern. */
const PATTERN = 0.25
const LIST_COST = 10
/** The longest pattern of a named format. */
const MAX_FORMAT_PATTERN = 128
const MAX_FORMAT = 64
const ADDRESS_BYTES = 16

type Estimate = (args: readonly Operand[], overload: Overload) => Estimated | undefined

/** The arguments' own costs aside. */
export function callEstimate(
  overload: Overload,
  target: Operand | undefined,
  args: readonly Operand[],
): Estimated {
  const all = target ? [target, ...args] : args
  return ESTIMATES.get(overload.name)?.(all, overload) ?? { cost: 1 }
}

/** Goes through the first argument, or the receiver. */
const through =
  (factor: number): Estimate =>
  ([text]) =>
    text && { cost: walked(text.size, factor) }

const keeping =
  (factor: number): Estimate =>
  ([text]) =>
    text && { cost: walked(text.size, factor), size: text.size }

const isText = ({ kind }: CelType): boolean => kind === 'string' || kind === 'bytes'

const compared: Estimate = ([a, b], { params }) => {
  if (!a || !b || (params[0] && params[0].kind !== 'param' && !isText(params[0]))) return undefined
  return { cost: Math.ceil(times(Math.min(a.size.max, b.size.max), TEXT)) }
}

const equal: Estimate = (args, overload) => {
  const [a, b] = args
  if (a && b && a.type.kind === 'opaque' && b.type.kind === 'opaque' && a.type.name === b.type.name) {
    if (a.type.name === 'kubernetes.NamedFormat') return { cost: Math.ceil(MAX_FORMAT * TEXT) }
    if (a.type.name === 'kubernetes.URL') return { cost: Math.ceil(times(either(a.size, b.size).max, TEXT)) }
    if (a.type.name !== 'optional_type') return { cost: 1 }
  }
  return compared(args, overload)
}

const added: Estimate = ([a, b], { params }) => {
  const kind = params[0]?.kind
  if (!a || !b || (kind !== 'list' && kind !== 'string' && kind !== 'bytes')) return undefined
  const size = plus(a.size, b.size)
  return { cost: kind === 'list' ? 1 : walked(size, TEXT), size }
}

/** One more than the text has, so that a costly pattern is not free on an empty one. */
const matched = (text: Operand, pattern: Operand): number =>
  times(walked(plus(text.size, fixed(1)), TEXT), walked(pattern.size, PATTERN))

const items: Estimate = ([list]) => {
  if (!list) return undefined
  if (list.type.kind !== 'list') return { cost: walked(list.size, TEXT) }
  const each = isText(list.type.item) ? 1 + walked(list.items(), TEXT) : 1
  return { cost: times(list.size.max, each) }
}

const replaced: Estimate = ([text, from, to]) => {
  if (!text || !from || !to) return undefined
  const size = {
    min: replacedSize(text.size.min, from.size.max, to.size.min, (a, b) => a <= b),
    max: replacedSize(text.size.max, from.size.min, to.size.max, (a, b) => b <= a),
  }
  return { cost: walked(text.size, 2 * TEXT), size }
}

function replacedSize(
  text: number,
  from: number,
  to: number,
  keeps: (a: number, b: number) => boolean,
): number {
  if (from === 0) return times(text + 1, to) + text
  if (keeps(from, to)) return text
  return times(Math.ceil(text / from), to)
}

const joined: Estimate = ([list, separator]) => {
  if (!list) return undefined
  let size = list.type.kind === 'list' ? product(list.size, list.items()) : fixed(0)
  if (separator) {
    const less = { min: Math.max(0, list.size.min - 1), max: Math.max(0, list.size.max - 1) }
    size = plus(size, product(separator.size, less))
  }
  return { cost: walked(size, TEXT), size }
}

const split: Estimate = ([text, , count]) => {
  if (!text) return undefined
  const most = count ? intOf(count, text.size.max) : text.size.max
  return { cost: walked(text.size, 2 * TEXT), size: { min: 0, max: most } }
}

function intOf({ expr }: Operand, otherwise: number): number {
  if (expr.kind !== 'const' || typeof expr.value !== 'bigint') return otherwise
  return expr.value < 0n ? otherwise : Number(expr.value)
}

/** A list that is made of what `size` counts. */
const made = (size: Size, factor: number): Estimated => ({
  cost: walked(size, factor) + 1 + LIST_COST,
  size,
})

const sorted: Estimate = (args, { params }) => {
  const by = args.at(-1)
  const type = params.at(-1)
  if (!by) return undefined
  const isOfTexts = type?.kind === 'list' && isText(type.item)
  return made(product(by.size, by.size), isOfTexts ? 2 + TEXT : 2)
}

const sets =
  (factor: number): Estimate =>
  ([a, b]) =>
    a && b && { cost: walked(product(a.size, b.size), factor) + 1 }

/** Two addresses are gone through, and the text of one is read where it is given so. */
const contained =
  (more: number): Estimate =>
  ([, other], { params }) => {
    const text = params[1]?.kind === 'string' && other ? walked(other.size, TEXT) : 0
    return { cost: Math.ceil(2 * ADDRESS_BYTES * TEXT) + more + text }
  }

const ESTIMATES: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['_==_', equal],
  ['_!=_', compared],
  ...['_<_', '_<=_', '_>_', '_>=_'].map((name): [string, Estimate] => [
    name,
    (args, overload) => (overload.params.every(isText) ? compared(args, overload) : undefined),
  ]),
  ['_+_', added],
  [
    '@in',
    ([, list], { params }) => (list && params[1]?.kind === 'list' ? { cost: list.size.max } : undefined),
  ],
  [
    'bytes',
    ([text], { params }) =>
      text && params[0]?.kind === 'string'
        ? { cost: walked(text.size, TEXT), size: { min: text.size.min, max: text.size.max * 4 } }
        : undefined,
  ],
  [
    'string',
    ([bytes], { params }) =>
      bytes && params[0]?.kind === 'bytes'
        ? {
            cost: walked(bytes.size, TEXT),
            size: { min: Math.floor(bytes.size.min / 4), max: bytes.size.max },
          }
        : undefined,
  ],
  [
    'strings.quote',
    ([text]) =>
      text && {
        cost: walked(text.size, TEXT),
        size: { min: text.size.min + 2, max: text.size.max * 2 + 2 },
      },
  ],
  ['format', through(TEXT)],
  ['startsWith', ([, text]) => text && { cost: walked(text.size, TEXT) }],
  ['endsWith', ([, text]) => text && { cost: walked(text.size, TEXT) }],
  ['matches', ([text, pattern]) => text && pattern && { cost: matched(text, pattern) }],
  [
    'contains',
    ([text, part]) => text && part && { cost: times(walked(text.size, TEXT), walked(part.size, TEXT)) },
  ],
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name): [string, Estimate] => [
    name,
    items,
  ]),
  ...['url', 'jsonpatch.escapeKey', 'lowerAscii', 'upperAscii', 'substring', 'trim'].map(
    (name): [string, Estimate] => [name, keeping(TEXT)],
  ),
  ['replace', replaced],
  ['split', split],
  ['join', joined],
  ...['find', 'findAll'].map((name): [string, Estimate] => [
    name,
    ([text, pattern]) =>
      text && pattern && { cost: matched(text, pattern), size: { min: 0, max: text.size.max } },
  ]),
  ...['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map(
    (name): [string, Estimate] => [name, through(TEXT)],
  ),
  ['ip', (args, overload) => (overload.member ? { cost: 1 } : through(TEXT)(args, overload))],
  ['ip.isCanonical', through(2 * TEXT)],
  ['containsIP', contained(0)],
  ['containsCIDR', contained(Math.ceil(ADDRESS_BYTES * TEXT) + 1)],
  [
    'validate',
    ([, text]) => text && { cost: Math.ceil(times(walked(text.size, TEXT), MAX_FORMAT_PATTERN * PATTERN)) },
  ],
  ['sets.contains', sets(1)],
  ['sets.intersects', sets(1)],
  ['sets.equivalent', sets(2)],
  [
    'slice',
    ([list, from, to]) =>
      list && from && to && made(fixed(Math.max(0, intOf(to, list.size.max) - intOf(from, 0))), 1),
  ],
  ['flatten', ([list, depth]) => list && made(list.size, depth ? intOf(depth, Infinity) : 1)],
  ['lists.range', ([count]) => count && made(fixed(intOf(count, Infinity)), 1)],
  ['reverse', ([list]) => (list?.type.kind === 'list' ? made(list.size, 1) : undefined)],
  ['distinct', ([list]) => list && made(product(list.size, list.size), 2)],
  ['sort', sorted],
  ['@sortByAssociatedKeys', sorted],
])
