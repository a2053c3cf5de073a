// What every engine must do, as tests: each engine's own test file runs it over itself.
// Follows the cases of k8s.io/apiserver/pkg/storage/testing and etcd's KV and Watch services.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compactions, crowds, expiries } from './contract.history.suite.ts'
import type { Bench } from './contract.probe.suite.ts'
import { bytes, listed, put, Recorder, remove, texts } from './contract.probe.suite.ts'
import { watches } from './contract.watch.suite.ts'
import type { Storage } from './interface.ts'

/**
 * Registers the contract's tests for the engine that `open` opens, empty, each time it is called.
 * The tests close it.
 */
export function storageContract(name: string, open: () => Promise<Storage>): void {
  describe(`storage contract: ${name}`, () => {
    const bench: Bench = {
      storage: undefined as unknown as Storage,
      watch(prefix, from) {
        const recorder = new Recorder()
        return { recorder, watch: bench.storage.watch(prefix, from, recorder) }
      },
    }
    beforeEach(async () => {
      bench.storage = await open()
    })
    afterEach(() => bench.storage.close())
    describe('get and write', () => writes(bench))
    describe('list', () => lists(bench))
    describe('watch', () => watches(bench))
    describe('compaction', () => compactions(bench))
    describe('time to live', () => expiries(bench))
    describe('many at once', () => crowds(bench))
    describe('close', () => closing(bench))
  })
}

function writes(bench: Bench): void {
  it('creates, gets and knows both revisions', async () => {
    const before = await bench.storage.currentRevision()
    expect(before).toBeGreaterThan(0)
    const revision = await put(bench.storage, '/a/x', 'one')
    expect(revision).toBe(before + 1)
    const { kv, revision: at } = await bench.storage.get('/a/x')
    expect(kv).toMatchObject({ key: '/a/x', createRevision: revision, modRevision: revision })
    expect(kv?.value.toString()).toBe('one')
    expect(at).toBe(revision)
  })

  it('answers no value for a key that does not exist', async () => {
    const { kv, revision } = await bench.storage.get('/a/none')
    expect(kv).toBeUndefined()
    expect(revision).toBe(await bench.storage.currentRevision())
  })

  it('updates at the expected revision and keeps the create revision', async () => {
    const first = await put(bench.storage, '/a/x', 'one')
    const second = await put(bench.storage, '/a/x', 'two', first)
    expect(second).toBe(first + 1)
    const { kv } = await bench.storage.get('/a/x')
    expect(kv).toMatchObject({ createRevision: first, modRevision: second })
    expect(kv?.value.toString()).toBe('two')
  })

  it('refuses a create of what exists, with what stands there', async () => {
    const first = await put(bench.storage, '/a/x', 'one')
    const result = await bench.storage.write({ key: '/a/x', value: bytes('two'), expected: 0 })
    expect(result).toMatchObject({ ok: false, current: { key: '/a/x', modRevision: first } })
    expect(!result.ok && result.current?.value.toString()).toBe('one')
    expect(await bench.storage.currentRevision()).toBe(first)
  })

  it('refuses an update at an older revision, and one of a key that is gone', async () => {
    const first = await put(bench.storage, '/a/x', 'one')
    const second = await put(bench.storage, '/a/x', 'two', first)
    const stale = await bench.storage.write({ key: '/a/x', value: bytes('three'), expected: first })
    expect(stale).toMatchObject({ ok: false, current: { modRevision: second } })
    await remove(bench.storage, '/a/x', second)
    const gone = await bench.storage.write({ key: '/a/x', value: bytes('three'), expected: second })
    expect(gone).toEqual({ ok: false, current: undefined })
  })

  it('deletes at the expected revision only, and lets the key be created anew', async () => {
    const first = await put(bench.storage, '/a/x', 'one')
    const stale = await bench.storage.write({ key: '/a/x', value: null, expected: first + 1 })
    expect(stale).toMatchObject({ ok: false, current: { modRevision: first } })
    const deleted = await remove(bench.storage, '/a/x', first)
    expect(deleted).toBe(first + 1)
    expect((await bench.storage.get('/a/x')).kv).toBeUndefined()
    const again = await put(bench.storage, '/a/x', 'again')
    expect((await bench.storage.get('/a/x')).kv).toMatchObject({ createRevision: again, modRevision: again })
  })

  it('takes a delete of what does not exist as done, without a revision', async () => {
    const before = await bench.storage.currentRevision()
    const result = await bench.storage.write({ key: '/a/none', value: null, expected: 0 })
    expect(result).toEqual({ ok: true, revision: before })
    expect(await bench.storage.currentRevision()).toBe(before)
  })

  it('keeps any bytes, and keys with any name', async () => {
    const value = Buffer.from([...Array(256).keys()])
    for (const key of ['/a/__proto__', '/a/constructor', '/a/toString', '/a/ü', '/a/a b%']) {
      await bench.storage.write({ key, value, expected: 0 })
      const { kv } = await bench.storage.get(key)
      expect(kv?.key).toBe(key)
      expect(kv?.value.equals(value)).toBe(true)
    }
    expect((await bench.storage.get('/a/valueOf')).kv).toBeUndefined()
    expect((await listed(bench.storage, { prefix: '/a/' })).items).toHaveLength(5)
  })

  it('keeps an empty value and one of a mebibyte', async () => {
    const big = Buffer.alloc(1024 * 1024, 'x')
    await put(bench.storage, '/a/empty', '')
    await bench.storage.write({ key: '/a/big', value: big, expected: 0 })
    expect((await bench.storage.get('/a/empty')).kv?.value).toHaveLength(0)
    expect((await bench.storage.get('/a/big')).kv?.value.equals(big)).toBe(true)
  })
}

