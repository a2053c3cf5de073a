// Group commit: while one commit is synced to the disk, the writes that arrive meanwhile gather for the next.
// Between the lmdb engine, which decides, and the database, which commits; as etcd's batched backend
// transactions, but nothing is acknowledged before it is on the disk.

import type { Revision } from '../interface.ts'
import type { Changes, Database } from './database.ts'
import type { LogRecord, State } from './record.ts'

/** Writes in one commit at most: bounds how long the first of them waits for the last. */
const COMMIT_MAX_WRITES = 1000

/** A part of a commit: a write, or housekeeping. */
export interface Commit {
  /** The version that a write makes; absent for housekeeping. */
  readonly record?: LogRecord
  /** Compaction: what can no longer be read, and how far that is deleted. */
  readonly horizon?: { readonly compacted: Revision; readonly swept: Revision }
  /** How many more bytes are superseded. */
  readonly supersedes: number
  apply(changes: Changes): void
  /** On the disk, and published. */
  landed(): void
  failed(error: Error): void
}

export class CommitQueue {
  private readonly database: Database
  private readonly published: (commits: readonly Commit[], state: State) => void
  private readonly broken: (error: Error) => void
  private waiting: Commit[] = []
  private busy = false
  private idle: (() => void)[] = []
  /** What the disk has. */
  state: State

  /**
   * `published` is called with each commit once it is durable, before its parts are told; `broken` when the
   * disk failed in a way that leaves unknown what it has.
   */
  constructor(
    database: Database,
    published: (commits: readonly Commit[], state: State) => void,
    broken: (error: Error) => void,
  ) {
    this.database = database
    this.published = published
    this.broken = broken
    this.state = database.state()
  }

  add(commit: Commit): void {
    this.waiting.push(commit)
    if (this.busy) return
    this.busy = true
    // One turn later: requests that arrived in the same turn share the commit.
    setImmediate(() => void this.run())
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const commits = this.waiting.splice(0, COMMIT_MAX_WRITES)
      const state = this.next(commits)
      try {
        await this.database.commit(state, (changes) => {
          for (const commit of commits) commit.apply(changes)
        })
      } catch (error) {
        this.fail(commits, error as Error)
        continue
      }
      this.state = state
      this.publish(commits, state)
      for (const commit of commits) commit.landed()
    }
    this.busy = false
    for (const resolve of this.idle.splice(0)) resolve()
  }

  private next(commits: readonly Commit[]): State {
    let { revision, compacted, swept, superseded } = this.state
    for (const { record, horizon, supersedes } of commits) {
      if (record !== undefined) revision = record.revision
      if (horizon !== undefined) ({ compacted, swept } = horizon)
      superseded = Math.max(superseded + supersedes, 0)
    }
    return { revision, compacted, swept, superseded }
  }

  private publish(commits: readonly Commit[], state: State): void {
    try {
      this.published(commits, state)
    } catch (error) {
      this.broken(error as Error)
    }
  }

  /** A failed commit leaves nothing behind, which is looked at: else the store in memory would be another. */
  private fail(commits: readonly Commit[], error: Error): void {
    if (this.onDisk() !== this.state.revision) this.broken(error)
    for (const commit of commits) commit.failed(error)
  }

  private onDisk(): Revision | undefined {
    try {
      return this.database.state().revision
    } catch {
      return undefined
    }
  }
}
