// Makes the rows of api/openapi/types: Go gives the order of the fields, pointers, omitempty and protobuf numbers;
// the OpenAPI schemas give what is required, defaults, list types and merge keys. Types that no OpenAPI document
// has (DeleteOptions of old groups, AdmissionReview …) get these from the comment markers of their Go sources.
import { messageOf, protoTypeOf } from '../../src/schema/types-rows.ts'
import type { EmbeddedPath, FieldRow, PackageRow, StructRow, TypeRow } from '../../src/schema/types-rows.ts'
import { isSpecial, shapeOf, splitDefinition, structOf } from './go-shapes.ts'
import type { GoField, GoType, Gvk, Schema, Spec } from './spec.ts'

interface FlatField {
  readonly pkg: string
  readonly go: GoField
  /** The protobuf messages of the inlined structs that it comes through, outermost first. */
  readonly path: EmbeddedPath
}

/** Package ("io.k8s.api.apps.v1") to its rows, sorted. */
export function typePackages(spec: Spec): ReadonlyMap<string, PackageRow> {
  const packages = new Map<string, PackageRow>()
  for (const pkg of Object.keys(spec.go).sort()) {
    const { group, types } = spec.go[pkg] ?? { group: null, types: {} }
    const rows: Record<string, StructRow> = {}
    for (const name of Object.keys(types).sort()) {
      const definition = `${pkg}.${name}`
      const struct = isSpecial(definition) ? undefined : structOf(spec, definition)
      if (struct !== undefined && isWire(spec, definition, struct.type))
        rows[name] = structRow(spec, definition, struct)
    }
    if (Object.keys(rows).length > 0) packages.set(pkg, { group, types: rows })
  }
  return packages
}

/** Go has structs that are no API data (schemes, codecs): these have no JSON names, no message and no schema. */
function isWire(spec: Spec, definition: string, type: GoType): boolean {
  return spec.schemas.has(definition) || messageOf(definition) in spec.protobuf || isKind(type)
}

function isKind(type: GoType): boolean {
  return (type.fields ?? []).some(
    (field) => field.flags?.includes('inline') && field.type.endsWith('.TypeMeta'),
  )
}

function structRow(spec: Spec, definition: string, struct: { pkg: string; type: GoType }): StructRow {
  const { type } = struct
  const [pkg, name] = splitDefinition(definition)
  const schema = spec.schemas.get(definition)
  const embedded: EmbeddedPath[] = []
  const fields: Record<string, FieldRow> = {}
  for (const flat of flatten(spec, struct)) {
    const message = flat.path.at(-1)?.[1] ?? messageOf(definition)
    const row = fieldRow({ spec, message, home: pkg }, flat, schema)
    fields[flat.go.name] =
      flat.path.length === 0 ? row : { ...row, embedded: indexOfPath(embedded, flat.path) }
  }
  const lost = Object.keys(schema?.properties ?? {}).filter((property) => !(property in fields))
  if (lost.length > 0) throw new Error(`${definition}: Go has no ${lost.join(', no ')}`)
  const gvk = schema?.['x-kubernetes-group-version-kind']
  const atomic =
    schema === undefined
      ? type.markers?.includes('structType=atomic')
      : schema['x-kubernetes-map-type'] === 'atomic'
  return {
    fields,
    ...(isKind(type) && { kind: true as const }),
    ...(atomic === true && { atomic: true as const }),
    ...(messageOf(definition) in spec.protobuf && { message: true as const }),
    ...(embedded.length > 0 && { embedded }),
    ...(gvk !== undefined && !isOwnKind(spec, pkg, name, gvk) && { gvk: gvkRows(spec, definition) }),
    ...(schema?.['x-kubernetes-unions'] !== undefined && { unions: schema['x-kubernetes-unions'] }),
    ...(schema === undefined && { published: false as const }),
  }
}

function indexOfPath(known: EmbeddedPath[], path: EmbeddedPath): number {
  const at = known.findIndex((one) => String(one) === String(path))
  return at >= 0 ? at : known.push(path) - 1
}

function isOwnKind(spec: Spec, pkg: string, name: string, gvk: readonly Gvk[]): boolean {
  const [only] = gvk
  const own = { group: spec.go[pkg]?.group, version: pkg.slice(pkg.lastIndexOf('.') + 1), kind: name }
  return (
    gvk.length === 1 && only?.group === own.group && only?.version === own.version && only?.kind === own.kind
  )
}

/** The v2 document names all groups of a shared kind; each v3 document only those of its own. */
function gvkRows(spec: Spec, definition: string): [string, string, string][] {
  const all = spec.definitions[definition]?.['x-kubernetes-group-version-kind'] ?? []
  return all.map(({ group, version, kind }) => [group, version, kind])
}

function flatten(
  spec: Spec,
  { pkg, type }: { pkg: string; type: GoType },
  path: EmbeddedPath = [],
): FlatField[] {
  return (type.fields ?? []).flatMap((go): FlatField[] => {
    if (go.name !== '' || !go.flags?.includes('inline')) return [{ pkg, go, path }]
    const { row: definition } = shapeOf(spec, pkg, go.type)
    const inner = typeof definition === 'string' ? structOf(spec, definition) : undefined
    if (inner === undefined || typeof definition !== 'string') {
      throw new Error(`${pkg} inlines ${go.type}: no struct`)
    }
    const [number] = (go.proto ?? '').split(' ')
    const inside: EmbeddedPath = number ? [...path, [Number(number), messageOf(definition)]] : path
    return flatten(spec, inner, inside)
  })
}

