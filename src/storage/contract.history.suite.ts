// The part of the storage contract that is about compaction, expiry and many writers at once.
// Follows the compaction and lease cases of k8s.io/apiserver/pkg/storage/etcd3.

import { expect, it } from 'vitest'
import type { Bench } from './contract.probe.suite.ts'
import { bytes, expectAscending, listed, put, remove, texts } from './contract.probe.suite.ts'
import type { Revision } from './interface.ts'

export function compactions(bench: Bench): void {
  it('keeps the state at the revision and after, forgets before', async () => {
    const first = await put(bench.storage, '/a/x', 'x1')
    const second = await put(bench.storage, '/a/x', 'x2', first)
    const doomed = await put(bench.storage, '/a/doomed', 'd')
    const at = await remove(bench.storage, '/a/doomed', doomed)
    const after = await put(bench.storage, '/a/x', 'x3', second)
    await bench.storage.compact(at)
    expect(await bench.storage.list({ prefix: '/a/', revision: at - 1 })).toEqual({
      compacted: true,
      oldest: at,
    })
    expect(texts(await listed(bench.storage, { prefix: '/a/', revision: at }))).toEqual(['/a/x=x2'])
    expect(texts(await listed(bench.storage, { prefix: '/a/', revision: after }))).toEqual(['/a/x=x3'])
    expect((await bench.storage.get('/a/x')).kv).toMatchObject({ createRevision: first, modRevision: after })
    expect(await put(bench.storage, '/a/doomed', 'again')).toBe(after + 1)
  })

  it('ends a watch from before, and serves one from the revision on', async () => {
    const first = await put(bench.storage, '/a/x', 'x1')
    for (let i = 0; i < 5; i++) await put(bench.storage, `/a/${i}`, 'v')
    const at = await bench.storage.currentRevision()
    const after = await put(bench.storage, '/a/x', 'x2', first)
    await bench.storage.compact(at)
    const late = bench.watch('/a/', first).recorder
    await late.until((r) => r.over !== undefined)
    expect(late.over).toEqual({ compacted: true, oldest: at })
    expect(late.seen).toEqual([])
    const inTime = bench.watch('/a/', at).recorder
    await inTime.until((r) => r.seen.length > 0)
    expect(inTime.seen[0]).toMatchObject({ revision: after, createRevision: first })
    expect(inTime.seen[0]?.previous).toEqual({ value: bytes('x1'), modRevision: first })
  })

  it('leaves live watches alone', async () => {
    const { recorder } = bench.watch('/a/', await bench.storage.currentRevision())
    let revision = await put(bench.storage, '/a/x', '0')
    // Told of a first event it is live; one that is still behind may lose the race with the compaction.
    await recorder.until((r) => r.seen.length === 1)
    for (let i = 1; i <= 20; i++) {
      revision = await put(bench.storage, '/a/x', String(i), revision)
      if (i % 5 === 0) await bench.storage.compact(revision)
    }
    await recorder.until((r) => r.seen.length === 21)
    expectAscending(recorder)
  })

  it('is the same when repeated, and stops at the newest revision', async () => {
    const revision = await put(bench.storage, '/a/x', 'v')
    await bench.storage.compact(revision)
    await bench.storage.compact(revision)
    await bench.storage.compact(1)
    await bench.storage.compact(revision + 1000)
    expect(texts(await listed(bench.storage, { prefix: '/a/' }))).toEqual(['/a/x=v'])
    expect(await put(bench.storage, '/a/x', 'w', revision)).toBe(revision + 1)
  })

  it('knows its size, or says that it does not', async () => {
    await put(bench.storage, '/a/x', 'v'.repeat(100_000))
    const size = await bench.storage.size()
    expect(size === undefined || size >= 100_000).toBe(true)
  })
}

