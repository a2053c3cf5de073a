// Writes protobuf from the end of a buffer to its start, as gogo's generated code does: the length of a nested message
// is known once it is written, so nothing is measured beforehand. One scratch buffer serves all: encoding never awaits.

/** Enough for nearly every object; grows for the others and shrinks back after them. */
const SCRATCH_BYTES = 64 * 1024
/** Up to here a loop over characters beats a call into the runtime. */
const SHORT_STRING = 40

let buffer = Buffer.allocUnsafe(0)
let position = 0

/** Starts a message; whatever was being written is lost. */
export function begin(): void {
  if (buffer.length !== SCRATCH_BYTES) buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  position = buffer.length
}

/** What was written since `begin`, in memory of its own. */
export function finish(): Buffer {
  const length = buffer.length - position
  const out = Buffer.allocUnsafeSlow(length)
  buffer.copy(out, 0, position)
  return out
}

/** A mark to pass to `length` after the content is written. */
export function mark(): number {
  return buffer.length - position
}

/** Writes how many bytes were written since the mark. */
export function length(since: number): void {
  varint(buffer.length - position - since)
}

function reserve(bytes: number): void {
  if (position >= bytes) return
  const used = buffer.length - position
  const grown = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, used + bytes + SCRATCH_BYTES))
  buffer.copy(grown, grown.length - used, position)
  buffer = grown
  position = grown.length - used
}

/** Any integer from 0 to 2^53. */
export function varint(value: number): void {
  reserve(10)
  if (value < 0x80) {
    buffer[--position] = value
    return
  }
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  position -= size
  let at = position
  let rest = value
  for (; rest >= 0x80000000; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) | 0x80
  for (; rest >= 0x80; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80
  buffer[at] = rest
}

/** An int32 or int64: negative ones take ten bytes, as two's complement of 64 bits. */
export function integer(value: number | bigint): void {
  if (typeof value === 'number' && value >= 0) {
    varint(value)
    return
  }
  reserve(10)
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  position -= bytes.length
  for (let i = 0; i < bytes.length; i++) buffer[position + i] = bytes[i] as number
}

export function boolean(value: boolean): void {
  reserve(1)
  buffer[--position] = value ? 1 : 0
}

export function double(value: number): void {
  reserve(8)
  position -= 8
  buffer.writeDoubleLE(value, position)
}

/** A string with its length. */
export function string(value: string): void {
  const characters = value.length
  reserve(characters * 3)
  if (characters > SHORT_STRING || !ascii(value)) {
    const size = Buffer.byteLength(value)
    position -= size
    if (size === characters) buffer.write(value, position, 'latin1')
    else buffer.write(value, position, 'utf8')
    varint(size)
  } else varint(characters)
}

/** Writes a short string of ASCII; returns false, having written nothing, for others. */
function ascii(value: string): boolean {
  let at = position
  for (let i = value.length - 1; i >= 0; i--) {
    const code = value.charCodeAt(i)
    if (code >= 0x80) return false
    buffer[--at] = code
  }
  position = at
  return true
}

/** The bytes that a base64 text stands for, with their length. */
export function base64(value: string): void {
  bytes(Buffer.from(value, 'base64'))
}

/** Bytes with their length. */
export function bytes(value: Buffer): void {
  raw(value)
  varint(value.length)
}

/** Bytes as they are. */
export function raw(value: Buffer): void {
  reserve(value.length)
  position -= value.length
  buffer.set(value, position)
}