interface Home {
  readonly spec: Spec
  /** The message that carries the field. */
  readonly message: string
  /** The package that the row is written in. */
  readonly home: string
}

function fieldRow(
  { spec, message, home }: Home,
  { pkg, go }: FlatField,
  schema: Schema | undefined,
): FieldRow {
  const shape = shapeOf(spec, pkg, go.type)
  const property = schema?.properties?.[go.name]
  if (schema !== undefined && property === undefined)
    throw new Error(`${message} has no ${go.name} in OpenAPI`)
  const markers = new Map((go.markers ?? []).map((marker) => splitMarker(marker)))
  const row =
    property === undefined ? markedType(shape.row, go.markers ?? []) : annotatedType(shape.row, property)
  const [strategy, key] = property
    ? [property['x-kubernetes-patch-strategy'], property['x-kubernetes-patch-merge-key']]
    : (go.patch ?? [])
  const required = schema === undefined ? isRequired(go, markers) : schema.required?.includes(go.name)
  const preset = property === undefined ? markedDefault(markers.get('default')) : property.default
  const plain = typeof row === 'string' || 'struct' in row
  return {
    type: localize(home, row),
    ...(required === true && { required: true as const }),
    ...(row === 'bytes' &&
      property?.['x-kubernetes-list-type'] === 'atomic' && { listType: 'atomic' as const }),
    ...(preset !== undefined && !isImplied(preset, shape.pointer, go) && { default: preset }),
    ...(strategy ? { patchStrategy: strategy } : {}),
    ...(key ? { patchMergeKey: key } : {}),
    ...(shape.pointer && plain && row !== 'bytes' && { pointer: true as const }),
    ...(go.flags?.includes('omitempty') && { omitEmpty: true as const }),
    ...(go.flags?.includes('omitzero') && { omitZero: true as const }),
    ...protobufPart(spec, message, go, row),
    ...(shape.enum !== undefined && { enum: shape.enum }),
  }
}

function protobufPart(spec: Spec, message: string, go: GoField, row: TypeRow): Partial<FieldRow> {
  if (go.proto === undefined) return {}
  const [number, name = ''] = go.proto.split(' ')
  const stated = spec.protobuf[message]?.[name]
  if (stated === undefined) return {}
  if (stated[0] !== Number(number))
    throw new Error(`${message}.${name}: number ${number} in Go, ${stated[0]} in protobuf`)
  return {
    number: stated[0],
    ...(stated[1] !== protoTypeOf('', row) && { protoType: stated[1] }),
  }
}

function localize(home: string, row: TypeRow): TypeRow {
  const short = (name: string) => (splitDefinition(name)[0] === home ? name.slice(home.length) : name)
  if (typeof row === 'string') return short(row)
  if ('list' in row) return { ...row, list: localize(home, row.list) }
  if ('map' in row) return { ...row, map: localize(home, row.map) }
  return { ...row, struct: short(row.struct) }
}

/** List types and map types as the property states them. */
function annotatedType(row: TypeRow, property: Schema): TypeRow {
  const mapType = property['x-kubernetes-map-type']
  if (typeof row === 'string')
    return mapType === undefined ? row : { struct: row, atomic: mapType === 'atomic' }
  if ('map' in row) {
    const map = annotatedType(row.map, property.additionalProperties ?? {})
    return mapType === undefined ? { map } : { map, atomic: mapType === 'atomic' }
  }
  if (!('list' in row)) return row
  const listType = property['x-kubernetes-list-type'] as 'atomic' | 'set' | 'map' | undefined
  const keys = property['x-kubernetes-list-map-keys']
  return {
    list: annotatedType(row.list, property.items ?? {}),
    ...(listType && { listType }),
    ...(keys && { keys }),
  }
}

function markedType(row: TypeRow, markers: readonly string[]): TypeRow {
  if (typeof row === 'string') {
    const structType = markers.map(splitMarker).find(([name]) => name === 'structType')?.[1]
    return structType === undefined ? row : { struct: row, atomic: structType === 'atomic' }
  }
  if ('map' in row) return markers.includes('mapType=atomic') ? { ...row, atomic: true } : row
  if (!('list' in row)) return row
  const value = (wanted: string) => markers.map(splitMarker).filter(([name]) => name === wanted)
  const listType = value('listType')[0]?.[1] as 'atomic' | 'set' | 'map' | undefined
  const keys = value('listMapKey').map(([, key]) => key)
  return { list: row.list, ...(listType && { listType }), ...(keys.length > 0 && { keys }) }
}

function splitMarker(marker: string): [string, string] {
  const at = marker.indexOf('=')
  return at < 0 ? [marker, ''] : [marker.slice(0, at), marker.slice(at + 1)]
}

function isRequired(go: GoField, markers: ReadonlyMap<string, string>): boolean {
  if (markers.has('optional')) return false
  return markers.has('required') || !(go.flags?.includes('omitempty') || go.flags?.includes('omitzero'))
}

function markedDefault(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

/** OpenAPI states the zero value as the default of whatever Go always writes: that follows from the type. */
function isImplied(preset: unknown, pointer: boolean, go: GoField): boolean {
  if (!isZero(preset) || pointer) return false
  return typeof preset === 'object' || !(go.flags?.includes('omitempty') || go.flags?.includes('omitzero'))
}

function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === undefined || value === '' || value === 0 || value === false
}
