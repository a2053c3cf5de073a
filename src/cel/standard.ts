// The functions and operators of the language itself. Follows cel-go common/stdlib and common/types.
import { compare, equal, noOverload } from './equality.ts'
import { CelError } from './fault.ts'
import type { Define, Library } from './overload.ts'
import { matches } from './regex.ts'
import { both, lesser, nothing, product, search, sizeOf, walk } from './size.ts'
import { goDuration, timeText } from './times.ts'
import {
  Duration,
  isKeyed,
  kindOf,
  ListValue,
  ObjectValue,
  parseDuration,
  parseTimestamp,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts'

const MAX_INT = 2n ** 63n - 1n
const MAX_UINT = 2n ** 64n - 1n

/** The number, where 64 bits hold it. */
export function int(value: bigint): bigint {
  if (value > MAX_INT || value < -MAX_INT - 1n) throw new CelError('integer overflow')
  return value
}

export function uint(value: bigint): Uint {
  if (value < 0n || value > MAX_UINT) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}

export const standard: Library = (define) => {
  comparisons(define)
  arithmetic(define)
  texts(define)
  conversions(define)
}

function comparisons(define: Define): void {
  define('_==_(A, A) bool', ([a, b]) => equal(a as Value, b as Value), equality)
  define('_!=_(A, A) bool', ([a, b]) => !equal(a as Value, b as Value), equality)
  define('!_(bool) bool', ([a]) => a === false)
  for (const name of ['_&&_', '_||_']) define(`${name}(bool, bool) bool`, unreachable)
  define('_?_:_(bool, A, A) A', unreachable)
  define('@not_strictly_false(bool) bool', unreachable)
  for (const sort of ['_[_]', '_[?_]']) {
    const [from, to] = sort === '_[_]' ? ['', ''] : ['optional(', ')']
    define(`${sort}(list(A), int) ${from}A${to}`, unreachable)
    define(`${sort}(map(A, B), A) ${from}B${to}`, unreachable)
    define(`${sort}(optional(list(A)), int) optional(A)`, unreachable)
    define(`${sort}(optional(map(A, B)), A) optional(B)`, unreachable)
  }
  const numbers = ['int', 'uint', 'double']
  const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b]))
  for (const type of ['bool', 'string', 'bytes', 'timestamp', 'duration']) pairs.push([type, type])
  for (const [a, b] of pairs) {
    define(`_<_(${a}, ${b}) bool`, ([x, y]) => compare(x as Value, y as Value) < 0, lesser)
    define(`_<=_(${a}, ${b}) bool`, ([x, y]) => compare(x as Value, y as Value) <= 0, lesser)
    define(`_>_(${a}, ${b}) bool`, ([x, y]) => compare(x as Value, y as Value) > 0, lesser)
    define(`_>=_(${a}, ${b}) bool`, ([x, y]) => compare(x as Value, y as Value) >= 0, lesser)
  }
  define(
    '@in(A, list(A)) bool',
    ([item, list]) => includes(list as ListValue, item as Value),
    ([, list]) => sizeOf(list),
  )
  define('@in(A, map(A, B)) bool', ([key, map]) => isKeyed(map as Value) && held(map as Value, key as Value))
}

const equality: typeof lesser = (args, result) =>
  kindOf(args[0] as Value).includes('.') ? 1 : lesser(args, result)

const unreachable = (): Value => {
  throw noOverload()
}

function includes(list: ListValue, item: Value): boolean {
  for (let i = 0; i < list.size; i++) if (equal(list.at(i), item)) return true
  return false
}

const held = (map: Value, key: Value): boolean => isKeyed(map) && map.get(key) !== undefined

