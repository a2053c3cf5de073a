// The process that engine-crash.test.ts kills: writes to a store from many sides at once, and prints each
// write that was acknowledged.
//
// Every value says what it is: a header line, padding that follows from the header, and the header again, so
// that a half-written one shows.

import { writeSync } from 'node:fs'
import type { Revision, Storage } from '../../src/storage/interface.ts'
import { isCompacted, isFuture } from '../../src/storage/interface.ts'
import type { StorageOptions } from '../../src/storage/open.ts'
import { openStorage } from '../../src/storage/open.ts'

/** Objects of all writers together, but one each at least: few, so that they are updated and deleted often. */
const KEYS = 200

/** Writers also fight for these. */
const SHARED_KEYS = 3

/** Revisions that stay readable: more than a second's worth for some, less for others. */
const HISTORY = 3000

function valueOf(key: string, expected: Revision, size: number): Buffer {
  const header = `${key} after ${expected} of ${size}\n`
  return Buffer.from(header + 'x'.repeat(size) + header)
}

/** Throws unless the value is one that {@link valueOf} made for the key. */
export function checkValue(key: string, value: Buffer): void {
  const text = value.toString()
  const [, named, expected, size] = /^(\S+) after (\d+) of (\d+)\n/.exec(text) ?? []
  const whole = valueOf(key, Number(expected), Number(size))
  if (named !== key || !whole.equals(value))
    throw new Error(`half-written value of ${key}: ${text.slice(0, 80)}`)
}

/** Writes for ever. `acknowledged` hears of each write that was: its key, revision, and whether it is a delete. */
async function writeForEver(
  storage: Storage,
  writers: number,
  acknowledged: (line: string) => void,
): Promise<void> {
  const revisions = new Map<string, Revision>()
  const list = await storage.list({ prefix: '/crash/' })
  if (isCompacted(list) || isFuture(list)) throw new Error('the newest state cannot be listed')
  for (const kv of list.items) revisions.set(kv.key, kv.modRevision)
  const own = Math.max(Math.floor(KEYS / writers), 1)
  const writer = async (name: number): Promise<never> => {
    for (let i = 0; ; i++) {
      const shared = i % 10 === 0
      const key = shared ? `/crash/shared/${i % SHARED_KEYS}` : `/crash/${name}/${i % own}`
      const expected = revisions.get(key) ?? 0
      const isDelete = expected !== 0 && i % 7 === 0
      const value = isDelete ? null : valueOf(key, expected, (i * 997) % 9000)
      const result = await storage.write({ key, value, expected })
      if (result.ok) {
        revisions.set(key, isDelete ? 0 : result.revision)
        acknowledged(`${result.revision} ${isDelete ? 'delete' : 'put'} ${key}\n`)
      } else {
        revisions.set(key, result.current?.modRevision ?? 0)
      }
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
}

/** Compacts now and then, so that crashes hit that too. */
async function compactForEver(storage: Storage): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const revision = (await storage.currentRevision()) - HISTORY
    if (revision > 0) await storage.compact(revision)
  }
}

/** Run by the test as a program: `node engine-writer.mjs <data folder or etcd URL> <writers>`. */
export async function main(): Promise<void> {
  const [place, writers] = process.argv.slice(2) as [string, string]
  const storage = await openStorage(placeOf(place))
  writeSync(1, 'open\n')
  await Promise.all([
    // Synchronous: what was acknowledged is in the pipe, whatever happens next.
    writeForEver(storage, Number(writers), (line) => writeSync(1, line)),
    compactForEver(storage),
  ])
}

/** A store by the text that stands for it: a URL is etcd's, all else a folder. */
export function placeOf(text: string): StorageOptions {
  return text.startsWith('http') ? { etcdServers: [text] } : { dataDir: text }
}
