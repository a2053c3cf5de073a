// Functions on lists, sets and optionals, and what macros of maps call. Follows
// k8s.io/apiserver/pkg/cel/library/lists.go and cel-go ext/{lists,sets,comprehensions}.go, cel/library.go.
import { compare, distinct, equal, noOverload } from './equality.ts'
import { CelError } from './fault.ts'
import type { Define, Library } from './overload.ts'
import { items, pairs } from './size.ts'
import { int } from './standard.ts'
import type { MapValue } from './values.ts'
import { Duration, isKeyed, ListValue, NONE, Optional, type Value } from './values.ts'

const ORDERED = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration']

const valuesOf = (list: Value | undefined): readonly Value[] => (list as ListValue).values()
const listOf = (values: readonly Value[]): ListValue => new ListValue(values)

export const lists: Library = (define) => {
  kubernetes(define)
  extension(define)
  sets(define)
}

function kubernetes(define: Define): void {
  for (const type of ORDERED) {
    define(`list(${type})->isSorted() bool`, ([list]) => isSorted(valuesOf(list)), items)
    define(`list(${type})->min() ${type}`, ([list]) => extreme(valuesOf(list), 'min'), items)
    define(`list(${type})->max() ${type}`, ([list]) => extreme(valuesOf(list), 'max'), items)
  }
  define(
    'list(int)->sum() int',
    ([list]) => int(valuesOf(list).reduce<bigint>((a, b) => a + (b as bigint), 0n)),
    items,
  )
  define(
    'list(double)->sum() double',
    ([list]) => valuesOf(list).reduce<number>((a, b) => a + (b as number), 0),
    items,
  )
  define(
    'list(duration)->sum() duration',
    ([list]) => new Duration(valuesOf(list).reduce<bigint>((a, b) => a + (b as Duration).nanos, 0n)),
    items,
  )
  define(
    'list(A)->indexOf(A) int',
    ([list, item]) => BigInt(valuesOf(list).findIndex((one) => equal(one, item as Value))),
    items,
  )
  define(
    'list(A)->lastIndexOf(A) int',
    ([list, item]) => BigInt(valuesOf(list).findLastIndex((one) => equal(one, item as Value))),
    items,
  )
}

const isSorted = (values: readonly Value[]): boolean =>
  values.every((value, i) => i === 0 || compare(values[i - 1] as Value, value) <= 0)

function extreme(values: readonly Value[], which: 'min' | 'max'): Value {
  if (values.length === 0) throw new CelError(`${which} called on empty list`)
  return values.reduce((a, b) => ((which === 'min' ? compare(a, b) <= 0 : compare(a, b) >= 0) ? a : b))
}

/** Lists that `lists.range` makes have at most so many items: what a whole evaluation may cost. */
const MAX_RANGE = 1_000_000n

function extension(define: Define): void {
  define(
    'list(A)->slice(int, int) list(A)',
    ([list, from, to]) => slice(list as ListValue, Number(from), Number(to)),
    items,
  )
  define('list(A)->flatten() list(dyn)', ([list]) => listOf(flatten(valuesOf(list), 1)), items)
  define(
    'list(A)->flatten(int) list(dyn)',
    ([list, depth]) => {
      if ((depth as bigint) < 0n) throw new CelError('level must be non-negative')
      return listOf(flatten(valuesOf(list), Number(depth)))
    },
    (args, result) => items(args, result) + items([result], result),
  )
  define(
    'lists.range(int) list(int)',
    ([count]) => {
      if ((count as bigint) > MAX_RANGE)
        throw new CelError('operation cancelled: actual cost limit exceeded', true)
      return listOf(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)))
    },
    (_args, result) => items([result], result),
  )
  define('list(A)->reverse() list(A)', ([list]) => listOf([...valuesOf(list)].reverse()), items)
  define(
    'list(A)->distinct() list(A)',
    ([list]) => listOf(distinct(valuesOf(list))),
    ([list]) => 1 + items([list as Value], null) ** 2,
  )
  define('list(A)->first() optional(A)', ([list]) => optional(valuesOf(list)[0]))
  define('list(A)->last() optional(A)', ([list]) => optional(valuesOf(list).at(-1)))
  for (const type of ORDERED) {
    define(
      `list(${type})->sort() list(${type})`,
      ([list]) => listOf([...valuesOf(list)].sort(compare)),
      sorting,
    )
    define(
      `list(A)->@sortByAssociatedKeys(list(${type})) list(A)`,
      ([list, keys]) => sortBy(valuesOf(list), valuesOf(keys)),
      sorting,
    )
  }
}

