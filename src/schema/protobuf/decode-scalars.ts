// The scalars of the API and the small messages that stand for them in protobuf, as JSON shows them.
import { formatDuration } from '../../machinery/duration.ts'
import type { Json } from '../../machinery/json.ts'
import { canonicalQuantity } from '../../machinery/quantity.ts'
import { formatMicroTime, formatTime, isZeroTime } from '../../machinery/time.ts'
import type { ScalarType } from '../type.ts'
import * as read from './reader.ts'
import { BYTES, FIXED64, ProtobufError, VARINT } from './reader.ts'

/** Reads one occurrence of a field; what earlier occurrences gave is passed in, for lists, maps and messages to go on. */
export interface Codec {
  readonly wire: number
  readonly take: (previous: Json | undefined) => Json
}

/** Reads a small message whose fields `field` takes by number; fields it does not take are passed over. */
export function readFields(field: (number: number, wire: number) => boolean): void {
  const { end, outer } = read.enter()
  while (read.at < end) {
    const tag = read.varint()
    const wire = tag % 8
    if (!field((tag - wire) / 8, wire)) read.skip(wire)
  }
  read.leave(outer)
}

/** The codec of one scalar type. */
export function scalarCodec(type: ScalarType): Codec {
  switch (type.kind) {
    case 'string':
      return { wire: BYTES, take: read.string }
    case 'integer':
      return { wire: VARINT, take: type.format === 'int32' ? read.int32 : read.int64 }
    case 'number':
      return { wire: FIXED64, take: read.double }
    case 'boolean':
      return { wire: VARINT, take: () => read.varint() !== 0 }
    case 'bytes':
      return { wire: BYTES, take: () => read.bytes().toString('base64') }
    case 'quantity':
      return { wire: BYTES, take: takeQuantity }
    case 'time':
      return { wire: BYTES, take: () => takeTime(formatTime) }
    case 'microtime':
      return { wire: BYTES, take: () => takeTime(formatMicroTime) }
    case 'duration':
      return { wire: BYTES, take: takeDuration }
    case 'intOrString':
      return { wire: BYTES, take: takeIntOrString }
  }
}

function takeQuantity(): Json {
  let value = '0'
  readFields((number, wire) => {
    if (number !== 1 || wire !== BYTES) return false
    value = canonicalQuantity(read.string())
    return true
  })
  return value
}

/** Seconds that a time of five digits of years could not show are refused: Go would wrap them to some other time. */
const MAX_SECONDS = 10000 * 366 * 86400

function takeTime(format: typeof formatTime): Json {
  let seconds = 0
  let nanoseconds = 0
  let empty = true
  readFields((number, wire) => {
    empty = false
    if (wire !== VARINT || number > 2) return false
    if (number === 1) seconds = Number(read.int64())
    else nanoseconds = read.int32()
    return true
  })
  if (empty) return null
  if (format === formatTime) nanoseconds = 0
  const at = {
    seconds: seconds + Math.floor(nanoseconds / 1e9),
    nanoseconds: ((nanoseconds % 1e9) + 1e9) % 1e9,
  }
  if (Math.abs(at.seconds) > MAX_SECONDS) throw new ProtobufError(`proto: time ${seconds} is out of range`)
  return isZeroTime(at) ? null : format(at)
}

function takeDuration(): Json {
  let nanoseconds = 0n
  readFields((number, wire) => {
    if (number !== 1 || wire !== VARINT) return false
    nanoseconds = read.bigInt64()
    return true
  })
  return formatDuration(nanoseconds)
}

function takeIntOrString(): Json {
  let type = 0
  let integer = 0
  let string = ''
  readFields((number, wire) => {
    if (number === 1 && wire === VARINT) type = Number(read.int64())
    else if (number === 2 && wire === VARINT) integer = read.int32()
    else if (number === 3 && wire === BYTES) string = read.string()
    else return false
    return true
  })
  if (type !== 0 && type !== 1) throw new ProtobufError('impossible IntOrString.Type')
  return type === 1 ? string : integer
}
