// Writes OpenAPI documents in the protobuf form of gnostic, which older kubectls and client-go's OpenAPISchema ask
// for. This file has the combinators; openapi-proto-v2.ts and -v3.ts say which key has which number.
// Follows github.com/google/gnostic-models (OpenAPIv2.proto, OpenAPIv3.proto).
import { isObject, type Json } from '../machinery/json.ts'

/** Writes one value as the field of this number: a tag and what follows, in pieces; nothing for other types. */
export type Encode = (number: number, value: Json) => Buffer[]

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2

/** Tags, lengths and bounds: integers of at most 53 bits, none of them negative. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Buffer.from(bytes)
}

function tag(number: number, wireType: number): Buffer {
  return varint((number << 3) | wireType)
}

function delimited(number: number, pieces: readonly Buffer[]): Buffer[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return [tag(number, DELIMITED), varint(length), ...pieces]
}

export const text: Encode = (number, value) =>
  typeof value === 'string' ? delimited(number, [Buffer.from(value)]) : []

export const flag: Encode = (number, value) => (value === true ? [tag(number, VARINT), varint(1)] : [])

/** A boolean of a oneof, where false is written too. */
export const choiceFlag: Encode = (number, value) => [tag(number, VARINT), varint(value === true ? 1 : 0)]

export const integer: Encode = (number, value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? [tag(number, VARINT), varint(value as number)] : []

export const double: Encode = (number, value) => {
  if (typeof value !== 'number') return []
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return [tag(number, FIXED64), bytes]
}

/** gnostic keeps values of any shape as YAML text, field 2; JSON is YAML. */
export const any: Encode = (number, value) => delimited(number, text(2, `${JSON.stringify(value)}\n`))

/** A repeated field. */
export function list(item: Encode): Encode {
  return (number, value) => (Array.isArray(value) ? value.flatMap((one) => item(number, one)) : [])
}

/** A message around one field. */
export function inside(field: number, inner: Encode): Encode {
  return (number, value) => delimited(number, inner(field, value))
}

/** An object's entries, each a message of name (1) and value (2). */
export function entries(value: Encode, isEntry: (key: string) => boolean = () => true): Encode {
  return (number, object) => {
    if (!isObject(object)) return []
    return Object.entries(object).flatMap(([key, one]) =>
      isEntry(key) && one !== undefined ? delimited(number, [...text(1, key), ...value(2, one)]) : [],
    )
  }
}

/** An object's entries in a message of their own, as its field 1. */
export function map(value: Encode): Encode {
  return inside(1, entries(value))
}

/** One of several messages, chosen by the value. */
export function choice(choose: (value: Json) => readonly [field: number, encode: Encode]): Encode {
  return (number, value) => {
    const [field, encode] = choose(value)
    return delimited(number, encode(field, value))
  }
}

export interface Message {
  readonly fields: Readonly<Record<string, readonly [number: number, encode: Encode]>>
  /** The field of "x-" keys. */
  readonly extensions: number
}

export const isExtension = (key: string): boolean => key.startsWith('x-')

/** A message; asked for when first written, since messages refer to each other in circles. */
export function message(describe: () => Message): Encode {
  let known: Message | undefined
  return (number, value) => {
    known ??= describe()
    return delimited(number, body(known, value))
  }
}

/** The bytes of a whole document. */
export function encodeMessage(root: Message, value: Json): Buffer {
  return Buffer.concat(body(root, value))
}

function body({ fields, extensions }: Message, value: Json): Buffer[] {
  if (!isObject(value)) return []
  const known = Object.entries(value).flatMap(([key, one]) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    return field === undefined || one === undefined ? [] : field[1](field[0], one)
  })
  return [...known, ...entries(any, isExtension)(extensions, value)]
}
