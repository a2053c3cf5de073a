import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryStorage } from '../memory.ts'
import type { CacheEvent } from './history.ts'
import { WatchCache } from './watchcache.ts'

let storage: MemoryStorage
let cache: WatchCache

beforeEach(() => {
  storage = new MemoryStorage()
  cache = new WatchCache(storage, {
    prefix: '/registry/configmaps/',
    namespaced: true,
    transcode: (value) => value,
  })
})

afterEach(async () => {
  cache.close()
  await storage.close()
})

const json = (name: string, text: string): Buffer =>
  Buffer.from(
    `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${name}","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"${text}"}},"data":{"k":"${text}"}}`,
  )

async function put(namespace: string, name: string, text: string): Promise<number> {
  const key = cache.keyFor(namespace, name)
  const expected = (await storage.get(key)).kv?.modRevision ?? 0
  const result = await storage.write({ key, expected, value: json(name, text) })
  return result.ok ? result.revision : -1
}

async function remove(namespace: string, name: string): Promise<number> {
  const key = cache.keyFor(namespace, name)
  const expected = (await storage.get(key)).kv?.modRevision ?? 0
  const result = await storage.write({ key, expected, value: null })
  return result.ok ? result.revision : -1
}

const keys = (entries: readonly { key: string }[] | undefined): string[] | undefined =>
  entries?.map((entry) => entry.key.slice('/registry/configmaps/'.length))

describe('entries', () => {
  it('carry their version where upstream has it, and end in a newline', async () => {
    const revision = await put('n', 'a', '1')
    await cache.fresh()
    const entry = cache.index.get('n', 'a')
    expect(entry?.line.toString()).toBe(
      `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"${revision}","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"1"}},"data":{"k":"1"}}\n`,
    )
    expect(entry?.storedBytes().equals(json('a', '1'))).toBe(true)
    expect(entry?.holds(json('a', '1'))).toBe(true)
    expect(entry?.holds(json('a', '2'))).toBe(false)
    expect(entry?.labels()).toEqual({ a: '1' })
  })
})

describe('the index', () => {
  it('lists in the order of keys, also where one namespace begins like another', async () => {
    for (const [namespace, name] of [
      ['b', 'x'],
      ['a', 'z'],
      ['a-b', 'x'],
      ['a', 'b'],
    ] as const)
      await put(namespace, name, '1')
    await cache.fresh()
    expect(keys(cache.index.entries())).toEqual(['a-b/x', 'a/b', 'a/z', 'b/x'])
    expect(keys(cache.index.entries('a'))).toEqual(['a/b', 'a/z'])
    await remove('a', 'b')
    await cache.fresh()
    expect(keys(cache.index.entries('a'))).toEqual(['a/z'])
    expect(cache.index.size).toBe(3)
  })
})

describe('snapshots', () => {
  it('show the past while the window reaches it', async () => {
    await put('n', 'a', '1')
    await cache.fresh()
    const then = await put('n', 'b', '1')
    await put('n', 'a', '2')
    await remove('n', 'b')
    await put('n', 'c', '1')
    await cache.fresh()
    const past = cache.snapshot('n', then)
    expect(keys(past)).toEqual(['n/a', 'n/b'])
    expect(past?.[0]?.object()['data']).toEqual({ k: '1' })
    expect(keys(cache.snapshot('n', cache.revision))).toEqual(['n/a', 'n/c'])
    expect(keys(cache.snapshot('other', then))).toEqual([])
  })

  it('are refused before the window', async () => {
    const early = await put('n', 'a', '1')
    await put('n', 'a', '2')
    await cache.fresh()
    expect(cache.snapshot('n', early)).toBeUndefined()
  })
})

describe('listeners', () => {
  it('see each change once, with what stood there before', async () => {
    const seen: CacheEvent[] = []
    await put('n', 'a', '1')
    await cache.ready()
    cache.subscribe((events) => seen.push(...events))
    await put('n', 'a', '2')
    const revision = await remove('n', 'a')
    await cache.fresh()
    expect(seen.map((event) => event.type)).toEqual(['MODIFIED', 'DELETED'])
    expect(seen[0]?.previous?.object()['data']).toEqual({ k: '1' })
    // A deletion shows the last content under the version of the deletion.
    expect(seen[1]?.entry.object()).toMatchObject({
      data: { k: '2' },
      metadata: { resourceVersion: String(revision) },
    })
  })
})

describe('waiting', () => {
  it('ends when the version comes', async () => {
    await cache.ready()
    const coming = cache.waitFor((await storage.currentRevision()) + 1)
    await put('n', 'a', '1')
    expect(await coming).toBe(true)
  })

  it('gives up in the end', async () => {
    expect(await cache.waitFor(1_000_000, 20)).toBe(false)
  })
})

describe('a cache whose values somebody else converts', () => {
  it('lists anew when a conversion fails as a whole, and goes on', async () => {
    let failures = 1
    const converting = new WatchCache(storage, {
      prefix: '/registry/configmaps/',
      namespaced: true,
      transcode: (value) => value,
      converter: {
        applies: () => true,
        convert: (values) =>
          failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve([...values]),
      },
    })
    // Started while there is nothing to convert, so that the first change is what fails.
    await converting.fresh()
    await put('n', 'a', '1')
    await put('n', 'b', '1')
    await expect.poll(() => keys(converting.index.entries())).toEqual(['n/a', 'n/b'])
    expect(failures).toBeLessThan(0)
    await put('n', 'c', '1')
    await converting.fresh()
    expect(keys(converting.index.entries())).toEqual(['n/a', 'n/b', 'n/c'])
    converting.close()
  })
})
