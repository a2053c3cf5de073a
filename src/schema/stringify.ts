// Objects to JSON text in one walk: keys in the struct's order, empty values dropped, absent ones that Go writes added,
// strings with Go's escapes. What decode.ts reads, this writes; every create and update ends here.
// Follows encoding/json over the Go structs. Compiled per type at first use, as closures.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import { isEmptyCollection, type Slot, structSlots } from './decode.ts'
import { textOfSet } from './ownership/fieldset-shape.ts'
import { escapeHtml } from './json/json.ts'
import type { ListType, MapType, StructType, Type } from './type.ts'

/** Writes a value that is neither null nor absent. */
type Write = (value: Json) => string

interface Member {
  readonly slot: Slot
  /** `"name":` */
  readonly prefix: string
  /** What is written where the value is absent; undefined: nothing. */
  readonly absent: string | undefined
  write: Write | undefined
}

const writers = new WeakMap<StructType, Write>()
const storedWriters = new WeakMap<StructType, Write>()

/** JSON bytes for the store: without metadata.resourceVersion, which the watch cache puts in. */
export function storedJson(object: JsonObject, type: StructType): Buffer {
  let write = storedWriters.get(type)
  if (!write) {
    write = writerOfMembers(type, (name, inner) =>
      name === 'metadata' && inner.kind === 'struct'
        ? writerOfMembers(inner, writeMember, 'resourceVersion')
        : writerOf(inner),
    )
    storedWriters.set(type, write)
  }
  return Buffer.from(write(object))
}

/** JSON of an object of this type, fields in the type's order. */
export const typedJson = (object: JsonObject, type: StructType): string => writerOf(type)(object)

function writerOf(type: Type): Write {
  switch (type.kind) {
    case 'struct':
      return structWriter(type)
    case 'list':
      return listWriter(type)
    case 'map':
      return mapWriter(type)
    case 'boolean':
    case 'integer':
    case 'number':
      return plain
    case 'any':
      return type.format === 'fieldsV1' ? fields : anything
    default:
      return text
  }
}

const anything: Write = (value) => escapeHtml(jsonText(value))
const fields: Write = (value) => (isObject(value) ? textOfSet(value, anything) : anything(value))
const plain: Write = (value) =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : anything(value)

/** What JSON.stringify or Go's encoder escapes, lone surrogates included. */

const ESCAPED = /["\\\u0000-\u001f<>&\u2028\u2029\ud800-\udfff]/
const text: Write = (value) =>
  typeof value === 'string' && !ESCAPED.test(value) ? `"${value}"` : anything(value)

function structWriter(type: StructType): Write {
  let write = writers.get(type)
  if (!write) writers.set(type, (write = writerOfMembers(type, writeMember)))
  return write
}

const writeMember = (_name: string, type: Type): Write => writerOf(type)

/** `make` gives the writer of a field's values when the first is met, since types may be recursive. */
function writerOfMembers(type: StructType, make: (name: string, type: Type) => Write, without = ''): Write {
  const members = structSlots(type)
    .all.filter((slot) => slot.name !== without)
    .map(memberOf)
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return anything(value)
    let out = ''
    for (const member of members) {
      const { name } = member.slot
      const given = name === '__proto__' && !Object.hasOwn(value, name) ? undefined : value[name]
      const written = memberText(member, given, make)
      if (written !== '') out += out === '' ? written : `,${written}`
    }
    return `{${out}}`
  }
}

function memberOf(slot: Slot): Member {
  const prefix = `${JSON.stringify(slot.name)}:`
  return {
    slot,
    prefix,
    absent: slot.always ? prefix + JSON.stringify(slot.zero()) : undefined,
    write: undefined,
  }
}

function memberText(
  member: Member,
  value: Json | undefined,
  make: (name: string, type: Type) => Write,
): string {
  const { slot, prefix } = member
  if (value === undefined) return member.absent ?? ''
  if (value === null) return slot.always ? `${prefix}null` : ''
  if (slot.losesEmpty && isEmptyCollection(value, slot.type)) return `${prefix}null`
  if (slot.dropsZero(value)) return ''
  return prefix + (member.write ??= make(slot.name, slot.type))(value)
}

function listWriter(type: ListType): Write {
  let write: Write | undefined
  return (value) => {
    if (!Array.isArray(value)) return anything(value)
    write ??= writerOf(type.item)
    let out = ''
    for (const item of value) out += (out === '' ? '' : ',') + (item === null ? 'null' : write(item))
    return `[${out}]`
  }
}

/** Keys sorted, as Go's encoder has them. */
function mapWriter(type: MapType): Write {
  let write: Write | undefined
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return anything(value)
    write ??= writerOf(type.value)
    const keys = Object.keys(value)
    if (keys.length > 1) keys.sort()
    let out = ''
    for (const key of keys) {
      const item = value[key]
      if (item === undefined) continue
      out += `${out === '' ? '' : ','}${text(key)}:${item === null ? 'null' : write(item)}`
    }
    return `{${out}}`
  }
}
