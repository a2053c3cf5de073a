// What tells the items of an associative list apart: the value itself in a set, the key fields in a list of maps, with
// the defaults that the schema states for keys that are left out.
// Follows sigs.k8s.io/structured-merge-diff/v6/typed (listItemToPathElement).
import { isObject, type Json } from '../../machinery/json.ts'
import { goQuoteList } from '../../machinery/quote.ts'
import { jsonText } from './fieldset.ts'
import type { ListType } from '../type.ts'

/** An item of an associative list has no identity; the message is upstream's. */
export class FieldSetError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FieldSetError'
  }
}

/** Runs one stage of a computation; where it fails, the stage is said, as upstream says it. */
export function during<T>(stage: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof FieldSetError) throw new FieldSetError(`${stage}: ${error.message}`)
    throw error
  }
}

/**
 * The path element of an item of a set or of a list with keys.
 * @throws FieldSetError for null, for a scalar among maps, a map among scalars, an item without any key
 */
export function itemElement(type: ListType, item: Json): string {
  return type.listType === 'map' ? keyOf(type, item) : memberOf(item)
}

function keyOf(type: ListType, item: Json): string {
  if (item === null) throw new FieldSetError('associative list with keys may not have a null element')
  if (!isObject(item)) throw new FieldSetError('associative list with keys may not have non-map elements')
  let key = ''
  for (const { name, prefix, byDefault } of keysOf(type)) {
    const value = Object.hasOwn(item, name) ? item[name] : byDefault
    if (value !== undefined) key += `${key === '' ? '' : ','}${prefix}${jsonText(value)}`
  }
  if (key === '') {
    throw new FieldSetError(
      `associative list with keys has an element that omits all key fields ${goQuoteList(type.mapKeys)} (and doesn't have default values for any key fields)`,
    )
  }
  return `k:{${key}}`
}

interface Key {
  readonly name: string
  /** `"name":` */
  readonly prefix: string
  readonly byDefault: Json | undefined
}

const sortedKeys = new WeakMap<ListType, readonly Key[]>()

function keysOf(type: ListType): readonly Key[] {
  let keys = sortedKeys.get(type)
  if (!keys) {
    keys = type.mapKeys
      .toSorted()
      .map((name) => ({ name, prefix: `${jsonText(name)}:`, byDefault: keyDefault(type, name) }))
    sortedKeys.set(type, keys)
  }
  return keys
}

/** What the schema states; fields that Go always writes have their zero value for a default. */
function keyDefault(type: ListType, name: string): Json | undefined {
  const field = type.item.kind === 'struct' ? type.item.byName.get(name) : undefined
  if (!field) return undefined
  if (field.default !== undefined) return field.default as Json
  if (field.omitEmpty || field.pointer) return undefined
  return field.type.kind === 'integer' ? 0 : field.type.kind === 'boolean' ? false : ''
}

function memberOf(item: Json): string {
  if (item === null)
    throw new FieldSetError("associative list without keys has an element that's an explicit null")
  if (Array.isArray(item)) throw new FieldSetError('not supported: associative list with lists as elements')
  if (typeof item === 'object')
    throw new FieldSetError("associative list without keys has an element that's a map type")
  return `v:${jsonText(item)}`
}
