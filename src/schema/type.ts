// The type graph that every engine of this room walks: decode, default, fieldset, strategic merge, protobuf.
// A built-in kind's graph comes from api/openapi (see registry of types in types.ts), a custom
// resource's from its own schema; both have this shape.

export type ScalarKind =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  /** base64 text in JSON, bytes in protobuf */
  | 'bytes'
  /** resource.Quantity: "500m" */
  | 'quantity'
  /** metav1.Time: RFC 3339, seconds */
  | 'time'
  /** metav1.MicroTime: RFC 3339, microseconds */
  | 'microtime'
  /** metav1.Duration: Go's "1m30s" */
  | 'duration'
  | 'intOrString'

export interface ScalarType {
  readonly kind: ScalarKind
  /** int32, int64, double, date-time …; absent for plain text. */
  readonly format?: string
  readonly enum?: readonly string[]
}

export interface StructType {
  readonly kind: 'struct'
  /** The OpenAPI definition: "io.k8s.api.core.v1.PodSpec". */
  readonly name: string
  /** In the order of the Go struct, which is the order of the keys in upstream's JSON. */
  readonly fields: readonly Field[]
  readonly byName: ReadonlyMap<string, Field>
  /** x-kubernetes-map-type: atomic — one owner for the whole. */
  readonly atomic: boolean
  /** What keys hold that `fields` does not name (x-kubernetes-preserve-unknown-fields); absent where there may be none. */
  readonly rest?: Type
  /** Protobuf message: "k8s.io.api.core.v1.PodSpec"; absent for types without one. */
  readonly message?: string
}

export interface MapType {
  readonly kind: 'map'
  readonly value: Type
  readonly atomic: boolean
}

export interface ListType {
  readonly kind: 'list'
  readonly item: Type
  readonly listType: 'atomic' | 'set' | 'map'
  /** For listType map. */
  readonly mapKeys: readonly string[]
}

/** Any JSON: RawExtension, apiextensions JSON, FieldsV1. */
export interface AnyType {
  readonly kind: 'any'
  readonly format?: 'rawExtension' | 'fieldsV1' | 'json'
}

export type Type = ScalarType | StructType | MapType | ListType | AnyType

export interface Field {
  readonly name: string
  /** Resolved at first use, so that recursive types and unused kinds cost nothing. */
  readonly type: Type
  readonly required: boolean
  /** The default that the OpenAPI document states, where it is more than the zero value. */
  readonly default?: unknown
  /** x-kubernetes-patch-strategy, split at commas: merge, replace, retainKeys. */
  readonly patchStrategy: readonly string[]
  readonly patchMergeKey?: string
  /** A Go pointer (or slice, or map): absent and zero differ. */
  readonly pointer: boolean
  /** Dropped from JSON when it has its zero value. */
  readonly omitEmpty: boolean
  /** Protobuf field number; absent where the message has no such field. */
  readonly number?: number
  /**
   * The messages between the struct's own and the one that `number` counts in, outermost first: Go inlines these
   * structs in JSON, protobuf nests them (Volume: the field "secret" is number 6 of volumeSource, number 2).
   */
  readonly embedded?: readonly { readonly number: number; readonly message: string }[]
  /** Protobuf type of the field or of the map's value: "string", "int32", "k8s.io.api.core.v1.PodSpec", "map<string,bytes>" … */
  readonly protoType?: string
}
