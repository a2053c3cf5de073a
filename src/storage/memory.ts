// The memory engine: every version of every key until compaction, nothing on disk.
// For tests, CI and `--memory`; follows etcd's server/storage/mvcc.

import { ExpiryQueue } from './expiry.ts'
import type { History } from './feed.ts'
import { Feed } from './feed.ts'
import type {
  Compacted,
  Future,
  GetResult,
  KeyValue,
  ListRequest,
  ListResult,
  Revision,
  Storage,
  StoreEvent,
  StoreWatch,
  WatchSink,
  Write,
  WriteResult,
} from './interface.ts'
import { byteOrdered, prefixEnd, SortedMap } from './sorted.ts'

/** As on etcd an empty store is at revision 1: 0 means "any" to clients. */
const FIRST_REVISION = 1

/** Superseded versions kept at most: some minutes of a busy cluster, for watches that resume and long lists. */
const HISTORY_MAX_REVISIONS = 100_000

/** Bytes of superseded values kept at most: history must not outweigh the objects of a usual cluster. */
const HISTORY_MAX_BYTES = 64 * 1024 * 1024

/** When a bound is hit this share of the history goes at once, so that compaction is rare. */
const HISTORY_DROP_SHARE = 0.25

/** What one version costs beside its value and key: objects, map slots (measured, rounded up). */
const VERSION_OVERHEAD = 256

const CLOSED = 'storage is closed'

/** One version of one key. A tombstone has no `kv`. */
interface Version {
  readonly key: string
  readonly revision: Revision
  readonly createRevision: Revision
  readonly kv: KeyValue | undefined
  /** The second in which the key expires; 0: never. */
  readonly expires: number
  /** The version before; absent for the first and once it was compacted. */
  previous: Version | undefined
}

/** The newest version of a key: one object that the map and the ordered map share. */
interface Slot {
  version: Version
}

/** An empty store. It is gone when the process ends. */
export class MemoryStorage implements Storage {
  private revision: Revision = FIRST_REVISION
  private compacted: Revision = 0
  private readonly slots = new Map<string, Slot>()
  private readonly ordered = new SortedMap<Slot>()
  /** The versions from revision `logStart` on, one a revision. */
  private log: Version[] = []
  private logStart: Revision = FIRST_REVISION + 1
  private bytes = 0
  private supersededBytes = 0
  private readonly feed: Feed
  private readonly expiry = new ExpiryQueue((key) => this.expireKey(key))
  private closed = false

  constructor() {
    const history: History = {
      current: () => this.revision,
      read: (prefix, from, limit) => this.readHistory(prefix, from, limit),
    }
    this.feed = new Feed(history)
  }

  get(key: string): Promise<GetResult> {
    return this.answer(() => ({ kv: this.slots.get(key)?.version.kv, revision: this.revision }))
  }

  list(request: ListRequest): Promise<ListResult | Compacted | Future> {
    return this.answer(() => this.listNow(request))
  }

  write(write: Write): Promise<WriteResult> {
    return this.answer(() => this.commit(write))
  }

  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch {
    return this.feed.watch(prefix, from, sink)
  }

  currentRevision(): Promise<Revision> {
    return this.answer(() => this.revision)
  }

  compact(revision: Revision): Promise<void> {
    return this.answer(() => this.compactTo(Math.min(revision, this.revision)))
  }

