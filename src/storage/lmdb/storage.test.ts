// The lmdb engine against the contract, and what only a durable engine must do.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bytes, expectAscending, listed, put, Recorder, remove, texts } from '../contract.probe.suite.ts'
import { storageContract } from '../contract.suite.ts'
import type { Revision, Storage } from '../interface.ts'
import { isCompacted } from '../interface.ts'
import { Database } from './database.ts'
import { openLmdb } from './storage.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-lmdb-'))
let next = 0
const folder = (): string => join(base, String(next++))
afterAll(() => rmSync(base, { recursive: true }))

storageContract('lmdb', () => openLmdb(folder()))

/** Closes and opens again. */
async function reopen(storage: Storage, path: string): Promise<Storage> {
  await storage.close()
  return openLmdb(path)
}

describe('the lmdb engine, opened again', () => {
  it('has the objects, their revisions and the next one', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    const first = await put(storage, '/a/x', 'one')
    const second = await put(storage, '/a/x', 'two', first)
    const deleted = await remove(storage, '/a/y', await put(storage, '/a/y', 'y'))
    storage = await reopen(storage, path)
    expect(await storage.currentRevision()).toBe(deleted)
    expect((await storage.get('/a/x')).kv).toMatchObject({ createRevision: first, modRevision: second })
    expect(texts(await listed(storage, { prefix: '/a/' }))).toEqual(['/a/x=two'])
    expect(await put(storage, '/a/y', 'again')).toBe(deleted + 1)
    await storage.close()
  })

  it('does not give a revision away twice, when all it made is compacted too', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    const last = await remove(storage, '/a/x', await put(storage, '/a/x', 'v'))
    await storage.compact(last)
    storage = await reopen(storage, path)
    expect(await put(storage, '/a/x', 'v')).toBe(last + 1)
    await storage.close()
  })

  it('resumes watches and lists at a revision from before', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    const first = await put(storage, '/a/x', 'one')
    const second = await put(storage, '/a/x', 'two', first)
    await remove(storage, '/a/x', second)
    storage = await reopen(storage, path)
    expect(texts(await listed(storage, { prefix: '/a/', revision: first }))).toEqual(['/a/x=one'])
    const recorder = new Recorder()
    storage.watch('/a/', first, recorder)
    await put(storage, '/a/z', 'z')
    await recorder.until((r) => r.seen.length === 3)
    expect(recorder.story()).toEqual(['/a/x=two', '-/a/x', '/a/z=z'])
    expect(recorder.seen[0]?.previous).toEqual({ value: bytes('one'), modRevision: first })
    await storage.close()
  })

  it('knows what was compacted, and finishes a compaction that was interrupted', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    let revision = await put(storage, '/a/x', '0')
    for (let round = 0; round < 30; round++) {
      const writes = Array.from({ length: 100 }, (_, i) => put(storage, `/a/${round}/${i}`, 'v'))
      await Promise.all(writes)
      revision = await put(storage, '/a/x', String(round), revision)
    }
    const interrupted = storage.compact(revision)
    await Promise.all([storage.close(), interrupted])
    const before = await stateOf(path)
    expect(before.compacted).toBe(revision)
    expect(before.swept).toBeLessThan(revision)
    storage = await openLmdb(path)
    expect(isCompacted(await storage.list({ prefix: '/a/', revision: revision - 1 }))).toBe(true)
    await storage.compact(revision)
    expect(texts(await listed(storage, { prefix: '/a/x', startKey: '/a/x' }))).toEqual(['/a/x=29'])
    await storage.close()
    const after = await stateOf(path)
    expect(after.swept).toBe(revision)
    expect(after.superseded).toBe(0)
  })

  it('expires what became due meanwhile', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    await storage.write({ key: '/a/x', value: bytes('v'), expected: 0, ttlSeconds: 1 })
    await put(storage, '/a/y', 'v')
    storage = await reopen(storage, path)
    const recorder = new Recorder()
    storage.watch('/a/', await storage.currentRevision(), recorder)
    await recorder.until((r) => r.seen.length === 1)
    expect(recorder.story()).toEqual(['-/a/x'])
    await storage.close()
  })
})

