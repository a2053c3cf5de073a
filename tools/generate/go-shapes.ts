// Turns the Go types of go-types.json into type rows: aliases resolved down to scalars, lists, maps and structs.
import type { TypeRow } from '../../src/schema/types-rows.ts'
import type { GoType, Spec } from './spec.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const RUNTIME = 'io.k8s.apimachinery.pkg.runtime'
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** Named Go types with a JSON form of their own. */
const SPECIAL: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.api.resource.QuantityValue': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'intOrString',
  [`${META}.Time`]: 'time',
  [`${META}.MicroTime`]: 'microtime',
  [`${META}.Duration`]: 'duration',
  [`${META}.FieldsV1`]: 'any:fieldsV1',
  [`${RUNTIME}.RawExtension`]: 'any:rawExtension',
  [`${RUNTIME}.Object`]: 'any',
  [`${EXTENSIONS}.JSON`]: 'any:json',
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`]: 'any:json',
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`]: 'any:json',
  [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`]: 'any:json',
}

const BASIC: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int: 'int32',
  int32: 'int32',
  int64: 'int64',
  float64: 'double',
  '?': 'any',
}

export interface Shape {
  readonly row: TypeRow
  readonly pointer: boolean
  readonly enum?: readonly string[]
}

/** Definitions with a JSON form of their own: no struct is made of them. */
export function isSpecial(definition: string): boolean {
  return definition in SPECIAL
}

export function splitDefinition(definition: string): [pkg: string, name: string] {
  const dot = definition.lastIndexOf('.')
  return [definition.slice(0, dot), definition.slice(dot + 1)]
}

export function goType(spec: Spec, definition: string): GoType | undefined {
  const [pkg, name] = splitDefinition(definition)
  return spec.go[pkg]?.types[name]
}

/** The struct that a definition is: its own, or that of the type it renames. */
export function structOf(spec: Spec, definition: string): { pkg: string; type: GoType } | undefined {
  const [pkg] = splitDefinition(definition)
  const type = goType(spec, definition)
  if (type?.alias === undefined) return type && { pkg, type }
  return spec.schemas.has(definition) ? structOf(spec, qualify(pkg, type.alias)) : undefined
}

/** The full definition of a name written in package `pkg`. */
export function qualify(pkg: string, name: string): string {
  return name.startsWith('.') ? pkg + name : name
}

/** The shape of Go type `text` written in package `pkg`; references come out fully named. */
export function shapeOf(spec: Spec, pkg: string, text: string): Shape {
  if (text.startsWith('*')) return { ...shapeOf(spec, pkg, text.slice(1)), pointer: true }
  if (text === '[]byte') return { row: 'bytes', pointer: true }
  if (text.startsWith('[]')) {
    const item = shapeOf(spec, pkg, text.slice(2))
    return { row: { list: item.row }, pointer: true, ...(item.enum && { enum: item.enum }) }
  }
  if (text.startsWith('map[')) {
    const value = shapeOf(spec, pkg, text.slice(text.indexOf(']') + 1))
    return { row: { map: value.row }, pointer: true, ...(value.enum && { enum: value.enum }) }
  }
  const basic = BASIC[text]
  if (basic !== undefined) return { row: basic, pointer: false }
  return namedShape(spec, qualify(pkg, text))
}

function namedShape(spec: Spec, definition: string): Shape {
  const special = SPECIAL[definition]
  if (special !== undefined) return { row: special, pointer: false }
  const type = goType(spec, definition)
  if (type === undefined) throw new Error(`no Go type ${definition}`)
  if (type.alias === undefined || spec.schemas.has(definition)) return { row: definition, pointer: false }
  const shape = shapeOf(spec, splitDefinition(definition)[0], type.alias)
  return type.enum === undefined ? shape : { ...shape, enum: type.enum }
}
