// Deletes keys whose time to live is over. The due times are rows of the store, so that a restart forgets none.
// Beside the lmdb engine; follows etcd's server/lease (whole seconds, never early).

import type { Revision } from '../interface.ts'
import type { Database } from './database.ts'

/** Keys that expire in one go; the rest follows at once. */
const EXPIRE_SLICE = 500

/** Timers cannot wait longer than a signed 32-bit number of milliseconds. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** After a failed attempt (a full disk) the next one waits. */
const RETRY_MS = 5_000

export class Expiring {
  private readonly database: Database
  private readonly remove: (key: string, expected: Revision) => Promise<unknown>
  private timer: NodeJS.Timeout | undefined
  private timerAt = Infinity
  private stopped = false

  /** `remove` deletes the key if it is still at the revision. */
  constructor(database: Database, remove: (key: string, expected: Revision) => Promise<unknown>) {
    this.database = database
    this.remove = remove
    this.armForNext()
  }

  /** The second in which a key that is written now is due. */
  static dueIn(ttlSeconds: number): number {
    return Math.ceil(Date.now() / 1000 + ttlSeconds)
  }

  /** A key that is due then is on the disk. */
  arm(second: number): void {
    this.armAt(second * 1000)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private armForNext(): void {
    const [next] = this.database.expiries(1)
    if (next !== undefined) this.arm(next.second)
  }

  private armAt(time: number): void {
    if (this.stopped || time >= this.timerAt) return
    clearTimeout(this.timer)
    this.timerAt = time
    const wait = Math.min(Math.max(time - Date.now(), 0), TIMER_MAX_MS)
    this.timer = setTimeout(() => void this.fire().catch(() => this.retry()), wait)
    this.timer.unref()
  }

  private async fire(): Promise<void> {
    const now = Date.now() / 1000
    const due = this.database.expiries(EXPIRE_SLICE).filter((row) => row.second <= now)
    const results = await Promise.allSettled(due.map(({ second, key }) => this.expire(second, key)))
    if (results.some((result) => result.status === 'rejected')) {
      this.retry()
    } else {
      this.timerAt = Infinity
      if (!this.stopped) this.armForNext()
    }
  }

  private retry(): void {
    this.timerAt = Infinity
    this.armAt(Date.now() + RETRY_MS)
  }

  private async expire(second: number, row: Buffer): Promise<void> {
    const newest = this.database.newest(row)
    if (newest === undefined || newest.expires !== second) return
    const record = this.database.record(newest.revision)
    if (record !== undefined) await this.remove(record.key, newest.revision)
  }
}
