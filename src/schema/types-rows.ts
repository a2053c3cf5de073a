// The rows of api/openapi/types/*.json: what the generator writes and types.ts reads. One file is one Go package.

/**
 * A scalar ("string", "int32", "quantity" …), "any" with its format ("any:rawExtension"), ".Name" for a struct of
 * the same file, or another file's definition.
 */
export type TypeRow =
  | string
  | {
      readonly list: TypeRow
      readonly listType?: 'atomic' | 'set' | 'map'
      readonly keys?: readonly string[]
    }
  /** A map type is stated as atomic or as granular, or not at all, which is granular too. */
  | { readonly map: TypeRow; readonly atomic?: boolean }
  /** A struct whose map type this field states for itself. */
  | { readonly struct: string; readonly atomic: boolean }

export interface FieldRow {
  readonly type: TypeRow
  readonly required?: true
  /** Of bytes, which are a list to Go alone. */
  readonly listType?: 'atomic'
  readonly default?: unknown
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  readonly pointer?: true
  /** Go's omitempty, which has no effect on structs. */
  readonly omitEmpty?: true
  /** Go's omitzero: a zero struct is dropped too. */
  readonly omitZero?: true
  /** Protobuf number. */
  readonly number?: number
  /** Protobuf type, where it does not follow from the field's type. */
  readonly protoType?: string
  /** Index of the entry of StructRow.embedded whose innermost message carries this field. */
  readonly embedded?: number
  readonly enum?: readonly string[]
}

/** From the struct's own message inwards: number and message. */
export type EmbeddedPath = readonly (readonly [number: number, message: string])[]

export interface StructRow {
  /** It carries kind and apiVersion by way of TypeMeta. */
  readonly kind?: true
  readonly fields: Readonly<Record<string, FieldRow>>
  readonly atomic?: true
  /** True where protobuf has a message of this name. */
  readonly message?: true
  /** Inlined structs, which are messages of their own in protobuf. */
  readonly embedded?: readonly EmbeddedPath[]
  /** x-kubernetes-group-version-kind, where it is not just the package's group and version and the type's name. */
  readonly gvk?: readonly (readonly [group: string, version: string, kind: string])[]
  /** x-kubernetes-unions, as the OpenAPI documents state it. */
  readonly unions?: readonly unknown[]
  /** False for types that the OpenAPI documents leave out. */
  readonly published?: false
}

export interface PackageRow {
  /** Null for packages without kinds of their own. */
  readonly group: string | null
  readonly types: Readonly<Record<string, StructRow>>
}

/** The protobuf message of a definition: "io.k8s.kube-aggregator.X" is "k8s.io.kube_aggregator.X". */
export function messageOf(definition: string): string {
  return definition.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_')
}

const PROTO_SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'double',
  boolean: 'bool',
  bytes: 'bytes',
  quantity: 'k8s.io.apimachinery.pkg.api.resource.Quantity',
  time: 'k8s.io.apimachinery.pkg.apis.meta.v1.Time',
  microtime: 'k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime',
  duration: 'k8s.io.apimachinery.pkg.apis.meta.v1.Duration',
  intOrString: 'k8s.io.apimachinery.pkg.util.intstr.IntOrString',
  'any:rawExtension': 'k8s.io.apimachinery.pkg.runtime.RawExtension',
  'any:fieldsV1': 'k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1',
}

/** The protobuf type that follows from a row written in package `home`. */
export function protoTypeOf(home: string, row: TypeRow): string {
  if (typeof row === 'string') return PROTO_SCALARS[row] ?? messageOf(row.startsWith('.') ? home + row : row)
  if ('list' in row) return protoTypeOf(home, row.list)
  if ('map' in row) return `map<string,${protoTypeOf(home, row.map)}>`
  return protoTypeOf(home, row.struct)
}
