// How large the data of a schema can be, as far as its limits and the size of a request tell: what the cost of rules is
// estimated by. Follows k8s.io/apiserver/pkg/cel/common (SchemaDeclType) and pkg/cel/limits.go.
import { escapeName } from '../../cel/types.ts'
import type { Json } from '../../machinery/json.ts'
import type { SchemaNode } from '../../schema/custom/structural.ts'

/** The largest request that estimates reckon with. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024
/** Characters of JSON of the smallest values. */
const MIN_BYTES = { string: 2, boolean: 4, number: 1, integer: 1 } as const
/** The shortest and the longest texts of formats. */
const FORMATS: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  duration: { min: 3, max: 32 },
  date: { min: 12, max: 12 },
  'date-time': { min: 21, max: 32 },
}
/** A character of maxLength may be so many bytes. */
const BYTES_A_CHARACTER = 4

/** One part of the data. */
export interface Sized {
  /** Bytes of a text, items of a list, keys of a map; 0 for what has no size. */
  readonly max: number
  /** Bytes of the shortest JSON. */
  readonly minBytes: number
  /** Of a list or a map. */
  readonly item?: Sized
  /** Of an object, by their names in CEL. */
  readonly fields?: ReadonlyMap<string, Sized>
}

const TEXT: Sized = { max: 0, minBytes: MIN_BYTES.string }
const META_FIELDS: ReadonlyMap<string, Sized> = new Map([
  ['name', { max: MAX_REQUEST_BYTES - 2, minBytes: MIN_BYTES.string }],
  ['generateName', { max: MAX_REQUEST_BYTES - 2, minBytes: MIN_BYTES.string }],
])
const NAME: Sized = { max: MAX_REQUEST_BYTES - 2, minBytes: MIN_BYTES.string }

const made = new WeakMap<SchemaNode, Sized | null>()

/** The sizes of a node; undefined where rules see nothing of it. `whole`: it is an object of the API. */
export function sizesOf(node: SchemaNode, whole: boolean): Sized | undefined {
  let sized = made.get(node)
  if (sized === undefined) made.set(node, (sized = sizedOf(node, whole) ?? null))
  return sized ?? undefined
}

/** The largest size at a path below `self` or `oldSelf`: "self", "list", "@items". */
export function sizeAt(root: Sized, path: readonly string[]): number | undefined {
  let here: Sized | undefined = root
  for (const step of path.slice(1)) {
    if (step === '@items' || step === '@values') here = here.item
    else if (step === '@keys') here = here.item && !here.fields ? TEXT : undefined
    else here = here.fields?.get(step)
    if (!here) return undefined
  }
  return here.max
}

const numberAt = (node: SchemaNode, key: string): number | undefined => {
  const value = node.props[key]
  return typeof value === 'number' ? Math.max(0, value) : undefined
}

function sizedOf(node: SchemaNode, whole: boolean): Sized | undefined {
  if (node.intOrString) return { max: textSize(node) ?? MAX_REQUEST_BYTES - 2, minBytes: 1 }
  switch (node.type) {
    case 'boolean':
    case 'number':
    case 'integer':
      return { max: 0, minBytes: MIN_BYTES[node.type] }
    case 'string':
      return text(node)
    case 'array': {
      const item = node.items && sizesOf(node.items, node.items.embedded)
      const fits = Math.floor((MAX_REQUEST_BYTES - 2) / ((item?.minBytes ?? 0) + 1))
      return item && { max: numberAt(node, 'maxItems') ?? fits, minBytes: 2, item }
    }
    case 'object':
      return object(node, whole)
    default:
      return undefined
  }
}

/** maxLength counts characters. */
function textSize(node: SchemaNode): number | undefined {
  const characters = numberAt(node, 'maxLength')
  return characters === undefined ? undefined : characters * BYTES_A_CHARACTER
}

function text(node: SchemaNode): Sized {
  const format = FORMATS[String(node.props['format'] ?? '')]
  if (format) return { max: format.max, minBytes: format.min }
  const { string: minBytes } = MIN_BYTES
  if (node.props['format'] === 'byte')
    return { max: numberAt(node, 'maxLength') ?? MAX_REQUEST_BYTES - 2, minBytes }
  const given: Json = node.props['enum'] ?? []
  const longest = Array.isArray(given) && given.length > 0 ? Math.max(...given.map(lengthOf)) : undefined
  return { max: textSize(node) ?? longest ?? MAX_REQUEST_BYTES - 2, minBytes }
}

const lengthOf = (value: Json): number => (typeof value === 'string' ? Buffer.byteLength(value) : 0)

function object(node: SchemaNode, whole: boolean): Sized | undefined {
  if (typeof node.additional === 'object') {
    const item = sizesOf(node.additional, node.additional.embedded)
    const fits = Math.floor((MAX_REQUEST_BYTES - 2) / ((item?.minBytes ?? 0) + 6))
    return item && { max: numberAt(node, 'maxProperties') ?? fits, minBytes: 2, item }
  }
  const given = node.props['required']
  const required = new Set(Array.isArray(given) ? given : [])
  const fields = new Map<string, Sized>()
  let minBytes = 2
  for (const [key, property] of node.properties) {
    const sized = sizesOf(property, property.embedded)
    if (!sized) continue
    const name = escapeName(key)
    if (name !== undefined) fields.set(name, sized)
    if (required.has(key) && property.default === undefined)
      minBytes += Buffer.byteLength(key) + sized.minBytes + 4
  }
  if (whole || node.embedded) {
    fields.set('apiVersion', NAME).set('kind', NAME)
    fields.set('metadata', { max: 0, minBytes: 2, fields: META_FIELDS })
  }
  return { max: 0, minBytes, fields }
}
