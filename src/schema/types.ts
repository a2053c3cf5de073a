// The registry of built-in types: definition or kind to the type graph that the engines of this room walk.
// Built at first use, one file of api/openapi/types (one Go package) at a time; references between structs are
// resolved when they are followed. Follows what k8s.io/apimachinery/pkg/runtime's Scheme knows.
import type { GroupVersion, GroupVersionKind } from '../machinery/gvk.ts'
import { factNames, readFacts } from './facts.ts'
import type { AnyType, Field, ScalarType, StructType, Type } from './type.ts'
import { messageOf, protoTypeOf } from './types-rows.ts'
import type { FieldRow, PackageRow, StructRow, TypeRow } from './types-rows.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** Every package that api/openapi has, read or not yet; clients name others at will. */
let packages: Map<string, PackageRow | undefined> | undefined
const structs = new Map<string, StructType>()

/** The struct of an OpenAPI definition ("io.k8s.api.core.v1.PodSpec"); undefined for scalars and unknown names. */
export function typeOf(definition: string): StructType | undefined {
  const known = structs.get(definition)
  if (known !== undefined) return known
  const row = structRow(definition)
  if (row === undefined) return undefined
  const struct = buildStruct(definition, row)
  structs.set(definition, struct)
  return struct
}

/**
 * The struct of a kind, built-in or served by no version any more (extensions/v1beta1). The kinds that every group
 * version has (DeleteOptions, WatchEvent, ListOptions …) are found under any group and version.
 */
export function typeForKind(gvk: GroupVersionKind): StructType | undefined {
  const definition = definitionOf(gvk)
  return definition === undefined ? undefined : typeOf(definition)
}

/** The OpenAPI definition of a kind; see typeForKind. */
export function definitionOf(gvk: GroupVersionKind): string | undefined {
  for (const name of packagesOf(gvk)) {
    const row = packageRow(name)?.types
    if (row !== undefined && Object.hasOwn(row, gvk.kind) && row[gvk.kind]?.kind === true)
      return `${name}.${gvk.kind}`
  }
  return META_KINDS.has(gvk.kind) ? `${META}.${gvk.kind}` : undefined
}

/** What upstream registers in every group version (metav1.AddToGroupVersion), and the unversioned kinds. */
const META_KINDS: ReadonlySet<string> = new Set([
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'Status',
  'UpdateOptions',
  'WatchEvent',
])

/** The published rows of a definition, with what only documentation needs; undefined for unknown names. */
export function structRow(definition: string): StructRow | undefined {
  const dot = definition.lastIndexOf('.')
  const types = packageRow(definition.slice(0, dot))?.types
  const name = definition.slice(dot + 1)
  return types !== undefined && Object.hasOwn(types, name) ? types[name] : undefined
}

/** The rows of one Go package ("io.k8s.api.core.v1"), kept once read; undefined for names that api/openapi lacks. */
export function packageRow(name: string): PackageRow | undefined {
  packages ??= new Map(factNames('types').map((one) => [one, undefined]))
  if (!packages.has(name)) return undefined
  let row = packages.get(name)
  if (row === undefined) packages.set(name, (row = readFacts<PackageRow>(`types/${name}`)))
  return row
}

/** Packages whose folder is not the first label of the group. */
const PACKAGES: Readonly<Record<string, string>> = {
  '': 'io.k8s.api.core',
  'internal.apiserver.k8s.io': 'io.k8s.api.apiserverinternal',
  'meta.k8s.io': 'io.k8s.apimachinery.pkg.apis.meta',
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
}

function packagesOf({ group, version }: GroupVersion): string[] {
  const folder = Object.hasOwn(PACKAGES, group) ? PACKAGES[group] : `io.k8s.api.${group.split('.')[0]}`
  const name = `${folder}.${version}`
  return packageRow(name)?.group === group ? [name] : []
}

function buildStruct(definition: string, row: StructRow): StructType {
  const home = definition.slice(0, definition.lastIndexOf('.'))
  const fields = Object.entries(row.fields).map(([name, field]) => buildField(home, name, field, row))
  return {
    kind: 'struct',
    name: definition,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    atomic: row.atomic === true,
    ...(row.message === true && { message: messageOf(definition) }),
  }
}

function buildField(home: string, name: string, row: FieldRow, struct: StructRow): Field {
  let type: Type | undefined
  const path = row.embedded === undefined ? undefined : struct.embedded?.[row.embedded]
  return {
    name,
    get type() {
      type ??= resolveType(home, row.type, row.enum)
      return type
    },
    required: row.required === true,
    ...(row.default !== undefined &&
      (row.default || row.pointer === true || row.omitEmpty === true) && { default: row.default }),
    patchStrategy: row.patchStrategy?.split(',') ?? [],
    ...(row.patchMergeKey !== undefined && { patchMergeKey: row.patchMergeKey }),
    pointer: row.pointer === true || row.type === 'bytes' || isCollection(row.type),
    omitEmpty:
      row.omitZero === true || (row.omitEmpty === true && (row.pointer === true || !isGoStruct(row.type))),
    ...(row.number !== undefined && {
      number: row.number,
      protoType: row.protoType ?? protoTypeOf(home, row.type),
    }),
    ...(path !== undefined && { embedded: path.map(([number, message]) => ({ number, message })) }),
  }
}

function isCollection(row: TypeRow): boolean {
  return typeof row !== 'string' && !('struct' in row)
}

/** Go structs are never empty, so omitempty alone keeps them: "status":{} and "lastUpdateTime":null. */
function isGoStruct(row: TypeRow): boolean {
  if (typeof row !== 'string') return 'struct' in row
  return row !== 'any' && (!Object.hasOwn(SCALARS, row) || GO_STRUCTS.has(row))
}

const GO_STRUCTS: ReadonlySet<string> = new Set(['quantity', 'time', 'microtime', 'duration', 'intOrString'])

const SCALARS: Readonly<Record<string, ScalarType>> = {
  string: { kind: 'string' },
  int32: { kind: 'integer', format: 'int32' },
  int64: { kind: 'integer', format: 'int64' },
  double: { kind: 'number', format: 'double' },
  boolean: { kind: 'boolean' },
  bytes: { kind: 'bytes', format: 'byte' },
  quantity: { kind: 'quantity' },
  time: { kind: 'time', format: 'date-time' },
  microtime: { kind: 'microtime', format: 'date-time' },
  duration: { kind: 'duration' },
  intOrString: { kind: 'intOrString', format: 'int-or-string' },
}

function resolveType(home: string, row: TypeRow, values?: readonly string[]): Type {
  if (typeof row === 'string') return resolveName(home, row, values)
  if ('list' in row) {
    const item = resolveType(home, row.list, values)
    return { kind: 'list', item, listType: row.listType ?? 'atomic', mapKeys: row.keys ?? [] }
  }
  if ('map' in row)
    return { kind: 'map', value: resolveType(home, row.map, values), atomic: row.atomic === true }
  return { ...resolveStruct(home, row.struct), atomic: row.atomic }
}

function resolveName(home: string, name: string, values?: readonly string[]): Type {
  const scalar = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined
  if (scalar !== undefined) return values === undefined ? scalar : { ...scalar, enum: values }
  if (name === 'any') return { kind: 'any' }
  if (name.startsWith('any:')) return { kind: 'any', format: name.slice(4) as NonNullable<AnyType['format']> }
  return resolveStruct(home, name)
}

function resolveStruct(home: string, name: string): StructType {
  const definition = name.startsWith('.') ? home + name : name
  const struct = typeOf(definition)
  if (struct === undefined) throw new Error(`api/openapi has no type ${definition}`)
  return struct
}
