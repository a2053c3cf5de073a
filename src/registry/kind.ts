// What makes the objects of one served version of a resource, whatever it comes from: the facts of the release for the
// built-in kinds, a definition for custom ones. The handlers see no difference.
// Follows k8s.io/apiserver/pkg/endpoints/handlers (RequestScope) and pkg/registry/generic.
import type { Json } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { StoredReader } from '../machinery/storedreader.ts'
import type { Decoded } from '../schema/decode.ts'
import type { NumberTokens } from '../schema/json/json.ts'
import type { SelectableFields } from '../schema/selectable.ts'
import type { TableShape } from '../schema/table.ts'
import type { StructType } from '../schema/type.ts'
import type { Versions } from '../schema/versions.ts'
import type { Strategy } from './strategy.ts'
import type { Projection } from './subresource.ts'

export interface Kind {
  /** In the version that is served. */
  readonly type: StructType
  readonly strategy: Strategy
  readonly selectable: SelectableFields
  /** The kind in other versions, for who owns which field there. */
  readonly versions: Versions
  /** Reads a body's JSON as an object of the served version, with defaults; `tokens` as for decoderFor. May throw DecodeError. */
  decode(input: Json, tokens?: () => NumberTokens): Decoded
  /** The same without defaults. */
  decodeOnly(input: Json): Decoded
  /**
   * What an apply has made of the stored object and a configuration, with defaults, where that is not read as a body is:
   * upstream takes nulls out of bodies of custom objects, and refuses them here.
   */
  decodeMerged?(input: Json): Decoded
  /** From the served version to that of the cache; a fresh object, or the same where both are one. */
  toStorage(object: KubeObject): KubeObject
  /** From the version of the cache to the served one; never changes `object`. */
  toServed(object: KubeObject): KubeObject
  /** Bytes of an object in the version of the cache: without metadata.resourceVersion. */
  storedJson(object: KubeObject): Buffer
  /** The same of an object in the served version. */
  servedJson(object: KubeObject): Buffer
  /** How the cache reads what is stored. */
  readonly reader: StoredReader
  /**
   * The version of the cache, where each version that is served has one of its own; absent where all share one, in the
   * version of the store.
   */
  readonly cacheVersion?: string
  /** Present where the store has another version than the cache. */
  readonly stored?: StoredForm
  /** Present for custom kinds. */
  readonly custom?: CustomParts
}

/** Between the version of the cache and that of the store; may ask a webhook, and reject with what it has to say. */
export interface StoredForm {
  /** Bytes for the store. */
  write(object: KubeObject): Promise<Buffer>
  /** Stored bytes as the cache has them. */
  read(value: Buffer): Promise<Buffer>
}

/** What custom kinds have of their own, where built-in ones have it in the facts. */
export interface CustomParts {
  /** An object of any version of the kind in this one; may ask a webhook, and reject with what it has to say. */
  inVersion(object: KubeObject): KubeObject | Promise<KubeObject>
  readonly table: TableShape
  /** Where the replicas stand that the scale subresource shows: "spec.replicas". */
  readonly replicasPath: string
  readonly scale: Projection | undefined
  /** Said with every answer about a version that is deprecated. */
  readonly warning: string | undefined
}
