// The lmdb file behind the engine: one environment, three tables and a state row; reads are synchronous
// (memory-mapped), commits happen on lmdb's own thread and are synced to the disk before they resolve.
// Below the lmdb engine; takes the place of etcd's server/storage/backend.

import { realpathSync, statfsSync } from 'node:fs'
import type { Database as Table, open as openEnvironment, RootDatabase } from 'lmdb'
import { plainError, type StatusError } from '../../machinery/status.ts'
import type { Revision } from '../interface.ts'
import { StorageOpenError } from '../open-error.ts'
import { checkFile, prepareFiles } from './files.ts'
import type { LogRecord, Newest, State } from './record.ts'
import {
  decodeNewest,
  decodeRecord,
  decodeState,
  encodeNewest,
  encodeState,
  expiryKey,
  expiryOf,
  FORMAT,
  revisionKey,
  revisionOf,
} from './record.ts'

/**
 * Address space set aside for the file: virtual, costs nothing, and grows when it must. From lmdb's small
 * default it would grow many times; each smaller map is kept, and counts the file's pages again as resident.
 */
const MAP_BYTES = 16 * 1024 ** 3

/**
 * Objects of some kilobytes share such a page, where lmdb's default of 4 KiB would give each its own pages:
 * measured a quarter more writes a second and a third less file than with 4 KiB.
 */
const PAGE_BYTES = 16 * 1024

const STATE_KEY = Buffer.from('state')

/** Paths that this process has open: lmdb would share the environment, and two engines would not know of it. */
const openHere = new Set<string>()

/** What a commit does, all of it or nothing. */
export interface Changes {
  putNewest(key: Buffer, newest: Newest): void
  removeNewest(key: Buffer): void
  putRecord(revision: Revision, row: Buffer): void
  removeRecord(revision: Revision): void
  putExpiry(second: number, key: Buffer): void
  removeExpiry(second: number, key: Buffer): void
}

export class Database {
  readonly path: string
  private readonly root: RootDatabase<Buffer, Buffer>
  private readonly index: Table<Buffer, Buffer>
  private readonly log: Table<Buffer, Buffer>
  private readonly expiry: Table<Buffer, Buffer>
  private readonly changes: Changes

  private constructor(path: string, root: RootDatabase<Buffer, Buffer>) {
    this.path = path
    this.root = root
    const options = { encoding: 'binary', keyEncoding: 'binary' } as const
    this.index = root.openDB('index', options)
    this.log = root.openDB('log', options)
    this.expiry = root.openDB('expiry', options)
    this.changes = this.changing()
  }

  /** Opens the store in `folder`, or makes it; throws {@link StorageOpenError}. */
  static async open(folder: string, initial: State): Promise<Database> {
    const path = realpathSync(prepareFiles(folder))
    checkFile(path)
    if (openHere.has(path)) throw alreadyOpen(folder, process.pid)
    openHere.add(path)
    try {
      const { open } = await import('lmdb')
      const root = openRoot(open, path)
      try {
        refuseOthers(root, folder)
        checkContent(root, path)
        const database = new Database(path, root)
        if (root.getBinary(STATE_KEY) === undefined) await database.commit(initial, () => undefined)
        return database
      } catch (error) {
        await root.close()
        throw error
      }
    } catch (error) {
      openHere.delete(path)
      throw error
    }
  }

  state(): State {
    const row = this.root.getBinary(STATE_KEY)
    if (row === undefined) throw new Error('corrupt store: its state is missing')
    return decodeState(row)
  }

  newest(key: Buffer): Newest | undefined {
    const row = this.index.getBinary(key)
    return row === undefined ? undefined : decodeNewest(row)
  }

  record(revision: Revision): LogRecord | undefined {
    const row = this.log.getBinary(revisionKey(revision))
    return row === undefined ? undefined : decodeRecord(revision, row)
  }

  /** Index rows in [start, end), `limit` at most, by key. */
  newestIn(start: Buffer, end: Buffer, limit: number): { key: Buffer; newest: Newest }[] {
    const rows: { key: Buffer; newest: Newest }[] = []
    for (const { key, value } of this.index.getRange({ start, end, limit })) {
      rows.push({ key, newest: decodeNewest(value) })
    }
    return rows
  }

  /** Log rows in [from, to], `limit` at most, by revision. */
  recordsIn(from: Revision, to: Revision, limit: number): LogRecord[] {
    const records: LogRecord[] = []
    const range = { start: revisionKey(from), end: revisionKey(to + 1), limit }
    for (const { key, value } of this.log.getRange(range)) records.push(decodeRecord(revisionOf(key), value))
    return records
  }

