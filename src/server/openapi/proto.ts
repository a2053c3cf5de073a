// Writes OpenAPI documents in the protobuf form of gnostic, which older kubectls and client-go's OpenAPISchema ask
// for. This file has the combinators; proto-v2.ts and proto-v3.ts say which key has which number.
// Follows github.com/google/gnostic-models (OpenAPIv2.proto, OpenAPIv3.proto).
import { isObject, type Json } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { isNumeric } from '../../machinery/numbers.ts'

/**
 * Writes one value as the field of this number, in front of what is written already; nothing for values of other
 * types. Documents are written from their end, so that a message's length is known when it comes to be written.
 */
export type Encode = (out: Backwards, number: number, value: Json) => void

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2

/** The documents have some 2 MB; the buffer doubles when it is full. */
const FIRST_SIZE = 1 << 20

/** Bytes that grow at the front. */
export class Backwards {
  private bytes = Buffer.allocUnsafe(FIRST_SIZE)
  private start = FIRST_SIZE

  get length(): number {
    return this.bytes.length - this.start
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.reserve(length)
    this.bytes.write(value, this.start, 'utf8')
  }

  double(value: number): void {
    this.reserve(8)
    this.bytes.writeDoubleLE(value, this.start)
  }

  /** Tags, lengths and bounds: integers of at most 53 bits, none of them negative. */
  varint(value: number): void {
    let size = 1
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++
    this.reserve(size)
    let rest = value
    for (let at = this.start; size > 0; size--, at++, rest = Math.floor(rest / 128)) {
      this.bytes[at] = size > 1 ? (rest % 128) | 128 : rest
    }
  }

  tag(number: number, wireType: number): void {
    this.varint((number << 3) | wireType)
  }

  /** A length-delimited field around what `write` puts down. */
  delimited(number: number, write: () => void): void {
    const end = this.length
    write()
    this.varint(this.length - end)
    this.tag(number, DELIMITED)
  }

  take(): Buffer {
    return this.bytes.subarray(this.start)
  }

  private reserve(size: number): void {
    if (size > this.start) {
      const grown = Buffer.allocUnsafe(2 * (this.bytes.length + size))
      const start = grown.length - this.length
      this.bytes.copy(grown, start, this.start)
      this.bytes = grown
      this.start = start
    }
    this.start -= size
  }
}

export const text: Encode = (out, number, value) => {
  if (typeof value === 'string') out.delimited(number, () => out.text(value))
}

/** A boolean of a oneof, where false is written too. */
export const choiceFlag: Encode = (out, number, value) => {
  out.varint(value === true ? 1 : 0)
  out.tag(number, VARINT)
}

export const flag: Encode = (out, number, value) => {
  if (value === true) choiceFlag(out, number, value)
}

export const integer: Encode = (out, number, value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return
  out.varint(value)
  out.tag(number, VARINT)
}

export const double: Encode = (out, number, value) => {
  if (!isNumeric(value)) return
  out.double(Number(value))
  out.tag(number, FIXED64)
}

/** gnostic keeps values of any shape as YAML text, field 2; JSON is YAML. */
export const any: Encode = (out, number, value) => {
  out.delimited(number, () => text(out, 2, `${jsonText(value)}\n`))
}

/** A repeated field. */
export function list(item: Encode): Encode {
  return (out, number, value) => {
    if (!Array.isArray(value)) return
    for (let i = value.length - 1; i >= 0; i--) item(out, number, value[i] ?? null)
  }
}

/** A message around one field. */
export function inside(field: number, inner: Encode): Encode {
  return (out, number, value) => out.delimited(number, () => inner(out, field, value))
}

/** An object's entries, each a message of name (1) and value (2). */
export function entries(value: Encode, isEntry: (key: string) => boolean = () => true): Encode {
  return (out, number, object) => {
    if (!isObject(object)) return
    for (const [key, one] of Object.entries(object).reverse()) {
      if (one === undefined || !isEntry(key)) continue
      out.delimited(number, () => {
        value(out, 2, one)
        text(out, 1, key)
      })
    }
  }
}

/** An object's entries in a message of their own, as its field 1. */
export function map(value: Encode): Encode {
  return inside(1, entries(value))
}

/** One of several messages, chosen by the value. */
export function choice(choose: (value: Json) => readonly [field: number, encode: Encode]): Encode {
  return (out, number, value) => {
    const [field, encode] = choose(value)
    out.delimited(number, () => encode(out, field, value))
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
  return (out, number, value) => {
    const it = (known ??= describe())
    out.delimited(number, () => writeFields(out, it, value))
  }
}

/** The bytes of a whole document. */
export function encodeMessage(root: Message, value: Json): Buffer {
  const out = new Backwards()
  writeFields(out, root, value)
  return out.take()
}

function writeFields(out: Backwards, { fields, extensions }: Message, value: Json): void {
  if (!isObject(value)) return
  entries(any, isExtension)(out, extensions, value)
  for (const [key, one] of Object.entries(value).reverse()) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (field !== undefined && one !== undefined) field[1](out, field[0], one)
  }
}
