// Protobuf messages to JSON objects, with keys in the order of the Go struct and values dropped or written as Go's
// encoding/json would after gogo's Unmarshal. Compiled per type at first use.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { zeroScalar } from '../decode-scalar.ts'
import { parseJson } from '../json/json.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { MAX_DEPTH } from '../json/inspect.ts'
import type { AnyType, Field, ListType, StructType, Type } from '../type.ts'
import {
  isWrappedList,
  mapValueProtoType,
  planOf,
  schemaUnionOf,
  type Plan,
  type SchemaUnion,
} from './plan.ts'
import { readFields, scalarCodec, type Codec } from './decode-scalars.ts'
import * as read from './reader.ts'
import { BYTES, ProtobufError, VARINT } from './reader.ts'

/** Values of a struct's fields by index, before they become an object. */
type Values = (Json | undefined)[]

interface Slot {
  readonly name: string
  readonly index: number
  readonly codec: Codec | undefined
  /** Items that protobuf allows to come many in one piece. */
  readonly packable: boolean
  readonly inlined: MessageReader | undefined
}

let depth = 0

/** Reads the message from the cursor to `end` into an object. */
export function readObject(type: StructType, end: number, previous?: JsonObject): JsonObject {
  return structReader(type).read(end, previous)
}

const readers = new WeakMap<StructType, StructReader>()

function structReader(type: StructType): StructReader {
  let reader = readers.get(type)
  if (!reader) {
    reader = new StructReader(type)
    readers.set(type, reader)
  }
  return reader
}

class StructReader {
  private readonly type: StructType
  private readonly message: MessageReader
  private shape: Shape[] | undefined

  constructor(type: StructType) {
    this.type = type
    this.message = new MessageReader(planOf(type), type)
  }

  read(end: number, previous?: JsonObject): JsonObject {
    if (++depth > MAX_DEPTH) throw new ProtobufError('exceeded max depth')
    const shape = (this.shape ??= this.type.fields.map(shapeOf))
    const values: Values = new Array<Json | undefined>(shape.length)
    if (previous)
      for (let i = 0; i < shape.length; i++) values[i] = previous[(shape[i] as Shape).name] ?? undefined
    this.message.read(end, values)
    depth--
    return finishObject(shape, values)
  }

  zero(): JsonObject {
    const shape = (this.shape ??= this.type.fields.map(shapeOf))
    return finishObject(shape, [])
  }
}

/** Starts over after an error left the depth behind. */
export function resetDepth(): void {
  depth = 0
}

/** What becomes of a field's value in JSON. */
interface Shape {
  readonly name: string
  readonly always: boolean
  readonly dropZero: boolean
  readonly zero: () => Json
}

function shapeOf(field: Field): Shape {
  const { name, pointer, omitEmpty, type } = field
  const zero = (): Json => (pointer ? null : zeroOf(type))
  return { name, always: !omitEmpty, dropZero: omitEmpty && (!pointer || type.kind === 'bytes'), zero }
}

function zeroOf(type: Type): Json {
  if (type.kind === 'struct') return structReader(type).zero()
  if (type.kind === 'list' || type.kind === 'map' || type.kind === 'any') return null
  return zeroScalar(type)
}

function finishObject(shape: readonly Shape[], values: Values): JsonObject {
  const object: JsonObject = {}
  for (let i = 0; i < shape.length; i++) {
    const { name, always, dropZero, zero } = shape[i] as Shape
    const value = values[i]
    if (value === undefined || value === null) {
      if (always) object[name] = zero()
    } else if (!dropZero || (value !== '' && value !== 0 && value !== false)) object[name] = value
  }
  return object
}

class MessageReader {
  private readonly plan: Plan
  private readonly owner: StructType
  private slots: (Slot | undefined)[] | undefined

  constructor(plan: Plan, owner: StructType) {
    this.plan = plan
    this.owner = owner
  }

  read(end: number, values: Values): void {
    const slots = (this.slots ??= this.compile())
    while (read.at < end) {
      const tag = read.varint()
      const wire = tag % 8
      const number = (tag - wire) / 8
      if (wire === 4) throw new ProtobufError(`proto: ${this.plan.name}: wiretype end group for non-group`)
      if ((number | 0) <= 0) {
        throw new ProtobufError(`proto: ${this.plan.name}: illegal tag ${number | 0} (wire type ${tag})`)
      }
      const slot = slots[number]
      if (slot === undefined) read.skip(wire)
      else if (slot.codec && wire === slot.codec.wire)
        values[slot.index] = slot.codec.take(values[slot.index])
      else this.unusual(slot, wire, values)
    }
  }