function arithmetic(define: Define): void {
  const ints = (name: string, run: (a: bigint, b: bigint) => bigint): void => {
    define(`${name}(int, int) int`, ([a, b]) => int(run(a as bigint, b as bigint)))
    define(`${name}(uint, uint) uint`, ([a, b]) => uint(run((a as Uint).value, (b as Uint).value)))
  }
  const doubles = (name: string, run: (a: number, b: number) => number): void =>
    define(`${name}(double, double) double`, ([a, b]) => run(a as number, b as number))
  ints('_+_', (a, b) => a + b)
  ints('_-_', (a, b) => a - b)
  ints('_*_', (a, b) => a * b)
  ints('_/_', (a, b) => {
    if (b === 0n) throw new CelError('division by zero')
    return a / b
  })
  ints('_%_', (a, b) => {
    if (b === 0n) throw new CelError('modulus by zero')
    return a % b
  })
  doubles('_+_', (a, b) => a + b)
  doubles('_-_', (a, b) => a - b)
  doubles('_*_', (a, b) => a * b)
  doubles('_/_', (a, b) => a / b)
  define('-_(int) int', ([a]) => int(-(a as bigint)))
  define('-_(double) double', ([a]) => -(a as number))
  define('_+_(timestamp, duration) timestamp', ([a, b]) => moved(a as Timestamp, (b as Duration).nanos))
  define('_+_(duration, timestamp) timestamp', ([a, b]) => moved(b as Timestamp, (a as Duration).nanos))
  define('_-_(timestamp, duration) timestamp', ([a, b]) => moved(a as Timestamp, -(b as Duration).nanos))
  define('_-_(timestamp, timestamp) duration', ([a, b]) =>
    span((a as Timestamp).nanos - (b as Timestamp).nanos),
  )
  define('_+_(duration, duration) duration', ([a, b]) => span((a as Duration).nanos + (b as Duration).nanos))
  define('_-_(duration, duration) duration', ([a, b]) => span((a as Duration).nanos - (b as Duration).nanos))
}

const span = (nanos: bigint): Duration => new Duration(int(nanos))

/** The years 1 to 9999, in seconds since 1970. */
const FIRST_SECOND = -62135596800n
const LAST_SECOND = 253402300799n

function moved(time: Timestamp, by: bigint): Timestamp {
  const nanos = time.nanos + by
  if (nanos < FIRST_SECOND * 1_000_000_000n || nanos > (LAST_SECOND + 1n) * 1_000_000_000n) {
    throw new CelError('timestamp overflow')
  }
  return new Timestamp(nanos)
}

function texts(define: Define): void {
  define('_+_(string, string) string', ([a, b]) => (a as string) + (b as string), both)
  define(
    '_+_(bytes, bytes) bytes',
    ([a, b]) => new Uint8Array(Buffer.concat([a as Uint8Array, b as Uint8Array])),
    both,
  )
  // DEVIATION: upstream adds lists at no cost; here they are copied, and what is copied counts.
  define(
    '_+_(list(A), list(A)) list(A)',
    ([a, b]) => concatenated(a as ListValue, b as ListValue),
    (args) => 1 + Math.floor(both(args, null)),
  )
  define('string->contains(string) bool', ([a, b]) => (a as string).includes(b as string), product)
  define('string->startsWith(string) bool', ([a, b]) => (a as string).startsWith(b as string), walk)
  define('string->endsWith(string) bool', ([a, b]) => (a as string).endsWith(b as string), walk)
  define('string->matches(string) bool', ([a, b]) => matches(a as string, b as string), search)
  define('matches(string, string) bool', ([a, b]) => matches(a as string, b as string), search)
  for (const type of ['string', 'bytes', 'list(A)', 'map(A, B)']) {
    define(`size(${type}) int`, ([a]) => lengthOf(a as Value))
    define(`${type}->size() int`, ([a]) => lengthOf(a as Value))
  }
}

/** Lists that a schema calls sets or maps are merged: what is equal, or has the same key, is not there twice. */
function concatenated(a: ListValue, b: ListValue): ListValue {
  const { type } = a
  const [left, right] = [a.values(), b.values()]
  if (type?.listType === 'set') {
    const added = right.filter((item) => !left.some((other) => equal(item, other)))
    return new ListValue([...left, ...added], type, true)
  }
  if (type?.listType === 'map') {
    const same = (x: Value, y: Value): boolean =>
      (type.mapKeys ?? []).every((key) => equal(keyed(x, key), keyed(y, key)))
    const replaced = left.map((item) => right.find((other) => same(item, other)) ?? item)
    const added = right.filter((item) => !left.some((other) => same(item, other)))
    return new ListValue([...replaced, ...added], type, true)
  }
  return new ListValue([...left, ...right])
}