  size(): Promise<number | undefined> {
    return Promise.resolve(this.bytes)
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      this.expiry.stop()
      this.feed.end(new Error(CLOSED))
    }
    return Promise.resolve()
  }

  private answer<T>(work: () => T): Promise<T> {
    return this.closed ? Promise.reject(new Error(CLOSED)) : Promise.resolve(work())
  }

  private listNow(request: ListRequest): ListResult | Compacted | Future {
    const { prefix, startKey, limit = Infinity, revision = this.revision } = request
    if (revision > this.revision) return { future: true, current: this.revision }
    if (revision < this.compacted) return { compacted: true, oldest: this.compacted }
    const items: KeyValue[] = []
    let remaining = 0
    const lowest = byteOrdered(prefix)
    const start = startKey === undefined ? lowest : byteOrdered(startKey)
    this.ordered.scan(start < lowest ? lowest : start, prefixEnd(lowest), (slot) => {
      const kv = versionAt(slot.version, revision)?.kv
      if (kv === undefined) return true
      if (items.length < limit) items.push(kv)
      else remaining++
      return true
    })
    return { items, revision, remaining }
  }

  private commit({ key, value, expected, ttlSeconds }: Write): WriteResult {
    const slot = this.slots.get(key)
    const current = slot?.version.kv
    if ((current?.modRevision ?? 0) !== expected) return { ok: false, current }
    if (value === null && current === undefined) return { ok: true, revision: this.revision }
    const revision = ++this.revision
    const createRevision = current?.createRevision ?? revision
    const version: Version = {
      key,
      revision,
      createRevision,
      kv: value === null ? undefined : { key, value, createRevision, modRevision: revision },
      expires: value !== null && ttlSeconds !== undefined ? this.expiry.add(key, ttlSeconds) : 0,
      previous: slot?.version,
    }
    this.keep(version, slot)
    this.feed.publish([eventOf(version, current)])
    return { ok: true, revision }
  }

  private keep(version: Version, slot: Slot | undefined): void {
    this.log.push(version)
    this.bytes += costOf(version)
    if (slot === undefined) {
      const fresh = { version }
      this.slots.set(version.key, fresh)
      this.ordered.set(byteOrdered(version.key), fresh)
    } else {
      const old = slot.version
      if (old.expires !== 0 && old.expires !== version.expires) this.expiry.remove(old.key, old.expires)
      this.supersededBytes += costOf(old)
      slot.version = version
    }
    if (this.log.length > HISTORY_MAX_REVISIONS || this.supersededBytes > HISTORY_MAX_BYTES) {
      this.compactTo(this.logStart + Math.ceil(this.log.length * HISTORY_DROP_SHARE))
    }
  }

  private expireKey(key: string): void {
    const expected = this.slots.get(key)?.version.kv?.modRevision
    if (expected !== undefined && !this.closed) this.commit({ key, expected, value: null })
  }

  /** A version that was superseded up to `revision` goes; so does a key that was deleted up to it. */
  private compactTo(revision: Revision): void {
    if (revision <= this.compacted) return
    this.compacted = revision
    const dropped = this.log.splice(0, revision - this.logStart + 1)
    this.logStart += dropped.length
    for (const version of dropped) {
      if (version.previous !== undefined) {
        this.forget(version.previous)
        version.previous = undefined
      }
      const slot = this.slots.get(version.key)
      if (version.kv !== undefined || slot?.version !== version) continue
      this.slots.delete(version.key)
      this.ordered.delete(byteOrdered(version.key))
      this.bytes -= costOf(version)
    }
  }

  private forget(version: Version): void {
    this.bytes -= costOf(version)
    this.supersededBytes -= costOf(version)
  }

  private readHistory(prefix: string, from: Revision, limit: number): ReturnType<History['read']> {
    if (from < this.compacted) return { compacted: true, oldest: this.compacted }
    const events: StoreEvent[] = []
    let index = Math.max(from + 1 - this.logStart, 0)
    for (; index < this.log.length && events.length < limit; index++) {
      const version = this.log[index] as Version
      if (version.key.startsWith(prefix)) events.push(eventOf(version, version.previous?.kv))
    }
    return { events, upTo: this.logStart + index - 1 }
  }
}

function versionAt(newest: Version, revision: Revision): Version | undefined {
  let version: Version | undefined = newest
  while (version !== undefined && version.revision > revision) version = version.previous
  return version
}

function eventOf(version: Version, before: KeyValue | undefined): StoreEvent {
  const { key, revision, createRevision, kv } = version
  const previous = before === undefined ? undefined : { value: before.value, modRevision: before.modRevision }
  return { key, revision, createRevision, value: kv?.value, previous }
}

function costOf(version: Version): number {
  return VERSION_OVERHEAD + version.key.length + (version.kv?.value.length ?? 0)
}
