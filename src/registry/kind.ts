// What makes the objects of one served version of a resource, whatever it comes from: the facts of the release for the
// built-in kinds, a definition for custom ones. The handlers see no difference.
// Follows k8s.io/apiserver/pkg/endpoints/handlers (RequestScope) and pkg/registry/generic.
import type { Json } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Decoded } from '../schema/decode.ts'
import type { SelectableFields } from '../schema/selectable.ts'
import type { TableShape } from '../schema/table.ts'
import type { StructType } from '../schema/type.ts'
import type { Versions } from '../schema/versions.ts'
import type { Strategy } from './strategy.ts'
import type { Projection } from './subresource.ts'

export interface Kind {
  /** In the version that is served. */
  readonly type: StructType
  /** In the version that lies in the store. */
  readonly storageType: StructType
  readonly strategy: Strategy
  readonly selectable: SelectableFields
  /** The kind in other versions, for who owns which field there. */
  readonly versions: Versions
  /** Reads a body's JSON as an object of the served version, with defaults. May throw DecodeError. */
  decode(input: Json): Decoded
  /** The same without defaults. */
  decodeOnly(input: Json): Decoded
  /** From the served to the stored version; a fresh object, or the same where both are one. */
  toStorage(object: KubeObject): KubeObject
  /** From the stored to the served version; never changes `object`. */
  toServed(object: KubeObject): KubeObject
  /** Bytes for the store, of an object in the stored version: without metadata.resourceVersion. */
  storedJson(object: KubeObject): Buffer
  /** The same of an object in the served version. */
  servedJson(object: KubeObject): Buffer
  /** Stored bytes of any writer to ours. */
  readStored(value: Buffer): Buffer
  /** Present for custom kinds. */
  readonly custom?: CustomParts
}

/** What custom kinds have of their own, where built-in ones have it in the facts. */
export interface CustomParts {
  readonly table: TableShape
  /** Where the replicas stand that the scale subresource shows: "spec.replicas". */
  readonly replicasPath: string
  readonly scale: Projection | undefined
  /** Said with every answer about a version that is deprecated. */
  readonly warning: string | undefined
}
