// The memory engine against the contract, and its own bounds.

import { describe, expect, it } from 'vitest'
import { listed, put, Recorder } from './contract.probe.suite.ts'
import { storageContract } from './contract.suite.ts'
import { isCompacted } from './interface.ts'
import { MemoryStorage } from './memory.ts'

storageContract('memory', () => Promise.resolve(new MemoryStorage()))

describe('the memory engine', () => {
  it('forgets the oldest history by itself, and goes on', async () => {
    const storage = new MemoryStorage()
    const from = await storage.currentRevision()
    let revision = await put(storage, '/a/x', '0')
    for (let i = 1; i < 100_010; i++) revision = await put(storage, '/a/x', String(i), revision)
    expect(isCompacted(await storage.list({ prefix: '/a/', revision: from }))).toBe(true)
    const recent = await listed(storage, { prefix: '/a/', revision: revision - 50_000 })
    expect(recent.items[0]?.value.toString()).toBe('50009')
    await storage.close()
  })

  it('bounds the bytes of its history, not those of live objects', async () => {
    const storage = new MemoryStorage()
    const mebibyte = Buffer.alloc(1024 * 1024)
    const from = await storage.currentRevision()
    for (let i = 0; i < 100; i++) await storage.write({ key: `/a/${i}`, value: mebibyte, expected: 0 })
    expect(isCompacted(await storage.list({ prefix: '/a/', revision: from }))).toBe(false)
    for (let round = 0; round < 2; round++) {
      for (const { key, modRevision } of (await listed(storage, { prefix: '/a/' })).items) {
        await storage.write({ key, value: mebibyte, expected: modRevision })
      }
    }
    expect(await storage.size()).toBeLessThan(170 * 1024 * 1024)
    expect((await listed(storage, { prefix: '/a/' })).items).toHaveLength(100)
    await storage.close()
  })

  it('takes the watch of a sink that throws, and only that one', async () => {
    const storage = new MemoryStorage()
    const from = await storage.currentRevision()
    const fine = new Recorder()
    const broken = new Recorder()
    broken.events = () => {
      throw new Error('broken sink')
    }
    storage.watch('/a/', from, broken)
    storage.watch('/a/', from, fine)
    await put(storage, '/a/x', 'v')
    await put(storage, '/a/y', 'v')
    await fine.until((r) => r.seen.length === 2)
    expect(broken.over).toMatchObject({ message: 'broken sink' })
    await storage.close()
  })
})
