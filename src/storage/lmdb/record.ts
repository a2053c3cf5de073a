// How the lmdb engine lays out its rows: the newest version by key, the log by revision, the expiries by time.
// Below the engine; takes the place of etcd's server/storage/mvcc key index and revision bucket, with which
// it shares the idea: a value is stored once, under its revision, and the index only points there.

import { createHash } from 'node:crypto'
import type { KeyValue, Revision, StoreEvent } from '../interface.ts'

/** The index row of a key: where its newest version is. */
export interface Newest {
  readonly revision: Revision
  readonly createRevision: Revision
  readonly deleted: boolean
  /** The second (since the epoch) in which the key expires; 0: never. */
  readonly expires: number
  /** Bytes of the log row, for the accounting of what history costs. */
  readonly size: number
}

/** The log row of a revision: one version of one key. */
export interface LogRecord {
  readonly key: string
  readonly revision: Revision
  readonly createRevision: Revision
  /** The key's version before, a tombstone too; 0: none. */
  readonly previous: Revision
  /** Bytes of that version's row. */
  readonly previousSize: number
  readonly value: Buffer | undefined
}

/** The one row about the store as a whole, written with every commit. */
export interface State {
  readonly revision: Revision
  /** What is before cannot be read. */
  readonly compacted: Revision
  /** How far the rows that `compacted` made unreadable are deleted. */
  readonly swept: Revision
  /** Bytes of log rows that a newer version supersedes. */
  readonly superseded: number
}

/** Bumped when a row's layout changes; a newer one is refused. */
export const FORMAT = 1

/** Index keys longer than this end in a hash: lmdb's pages bound the length of a key, Kubernetes does not. */
const KEY_MAX_BYTES = 1900

const RECORD_HEADER = 25

function putU64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  buffer.writeUInt32BE(value % 2 ** 32, at + 4)
}

function getU64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4)
}

/** The row key of a key in the index: its UTF-8 bytes, so that rows lie in byte order. */
export function indexKey(key: string): Buffer {
  const bytes = Buffer.from(key, 'utf8')
  if (bytes.length <= KEY_MAX_BYTES) return bytes
  return Buffer.concat([bytes.subarray(0, KEY_MAX_BYTES - 32), createHash('sha256').update(bytes).digest()])
}

/** The row key of a revision in the log. */
export function revisionKey(revision: Revision): Buffer {
  const key = Buffer.allocUnsafe(8)
  putU64(key, revision, 0)
  return key
}

export const revisionOf = (key: Uint8Array): Revision => getU64(Buffer.from(key), 0)

/** The row key of an expiry: due time first, then the index key. */
export function expiryKey(second: number, key: Buffer): Buffer {
  return Buffer.concat([revisionKey(second), key])
}

/** The parts of an {@link expiryKey}. */
export function expiryOf(row: Uint8Array): { second: number; key: Buffer } {
  const bytes = Buffer.from(row)
  return { second: getU64(bytes, 0), key: bytes.subarray(8) }
}

export function encodeNewest(newest: Newest): Buffer {
  const row = Buffer.allocUnsafe(29)
  putU64(row, newest.revision, 0)
  putU64(row, newest.createRevision, 8)
  putU64(row, newest.expires, 16)
  row.writeUInt32BE(newest.size, 24)
  row[28] = newest.deleted ? 1 : 0
  return row
}

export function decodeNewest(row: Buffer): Newest {
  return {
    revision: getU64(row, 0),
    createRevision: getU64(row, 8),
    expires: getU64(row, 16),
    size: row.readUInt32BE(24),
    deleted: row[28] === 1,
  }
}

export function encodeRecord(record: LogRecord): Buffer {
  const { key, createRevision, previous, value } = record
  const keyLength = Buffer.byteLength(key)
  const row = Buffer.allocUnsafe(RECORD_HEADER + keyLength + (value?.length ?? 0))
  row[0] = value === undefined ? 1 : 0
  putU64(row, createRevision, 1)
  putU64(row, previous, 9)
  row.writeUInt32BE(record.previousSize, 17)
  row.writeUInt32BE(keyLength, 21)
  row.write(key, RECORD_HEADER, 'utf8')
  value?.copy(row, RECORD_HEADER + keyLength)
  return row
}

/** The record shares the row's memory. */
export function decodeRecord(revision: Revision, row: Buffer): LogRecord {
  const keyEnd = RECORD_HEADER + row.readUInt32BE(21)
  if (keyEnd > row.length) throw new Error(`corrupt store: the record of revision ${revision} is cut off`)
  return {
    revision,
    createRevision: getU64(row, 1),
    previous: getU64(row, 9),
    previousSize: row.readUInt32BE(17),
    key: row.toString('utf8', RECORD_HEADER, keyEnd),
    value: row[0] === 1 ? undefined : row.subarray(keyEnd),
  }
}

export function encodeState(state: State): Buffer {
  const row = Buffer.allocUnsafe(33)
  row[0] = FORMAT
  putU64(row, state.revision, 1)
  putU64(row, state.compacted, 9)
  putU64(row, state.swept, 17)
  putU64(row, state.superseded, 25)
  return row
}

export function decodeState(row: Buffer): State {
  return {
    revision: getU64(row, 1),
    compacted: getU64(row, 9),
    swept: getU64(row, 17),
    superseded: getU64(row, 25),
  }
}

/** A record of a value as what readers see; undefined for a tombstone. */
export function keyValueOf(record: LogRecord | undefined): KeyValue | undefined {
  if (record?.value === undefined) return undefined
  const { key, value, createRevision, revision } = record
  return { key, value, createRevision, modRevision: revision }
}

/** What a watch is told of a record; `before` is the key's version before it. */
export function eventOf(record: LogRecord, before: LogRecord | undefined): StoreEvent {
  const { key, revision, createRevision, value } = record
  const previous =
    before?.value === undefined ? undefined : { value: before.value, modRevision: before.revision }
  return { key, revision, createRevision, value, previous }
}
