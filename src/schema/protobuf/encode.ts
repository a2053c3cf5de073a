// JSON objects to protobuf messages, byte for byte what gogo's generated code writes: ascending numbers, values that
// are no Go pointers even when they are zero, maps sorted by key. Compiled per type at first use.
import { parseDuration } from '../../machinery/duration.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import { isZeroTime, parseMicroTime, parseTime } from '../../machinery/time.ts'
import { escapeHtml } from '../json/json.ts'
import type { AnyType, Field, ListType, MapType, ScalarType, StructType, Type } from '../type.ts'
import {
  isWrappedList,
  mapValueProtoType,
  planOf,
  schemaUnionOf,
  type Plan,
  type SchemaUnion,
} from './plan.ts'
import { BYTES, FIXED64, VARINT } from './reader.ts'
import * as write from './writer.ts'

/** Writes a value, behind its length where it has one, but without the field's tag. Undefined and null are zero. */
interface Codec {
  readonly wire: number
  readonly put: (value: Json | undefined) => void
}

/** Writes one numbered entry of a message, tag and all, or nothing. */
type PutEntry = (object: JsonObject) => void
type PutMessage = (object: JsonObject) => void

const messages = new WeakMap<StructType, PutMessage>()

/** Writes the message's fields (last first, see writer.ts) without length or envelope. */
export function messageWriter(type: StructType): PutMessage {
  let put = messages.get(type)
  if (!put) {
    put = planWriter(planOf(type), type)
    messages.set(type, put)
  }
  return put
}

function planWriter(plan: Plan, owner: StructType): PutMessage {
  let entries: PutEntry[] | undefined
  return (object) => {
    entries ??= plan.entries
      .map((entry) =>
        entry.inlined
          ? inlinedEntry(entry.number, planWriter(entry.inlined, owner))
          : fieldEntry(entry.number, entry.field as Field, owner),
      )
      .reverse()
    for (let i = 0; i < entries.length; i++) (entries[i] as PutEntry)(object)
  }
}

function inlinedEntry(number: number, put: PutMessage): PutEntry {
  const tag = (number << 3) | BYTES
  return (object) => {
    const start = write.mark()
    put(object)
    write.length(start)
    write.varint(tag)
  }
}

function fieldEntry(number: number, field: Field, owner: StructType): PutEntry {
  const { name, type, pointer } = field
  const protoType = field.protoType ?? ''
  if (type.kind === 'map')
    return mapEntry(number, name, type, codecOf(type.value, mapValueProtoType(protoType), owner))
  if (type.kind === 'list' && !isWrappedList(type, protoType)) {
    return listEntry(number, name, codecOf(type.item, protoType, owner))
  }
  const codec = codecOf(type, protoType, owner)
  const tag = (number << 3) | codec.wire
  if (!pointer) {
    return (object) => {
      codec.put(object[name])
      write.varint(tag)
    }
  }
  return (object) => {
    const value = object[name]
    if (value === undefined || value === null) return
    codec.put(value)
    write.varint(tag)
  }
}

function listEntry(number: number, name: string, codec: Codec): PutEntry {
  const tag = (number << 3) | codec.wire
  return (object) => {
    const list = object[name]
    if (!Array.isArray(list)) return
    for (let i = list.length - 1; i >= 0; i--) {
      codec.put(list[i])
      write.varint(tag)
    }
  }
}

const KEY_TAG = (1 << 3) | BYTES

function mapEntry(number: number, name: string, type: MapType, codec: Codec): PutEntry {
  const tag = (number << 3) | BYTES
  const valueTag = (2 << 3) | codec.wire
  // A nil []byte is left out of its entry; all other values are there.
  const nullable = type.value.kind === 'bytes'
  return (object) => {
    const map = object[name]
    if (!isObject(map)) return
    const keys = sortedKeys(map)
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] as string
      const value = map[key]
      const start = write.mark()
      if (!nullable || (value !== null && value !== undefined)) {
        codec.put(value)
        write.varint(valueTag)
      }
      write.string(key)
      write.varint(KEY_TAG)
      write.length(start)
      write.varint(tag)
    }
  }
}