/** The state row, and that nobody else holds the store. */
async function stateOf(path: string): Promise<ReturnType<Database['state']>> {
  const database = await Database.open(path, { revision: 1, compacted: 0, swept: 0, superseded: 0 })
  const state = database.state()
  await database.close()
  return state
}

describe('a write of the lmdb engine', () => {
  it('is seen by nobody before it is acknowledged, then by everybody', async () => {
    const storage = await openLmdb(folder())
    const from = await storage.currentRevision()
    const recorder = new Recorder()
    storage.watch('/a/', from, recorder)
    let acknowledged = false
    const writing = put(storage, '/a/x', 'v').then((revision) => {
      acknowledged = true
      return revision
    })
    let looks = 0
    while (!acknowledged) {
      const { kv, revision } = await storage.get('/a/x')
      const { items } = await listed(storage, { prefix: '/a/' })
      // The watch hears first, then the writer: in between reads may see it.
      if (recorder.seen.length === 0) {
        expect(kv).toBeUndefined()
        expect(items).toEqual([])
        expect(revision).toBe(from)
        looks++
      }
      await new Promise(setImmediate)
    }
    expect(looks).toBeGreaterThan(0)
    expect(recorder.story()).toEqual(['/a/x=v'])
    expect((await storage.get('/a/x')).kv?.modRevision).toBe(await writing)
    await storage.close()
  })

  it('shares its commit with others, with the watch told of them together', async () => {
    const storage = await openLmdb(folder())
    const recorder = new Recorder()
    storage.watch('/a/', await storage.currentRevision(), recorder)
    await put(storage, '/a/first', 'v')
    await Promise.all(Array.from({ length: 3000 }, (_, i) => put(storage, `/a/${i}`, 'v')))
    expect(recorder.seen).toHaveLength(3001)
    expect(recorder.batches.length).toBeLessThan(10)
    expectAscending(recorder)
    await storage.close()
  })

  it('is done before close, or refused', async () => {
    const path = folder()
    let storage = await openLmdb(path)
    const results = Array.from({ length: 50 }, (_, i) => put(storage, `/a/${i}`, 'v'))
    await storage.close()
    await Promise.all(results)
    storage = await openLmdb(path)
    expect((await listed(storage, { prefix: '/a/' })).items).toHaveLength(50)
    await storage.close()
  })

  it('takes keys longer than a page of lmdb can hold', async () => {
    const storage = await openLmdb(folder())
    const long = ['a', 'b'].map((end) => `/a/${'n'.repeat(5000)}${end}`) as [string, string]
    const first = await put(storage, long[0], 'one')
    await put(storage, long[1], 'other')
    await put(storage, long[0], 'two', first)
    expect((await storage.get(long[0])).kv).toMatchObject({ key: long[0], createRevision: first })
    const list = await listed(storage, { prefix: '/a/' })
    expect(list.items.map((kv) => kv.key).sort()).toEqual(long)
    await storage.close()
  })
})

describe('the history of the lmdb engine', () => {
  it('is bounded in bytes, and its file with it', async () => {
    const storage = await openLmdb(folder())
    const value = Buffer.alloc(64 * 1024)
    const keys = Array.from({ length: 32 }, (_, i) => `/a/${i}`)
    const update = async (key: string): Promise<void> => {
      let expected: Revision = 0
      for (let i = 0; i < 60; i++) {
        const result = await storage.write({ key, value, expected })
        if (result.ok) expected = result.revision
      }
    }
    await Promise.all(keys.map(update))
    expect(isCompacted(await storage.list({ prefix: '/a/', revision: 2 }))).toBe(true)
    const recent = (await storage.currentRevision()) - 200
    expect((await listed(storage, { prefix: '/a/', revision: recent })).items).toHaveLength(32)
    expect(await storage.size()).toBeLessThan(100 * 1024 * 1024)
    await storage.close()
  })
})
