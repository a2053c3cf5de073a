// How stored bytes become those that a watch cache holds: at once or, where somebody else must convert them, later.
// Made by kinds, used by the caches. Follows k8s.io/apiserver/pkg/storage/etcd3 (decoding).

export interface StoredReader {
  /** Stored bytes (JSON or protobuf, as upstream may have written) to our JSON bytes. Called for values that are not ours. */
  transcode(value: Buffer): Buffer
  /** Present where some values must be converted by somebody who may take long, or fail. */
  readonly converter?: StoredConverter
  /**
   * Whether these bytes should be written anew by whoever writes the object, even if that changes nothing; `read` are those
   * that the cache holds instead.
   */
  isStale?(value: Buffer, read: Buffer): boolean
}

export interface StoredConverter {
  /** Whether these stored bytes cannot be transcoded as they are. */
  applies(value: Buffer): boolean
  /** The bytes that the cache holds, or why there are none, in the order of `values`. Never rejects; its time is bounded. */
  convert(values: readonly Buffer[]): Promise<readonly (Buffer | Error)[]>
}
