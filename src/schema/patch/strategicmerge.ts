// Strategic merge patches: lists merged by their keys and maps merged in depth, as the type says, with the directives
// $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList.
// Stands between the request and the decoder: both the object and the patch are plain JSON here.
// Follows k8s.io/apimachinery/pkg/util/strategicpatch (StrategicMergeMapPatch), errors included.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { badFormat, badType, failure, unknownDirective } from './strategicmerge-errors.ts'
import { mergeLists, orderLists } from './strategicmerge-lists.ts'
import type { Field, StructType, Type } from '../type.ts'

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const SET_ELEMENT_ORDER = '$setElementOrder'
const DELETE_FROM_PRIMITIVE_LIST = '$deleteFromPrimitiveList'

/**
 * The object that `patch` makes of `current`. Neither is changed; the answer shares parts with both. Unknown
 * directives in new parts stay in it as fields that no type has, as they do upstream.
 *
 * @throws StatusError 400, 422 or 500, where upstream answers so
 */
export function strategicMergePatch(current: JsonObject, patch: JsonObject, type: StructType): JsonObject {
  return mergeMaps(current, patch, type)
}

/** Merges two maps of one type; lists get it for their items. */
export function mergeMaps(original: JsonObject, patch: JsonObject, type: Type): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) return applyDirective(patch)
  const merge = new MapMerge(original, patch, type)
  merge.retainKeys()
  merge.orderElements()
  return merge.mergeFields()
}