  /** Expiries in order of time, `limit` at most. */
  expiries(limit: number): { second: number; key: Buffer }[] {
    const rows: { second: number; key: Buffer }[] = []
    for (const key of this.expiry.getKeys({ start: revisionKey(0), limit })) rows.push(expiryOf(key))
    return rows
  }

  /** Resolves when `state` and what `apply` changes are on the disk; rejects when nothing of it is. */
  async commit(state: State, apply: (changes: Changes) => void): Promise<void> {
    try {
      await this.root.batch(() => {
        apply(this.changes)
        void this.root.put(STATE_KEY, encodeState(state))
      })
    } catch (error) {
      throw await reasonOf(error, this.path)
    }
  }

  async close(): Promise<void> {
    await this.root.close()
    openHere.delete(this.path)
  }

  /** Within a batch the promises of single changes say nothing: the batch's own stands for all of them. */
  private changing(): Changes {
    return {
      putNewest: (key, newest) => void this.index.put(key, encodeNewest(newest)),
      removeNewest: (key) => void this.index.remove(key),
      putRecord: (revision, row) => void this.log.put(revisionKey(revision), row),
      removeRecord: (revision) => void this.log.remove(revisionKey(revision)),
      putExpiry: (second, key) => void this.expiry.put(expiryKey(second, key), Buffer.alloc(0)),
      removeExpiry: (second, key) => void this.expiry.remove(expiryKey(second, key)),
    }
  }
}

function openRoot(open: typeof openEnvironment, path: string): RootDatabase<Buffer, Buffer> {
  try {
    return open<Buffer, Buffer>({
      path,
      encoding: 'binary',
      keyEncoding: 'binary',
      // A commit is durable when its promise resolves, not some time later.
      overlappingSync: false,
      // Our commits are batches already; lmdb's own would reject a promise of theirs that nobody holds.
      eventTurnBatching: false,
      mapSize: MAP_BYTES,
      pageSize: PAGE_BYTES,
      maxDbs: 4,
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StorageOpenError('ECORRUPT', `cannot open the store ${path}: ${reason}`, error)
  }
}

/**
 * lmdb lets many processes write; our decisions in memory do not. Its table of readers says who is there, by
 * locks that the kernel drops when a process dies; both of two that open at once see each other and give up.
 */
function refuseOthers(root: RootDatabase<Buffer, Buffer>, folder: string): void {
  root.getBinary(STATE_KEY)
  root.readerCheck()
  for (const line of root.readerList().split('\n')) {
    const pid = Number.parseInt(line, 10)
    if (pid > 0 && pid !== process.pid) throw alreadyOpen(folder, pid)
  }
}

function alreadyOpen(folder: string, pid: number): StorageOpenError {
  return new StorageOpenError('EALREADYOPEN', `the data folder ${folder} is in use by process ${pid}`)
}

function checkContent(root: RootDatabase<Buffer, Buffer>, path: string): void {
  const state = root.getBinary(STATE_KEY)
  if (state !== undefined && state[0] !== FORMAT) {
    throw new StorageOpenError('EFOREIGN', `${path} has format ${state[0]}, this release reads ${FORMAT}`)
  }
  if (state === undefined && [...root.getKeys({ limit: 1 })].length > 0) {
    throw new StorageOpenError('EFOREIGN', `${path} is an lmdb file, but not a Dinghy store`)
  }
}

/** lmdb-js hides the reason of a failed commit in a promise of its own. */
async function reasonOf(error: unknown, path: string): Promise<StatusError> {
  const hidden = (error as { commitError?: PromiseLike<unknown> }).commitError
  let reason = error
  try {
    await hidden
  } catch (shown) {
    reason = shown
  }
  const text = reason instanceof Error ? reason.message : String(reason)
  const because = new Error(`cannot write to the store: ${text}`, { cause: reason })
  return isFull(reason, path) ? plainError(SPACE_EXCEEDED, because) : plainError(because.message, because)
}

/** What etcd says, so that clients of either know it. */
const SPACE_EXCEEDED = 'etcdserver: mvcc: database space exceeded'
/** Of the system: no space, file too large (a limit of the process), quota; lmdb's own: the map is full. */
const FULL_CODES: readonly unknown[] = [28, 27, 122, -30792]
/** lmdb says "input/output error" of a write of which a part found room. */
const EIO = 5
/** A disk with less than this has no room for a commit. */
const ROOM_BYTES = 4 * 1024 * 1024

function isFull(reason: unknown, path: string): boolean {
  const code = (reason as { code?: unknown }).code
  if (FULL_CODES.includes(code)) return true
  if (code !== EIO) return false
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize < ROOM_BYTES
}
