// What decoding JSON into the Go struct and encoding it back does to an object: types checked, unknown fields dropped,
// keys in the struct's order, scalars in canonical form. First stage of every write, after the text was parsed.
// Follows sigs.k8s.io/json (decoding) and encoding/json (encoding). Compiled per type at first use; a body with
// anything odd is walked a second time by decode-report.ts, which finds the words for it.
import { keepEmptied, noteEmptied } from '../machinery/emptied.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { assign } from '../machinery/jsonassign.ts'
import { report } from './decode-report.ts'
import { scalarDecoder, zeroScalar } from './decode-scalar.ts'
import type { NumberTokens } from './json/json.ts'
import type { Field, ListType, MapType, StructType, Type } from './type.ts'

export { DecodeError } from './decode-report.ts'

export interface Decoded {
  readonly object: KubeObject
  /** `unknown field "spec.foo"`, in document order, at most 100, none twice. */
  readonly unknownFields: string[]
}

/** Raised by the quick walk where the input is not exactly what the type says; the slow walk then has the last word. */
interface Odd {
  seen: boolean
}

/** Decodes a value that is neither null nor absent. */
type Decode = (value: Json, odd: Odd) => Json

/** A field with what the quick walk needs, worked out once. */
export interface Slot {
  readonly name: string
  readonly index: number
  readonly type: Type
  /** Written even when absent, as what `zero` makes. */
  readonly always: boolean
  readonly zero: () => Json
  readonly dropsZero: (value: Json) => boolean
  /** Where it is a list or map: protobuf, in which upstream stores this struct, cannot tell it from an absent one. */
  readonly losesEmpty: boolean
  decode: Decode | undefined
}

const slotsOf = new WeakMap<StructType, StructSlots>()

/**
 * The decoder of one type. It takes any JSON value and gives a fresh object that shares nothing mutable with it
 * (FieldsV1 excepted, which nothing ever changes in place), ready for JSON.stringify in upstream's byte order.
 *
 * `tokens` are how numbers were written, which counts where an integer is wanted.
 *
 * The decoder throws DecodeError, in Go's words, for a value of the wrong type.
 */
export function decoderFor(type: StructType): (input: Json, tokens?: () => NumberTokens) => Decoded {
  const decode = decodeOf(type)
  return (input, tokens) => {
    const odd: Odd = { seen: false }
    const object = decode(input, odd) as KubeObject
    return { object, unknownFields: odd.seen || tokens ? report(type, input, tokens?.()) : [] }
  }
}

/**
 * The zero value of the Go struct in its JSON form, fresh: what upstream compares a new object with to find out which
 * fields its creator set.
 */
export function zeroOf(type: StructType): JsonObject {
  return decodeOf(type)({}, { seen: false }) as JsonObject
}

/**
 * Brings an object back into the order and shape of `type` after defaults, admission or strategies changed it: keys in
 * the struct's order, empty values dropped, absent ones that Go writes added. Values are taken as they are.
 * What is in order already is returned itself, so an untouched object costs one look at each key.
 */
export function normalise<T extends JsonObject>(object: T, type: StructType): T {
  return normaliseStruct(object, structSlots(type)) as T
}

function decodeOf(type: Type): Decode {
  switch (type.kind) {
    case 'struct':
      return structDecoder(type)
    case 'list':
      return listDecoder(type)
    case 'map':
      return mapDecoder(type)
    case 'any':
      return type.format === 'fieldsV1' ? (value) => value : copyOf
    default: {
      const decode = scalarDecoder(type)
      return (value, odd) => {
        try {
          const canonical = decode(value)
          if (canonical !== undefined) return canonical
        } catch {
          // The slow walk meets the same error, and knows when it counts.
        }
        odd.seen = true
        return null
      }
    }
  }
}

/** What Go writes for a value of this type that nothing was decoded into. */
function zeroMaker(type: Type): () => Json {
  if (type.kind === 'struct') return () => decodeOf(type)({}, { seen: false })
  if (type.kind === 'list' || type.kind === 'map' || type.kind === 'any') return () => null
  const zero = zeroScalar(type)
  return () => zero
}

export class StructSlots {
  readonly byName = new Map<string, Slot>()
  /** In the struct's order. */
  readonly all: readonly Slot[]
  readonly always: readonly Slot[]

  constructor(type: StructType) {
    type.fields.forEach((field, index) => {
      this.byName.set(field.name, slotOf(field, index, type.message !== undefined))
    })
    this.all = [...this.byName.values()]
    this.always = this.all.filter((slot) => slot.always)
  }
}

/** What is worked out once for each type. */
export function structSlots(type: StructType): StructSlots {
  let slots = slotsOf.get(type)
  if (!slots) slotsOf.set(type, (slots = new StructSlots(type)))
  return slots
}

function slotOf(field: Field, index: number, isProtobuf: boolean): Slot {
  const { name, omitEmpty, pointer } = field
  let type: Type | undefined
  return {
    name,
    index,
    // Resolved as late as field.type itself: types may be recursive.
    get type() {
      return (type ??= field.type)
    },
    always: !omitEmpty,
    zero: () => (pointer ? null : zeroMaker(field.type)()),
    dropsZero: omitEmpty ? dropping(field) : () => false,
    losesEmpty: isProtobuf && !omitEmpty && pointer,
    decode: undefined,
  }
}

/**
 * Whether Go's omitempty drops this value of this field. Two empty lists are kept, because whoever looks at the object
 * next tells them from none: managedFields are a client's wish to reset them, which tracking replaces; a scaling rule
 * with empty policies gets no default ones, and is refused.
 */