function applyDirective(patch: JsonObject): JsonObject {
  const { [DIRECTIVE]: directive, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  throw unknownDirective(directive as Json, patch)
}

/** What is left of a value that is new to the object: no nulls, no parts that carry a directive. */
function cleaned(value: Json): Json | undefined {
  if (Array.isArray(value)) {
    return value.map((item) => (item === null ? item : cleaned(item))).filter((item) => item !== undefined)
  }
  if (!isObject(value)) return value
  if (value[DIRECTIVE] !== undefined && value[DIRECTIVE] !== null) return undefined
  const out: JsonObject = {}
  for (const key of Object.keys(value)) {
    const given = value[key] as Json
    const kept = given === null ? undefined : cleaned(given)
    if (kept !== undefined) assign(out, key, kept)
  }
  return out
}

const kindOf = (value: Json): string =>
  Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value

/** The part of a directive's key behind the slash. */
function keyBehind(key: string, prefix: string): string {
  const slash = key.indexOf('/')
  if (slash >= 0 && key.slice(0, slash) === prefix) return key.slice(slash + 1)
  throw badFormat(prefix === DELETE_FROM_PRIMITIVE_LIST ? 'primitive list' : 'setElementOrder list')
}

class MapMerge {
  readonly #out: JsonObject
  readonly #patch: JsonObject
  readonly #type: Type
  /** Keys of the patch that are dealt with. */
  readonly #done = new Set<string>()

  constructor(original: JsonObject, patch: JsonObject, type: Type) {
    this.#out = { ...original }
    this.#patch = patch
    this.#type = type
  }

  /** Drops the fields that $retainKeys does not list; the patch itself must not have others. */
  retainKeys(): void {
    if (!Object.hasOwn(this.#patch, RETAIN_KEYS)) return
    this.#done.add(RETAIN_KEYS)
    const list = this.#patch[RETAIN_KEYS]
    if (!Array.isArray(list)) throw badFormat('retainKeys')
    const retained = new Set<Json>(list)
    for (const key of Object.keys(this.#patch)) {
      if (this.#done.has(key) || this.#patch[key] === null) continue
      if (key.startsWith(DELETE_FROM_PRIMITIVE_LIST) || key.startsWith(SET_ELEMENT_ORDER)) continue
      if (!retained.has(key)) throw badFormat('retainKeys')
    }
    for (const key of Object.keys(this.#out)) if (!retained.has(key)) delete this.#out[key]
  }

  /** Merges the lists for which the patch states an order. */
  orderElements(): void {
    for (const directive of Object.keys(this.#patch)) {
      if (!directive.startsWith(SET_ELEMENT_ORDER)) continue
      this.#done.add(directive)
      const order = this.#patch[directive] as Json
      if (!Array.isArray(order)) throw badType('[]interface {}', order)
      const key = keyBehind(directive, SET_ELEMENT_ORDER)
      const original = this.#listOf(this.#out, key)
      const patch = this.#done.has(key) ? undefined : this.#listOf(this.#patch, key)
      const field = this.#field(key)
      const mergeKey = field.patchMergeKey ?? ''
      const options = { item: itemType(field, this.#type), mergeKey, isDeletion: false, mergeMaps }
      const mergesLists = strategyOf(field) === 'merge'
      const lists = {
        original,
        patch,
        order,
        merged: () => this.#merged(original, patch, mergesLists, options),
      }
      const ordered = orderLists(lists, mergeKey)
      if (!ordered) continue
      assign(this.#out, key, ordered)
      this.#done.add(key)
    }
  }

  #merged(
    original: Json[] | undefined,
    patch: Json[] | undefined,
    mergesLists: boolean,
    options: Parameters<typeof mergeLists>[2],
  ): Json[] | undefined {
    if (!patch) return original
    if (!original) return cleaned(patch) as Json[]
    return mergesLists ? mergeLists(original, patch, options) : patch
  }

  #listOf(object: JsonObject, key: string): Json[] | undefined {
    if (!Object.hasOwn(object, key)) return undefined
    const value = object[key] as Json
    if (!Array.isArray(value)) throw badType('[]interface {}', value)
    return value
  }

  mergeFields(): JsonObject {
    for (const given of Object.keys(this.#patch)) {
      if (this.#done.has(given)) continue
      const isDeletion = given.startsWith(DELETE_FROM_PRIMITIVE_LIST)
      const key = isDeletion ? keyBehind(given, DELETE_FROM_PRIMITIVE_LIST) : given
      const value = this.#patch[given] as Json
      if (value === null) delete this.#out[key]
      else this.#mergeField(key, value, isDeletion)
    }
    return this.#out
  }

  #mergeField(key: string, value: Json, isDeletion: boolean): void {
    const original = Object.hasOwn(this.#out, key) ? this.#out[key] : undefined
    if (original === undefined || kindOf(original) !== kindOf(value)) {
      if (!isDeletion) this.#set(key, cleaned(value))
    } else if (isObject(original) && isObject(value)) {
      const field = this.#field(key)
      if (strategyOf(field) === 'replace') assign(this.#out, key, value)
      else assign(this.#out, key, mergeMaps(original, value, field.type))
    } else if (Array.isArray(original) && Array.isArray(value)) {
      const field = this.#field(key)
      const item = itemType(field, this.#type)
      const options = { item, mergeKey: field.patchMergeKey ?? '', isDeletion, mergeMaps }
      const merges = isDeletion || strategyOf(field) === 'merge'
      assign(this.#out, key, merges ? mergeLists(original, value, options) : value)
    } else assign(this.#out, key, value)
  }

  #set(key: string, value: Json | undefined): void {
    if (value === undefined) delete this.#out[key]
    else assign(this.#out, key, value)
  }

  #field(key: string): Field {
    const type = this.#type
    const single = goStruct(type)
    if (single !== undefined) {
      const at = JSON.stringify(key)
      throw failure(`unable to find api field in struct ${single} for the json field ${at}`)
    }
    if (type.kind !== 'struct') {
      throw failure(`merging an object in json but data type is not struct, instead is: ${goKind(type)}`)
    }
    const field = type.byName.get(key)
    if (field) return field
    const struct = type.name.slice(type.name.lastIndexOf('.') + 1)
    throw failure(`unable to find api field in struct ${struct} for the json field ${JSON.stringify(key)}`)
  }
}

/** The Go structs that stand for one JSON value of any kind, or for a text or number. */
const SINGLE_VALUES: Readonly<Partial<Record<Type['kind'], string>>> = {
  intOrString: 'IntOrString',
  quantity: 'Quantity',
  time: 'Time',
  microtime: 'MicroTime',
  duration: 'Duration',
}

function goStruct(type: Type): string | undefined {
  if (type.kind !== 'any') return SINGLE_VALUES[type.kind]
  return type.format === 'rawExtension' ? 'RawExtension' : type.format === 'fieldsV1' ? 'FieldsV1' : 'JSON'
}

function goKind(type: Type): string {
  if (type.kind === 'list' || type.kind === 'bytes') return 'slice'
  if (type.kind === 'integer') return type.format ?? 'int64'
  if (type.kind === 'boolean') return 'bool'
  return type.kind === 'number'
    ? 'float64'
    : type.kind === 'map'
      ? 'map'
      : type.kind === 'string'
        ? 'string'
        : 'struct'
}

/** The strategy of a field without retainKeys, which only concerns whoever makes patches. */
const strategyOf = (field: Field): string =>
  field.patchStrategy.find((strategy) => strategy !== 'retainKeys') ?? ''

function itemType(field: Field, parent: Type): Type {
  if (field.type.kind !== 'list') {
    throw failure(`expected slice or array type, but got: ${goKind(parent)}`)
  }
  if (field.type.item.kind === 'list') throw failure('unexpected slice of slice')
  return field.type.item
}
