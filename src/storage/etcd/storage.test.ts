// The etcd engine against the contract, and over a server that dies and comes back.
// Needs an etcd (see findEtcd); skips, saying so, where there is none.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listed, put, Recorder } from '../contract.probe.suite.ts'
import { storageContract } from '../contract.suite.ts'
import type { Storage } from '../interface.ts'
import { openEtcd } from './storage.ts'
import type { EtcdServer } from './testing.suite.ts'
import { findEtcd, startEtcd } from './testing.suite.ts'

const binary = findEtcd()
if (binary === undefined)
  console.warn('no etcd found: the etcd engine is not tested ($DINGHY_ETCD names one)')

describe.skipIf(binary === undefined)('with a server of its own', () => {
  let server: EtcdServer
  beforeAll(async () => {
    server = await startEtcd(binary as string)
  })
  afterAll(() => server.stop())

  storageContract('etcd', async () => {
    const storage = await openEtcd({ servers: [server.url] })
    await clear(storage)
    return storage
  })
})

/** The contract wants an empty store, a new server for each test would take minutes. */
async function clear(storage: Storage): Promise<void> {
  const { items } = await listed(storage, { prefix: '/' })
  await Promise.all(items.map((kv) => storage.write({ key: kv.key, value: null, expected: kv.modRevision })))
}

describe.skipIf(binary === undefined)('a server that dies and comes back', () => {
  it('loses no event of a watch, and no acknowledged write', async () => {
    const server = await startEtcd(binary as string)
    const storage = await openEtcd({ servers: [server.url] })
    const recorder = new Recorder()
    try {
      storage.watch('/a/', await storage.currentRevision(), recorder)
      await put(storage, '/a/before', 'v')
      await recorder.until((r) => r.seen.length === 1)
      await server.kill()
      const during = put(storage, '/a/during', 'v')
      const read = storage.get('/a/before')
      const refused = storage.write({ key: '/a/before', value: Buffer.from('w'), expected: 0 })
      await server.start()
      await during
      expect((await read).kv?.value.toString()).toBe('v')
      expect(await refused).toMatchObject({ ok: false, current: { key: '/a/before' } })
      await put(storage, '/a/after', 'v')
      await recorder.until((r) => r.seen.length === 3)
      expect(recorder.story()).toEqual(['/a/before=v', '/a/during=v', '/a/after=v'])
      expect(recorder.over).toBeUndefined()
    } finally {
      await storage.close()
      await server.stop()
    }
  })
})

describe('without a server', () => {
  it('says in one line that none answers, within seconds', async () => {
    const began = Date.now()
    const opening = openEtcd({ servers: ['http://127.0.0.1:1'] })
    await expect(opening).rejects.toMatchObject({
      code: 'EUNREACHABLE',
      message: expect.stringMatching(/^no etcd server answers at http:\/\/127\.0\.0\.1:1: [^\n]+$/),
    })
    expect(Date.now() - began).toBeLessThan(60_000)
  })
})
