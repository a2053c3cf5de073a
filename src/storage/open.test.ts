// Which engine an option opens. (Each engine's own tests say what it does.)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { put } from './contract.probe.suite.ts'
import { MemoryStorage } from './memory.ts'
import { openStorage } from './open.ts'

it('opens an engine in memory', async () => {
  const storage = await openStorage({ memory: true })
  expect(storage).toBeInstanceOf(MemoryStorage)
  await storage.close()
})

it('opens one that keeps its data in the folder', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dinghy-open-'))
  const storage = await openStorage({ dataDir })
  const revision = await put(storage, '/a/x', 'v')
  await storage.close()
  const again = await openStorage({ dataDir })
  expect((await again.get('/a/x')).kv?.modRevision).toBe(revision)
  await again.close()
  rmSync(dataDir, { recursive: true })
})

it('looks for etcd where it is told', async () => {
  const opening = openStorage({ etcdServers: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] })
  await expect(opening).rejects.toMatchObject({
    code: 'EUNREACHABLE',
    message: expect.stringContaining('http://127.0.0.1:1, http://127.0.0.1:2'),
  })
})
