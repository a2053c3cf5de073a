// Values of CEL at run time. JSON is not converted as a whole: lists and maps read it, each part at first use, by the
// type that is known of it. Follows cel-go common/types and k8s.io/apiserver/pkg/cel/common.
import { CelError } from './fault.ts'
import type { CelType, ListType, ObjectType } from './types.ts'

/** uint; int is bigint, double is number. */
export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

const NANOS = 1_000_000_000n

/** A moment, in nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
  /** The moment in milliseconds, for calendars. */
  get date(): Date {
    return new Date(Number(floorDivide(this.nanos, 1_000_000n)))
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

export const secondsOf = (nanos: bigint): bigint => floorDivide(nanos, NANOS)

export class Optional {
  readonly value: Value | undefined
  constructor(value?: Value) {
    this.value = value
  }
}
export const NONE = new Optional()

/** A type as a value: type(1). */
export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library's own type: `type` is its name, `data` what the library keeps. */
export class OpaqueValue {
  readonly type: string
  readonly data: unknown
  /** The text by which two are compared. */
  readonly text: string
  constructor(type: string, data: unknown, text: string) {
    this.type = type
    this.data = data
    this.text = text
  }
}

/** A list: of JSON, read by `type`'s items; or of values, without a type. */
export class ListValue {
  readonly items: readonly unknown[]
  readonly type: ListType | undefined
  readonly #native: boolean
  #read: Value[] | undefined
  constructor(items: readonly unknown[], type?: ListType, native = type === undefined) {
    this.items = items
    this.type = type
    this.#native = native
  }
  get size(): number {
    return this.items.length
  }
  at(i: number): Value {
    if (this.#native) return this.items[i] as Value
    this.#read ??= []
    return (this.#read[i] ??= fromJson(this.items[i], (this.type as ListType).item))
  }
  values(): readonly Value[] {
    if (this.#native) return this.items as readonly Value[]
    return this.items.map((_, i) => this.at(i))
  }
}

/** What maps and objects have in common. Keys are bool, int, uint or string. */
export interface Keyed {
  readonly size: number
  get(key: Value): Value | undefined
  keys(): readonly Value[]
}

/** A map that an expression made. */
export class MapValue implements Keyed {
  readonly #entries = new Map<string, readonly [Value, Value]>()
  get size(): number {
    return this.#entries.size
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(keyText(key))?.[1]
  }
  set(key: Value, value: Value): void {
    this.#entries.set(keyText(key), [key, value])
  }
  keys(): readonly Value[] {
    return [...this.#entries.values()].map(([key]) => key)
  }
}

/** Numbers are one key, whatever their type. */
function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'bigint') return `n${key}`
  if (key instanceof Uint) return `n${key.value}`
  if (typeof key === 'number' && Number.isInteger(key)) return `n${BigInt(key)}`
  return typeof key === 'boolean' ? `b${key}` : `o${String(key)}`
}

/** A JSON object, read as a map of one type. */
export class JsonMap implements Keyed {
  readonly json: Readonly<Record<string, unknown>>
  readonly #type: CelType
  #keys: string[] | undefined
  constructor(json: Readonly<Record<string, unknown>>, type: CelType) {
    this.json = json
    this.#type = type
  }
  get size(): number {
    return this.keys().length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined
    return fromJson(this.json[key], this.#type)
  }
  keys(): readonly string[] {
    return (this.#keys ??= Object.keys(this.json))
  }
}

/** An object with a type: of a schema, of a request, or one that a mutation made. */
export class ObjectValue implements Keyed {
  readonly json: Readonly<Record<string, unknown>>
  readonly type: ObjectType
  /** Made by an expression: fields are values already. */
  readonly #native: boolean
  constructor(json: Readonly<Record<string, unknown>>, type: ObjectType, native = false) {
    this.json = json
    this.type = type
    this.#native = native
  }
  get size(): number {
    return Object.keys(this.json).length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    const field = this.type.field(key)
    const name = field?.json ?? key
    if (!Object.hasOwn(this.json, name)) return undefined
    if (this.#native) return this.json[name] as Value
    if (this.json[name] === undefined) return undefined
    return fromJson(this.json[name], field?.type ?? { kind: 'dyn' })
  }
  keys(): readonly string[] {
    return Object.keys(this.json)
  }
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | OpaqueValue
  | ListValue
  | MapValue
  | JsonMap
  | ObjectValue

export type Constant = null | boolean | bigint | number | string | Uint | Uint8Array

export const isKeyed = (value: Value): value is MapValue | JsonMap | ObjectValue =>
  value instanceof JsonMap || value instanceof MapValue || value instanceof ObjectValue

const DYN_LIST: ListType = { kind: 'list', item: { kind: 'dyn' } }

/** JSON as a value of the type; what does not fit it, as what it is. */
export function fromJson(json: unknown, type: CelType): Value {
  if (json === null || json === undefined) return null
  if (typeof json === 'string') return fromText(json, type)
  if (typeof json === 'number') return fromNumber(json, type)
  if (typeof json === 'bigint') return type.kind === 'double' ? Number(json) : json
  if (typeof json === 'boolean') return json
  if (Array.isArray(json)) return new ListValue(json, type.kind === 'list' ? type : DYN_LIST, false)
  if (json instanceof OpaqueValue) return json
  const object = json as Record<string, unknown>
  if (type.kind === 'object') return new ObjectValue(object, type)
  return new JsonMap(object, type.kind === 'map' ? type.value : { kind: 'dyn' })
}

function fromNumber(json: number, type: CelType): Value {
  if (type.kind === 'double') return json
  return Number.isSafeInteger(json) ? BigInt(json) : json
}

function fromText(json: string, type: CelType): Value {
  if (type.kind === 'timestamp') return parseTimestamp(json)
  if (type.kind === 'duration') return parseDuration(json)
  if (type.kind === 'bytes') return new Uint8Array(Buffer.from(json, 'base64'))
  return json
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2}))?$/

/** RFC 3339, or a date alone. Throws a CelError. */
export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text)
  const seconds = match ? Date.parse(text.replace(/\.\d+/, '').toUpperCase()) : NaN
  if (!match || Number.isNaN(seconds)) {
    throw new CelError(
      `parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}" as "2006"`,
    )
  }
  return new Timestamp(BigInt(seconds) * 1_000_000n + BigInt((match[7] ?? '').padEnd(9, '0')))
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
}

/** Go's durations: "1h30m", "-1.5s". Throws a CelError. */
export function parseDuration(text: string): Duration {
  const sign = text.startsWith('-') ? -1n : 1n
  const body = text.replace(/^[-+]/, '')
  if (body === '0') return new Duration(0n)
  let nanos = 0n
  let read = 0
  for (const match of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy)) {
    const [all, whole = '', part = '', unit = ''] = match
    if (!whole && !part) break
    const scale = UNITS[unit] ?? 0n
    nanos += BigInt(whole || '0') * scale + (part ? (BigInt(part) * scale) / 10n ** BigInt(part.length) : 0n)
    read += all.length
  }
  if (!body || read !== body.length) throw new CelError(`time: invalid duration "${text}"`)
  return new Duration(sign * nanos)
}

const PLAIN_KINDS: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  bigint: 'int',
  number: 'double',
}

/** The name of a value's type: type(x), and which overload takes it. */
export function kindOf(value: Value): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return PLAIN_KINDS[typeof value] ?? 'dyn'
  if (value instanceof ListValue) return 'list'
  if (value instanceof JsonMap || value instanceof MapValue) return 'map'
  if (value instanceof ObjectValue) return 'object'
  return kindOfRare(value)
}

function kindOfRare(value: Exclude<Value, null | string | boolean | bigint | number>): string {
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof OpaqueValue) return value.type
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof Duration) return 'duration'
  return 'type'
}
