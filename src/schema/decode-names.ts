// How Go names JSON values and types in the messages of its decoder. Follows encoding/json and the packages of k8s.io/api.
import type { Json } from '../machinery/json.ts'
import { readFacts } from './facts.ts'
import type { Type } from './type.ts'

/** What Go calls a JSON value. */
export function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'bigint') return 'number'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** "io.k8s.api.core.v1.PodSpec" is "v1.PodSpec" to Go. */
function goStruct(definition: string): string {
  const parts = definition.split('.')
  return parts.slice(-2).join('.')
}

/** A value's place in a Go struct: `depth` lists and maps below the field. */
export interface GoPlace {
  /** OpenAPI definition of the struct. */
  readonly owner: string
  readonly field: string
  readonly depth: number
}

/** What Go prints of a type: "int32", "[]v1.Container", "v1.PullPolicy"; `place` tells names that the type does not. */
export function goTypeOf(type: Type, place: GoPlace): string {
  const declared = declaredType(place)
  return declared === undefined ? derivedType(type) : printed(declared)
}

/** What follows from the type itself, as for custom resources. */
function derivedType(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return goStruct(type.name)
    case 'list':
      return `[]${derivedType(type.item)}`
    case 'map':
      return `map[string]${derivedType(type.value)}`
    case 'integer':
      return type.format === 'int32' ? 'int32' : 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'bytes':
      return '[]uint8'
    case 'any':
      return 'interface {}'
    default:
      return 'string'
  }
}

// ---- the types as the Go sources spell them, read when the first message needs one

interface GoField {
  /** "" for inlined structs. */
  readonly name: string
  readonly type: string
}

interface GoType {
  readonly fields?: readonly GoField[]
  readonly alias?: string
}

type GoTypes = Readonly<Record<string, { readonly types: Readonly<Record<string, GoType>> }>>

let facts: GoTypes | undefined

function find(name: string): { home: string; type: GoType } | undefined {
  facts ??= readFacts<GoTypes>('go-types') ?? {}
  const dot = name.lastIndexOf('.')
  const home = name.slice(0, dot)
  const types = Object.hasOwn(facts, home) ? facts[home]?.types : undefined
  const own = name.slice(dot + 1)
  const type = types && Object.hasOwn(types, own) ? types[own] : undefined
  return type && { home, type }
}

/** Names of the same package begin with a dot. */
const absolute = (text: string, home: string): string => text.replace(/(^|[\]*[])\.(?=\w)/g, `$1${home}.`)

function declaredType({ owner, field, depth }: GoPlace): string | undefined {
  let text = fieldType(owner, field)
  for (let i = 0; i < depth && text !== undefined; i++) text = itemType(text)
  return text
}

function fieldType(owner: string, name: string): string | undefined {
  const found = find(owner)
  for (const field of found?.type.fields ?? []) {
    const text = absolute(field.type, found?.home as string)
    if (field.name === name) return text
    const inlined = field.name === '' ? fieldType(text.replace('*', ''), name) : undefined
    if (inlined !== undefined) return inlined
  }
  return undefined
}

function itemType(text: string): string | undefined {
  const bare = text.replace(/^\*/, '')
  if (bare.startsWith('[]')) return bare.slice(2)
  if (bare.startsWith('map[')) return bare.slice(bare.indexOf(']') + 1)
  const named = find(bare)
  return named?.type.alias === undefined ? undefined : itemType(absolute(named.type.alias, named.home))
}

/** Packages go by their last part; a pointer is reported as what it points to. */
function printed(text: string): string {
  const short = text.replace(/^\*/, '').replace(/[\w.-]+\.(\w+\.\w+)/g, '$1')
  return short.replace(/\bbyte\b/g, 'uint8')
}