const keyed = (item: Value, key: string): Value => (isKeyed(item) ? (item.get(key) ?? null) : null)

function lengthOf(value: Value): bigint {
  if (typeof value === 'string')
    return BigInt(/[\ud800-\udfff]/.test(value) ? [...value].length : value.length)
  return BigInt(sizeOf(value))
}

function conversions(define: Define): void {
  for (const type of ['int', 'uint', 'double', 'string', 'bool', 'bytes', 'timestamp', 'duration']) {
    define(`${type}(${type}) ${type}`, ([a]) => a as Value)
  }
  define('int(uint) int', ([a]) => int((a as Uint).value))
  define('int(double) int', ([a]) => fromDouble(a as number, int))
  define(
    'int(string) int',
    fromText('int', (a) => int(wholeNumber(a))),
  )
  define('int(timestamp) int', ([a]) => (a as Timestamp).nanos / 1_000_000_000n)
  define('int(duration) int', ([a]) => (a as Duration).nanos)
  define('uint(int) uint', ([a]) => uint(a as bigint))
  define('uint(double) uint', ([a]) => fromDouble(a as number, uint))
  define(
    'uint(string) uint',
    fromText('uint', (a) => uint(wholeNumber(a))),
  )
  define('double(int) double', ([a]) => Number(a))
  define('double(uint) double', ([a]) => Number((a as Uint).value))
  define('double(string) double', fromText('double', toDouble))
  for (const type of ['int', 'uint', 'double', 'bool', 'timestamp', 'duration']) {
    define(`string(${type}) string`, ([a]) => text(a as Value))
  }
  define('string(bytes) string', ([a]) => Buffer.from(a as Uint8Array).toString(), walk)
  define('bytes(string) bytes', ([a]) => new Uint8Array(Buffer.from(a as string)), walk)
  define('bool(string) bool', fromText('bool', toBool))
  define('timestamp(string) timestamp', fromText('google.protobuf.Timestamp', parseTimestamp))
  define('timestamp(int) timestamp', ([a]) => moved(new Timestamp(0n), (a as bigint) * 1_000_000_000n))
  define('duration(string) duration', fromText('google.protobuf.Duration', parseDuration))
  define('duration(int) duration', ([a]) => new Duration(a as bigint))
  define('dyn(A) dyn', ([a]) => a as Value, nothing)
  define('type(A) type', ([a]) => new TypeValue(typeNameOf(a as Value)))
}

function typeNameOf(value: Value): string {
  const kind = kindOf(value)
  if (kind === 'null') return 'null_type'
  if (kind === 'timestamp') return 'google.protobuf.Timestamp'
  if (kind === 'duration') return 'google.protobuf.Duration'
  return value instanceof ObjectValue ? value.type.name : kind
}

function fromDouble<T>(value: number, to: (whole: bigint) => T): T {
  if (!Number.isFinite(value)) throw new CelError('integer overflow')
  return to(BigInt(Math.trunc(value)))
}

/** What a text stands for; whatever is wrong with it is told alike. */
function fromText(type: string, make: (text: string) => Value): ([a]: readonly Value[]) => Value {
  return ([a]) => {
    try {
      return make(a as string)
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      throw notConverted(type)
    }
  }
}

const notConverted = (type: string): CelError =>
  new CelError(`type conversion error from 'string' to '${type}'`)

function wholeNumber(from: string): bigint {
  if (!/^[-+]?\d+$/.test(from)) throw notConverted('int')
  return BigInt(from.replace(/^\+/, ''))
}

function toDouble(from: string): number {
  if (/^[-+]?inf(inity)?$/i.test(from)) return from.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(from)) return NaN
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(from) ? Number(from) : NaN
  if (!Number.isFinite(value)) throw notConverted('double')
  return value
}

function toBool(from: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(from)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(from)) return false
  throw notConverted('bool')
}

/** string(x) */
export function text(value: Value): string {
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return timeText(value)
  if (value instanceof Duration) return goDuration(value)
  if (typeof value === 'number') return doubleText(value)
  return String(value as string)
}

/** A double as Go's %g writes it. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2')
  }
  return String(value)
}