  private unusual(slot: Slot, wire: number, values: Values): void {
    if (wire !== BYTES || (!slot.inlined && !slot.packable)) {
      const name = slot.name.charAt(0).toUpperCase() + slot.name.slice(1)
      throw new ProtobufError(`proto: wrong wireType = ${wire} for field ${name}`)
    }
    const { end, outer } = read.enter()
    if (slot.inlined) slot.inlined.read(end, values)
    else while (read.at < end) values[slot.index] = (slot.codec as Codec).take(values[slot.index])
    read.leave(outer)
  }

  private compile(): (Slot | undefined)[] {
    const slots: (Slot | undefined)[] = []
    for (const { number, field, index, inlined } of this.plan.entries) {
      slots[number] = {
        name: field?.name ?? inlined?.name ?? '',
        index,
        codec: field && fieldCodec(field, this.owner),
        packable: field?.type.kind === 'list' && isNumeric(field.type.item),
        inlined: inlined && new MessageReader(inlined, this.owner),
      }
    }
    return slots
  }
}

const isNumeric = (type: Type): boolean =>
  type.kind === 'integer' || type.kind === 'number' || type.kind === 'boolean'

function fieldCodec(field: Field, owner: StructType): Codec {
  const { type, protoType = '' } = field
  if (type.kind === 'map')
    return mapCodec(codecOf(type.value, mapValueProtoType(protoType), owner), type.value)
  if (type.kind === 'list' && !isWrappedList(type, protoType))
    return listCodec(codecOf(type.item, protoType, owner))
  return codecOf(type, protoType, owner)
}

function listCodec(item: Codec): Codec {
  return {
    wire: item.wire,
    take: (previous) => {
      const list = Array.isArray(previous) ? previous : []
      list.push(item.take(undefined))
      return list
    },
  }
}

function mapCodec(item: Codec, type: Type): Codec {
  return {
    wire: BYTES,
    take: (previous) => {
      const map = (previous ?? {}) as JsonObject
      const { end, outer } = read.enter()
      let key = ''
      let value: Json | undefined
      while (read.at < end) {
        const tag = read.varint()
        if (tag === 10) key = read.string()
        else if (tag >>> 3 === 2 && tag % 8 === item.wire) value = item.take(value)
        else read.skip(tag % 8)
      }
      read.leave(outer)
      assign(map, key, value ?? (type.kind === 'bytes' ? '' : zeroOf(type)))
      return map
    },
  }
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

function structCodec(type: StructType): Codec {
  let reader: StructReader | undefined
  return {
    wire: BYTES,
    take: (previous) => {
      reader ??= structReader(type)
      const { end, outer } = read.enter()
      const object = reader.read(end, previous as JsonObject | undefined)
      read.leave(outer)
      return object
    },
  }
}

function wrappedListCodec(type: ListType, owner: StructType): Codec {
  const item = codecOf(type.item, 'string', owner)
  return {
    wire: BYTES,
    take: (previous) => {
      const list = Array.isArray(previous) ? previous : []
      readFields((number, wire) => {
        if (number !== 1 || wire !== item.wire) return false
        list.push(item.take(undefined))
        return true
      })
      return list
    },
  }
}

function anyCodec(type: AnyType, protoType: string, owner: StructType): Codec {
  const union = schemaUnionOf(protoType)
  if (union) return unionCodec(union, owner)
  return {
    wire: BYTES,
    take: () => {
      let value: Json = null
      readFields((number, wire) => {
        if (number !== 1 || wire !== BYTES) return false
        const raw = read.bytes()
        if (raw.length > 0) value = parseRaw(raw, type)
        return true
      })
      return value
    },
  }
}

function parseRaw(raw: Buffer, type: AnyType): Json {
  try {
    return parseJson(raw).value
  } catch (error) {
    throw new ProtobufError(`proto: ${type.format ?? 'any'} holds no JSON: ${(error as Error).message}`)
  }
}

function unionCodec(union: SchemaUnion, owner: StructType): Codec {
  const schema = structCodec(owner)
  return {
    wire: BYTES,
    take: () => {
      let value: Json = union === 'JSONSchemaPropsOrBool' ? false : null
      const list: Json[] = []
      readFields((number, wire) => {
        if (union === 'JSONSchemaPropsOrBool') {
          if (number === 1 && wire === VARINT) value = read.varint() !== 0 || value
          else if (number === 2 && wire === BYTES) value = schema.take(undefined)
          else return false
        } else if (number === 1 && wire === BYTES) value = schema.take(undefined)
        else if (number === 2 && wire === BYTES) {
          list.push(union === 'JSONSchemaPropsOrArray' ? schema.take(undefined) : read.string())
        } else return false
        return true
      })
      return list.length > 0 ? list : value
    },
  }
}