function dropping(field: Field): (value: Json) => boolean {
  const { name, pointer } = field
  if (name === 'managedFields' || name === 'policies') return (value) => value === null
  return (value) => {
    // Bytes that are none are no bytes.
    if (value === '') return !pointer || field.type.kind === 'bytes'
    if (typeof value !== 'object') return !pointer && (value === 0 || value === false)
    if (value === null) return true
    // Of any JSON, an empty list is a value.
    if (Array.isArray(value)) return value.length === 0 && field.type.kind !== 'any'
    return field.type.kind === 'map' && isEmpty(value)
  }
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false
  return true
}

const byIndex = (a: Slot, b: Slot): number => a.index - b.index

function structDecoder(type: StructType): Decode {
  const slots = structSlots(type)
  return (value, odd) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      odd.seen = true
      return {}
    }
    const present = presentSlots(value, slots, odd)
    const out: JsonObject = {}
    for (const slot of present) {
      const given = value[slot.name]
      if (given === undefined || given === null) {
        if (slot.always) out[slot.name] = slot.zero()
        continue
      }
      const decoded = (slot.decode ??= decodeOf(slot.type))(given, odd)
      if (!slot.dropsZero(decoded)) out[slot.name] = decoded
      else if (typeof decoded === 'object' && decoded !== null) noteEmptied(out, slot.name, decoded)
    }
    return out
  }
}

/** The slots to write for this object, in the struct's order. */
function presentSlots(value: JsonObject, slots: StructSlots, odd: Odd): Slot[] {
  const present: Slot[] = []
  let last = -1
  let sorted = true
  let always = 0
  for (const key in value) {
    const slot = slots.byName.get(key)
    if (slot === undefined) {
      odd.seen = true
      continue
    }
    if (slot.index < last) sorted = false
    last = slot.index
    if (slot.always) always++
    present.push(slot)
  }
  if (always < slots.always.length) {
    sorted = false
    for (const slot of slots.always) if (!Object.hasOwn(value, slot.name)) present.push(slot)
  }
  return sorted ? present : present.sort(byIndex)
}

function listDecoder(type: ListType): Decode {
  const zero = zeroMaker(type.item)
  let decode: Decode | undefined
  return (value, odd) => {
    if (!Array.isArray(value)) {
      odd.seen = true
      return []
    }
    decode ??= decodeOf(type.item)
    const out: Json[] = new Array<Json>(value.length)
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as Json
      out[i] = item === null ? zero() : decode(item, odd)
    }
    return out
  }
}

function mapDecoder(type: MapType): Decode {
  const zero = zeroMaker(type.value)
  let decode: Decode | undefined
  return (value, odd) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      odd.seen = true
      return {}
    }
    decode ??= decodeOf(type.value)
    const out: JsonObject = {}
    for (const key of sortedKeys(value)) {
      const item = value[key] as Json
      assign(out, key, item === null ? zero() : decode(item, odd))
    }
    return out
  }
}

function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object)
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort()
  return keys
}

function copyOf(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf)
  const out: JsonObject = {}
  for (const key of Object.keys(value)) assign(out, key, copyOf(value[key] as Json))
  return out
}

// ---- normalise

function normaliseType(value: Json, type: Type): Json {
  if (typeof value !== 'object' || value === null) return value
  if (type.kind === 'struct') {
    return Array.isArray(value) ? value : normaliseStruct(value, structSlots(type))
  }
  if (type.kind === 'list') return Array.isArray(value) ? normaliseList(value, type.item) : value
  if (type.kind === 'map' && !Array.isArray(value)) return normaliseMap(value, type.value)
  return value
}

const isPlain = (type: Type): boolean => type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map'

function normaliseList(list: Json[], item: Type): Json[] {
  if (isPlain(item)) return list
  let out: Json[] | undefined
  for (let i = 0; i < list.length; i++) {
    const now = normaliseType(list[i] as Json, item)
    if (now !== list[i]) (out ??= list.slice())[i] = now
  }
  return out ?? list
}

function normaliseMap(map: JsonObject, type: Type): JsonObject {
  const keys = Object.keys(map)
  let changed = false
  for (let i = 1; i < keys.length && !changed; i++) changed = (keys[i - 1] as string) > (keys[i] as string)
  if (isPlain(type) && !changed) return map
  const out: JsonObject = {}
  for (const key of changed ? keys.sort() : keys) {
    const now = normaliseType(map[key] as Json, type)
    if (now !== map[key]) changed = true
    assign(out, key, now)
  }
  return changed ? out : map
}

function normaliseStruct(object: JsonObject, slots: StructSlots): JsonObject {
  const present = presentSlots(object, slots, { seen: false })
  let changed = !isInOrder(object, present)
  const values: (Json | undefined)[] = new Array<Json | undefined>(present.length)
  for (let i = 0; i < present.length; i++) {
    const slot = present[i] as Slot
    const value = object[slot.name]
    let now: Json | undefined
    if (value === undefined || value === null) now = slot.always ? (value ?? slot.zero()) : undefined
    else if (slot.dropsZero((now = normaliseType(value, slot.type)))) now = undefined
    if (now !== value) changed = true
    values[i] = now
  }
  if (!changed) return object
  const out: JsonObject = {}
  for (let i = 0; i < present.length; i++) {
    if (values[i] !== undefined) out[(present[i] as Slot).name] = values[i]
  }
  keepEmptied(object, out)
  return out
}

/** An empty list where the type is a list, an empty map where it is a map. */
export function isEmptyCollection(value: Json, type: Type): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (type.kind === 'list') return Array.isArray(value) && value.length === 0
  return type.kind === 'map' && isEmpty(value as JsonObject)
}

/** Whether the keys of `object` are exactly those of `present`, in the same order. */
function isInOrder(object: JsonObject, present: readonly Slot[]): boolean {
  let i = 0
  for (const key in object) if (present[i++]?.name !== key) return false
  return i === present.length
}
