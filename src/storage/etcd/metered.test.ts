import { expect, it } from 'vitest'
import { MemoryStorage } from '../memory.ts'
import { EtcdMeters, metered } from './metered.ts'

const resourceOf = (place: string) =>
  place === 'services/specs' ? { group: '', resource: 'services' } : undefined

it('tells what was asked, of which resource, and what failed', async () => {
  const meters = new EtcdMeters()
  const store = metered(new MemoryStorage(), meters)
  const key = '/registry/services/specs/default/a'
  const made = await store.write({ key, expected: 0, value: Buffer.from('{}') })
  expect(made.ok).toBe(true)
  await store.write({ key, expected: made.ok ? made.revision : 0, value: Buffer.from('[]') })
  await store.get(key)
  await store.list({ prefix: '/registry/example.com/things/' })
  await store.list({ prefix: '/registry/pods/' })
  const failing = metered({ ...store, get: () => Promise.reject(new Error('gone')) }, meters)
  await expect(failing.get(key)).rejects.toThrow('gone')
  const text = meters.text(resourceOf)
  for (const [operation, group, resource, count] of [
    ['create', '', 'services', 1],
    ['update', '', 'services', 1],
    ['get', '', 'services', 2],
    ['list', 'example.com', 'things', 1],
    ['list', '', 'pods', 1],
  ]) {
    const labels = `{operation="${operation}",group="${group}",resource="${resource}"}`
    expect(text).toContain(`etcd_requests_total${labels} ${count}\n`)
    expect(text).toContain(`etcd_request_duration_seconds_count${labels} ${count}\n`)
  }
  const failed = 'etcd_request_errors_total{operation="get",group="",resource="services"} 1\n'
  expect(text.match(/^etcd_request_errors_total.*\n/gm)).toEqual([failed])
})