const sorting: typeof items = ([list]) => {
  const count = items([list as Value], null)
  return 1 + Math.ceil(count * Math.log2(count + 1))
}

const optional = (value: Value | undefined): Optional => (value === undefined ? NONE : new Optional(value))

function slice(list: ListValue, from: number, to: number): ListValue {
  if (from < 0 || to < 0) throw new CelError(`cannot slice(${from}, ${to}), negative indexes not supported`)
  if (from > to)
    throw new CelError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`)
  if (to > list.size) throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.size}`)
  return listOf(list.values().slice(from, to))
}

function flatten(values: readonly Value[], depth: number): Value[] {
  return values.flatMap((value) =>
    value instanceof ListValue && depth > 0 ? flatten(value.values(), depth - 1) : [value],
  )
}

function sortBy(values: readonly Value[], keys: readonly Value[]): ListValue {
  const order = values.map((_, i) => i).sort((a, b) => compare(keys[a] as Value, keys[b] as Value))
  return listOf(order.map((i) => values[i] as Value))
}

function sets(define: Define): void {
  const has = (list: readonly Value[], item: Value): boolean => list.some((one) => equal(one, item))
  const contains = (a: readonly Value[], b: readonly Value[]): boolean => b.every((item) => has(a, item))
  define('sets.contains(list(A), list(A)) bool', ([a, b]) => contains(valuesOf(a), valuesOf(b)), pairs)
  define(
    'sets.equivalent(list(A), list(A)) bool',
    ([a, b]) => contains(valuesOf(a), valuesOf(b)) && contains(valuesOf(b), valuesOf(a)),
    (args, result) => 2 * pairs(args, result),
  )
  define(
    'sets.intersects(list(A), list(A)) bool',
    ([a, b]) => valuesOf(a).some((item) => has(valuesOf(b), item)),
    pairs,
  )
}

/** Optional values, and the maps that macros build. */
export const optionals: Library = (define) => {
  define('optional.none() optional(A)', () => NONE)
  define('optional.of(A) optional(A)', ([value]) => new Optional(value as Value))
  define('optional.ofNonZeroValue(A) optional(A)', ([value]) =>
    isZero(value as Value) ? NONE : new Optional(value as Value),
  )
  define('optional(A)->hasValue() bool', ([value]) => (value as Optional).value !== undefined)
  define('optional(A)->value() A', ([value]) => {
    const held = (value as Optional).value
    if (held === undefined) throw new CelError('optional.none() dereference')
    return held
  })
  define('optional(A)->or(optional(A)) optional(A)', ([a, b]) =>
    (a as Optional).value === undefined ? (b as Optional) : (a as Optional),
  )
  define('optional(A)->orValue(A) A', ([a, b]) => (a as Optional).value ?? (b as Value))
  define('list(optional(A))->unwrapOpt() list(A)', ([list]) => unwrapped(valuesOf(list)), items)
  define('optional.unwrap(list(optional(A))) list(A)', ([list]) => unwrapped(valuesOf(list)), items)
  define('cel.@mapInsert(map(A, B), A, B) map(A,B)', ([map, key, value]) => insert(map, key, value))
  define('cel.@mapInsert(map(A, B), map(A, B)) map(A,B)', ([map, entries]) => {
    if (!isKeyed(entries as Value)) throw noOverload()
    const added = entries as MapValue
    for (const key of added.keys()) insert(map, key, added.get(key))
    return map as Value
  })
}

function unwrapped(values: readonly Value[]): ListValue {
  return listOf(
    values.flatMap((one) => (one instanceof Optional && one.value !== undefined ? [one.value] : [])),
  )
}

/** Changes the map: it is one that a macro is building. */
function insert(map: Value | undefined, key: Value | undefined, value: Value | undefined): Value {
  const target = map as MapValue
  if (target.get(key as Value) !== undefined) {
    throw new CelError(`insert failed: key ${String(key as string)} already exists`)
  }
  target.set(key as Value, value as Value)
  return target
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true
  if (value instanceof ListValue || isKeyed(value)) return value.size === 0
  return value instanceof Duration && value.nanos === 0n
}
