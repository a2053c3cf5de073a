// The few messages of protobuf that key services and stored values are made of, written and read by hand.
// Follows k8s.io/kms/apis/v2 and k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2 (api.proto).

/** What a field may hold here: bytes of any kind, or a number. */
export type Field = Buffer | number
export type Fields = readonly (readonly [number: number, value: Field])[]

const VARINT = 0
const BYTES = 2
const MALFORMED = 'proto: cannot parse invalid wire-format data'

/** Fields in the order given; what is empty or zero is left out, as proto3 has it. */
export function encodeMessage(fields: Fields): Buffer {
  const parts: Buffer[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'number') {
      if (value !== 0) parts.push(varint(number * 8 + VARINT), varint(value))
    } else if (value.length > 0) {
      parts.push(varint(number * 8 + BYTES), varint(value.length), value)
    }
  }
  return Buffer.concat(parts)
}

/** A map's entries are messages of their own, and there also where they are empty. */
export function encodeMap(number: number, map: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = []
  for (const [key, value] of map) {
    const entry = encodeMessage([
      [1, Buffer.from(key)],
      [2, value],
    ])
    parts.push(varint(number * 8 + BYTES), varint(entry.length), entry)
  }
  return Buffer.concat(parts)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** A message taken apart: of a field that is there twice the last counts, but for maps. */
export interface Message {
  bytes(number: number): Buffer
  text(number: number): string
  number(number: number): number
  map(number: number): Map<string, Buffer>
}

/** Throws an Error for what is no message. */
export function decodeMessage(data: Buffer): Message {
  const fields = read(data)
  const last = (number: number): Field | undefined => fields.findLast(([one]) => one === number)?.[1]
  const bytes = (number: number): Buffer => {
    const value = last(number)
    return value instanceof Buffer ? value : Buffer.alloc(0)
  }
  return {
    bytes,
    text: (number) => bytes(number).toString(),
    number(number) {
      const value = last(number)
      return typeof value === 'number' ? value : 0
    },
    map(number) {
      const map = new Map<string, Buffer>()
      for (const [one, value] of fields) {
        if (one !== number || !(value instanceof Buffer)) continue
        const entry = decodeMessage(value)
        map.set(entry.text(1), entry.bytes(2))
      }
      return map
    },
  }
}

/** How many bytes the fields have that are neither varint nor bytes. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 }

function read(data: Buffer): [number, Field][] {
  const fields: [number, Field][] = []
  const cursor = { at: 0 }
  while (cursor.at < data.length) {
    const tag = readVarint(data, cursor)
    const [number, type] = [Math.floor(tag / 8), tag % 8]
    if (number === 0) throw new Error(MALFORMED)
    if (type === VARINT) {
      fields.push([number, readVarint(data, cursor)])
      continue
    }
    const length = type === BYTES ? readVarint(data, cursor) : FIXED[type]
    if (length === undefined || length > data.length - cursor.at) throw new Error(MALFORMED)
    if (type === BYTES) fields.push([number, data.subarray(cursor.at, cursor.at + length)])
    cursor.at += length
  }
  return fields
}

const MAX_VARINT_BYTES = 10

function readVarint(data: Buffer, cursor: { at: number }): number {
  let value = 0
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = data[cursor.at++]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return value
  }
  throw new Error(MALFORMED)
}
