// The encrypting engine is held to the contract of all engines, with ciphers that answer at once and with ones that do not.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { put, Recorder } from '../contract.probe.suite.ts'
import { storageContract } from '../contract.suite.ts'
import type { ListResult, Storage } from '../interface.ts'
import { MemoryStorage } from '../memory.ts'
import { gcm } from './aes.ts'
import { EncryptedStorage } from './storage.ts'
import { identity, prefixed, type Transformer } from './transformer.ts'

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const entry = (name: string, secret: Buffer) => ({
  prefix: Buffer.from(`k8s:enc:aesgcm:v1:${name}:`),
  transformer: gcm(secret),
})
const PLAIN = { prefix: Buffer.alloc(0), transformer: identity }
const byOld = prefixed('none', [entry('old', OLD), PLAIN])
const byNew = prefixed('none', [entry('new', NEW), entry('old', OLD), PLAIN])

/** The same, as of a key service: some answers come later than others. */
function slow(transformer: Transformer): Transformer {
  let count = 0
  const later = async <T>(value: () => T | Promise<T>): Promise<T> => {
    for (let turns = count++ % 4; turns > 0; turns--) await turn()
    return value()
  }
  return {
    fromStorage: (data, key) => later(() => transformer.fromStorage(data, key)),
    toStorage: (value, key) => later(() => transformer.toStorage(value, key)),
  }
}

const over = (engine: Storage, transformer: Transformer): EncryptedStorage =>
  new EncryptedStorage(
    engine,
    () => transformer,
    () => undefined,
  )

storageContract('encrypted memory', () => Promise.resolve(over(new MemoryStorage(), byOld)))
storageContract('encrypted memory by a slow service', () =>
  Promise.resolve(over(new MemoryStorage(), slow(byOld))),
)

describe('encrypted values', () => {
  it('are ciphertext below, and bound to their key', async () => {
    const engine = new MemoryStorage()
    const storage = over(engine, byOld)
    await put(storage, '/registry/secrets/a', 'the value')
    const raw = (await engine.get('/registry/secrets/a')).kv?.value as Buffer
    expect(raw.subarray(0, 22).toString()).toBe('k8s:enc:aesgcm:v1:old:')
    expect(raw.includes('the value')).toBe(false)
    await engine.write({ key: '/registry/secrets/b', expected: 0, value: raw })
    await expect(storage.get('/registry/secrets/b')).rejects.toThrow(
      'unable to transform key "/registry/secrets/b": cipher: message authentication failed',
    )
    await storage.close()
  })

  it('are stale where another key, or none, wrote them', async () => {
    const engine = new MemoryStorage()
    const revision = await put(over(engine, byOld), '/a/x', 'value')
    await put(engine, '/a/plain', 'value')
    const storage = over(engine, byNew)
    expect(await storage.isStale('/a/x')).toBe(true)
    expect(await storage.isStale('/a/plain')).toBe(true)
    expect(await storage.isStale('/a/none')).toBe(false)
    await put(storage, '/a/x', 'value', revision)
    expect(await storage.isStale('/a/x')).toBe(false)
    await storage.close()
  })

  it('come back to watches as the bytes that were written, without being decrypted', async () => {
    const engine = new MemoryStorage()
    let opened = 0
    const counting: Transformer = {
      toStorage: (value, key) => byOld.toStorage(value, key),
      fromStorage(data, key) {
        opened++
        return byOld.fromStorage(data, key)
      },
    }
    const storage = over(engine, counting)
    const recorder = new Recorder()
    storage.watch('/a/', await storage.currentRevision(), recorder)
    const value = Buffer.from('value')
    const { revision } = (await storage.write({ key: '/a/x', expected: 0, value })) as { revision: number }
    await recorder.until(({ seen }) => seen.length > 0)
    expect(recorder.seen[0]).toMatchObject({ key: '/a/x', revision })
    expect(recorder.seen[0]?.value).toBe(value)
    expect(opened).toBe(0)
    await storage.close()
  })

  it('that nobody can read end a watch, but not those of before', async () => {
    const engine = new MemoryStorage()
    const from = await engine.currentRevision()
    const first = await put(over(engine, prefixed('none', [entry('other', NEW)])), '/a/x', 'value')
    await put(over(engine, byOld), '/a/x', 'value', first)
    const storage = over(engine, byOld)
    const recorder = new Recorder()
    storage.watch('/a/', first, recorder)
    await recorder.until(({ seen }) => seen.length > 0)
    expect(recorder.seen).toMatchObject([{ previous: undefined }])
    const blind = new Recorder()
    storage.watch('/a/', from, blind)
    await blind.until(({ over: end }) => end !== undefined)
    expect(blind.over).toMatchObject({ compacted: true })
    expect(blind.seen).toEqual([])
    await expect(storage.list({ prefix: '/a/' })).resolves.toMatchObject({ items: [{ key: '/a/x' }] })
    expect(((await engine.list({ prefix: '/a/' })) as ListResult).items).toHaveLength(1)
    await storage.close()
  })
})
