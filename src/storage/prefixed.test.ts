// A store below a prefix keeps the contract, and says nothing of what stands beside it.
import { expect, it } from 'vitest'
import { listed, put, Recorder } from './contract.probe.suite.ts'
import { storageContract } from './contract.suite.ts'
import { MemoryStorage } from './memory.ts'
import { prefixed } from './prefixed.ts'

storageContract('memory below a prefix', () => Promise.resolve(prefixed(new MemoryStorage(), '/one', '')))

it('keeps two clusters apart in one store', async () => {
  const store = new MemoryStorage()
  const one = prefixed(store, '/clusters/one')
  const two = prefixed(store, '/clusters/two')
  const recorder = new Recorder()
  const watch = two.watch('/registry/pods/', await store.currentRevision(), recorder)
  await put(one, '/registry/pods/a', 'first')
  await put(two, '/registry/pods/b', 'second')
  expect((await listed(one, { prefix: '/registry/pods/' })).items.map(({ key }) => key)).toEqual([
    '/registry/pods/a',
  ])
  expect((await store.get('/clusters/two/pods/b')).kv?.value.toString()).toBe('second')
  expect((await two.write({ key: '/registry/pods/b', expected: 0, value: null })).ok).toBe(false)
  await expect.poll(() => recorder.seen.map(({ key }) => key)).toEqual(['/registry/pods/b'])
  watch.close()
  await store.close()
})
