// Forgetting history: rows of superseded versions are deleted in slices that share commits with the writes.
// Beside the lmdb engine; follows etcd's server/storage/mvcc compaction.

import type { Revision } from '../interface.ts'
import type { Changes, Database } from './database.ts'
import type { CommitQueue } from './commits.ts'
import type { LogRecord, State } from './record.ts'
import { indexKey } from './record.ts'

/** Log rows looked at for one commit: some milliseconds of lmdb's thread, so that writes hardly wait. */
const SWEEP_SLICE = 500

/** Superseded versions kept at most: some minutes of a busy cluster, for watches that resume and long lists. */
const HISTORY_MAX_REVISIONS = 100_000

/**
 * Bytes of superseded versions kept at most: some minutes of a cluster that updates 20 objects a second. The
 * file is mapped into memory, so whatever is in it may count as resident.
 */
const HISTORY_MAX_BYTES = 16 * 1024 * 1024

/** When a bound is hit this share of the history goes at once, so that compaction is rare. */
const HISTORY_DROP_SHARE = 0.25

export class Compaction {
  /** The oldest revision that may be read. */
  oldest: Revision
  private readonly database: Database
  private readonly queue: CommitQueue
  private readonly isPending: (key: string) => boolean
  private running: Promise<void> | undefined
  private stopped = false

  /** `isPending`: whether a write of the key is decided, but not yet on the disk. */
  constructor(database: Database, queue: CommitQueue, isPending: (key: string) => boolean) {
    this.database = database
    this.queue = queue
    this.isPending = isPending
    this.oldest = queue.state.compacted
  }

  /** Makes what is before `revision` unreadable at once; resolves when it is deleted. */
  async compact(revision: Revision): Promise<void> {
    this.oldest = Math.max(this.oldest, revision)
    this.running ??= this.sweep().finally(() => (this.running = undefined))
    await this.running
  }

  /** Whether the history outgrew its bounds: then where to compact to. */
  due(state: State): Revision | undefined {
    const kept = state.revision - this.oldest
    const over = kept > HISTORY_MAX_REVISIONS || state.superseded > HISTORY_MAX_BYTES
    if (!over || this.running !== undefined || kept === 0) return undefined
    return this.oldest + Math.ceil(kept * HISTORY_DROP_SHARE)
  }

  /** No further slice; resolves when the one under way is done. */
  async stop(): Promise<void> {
    this.stopped = true
    await this.running?.catch(() => undefined)
  }

  private async sweep(): Promise<void> {
    while (this.queue.state.swept < this.oldest && !this.stopped) await this.slice()
  }

  private slice(): Promise<void> {
    const compacted = this.oldest
    const records = this.database.recordsIn(this.queue.state.swept + 1, compacted, SWEEP_SLICE)
    const last = records[records.length - 1]
    const swept = records.length < SWEEP_SLICE || last === undefined ? compacted : last.revision
    const freed = records.reduce((sum, record) => sum + record.previousSize, 0)
    return new Promise((landed, failed) => {
      const apply = (changes: Changes): void => {
        for (const record of records) this.forget(record, changes)
      }
      this.queue.add({ horizon: { compacted, swept }, supersedes: -freed, apply, landed, failed })
    })
  }

  /** A version up to the horizon takes its predecessor with it; a tombstone goes itself, with its key. */
  private forget(record: LogRecord, changes: Changes): void {
    if (record.previous !== 0) changes.removeRecord(record.previous)
    if (record.value !== undefined) return
    changes.removeRecord(record.revision)
    const key = indexKey(record.key)
    const isNewest = this.database.newest(key)?.revision === record.revision
    // A create that is under way puts a row of its own there.
    if (isNewest && !this.isPending(record.key)) changes.removeNewest(key)
  }
}
