// What every storage engine promises: keys with revisions, compare-and-swap, history, watch.
// Follows k8s.io/apiserver/pkg/storage and etcd's KV and Watch services.
//
// One revision counts all writes of the whole store. It is a 64-bit number on etcd; we keep it in a
// JavaScript number, exact up to 2^53 (at 100,000 writes a second, 2,800 years).

import { StatusError } from '../machinery/status.ts'

export type Revision = number

/** A value that is there, and that nobody here can read: only who asks for it, or for all beside it, is to fail by it. */
export class UnreadableValue extends StatusError {}

/** One key at one revision. `value` is never changed after it was handed over. */
export interface KeyValue {
  readonly key: string
  readonly value: Buffer
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** The revision asked for is no longer kept. */
export interface Compacted {
  readonly compacted: true
  /** The oldest revision that can still be read. */
  readonly oldest: Revision
}

/** The revision asked for has not happened yet. */
export interface Future {
  readonly future: true
  readonly current: Revision
}

export interface GetResult {
  readonly kv: KeyValue | undefined
  /** The store's revision at the read. */
  readonly revision: Revision
}

export interface ListRequest {
  /** All keys that begin with it; ends with "/". */
  readonly prefix: string
  /** Skip keys below this one (inclusive start). */
  readonly startKey?: string
  /** At most this many; absent: all. */
  readonly limit?: number
  /** The state at this revision; absent: the newest. */
  readonly revision?: Revision
}

export interface ListResult {
  /** In ascending byte order of their keys. */
  readonly items: readonly KeyValue[]
  readonly revision: Revision
  /** How many keys of the prefix come after the last item. */
  readonly remaining: number
}

export interface Write {
  readonly key: string
  /** The modRevision that the key must have; 0: it must not exist. */
  readonly expected: Revision
  /** The new value; null deletes. */
  readonly value: Buffer | null
  /** Seconds until the store deletes the key by itself. */
  readonly ttlSeconds?: number
}

export type WriteResult =
  | { readonly ok: true; readonly revision: Revision }
  /** Lost the swap: what stands there now. */
  | { readonly ok: false; readonly current: KeyValue | undefined }

/** A change of one key. A create has no `previous`; a delete has no `value`. */
export interface StoreEvent {
  readonly key: string
  readonly revision: Revision
  readonly createRevision: Revision
  readonly value: Buffer | undefined
  /** What stood there before; absent only where the engine can no longer tell (history compacted). */
  readonly previous: { readonly value: Buffer; readonly modRevision: Revision } | undefined
}

export interface WatchSink {
  /** Events in order of revision, those of one commit together; `revision` is what the watcher has now seen up to. */
  events(events: readonly StoreEvent[], revision: Revision): void
  /** Nothing happened below this prefix up to `revision` (engines that are asked by `progress`). */
  progress(revision: Revision): void
  /** The watch is over: the history is gone (`Compacted`) or the engine failed or closed (`Error`). */
  ended(why: Compacted | Error): void
}

export interface StoreWatch {
  close(): void
  /**
   * Ask for a `progress` call at the store's current revision, or at `atLeast` where the caller knows already
   * what it waits for. One call may answer many requests.
   */
  requestProgress(atLeast?: Revision): void
}

/**
 * An engine. Expected outcomes are values; a rejected promise means that the engine is broken or
 * unreachable. A write whose promise resolved with `ok` is durable (as far as the engine is) and
 * is seen by every later read, and by every watch in order.
 */
export interface Storage {
  get(key: string): Promise<GetResult>
  list(request: ListRequest): Promise<ListResult | Compacted | Future>
  write(write: Write): Promise<WriteResult>
  /** Whether the value there is to be written again even where it stays the same; absent: it never is. */
  isStale?(key: string): Promise<boolean>
  /** Everything after `from` (exclusive) below `prefix`. */
  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch
  /** The newest revision: linearizable, so that a read of a cache at this revision is consistent. */
  currentRevision(): Promise<Revision>
  /** Forget the history before `revision`; the newest state of each key stays. */
  compact(revision: Revision): Promise<void>
  /** Bytes on disk or in memory, for metrics; undefined where the engine cannot tell. */
  size(): Promise<number | undefined>
  close(): Promise<void>
}

export const isCompacted = (r: object): r is Compacted => 'compacted' in r
export const isFuture = (r: object): r is Future => 'future' in r
