// Pods leave nodes whose taints they do not tolerate, at once or when their time is over.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import { CORE_EVENTS, NODES, PODS } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['taint-eviction-controller', 'csrcleaner', 'serviceaccount'])
})
afterAll(() => cluster.stop())

it('deletes those that do not tolerate them, says why, and keeps the others', async () => {
  const { api } = cluster
  await api.create(NODES, { metadata: { name: 'tainted' } } as never)
  const pod = (name: string, tolerations: object[]) => {
    const spec = { containers: [{ name: 'a', image: 'a' }], nodeName: 'tainted', tolerations }
    const metadata = { namespace, name, finalizers: ['example.com/keep'] }
    return vi.waitFor(() => api.create(PODS, { metadata, spec } as never), WAIT)
  }
  await pod('leaves', [])
  await pod('stays', [{ key: 'broken', operator: 'Exists', effect: 'NoExecute' }])
  await pod('lingers', [{ key: 'broken', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3600 }])
  const taints = [{ key: 'broken', effect: 'NoExecute' }]
  await api.patch(NODES, { name: 'tainted' }, { spec: { taints } }, { type: 'strategic' })
  const get = (name: string) => api.get(PODS, { namespace, name })
  await vi.waitFor(async () => {
    const left = await get('leaves').catch((error: unknown) =>
      isNotFound(error) ? undefined : Promise.reject(error),
    )
    expect(left?.metadata.deletionTimestamp).toBeDefined()
    expect(left?.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }),
    )
  }, WAIT)
  await api.patch(NODES, { name: 'tainted' }, { spec: { taints: null } }, { type: 'merge' })
  await vi.waitFor(async () => {
    const { items } = await api.list(CORE_EVENTS, { namespace, fieldSelector: 'reason=TaintManagerEviction' })
    expect(items.map(({ message }) => message).sort()).toEqual([
      'Cancelling deletion of Pod default/lingers',
      'Marking for deletion Pod default/leaves',
    ])
  }, WAIT)
  expect((await get('stays')).metadata.deletionTimestamp).toBe(undefined)
  expect((await get('lingers')).metadata.deletionTimestamp).toBe(undefined)
})
