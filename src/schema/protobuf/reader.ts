// Reads protobuf's wire format with the errors of gogo's generated code: every read is bounded by the enclosing
// message, every loop moves forward. The cursor is shared: decoding never awaits.
import { jsonInteger } from '../../machinery/numbers.ts'

/** Bytes that are no protobuf message of the expected type; the message is upstream's. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtobufError'
  }
}

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
const START_GROUP = 3
const END_GROUP = 4
const FIXED32 = 5

const UNEXPECTED_EOF = 'unexpected EOF'
const OVERFLOW = 'proto: integer overflow'
const NEGATIVE_LENGTH = 'proto: negative length found during unmarshaling'
/** A varint has no more bytes than these. */
const MAX_VARINT_BYTES = 10

/** Up to here a loop over bytes beats a call into the runtime. */
const SHORT_STRING = 12

let data = Buffer.alloc(0) as Buffer & { utf8Slice(start: number, end: number): string }
/** Where the next byte is read; callers compare it with the end that `nested` gave them. */
export let at = 0
let limit = 0

/** Begins to read these bytes. Returns the end of the outermost message. */
export function open(bytes: Buffer): number {
  data = bytes as typeof data
  at = 0
  limit = bytes.length
  return limit
}

/** Runs `read` over other bytes and comes back to where the cursor was. */
export function aside<T>(bytes: Buffer, read: (end: number) => T): T {
  const [data0, at0, limit0] = [data, at, limit]
  try {
    return read(open(bytes))
  } finally {
    data = data0
    at = at0
    limit = limit0
  }
}

/** Enters a message with its length in front; returns its end. Leave it by `leave` with what this returned. */
export function enter(): { end: number; outer: number } {
  const size = lengthPrefix()
  const outer = limit
  limit = at + size
  return { end: limit, outer }
}

export function leave(outer: number): void {
  limit = outer
}

/** An unsigned varint, exact to 2^53 and about right beyond. */
export function varint(): number {
  let value = 0
  let scale = 1
  for (let i = 0; ; i++) {
    if (i >= MAX_VARINT_BYTES) throw new ProtobufError(OVERFLOW)
    if (at >= limit) throw new ProtobufError(UNEXPECTED_EOF)
    const byte = data[at++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
    scale *= 0x80
  }
}

/** A varint of which only the low 32 bits count. */
export function int32(): number {
  let value = 0
  for (let i = 0; ; i++) {
    if (i >= MAX_VARINT_BYTES) throw new ProtobufError(OVERFLOW)
    if (at >= limit) throw new ProtobufError(UNEXPECTED_EOF)
    const byte = data[at++] as number
    if (i < 5) value |= (byte & 0x7f) << (7 * i)
    if (byte < 0x80) return value
  }
}

/** A varint as a signed number of 64 bits. */
export function int64(): number | bigint {
  const start = at
  const value = varint()
  return value <= Number.MAX_SAFE_INTEGER ? value : jsonInteger(bigIntAt(start))
}

/** A varint as a signed number of 64 bits, exact. */
export function bigInt64(): bigint {
  const start = at
  varint()
  return bigIntAt(start)
}

function bigIntAt(start: number): bigint {
  let value = 0n
  for (let i = at - 1; i >= start; i--) value = (value << 7n) | BigInt((data[i] as number) & 0x7f)
  return BigInt.asIntN(64, value)
}

export function double(): number {
  if (at + 8 > limit) throw new ProtobufError(UNEXPECTED_EOF)
  at += 8
  return data.readDoubleLE(at - 8)
}

function lengthPrefix(): number {
  const size = varint()
  if (size >= 2 ** 63) throw new ProtobufError(NEGATIVE_LENGTH)
  if (at + size > limit) throw new ProtobufError(UNEXPECTED_EOF)
  return size
}

/** A string with its length in front; what is no UTF-8 becomes U+FFFD, as Go's JSON shows it. */
export function string(): string {
  const size = lengthPrefix()
  const start = at
  at += size
  if (size > SHORT_STRING) return data.utf8Slice(start, at)
  let text = ''
  for (let i = start; i < at; i++) {
    const byte = data[i] as number
    if (byte >= 0x80) return data.utf8Slice(start, at)
    text += String.fromCharCode(byte)
  }
  return text
}

/** Bytes with their length in front; they share memory with the input. */
export function bytes(): Buffer {
  const size = lengthPrefix()
  at += size
  return data.subarray(at - size, at)
}

/** Passes over a field that the type does not know. */
export function skip(wire: number): void {
  let depth = 0
  for (let type = wire; ; type = varint() % 8) {
    if (type === VARINT) varint()
    else if (type === FIXED64) at += 8
    else if (type === BYTES) bytes()
    else if (type === FIXED32) at += 4
    else if (type === START_GROUP) depth++
    else if (type === END_GROUP) {
      if (depth === 0) throw new ProtobufError('proto: unexpected end of group')
      depth--
    } else throw new ProtobufError(`proto: illegal wireType ${type}`)
    if (at > limit) throw new ProtobufError(UNEXPECTED_EOF)
    if (depth === 0) return
  }
}