export function expiries(bench: Bench): void {
  it('deletes a key when its time is over, as a watched write', async () => {
    const { recorder } = bench.watch('/a/', await bench.storage.currentRevision())
    const began = Date.now()
    const result = await bench.storage.write({ key: '/a/x', value: bytes('v'), expected: 0, ttlSeconds: 1 })
    await put(bench.storage, '/a/stays', 'v')
    expect(result.ok).toBe(true)
    await recorder.until((r) => r.seen.length === 3)
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000)
    expect(recorder.story()).toEqual(['/a/x=v', '/a/stays=v', '-/a/x'])
    expect(recorder.seen[2]?.previous?.value.toString()).toBe('v')
    expect(texts(await listed(bench.storage, { prefix: '/a/' }))).toEqual(['/a/stays=v'])
  })

  it('goes by the last write: without a time the key stays, with a longer one it stays longer', async () => {
    const { recorder } = bench.watch('/a/', await bench.storage.currentRevision())
    const short = { value: bytes('short'), expected: 0, ttlSeconds: 1 }
    const revisions: Revision[] = []
    for (const key of ['/a/renewed', '/a/kept', '/a/gone']) {
      const result = await bench.storage.write({ key, ...short })
      if (result.ok) revisions.push(result.revision)
    }
    const [renewed, kept] = revisions as [Revision, Revision]
    await bench.storage.write({ key: '/a/renewed', value: bytes('long'), expected: renewed, ttlSeconds: 600 })
    await put(bench.storage, '/a/kept', 'for ever', kept)
    await recorder.until((r) => r.seen.length >= 6)
    expect(recorder.story().slice(5)).toEqual(['-/a/gone'])
    expect(texts(await listed(bench.storage, { prefix: '/a/' }))).toEqual([
      '/a/kept=for ever',
      '/a/renewed=long',
    ])
  })
}

export function crowds(bench: Bench): void {
  it('lets exactly one of many writers win each revision of a key', async () => {
    const { recorder } = bench.watch('/a/', await bench.storage.currentRevision())
    let expected = await put(bench.storage, '/a/x', 'start')
    for (let round = 0; round < 10; round++) {
      const attempts = Array.from({ length: 32 }, (_, i) =>
        bench.storage.write({ key: '/a/x', value: bytes(`${round}/${i}`), expected }),
      )
      const results = await Promise.all(attempts)
      const winners = results.flatMap((r, i) => (r.ok ? [{ i, revision: r.revision }] : []))
      expect(winners).toHaveLength(1)
      const winner = winners[0] as { i: number; revision: Revision }
      for (const result of results) {
        if (!result.ok) expect(result.current?.value.toString()).toBe(`${round}/${winner.i}`)
      }
      expected = winner.revision
    }
    await recorder.until((r) => r.seen.length === 11)
    expectAscending(recorder)
    expect((await bench.storage.get('/a/x')).kv?.modRevision).toBe(expected)
  })

  it('lets exactly one of many creates win', async () => {
    const attempts = Array.from({ length: 50 }, (_, i) =>
      bench.storage.write({ key: '/a/x', value: bytes(String(i)), expected: 0 }),
    )
    const results = await Promise.all(attempts)
    expect(results.filter((r) => r.ok)).toHaveLength(1)
  })

  it('takes read-modify-write loops of many without losing one', async () => {
    await put(bench.storage, '/a/count', '0')
    const increment = async (): Promise<void> => {
      for (;;) {
        const { kv } = await bench.storage.get('/a/count')
        const value = bytes(String(Number(kv?.value.toString()) + 1))
        const result = await bench.storage.write({ key: '/a/count', value, expected: kv?.modRevision ?? 0 })
        if (result.ok) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    expect((await bench.storage.get('/a/count')).kv?.value.toString()).toBe('20')
  })

  it('is read-your-writes and gives each write a revision of its own', async () => {
    const { recorder } = bench.watch('/a/', await bench.storage.currentRevision())
    const one = async (i: number): Promise<Revision> => {
      const revision = await put(bench.storage, `/a/${i}`, `v${i}`)
      const { kv, revision: at } = await bench.storage.get(`/a/${i}`)
      expect(kv?.modRevision).toBe(revision)
      expect(at).toBeGreaterThanOrEqual(revision)
      expect(await bench.storage.currentRevision()).toBeGreaterThanOrEqual(revision)
      return revision
    }
    const revisions = await Promise.all(Array.from({ length: 200 }, (_, i) => one(i)))
    expect(new Set(revisions).size).toBe(200)
    await recorder.until((r) => r.seen.length === 200)
    expectAscending(recorder)
    const list = await listed(bench.storage, { prefix: '/a/' })
    expect(list.items).toHaveLength(200)
  })

  it('decides on what was deleted and created while others wait', async () => {
    const first = await put(bench.storage, '/a/x', 'v')
    const [gone, lost, stale] = await Promise.all([
      bench.storage.write({ key: '/a/x', value: null, expected: first }),
      bench.storage.write({ key: '/a/x', value: bytes('w'), expected: first }),
      bench.storage.write({ key: '/a/x', value: bytes('w'), expected: first }),
    ])
    expect([gone, lost, stale].filter((r) => r.ok)).toHaveLength(1)
  })
}
