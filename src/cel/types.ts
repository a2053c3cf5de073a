// Types of CEL: what expressions are checked against, and how JSON is read as values. Stands in front of the checker
// and of the evaluator. Follows cel-go common/types and k8s.io/apiserver/pkg/cel (types.go).

export type SimpleKind =
  'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'timestamp' | 'duration' | 'dyn' | 'type'

export interface SimpleType {
  readonly kind: SimpleKind
}

/** How two lists are equal and added: as sets, or by the keys of their items (x-kubernetes-list-type). */
export interface ListType {
  readonly kind: 'list'
  readonly item: CelType
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly mapKeys?: readonly string[]
}

export interface MapType {
  readonly kind: 'map'
  readonly key: CelType
  readonly value: CelType
}

/** One of a library's own types: optional_type(T), kubernetes.Quantity, net.IP … */
export interface OpaqueType {
  readonly kind: 'opaque'
  readonly name: string
  readonly params: readonly CelType[]
}

export interface ObjectField {
  readonly type: CelType
  /** The key in JSON, where it is not the field's name in CEL (see escapeName). */
  readonly json?: string
}

/** A struct, or an object of a schema with properties. `fields` is asked for one name at a time. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  field(name: string): ObjectField | undefined
  /** Values may hold any field (Object of mutations): nothing is said about names that `field` does not know. */
  readonly open?: boolean
}

export interface ParamType {
  readonly kind: 'param'
  readonly name: string
}

export type CelType = SimpleType | ListType | MapType | OpaqueType | ObjectType | ParamType

export const BOOL: CelType = { kind: 'bool' }
export const INT: CelType = { kind: 'int' }
export const UINT: CelType = { kind: 'uint' }
export const DOUBLE: CelType = { kind: 'double' }
export const STRING: CelType = { kind: 'string' }
export const BYTES: CelType = { kind: 'bytes' }
export const NULL: CelType = { kind: 'null' }
export const TIMESTAMP: CelType = { kind: 'timestamp' }
export const DURATION: CelType = { kind: 'duration' }
export const DYN: CelType = { kind: 'dyn' }
export const TYPE: CelType = { kind: 'type' }

export const listOf = (item: CelType): ListType => ({ kind: 'list', item })
export const mapOf = (key: CelType, value: CelType): MapType => ({ kind: 'map', key, value })
export const opaque = (name: string, ...params: CelType[]): OpaqueType => ({ kind: 'opaque', name, params })
export const optionalOf = (value: CelType): OpaqueType => opaque('optional_type', value)

/** An object type whose fields are all known beforehand. */
export function objectOf(name: string, fields: Readonly<Record<string, CelType>>): ObjectType {
  const known = new Map(Object.entries(fields).map(([key, type]) => [key, { type }]))
  return { kind: 'object', name, field: (field) => known.get(field) }
}

export const isOptional = (type: CelType): type is OpaqueType =>
  type.kind === 'opaque' && type.name === 'optional_type'

/** A type's name in the checker's errors. */
export function describe(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${describe(type.item)})`
    case 'map':
      return `map(${describe(type.key)}, ${describe(type.value)})`
    case 'opaque':
      return type.params.length ? `${type.name}(${type.params.map(describe).join(', ')})` : type.name
    case 'object':
    case 'param':
      return type.name
    default:
      return type.kind
  }
}

/** A type's name by cel-go's Type.String: "null_type" and "google.protobuf.Timestamp", where the checker says less. */
export function typeName(type: CelType): string {
  if (type.kind === 'null') return 'null_type'
  if (type.kind === 'timestamp') return 'google.protobuf.Timestamp'
  if (type.kind === 'duration') return 'google.protobuf.Duration'
  if (type.kind === 'list') return `list(${typeName(type.item)})`
  if (type.kind === 'map') return `map(${typeName(type.key)}, ${typeName(type.value)})`
  if (type.kind === 'opaque' && type.params.length)
    return `${type.name}(${type.params.map(typeName).join(', ')})`
  return describe(type)
}

/** The two are one type. */
export function sameType(a: CelType, b: CelType): boolean {
  return a === b || (a.kind === b.kind && typeName(a) === typeName(b))
}

const RESERVED_NAMES: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const ESCAPES: readonly (readonly [string, string])[] = [
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]

/**
 * The name by which expressions reach a property: "my-prop" is my__dash__prop, a reserved word __word__. undefined for
 * names that CEL cannot reach.
 */
export function escapeName(property: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(property)) return undefined
  if (RESERVED_NAMES.has(property)) return `__${property}__`
  let name = ''
  for (let i = 0; i < property.length;) {
    const escape = ESCAPES.find(([plain]) => property.startsWith(plain, i))
    name += escape ? escape[1] : property.charAt(i)
    i += escape ? escape[0].length : 1
  }
  return name
}
