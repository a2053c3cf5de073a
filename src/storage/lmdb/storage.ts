// The durable engine: lmdb on the local disk. A write is acknowledged, and seen, once it is synced.
// The default store; follows etcd's server/storage/mvcc, and needs no second copy of values in memory.
//
// One process owns the file, so swaps are decided here, in memory and at once: against the newest version on
// the disk, or after the write of the same key that is still on its way. Commits are grouped (commits.ts).

import { statSync } from 'node:fs'
import { Feed } from '../feed.ts'
import type {
  Compacted,
  Future,
  GetResult,
  ListRequest,
  ListResult,
  Revision,
  Storage,
  StoreEvent,
  StoreWatch,
  WatchSink,
  Write,
  WriteResult,
} from '../interface.ts'
import type { Commit } from './commits.ts'
import { CommitQueue } from './commits.ts'
import { Compaction } from './compaction.ts'
import { Database } from './database.ts'
import { Expiring } from './expiring.ts'
import type { Bounds } from './reading.ts'
import { eventsAfter, listAt, versionAt, withPrevious } from './reading.ts'
import type { LogRecord, Newest, State } from './record.ts'
import { encodeRecord, indexKey, keyValueOf } from './record.ts'

/** As on etcd an empty store is at revision 1: 0 means "any" to clients. */
const EMPTY: State = { revision: 1, compacted: 0, swept: 0, superseded: 0 }

/**
 * Opens the store in `folder`, or makes one there. Throws `StorageOpenError` when it is in use, not
 * writable, damaged or not ours.
 */
export async function openLmdb(folder: string): Promise<Storage> {
  return new LmdbStorage(await Database.open(folder, EMPTY))
}

class LmdbStorage implements Storage {
  private readonly database: Database
  private readonly queue: CommitQueue
  private readonly compaction: Compaction
  private readonly expiring: Expiring
  private readonly feed: Feed
  /** Writes that are decided and not yet on the disk, by key. */
  private readonly pending = new Map<string, Promise<WriteResult>>()
  /** The newest revision that was given away, and the newest that may be seen. */
  private assigned: Revision
  private published: Revision
  private failure: Error | undefined
  private closing: Promise<void> | undefined

  constructor(database: Database) {
    this.database = database
    this.queue = new CommitQueue(
      database,
      (commits, state) => this.publish(commits, state),
      (error) => this.fail(error),
    )
    this.assigned = this.published = this.queue.state.revision
    this.compaction = new Compaction(database, this.queue, (key) => this.pending.has(key))
    this.expiring = new Expiring(database, (key, expected) => this.write({ key, expected, value: null }))
    this.feed = new Feed({
      current: () => this.published,
      read: (prefix, from, limit) => eventsAfter(database, { prefix, from, limit }, this.bounds()),
    })
    // A crash may have interrupted a compaction.
    this.compaction.compact(0).catch(() => undefined)
  }

  async get(key: string): Promise<GetResult> {
    this.check()
    const newest = this.database.newest(indexKey(key))
    const record = newest === undefined ? undefined : versionAt(this.database, newest, this.published)
    return { kv: keyValueOf(record), revision: this.published }
  }

  async list(request: ListRequest): Promise<ListResult | Compacted | Future> {
    this.check()
    const { oldest, current } = this.bounds()
    const revision = request.revision ?? current
    if (revision > current) return { future: true, current }
    if (revision < oldest) return { compacted: true, oldest }
    return listAt(this.database, request, revision, () => {
      this.check()
      return this.bounds()
    })
  }

  async write(write: Write): Promise<WriteResult> {
    this.check()
    for (let before = this.pending.get(write.key); before !== undefined;) {
      await before.catch(() => undefined)
      before = this.pending.get(write.key)
      this.check()
    }
    const key = indexKey(write.key)
    const newest = this.database.newest(key)
    const exists = newest !== undefined && !newest.deleted
    if ((exists ? newest.revision : 0) !== write.expected) {
      const current = exists ? keyValueOf(versionAt(this.database, newest, newest.revision)) : undefined
      return { ok: false, current }
    }
    if (!exists && write.value === null) return { ok: true, revision: this.published }
    return this.enqueue(write, key, newest)
  }

  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch {
    return this.feed.watch(prefix, from, sink)
  }

  async currentRevision(): Promise<Revision> {
    this.check()
    return this.published
  }

  async compact(revision: Revision): Promise<void> {
    this.check()
    await this.compaction.compact(Math.min(revision, this.published))
  }

  size(): Promise<number | undefined> {
    return Promise.resolve(statSync(this.database.path).size)
  }

  close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  private async shut(): Promise<void> {
    this.expiring.stop()
    this.feed.end(new Error('storage is closed'))
    await this.compaction.stop()
    await this.queue.drained()
    await this.database.close()
  }

  private bounds(): Bounds {
    return { oldest: this.compaction.oldest, current: this.published }
  }

  private over(): Error | undefined {
    return this.closing === undefined ? this.failure : new Error('storage is closed')
  }

  private check(): void {
    const over = this.over()
    if (over !== undefined) throw over
  }

  private enqueue(write: Write, key: Buffer, newest: Newest | undefined): Promise<WriteResult> {
    const revision = ++this.assigned
    const record = recordOf(write, revision, newest)
    const row = encodeRecord(record)
    const ttl = write.value === null ? undefined : write.ttlSeconds
    const expires = ttl === undefined ? 0 : Expiring.dueIn(ttl)
    const result = new Promise<WriteResult>((resolve, reject) => {
      this.queue.add({
        record,
        supersedes: newest?.size ?? 0,
        apply: (changes) => {
          changes.putRecord(revision, row)
          changes.putNewest(key, { expires, size: row.length, deleted: write.value === null, ...record })
          if (newest !== undefined && newest.expires !== 0) changes.removeExpiry(newest.expires, key)
          if (expires !== 0) changes.putExpiry(expires, key)
        },
        landed: () => {
          if (expires !== 0) this.expiring.arm(expires)
          resolve({ ok: true, revision })
        },
        failed: (error) => {
          this.pending.delete(write.key)
          reject(error)
        },
      })
    })
    this.pending.set(write.key, result)
    return result
  }

  /** Durable now: from here on everybody sees it, watches first. */
  private publish(commits: readonly Commit[], state: State): void {
    this.published = state.revision
    const events: StoreEvent[] = []
    for (const { record } of commits) {
      if (record === undefined) continue
      this.pending.delete(record.key)
      if (this.feed.watched(record.key)) events.push(withPrevious(this.database, record))
    }
    if (events.length > 0) this.feed.publish(events)
    const due = this.compaction.due(state)
    if (due !== undefined) this.compaction.compact(due).catch(() => undefined)
  }

  private fail(error: Error): void {
    this.failure = error
    this.feed.end(error)
  }
}

function recordOf(write: Write, revision: Revision, newest: Newest | undefined): LogRecord {
  return {
    key: write.key,
    revision,
    createRevision: newest === undefined || newest.deleted ? revision : newest.createRevision,
    previous: newest?.revision ?? 0,
    previousSize: newest?.size ?? 0,
    value: write.value ?? undefined,
  }
}