function lists(bench: Bench): void {
  it('lists the keys of the prefix only, in byte order', async () => {
    for (const key of [
      '/a/b',
      '/a/a',
      '/a0',
      '/a/b/c',
      '/b/a',
      '/a/B',
      '/a/\u{1F600}',
      '/a/\uFFFD',
      '/a/é',
    ]) {
      await put(bench.storage, key, 'v')
    }
    const result = await listed(bench.storage, { prefix: '/a/' })
    const order = ['/a/B', '/a/a', '/a/b', '/a/b/c', '/a/é', '/a/\uFFFD', '/a/\u{1F600}']
    expect(result.items.map((kv) => kv.key)).toEqual(order)
    expect(result.remaining).toBe(0)
    expect(result.revision).toBe(await bench.storage.currentRevision())
  })

  it('lists nothing of an unknown prefix, at a revision all the same', async () => {
    const revision = await put(bench.storage, '/a/x', 'v')
    expect(await listed(bench.storage, { prefix: '/none/' })).toEqual({ items: [], revision, remaining: 0 })
  })

  it('pages by limit and startKey, and counts what remains', async () => {
    for (let i = 0; i < 10; i++) await put(bench.storage, `/a/${i}`, `v${i}`)
    await put(bench.storage, '/b/0', 'v')
    const first = await listed(bench.storage, { prefix: '/a/', limit: 4 })
    expect(texts(first)).toEqual(['/a/0=v0', '/a/1=v1', '/a/2=v2', '/a/3=v3'])
    expect(first.remaining).toBe(6)
    const next = await listed(bench.storage, { prefix: '/a/', limit: 4, startKey: '/a/3\0' })
    expect(texts(next)).toEqual(['/a/4=v4', '/a/5=v5', '/a/6=v6', '/a/7=v7'])
    expect(next.remaining).toBe(2)
    const inclusive = await listed(bench.storage, { prefix: '/a/', startKey: '/a/8' })
    expect(texts(inclusive)).toEqual(['/a/8=v8', '/a/9=v9'])
    expect(inclusive.remaining).toBe(0)
  })

  it('lists the state at a revision: what was changed, created and deleted since', async () => {
    const x = await put(bench.storage, '/a/x', 'x1')
    const y = await put(bench.storage, '/a/y', 'y1')
    const at = await put(bench.storage, '/a/z', 'z1')
    await put(bench.storage, '/a/x', 'x2', await put(bench.storage, '/a/x', 'x1b', x))
    await remove(bench.storage, '/a/y', y)
    await put(bench.storage, '/a/new', 'n')
    await put(bench.storage, '/a/y', 'y again')
    const old = await listed(bench.storage, { prefix: '/a/', revision: at })
    expect(texts(old)).toEqual(['/a/x=x1', '/a/y=y1', '/a/z=z1'])
    expect(old.items[1]).toMatchObject({ createRevision: y, modRevision: y })
    const paged = await listed(bench.storage, { prefix: '/a/', revision: at, limit: 1, startKey: '/a/x\0' })
    expect(texts(paged)).toEqual(['/a/y=y1'])
    expect(paged.remaining).toBe(1)
    const now = await listed(bench.storage, { prefix: '/a/' })
    expect(texts(now)).toEqual(['/a/new=n', '/a/x=x2', '/a/y=y again', '/a/z=z1'])
  })

  it('says when the revision is still to come', async () => {
    const current = await put(bench.storage, '/a/x', 'v')
    const result = await bench.storage.list({ prefix: '/a/', revision: current + 1000 })
    expect(result).toEqual({ future: true, current })
  })
}

function closing(bench: Bench): void {
  it('ends watches with an error, and rejects what comes after', async () => {
    const from = await put(bench.storage, '/a/x', 'v')
    const { recorder } = bench.watch('/a/', from)
    await put(bench.storage, '/a/y', 'v')
    await recorder.until((r) => r.seen.length === 1)
    await bench.storage.close()
    await recorder.until((r) => r.over !== undefined)
    expect(recorder.over).toBeInstanceOf(Error)
    await expect(bench.storage.get('/a/x')).rejects.toThrow('closed')
    await expect(bench.storage.write({ key: '/a/z', value: bytes('v'), expected: 0 })).rejects.toThrow(
      'closed',
    )
    const after = bench.watch('/a/', from).recorder
    await after.until((r) => r.over !== undefined)
    expect(after.over).toBeInstanceOf(Error)
  })

  it('may be closed twice', async () => {
    await bench.storage.close()
    await bench.storage.close()
  })
}
