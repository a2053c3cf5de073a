// Reads of the lmdb engine: a version at a revision, lists in slices, events of the log.
// Beside the lmdb engine; follows etcd's server/storage/mvcc range reads.

import type { History } from '../feed.ts'
import type { Compacted, KeyValue, ListRequest, ListResult, Revision, StoreEvent } from '../interface.ts'
import type { Database } from './database.ts'
import type { LogRecord, Newest } from './record.ts'
import { eventOf, indexKey, keyValueOf } from './record.ts'

/** Index rows that a list reads in one turn of the event loop, so that a long list stops nobody. */
const LIST_SLICE = 1000

/** Where the readable history begins and ends. */
export interface Bounds {
  readonly oldest: Revision
  readonly current: Revision
}

/** What a key was at `revision`: undefined for "did not exist". */
export function versionAt(database: Database, newest: Newest, revision: Revision): LogRecord | undefined {
  if (newest.deleted && newest.revision <= revision) return undefined
  let at = newest.revision
  while (at !== 0) {
    const record = database.record(at)
    if (record === undefined) {
      if (at <= revision && at === newest.revision)
        throw new Error(`corrupt store: revision ${at} is missing`)
      return undefined
    }
    if (at <= revision) return record
    at = record.previous
  }
  return undefined
}

/**
 * The list at `revision`, which is readable now. It may be compacted while we read on: `bounds` is asked
 * after each slice.
 */
export async function listAt(
  database: Database,
  request: ListRequest,
  revision: Revision,
  bounds: () => Bounds,
): Promise<ListResult | Compacted> {
  const { prefix, startKey, limit = Infinity } = request
  const items: KeyValue[] = []
  let remaining = 0
  const range = rangeOf(prefix, startKey)
  let start = range.start
  for (;;) {
    const rows = database.newestIn(start, range.end, LIST_SLICE)
    for (const { newest } of rows) {
      const exists = newest.revision <= revision ? !newest.deleted : undefined
      if (exists === false) continue
      if (exists === true && items.length >= limit) {
        remaining++
        continue
      }
      const kv = keyValueOf(versionAt(database, newest, revision))
      if (kv === undefined) continue
      if (items.length < limit) items.push(kv)
      else remaining++
    }
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < LIST_SLICE) return { items, revision, remaining }
    start = Buffer.concat([last.key, Buffer.alloc(1)])
    await new Promise(setImmediate)
    const { oldest } = bounds()
    if (revision < oldest) return { compacted: true, oldest }
  }
}

/** The first row of the range and the first after it. */
function rangeOf(prefix: string, startKey: string | undefined): { start: Buffer; end: Buffer } {
  const lowest = indexKey(prefix)
  const wanted = startKey === undefined ? lowest : indexKey(startKey)
  const end = Buffer.from(lowest)
  const last = end.length - 1
  end.writeUInt8(end.readUInt8(last) + 1, last)
  return { start: Buffer.compare(wanted, lowest) < 0 ? lowest : wanted, end }
}

/** Events below `prefix` after `from`, out of `limit` log rows at most. */
export function eventsAfter(
  database: Database,
  request: { readonly prefix: string; readonly from: Revision; readonly limit: number },
  bounds: Bounds,
): ReturnType<History['read']> {
  const { prefix, from, limit } = request
  if (from < bounds.oldest) return { compacted: true, oldest: bounds.oldest }
  if (from >= bounds.current) return { events: [], upTo: bounds.current }
  const records = database.recordsIn(from + 1, bounds.current, limit)
  const events: StoreEvent[] = []
  for (const record of records) {
    if (record.key.startsWith(prefix)) events.push(withPrevious(database, record))
  }
  const last = records[records.length - 1]
  return { events, upTo: records.length < limit || last === undefined ? bounds.current : last.revision }
}

/** The event of a version that is on the disk. */
export function withPrevious(database: Database, record: LogRecord): StoreEvent {
  return eventOf(record, record.previous === 0 ? undefined : database.record(record.previous))
}