/** Sorted by UTF-8 bytes, as Go does; for nearly all keys that is the order of JavaScript, too. */
function sortedKeys(map: JsonObject): string[] {
  const keys = Object.keys(map)
  if (keys.length < 2) return keys
  if (keys.some((key) => /[\ud800-\udfff]/.test(key))) {
    return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
  return keys.sort()
}

function codecOf(type: Type, protoType: string, owner: StructType): Codec {
  switch (type.kind) {
    case 'struct':
      return structCodec(type)
    case 'list':
      return wrappedListCodec(type, owner)
    case 'map':
      throw new Error(`${owner.name}: protobuf has no maps inside of lists or maps`)
    case 'any':
      return anyCodec(type, protoType, owner)
    default:
      return scalarCodec(type)
  }
}

const EMPTY: JsonObject = {}

function structCodec(type: StructType): Codec {
  const put = messageWriter(type)
  return {
    wire: BYTES,
    put: (value) => {
      const start = write.mark()
      put(isObject(value) ? value : EMPTY)
      write.length(start)
    },
  }
}

function wrappedListCodec(type: ListType, owner: StructType): Codec {
  const items = listEntry(1, 'items', codecOf(type.item, 'string', owner))
  return {
    wire: BYTES,
    put: (value) => {
      const start = write.mark()
      items({ items: value })
      write.length(start)
    },
  }
}

/** A message with one field of bytes, absent where there is no value: RawExtension, FieldsV1, JSON. */
function anyCodec(type: AnyType, protoType: string, owner: StructType): Codec {
  const union = schemaUnionOf(protoType)
  if (union) return unionCodec(union, owner)
  return {
    wire: BYTES,
    put: (value) => {
      const start = write.mark()
      if (value !== undefined && value !== null) {
        write.string(type.format === 'json' ? jsonText(value) : escapeHtml(jsonText(value)))
        write.varint((1 << 3) | BYTES)
      }
      write.length(start)
    },
  }
}

/** The schema of JSON schemas is a field of itself here: `owner` is JSONSchemaProps. */
function unionCodec(union: SchemaUnion, owner: StructType): Codec {
  const schema = structCodec(owner)
  const strings = scalarCodec({ kind: 'string' })
  const field = (number: number, codec: Codec, value: Json): void => {
    codec.put(value)
    write.varint((number << 3) | codec.wire)
  }
  const put = (value: Json | undefined): void => {
    if (union === 'JSONSchemaPropsOrBool') {
      if (isObject(value)) field(2, schema, value)
      write.boolean(isObject(value) || value === true)
      write.varint((1 << 3) | VARINT)
    } else if (Array.isArray(value)) {
      const codec = union === 'JSONSchemaPropsOrArray' ? schema : strings
      for (let i = value.length - 1; i >= 0; i--) field(2, codec, value[i] as Json)
    } else if (isObject(value)) field(1, schema, value)
  }
  return {
    wire: BYTES,
    put: (value) => {
      const start = write.mark()
      put(value)
      write.length(start)
    },
  }
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const number = (value: Json | undefined): number => (isNumeric(value) ? Number(value) : 0)
const integer = (value: Json | undefined): number | bigint =>
  typeof value === 'bigint' ? value : Math.trunc(number(value))

/** Wraps the fields of a small message in its length. */
function message(put: (value: Json | undefined) => void): Codec {
  return {
    wire: BYTES,
    put: (value) => {
      const start = write.mark()
      put(value)
      write.length(start)
    },
  }
}

function scalarCodec(type: ScalarType): Codec {
  switch (type.kind) {
    case 'string':
      return { wire: BYTES, put: (value) => write.string(text(value)) }
    case 'integer':
      return { wire: VARINT, put: (value) => write.integer(integer(value)) }
    case 'number':
      return { wire: FIXED64, put: (value) => write.double(number(value)) }
    case 'boolean':
      return { wire: VARINT, put: (value) => write.boolean(value === true) }
    case 'bytes':
      return { wire: BYTES, put: (value) => write.base64(text(value)) }
    case 'quantity':
      return message(putQuantity)
    case 'time':
      return message((value) => putTime(value, parseTime))
    case 'microtime':
      return message((value) => putTime(value, parseMicroTime))
    case 'duration':
      return message(putDuration)
    case 'intOrString':
      return message(putIntOrString)
  }
}

function putQuantity(value: Json | undefined): void {
  write.string(typeof value === 'string' ? value : String(number(value)))
  write.varint((1 << 3) | BYTES)
}

/** Times go out in whole seconds, microtimes with microseconds; Go's zero time is the empty message. */
function putTime(value: Json | undefined, parse: typeof parseTime): void {
  if (typeof value !== 'string') return
  const at = parse(value)
  if (isZeroTime(at)) return
  write.integer(parse === parseTime ? 0 : at.nanoseconds)
  write.varint((2 << 3) | VARINT)
  write.integer(at.seconds)
  write.varint((1 << 3) | VARINT)
}

function putDuration(value: Json | undefined): void {
  write.integer(typeof value === 'string' ? parseDuration(value) : 0)
  write.varint((1 << 3) | VARINT)
}

function putIntOrString(value: Json | undefined): void {
  write.string(text(value))
  write.varint((3 << 3) | BYTES)
  write.integer(number(value))
  write.varint((2 << 3) | VARINT)
  write.integer(typeof value === 'string' ? 1 : 0)
  write.varint((1 << 3) | VARINT)
}
