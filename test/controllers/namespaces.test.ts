// Namespaces get what every one has, and go with all that is in them.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import { CONFIG_MAPS, NAMESPACES, PODS, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const CONTROLLERS = ['namespace', 'serviceaccount', 'root-ca-cert-publisher']
const WAIT = { timeout: 90_000, interval: 20 }
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(CONTROLLERS, { rootCa: 'PEM of the CA' })
})
afterAll(() => cluster.stop())

const isGone = async (name: string): Promise<boolean> =>
  cluster.api.get(NAMESPACES, { name }).then(() => false, isNotFound)

it('gives each namespace an account and the CA, and gives them back when they are taken away', async () => {
  const { api } = cluster
  await api.create(NAMESPACES, { metadata: { name: 'fresh' } } as never)
  const account = { namespace: 'fresh', name: 'default' }
  const map = { namespace: 'fresh', name: 'kube-root-ca.crt' }
  await vi.waitFor(() => api.get(SERVICE_ACCOUNTS, account), WAIT)
  await vi.waitFor(async () => {
    expect((await api.get(CONFIG_MAPS, map)).data).toEqual({ 'ca.crt': 'PEM of the CA' })
  }, WAIT)
  const { uid } = (await api.get(SERVICE_ACCOUNTS, account)).metadata
  await api.delete(SERVICE_ACCOUNTS, account)
  await vi.waitFor(async () => {
    expect((await api.get(SERVICE_ACCOUNTS, account)).metadata.uid).not.toBe(uid)
  }, WAIT)
  await api.patch(CONFIG_MAPS, map, { data: { 'ca.crt': 'another', more: 'x' } }, { type: 'merge' })
  await vi.waitFor(async () => {
    expect((await api.get(CONFIG_MAPS, map)).data).toEqual({ 'ca.crt': 'PEM of the CA' })
  }, WAIT)
})

it('deletes what is in a namespace, then the namespace', async () => {
  const { api } = cluster
  await api.create(NAMESPACES, { metadata: { name: 'leaving' } } as never)
  await api.create(CONFIG_MAPS, { metadata: { namespace: 'leaving', name: 'a' } })
  await api.delete(NAMESPACES, { name: 'leaving' })
  await vi.waitFor(async () => expect(await isGone('leaving')).toBe(true), WAIT)
  expect((await api.list(CONFIG_MAPS, { namespace: 'leaving' })).items).toEqual([])
  expect((await api.list(SERVICE_ACCOUNTS, { namespace: 'leaving' })).items).toEqual([])
})

it('waits for finalizers, and says for which', async () => {
  const { api } = cluster
  await api.create(NAMESPACES, { metadata: { name: 'held' } } as never)
  const metadata = { namespace: 'held', name: 'a', finalizers: ['example.com/keep'] }
  await api.create(CONFIG_MAPS, { metadata })
  await api.delete(NAMESPACES, { name: 'held' })
  const conditions = await vi.waitFor(async () => {
    const found = (await api.get(NAMESPACES, { name: 'held' })).status?.conditions ?? []
    expect(found).toHaveLength(5)
    return new Map(found.map((one) => [one.type, [one.status, one.reason, one.message]]))
  }, WAIT)
  expect(conditions.get('NamespaceContentRemaining')).toEqual([
    'True',
    'SomeResourcesRemain',
    'Some resources are remaining: configmaps. has 1 resource instances',
  ])
  expect(conditions.get('NamespaceFinalizersRemaining')).toEqual([
    'True',
    'SomeFinalizersRemain',
    'Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
  ])
  expect(conditions.get('NamespaceDeletionContentFailure')).toEqual([
    'False',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ])
  await api.patch(CONFIG_MAPS, metadata, { metadata: { finalizers: null } }, { type: 'merge' })
  await vi.waitFor(async () => expect(await isGone('held')).toBe(true), WAIT)
})

it('deletes the pods before all else', async () => {
  const { api } = cluster
  await api.create(NAMESPACES, { metadata: { name: 'ordered' } } as never)
  await vi.waitFor(() => api.get(SERVICE_ACCOUNTS, { namespace: 'ordered', name: 'default' }), WAIT)
  await api.create(CONFIG_MAPS, { metadata: { namespace: 'ordered', name: 'used' } })
  const pod = { namespace: 'ordered', name: 'user' }
  const spec = { containers: [{ name: 'a', image: 'a' }], nodeName: 'gone', terminationGracePeriodSeconds: 1 }
  await api.create(PODS, { metadata: { ...pod, finalizers: ['example.com/keep'] }, spec } as never)
  await api.delete(NAMESPACES, { name: 'ordered' })
  await vi.waitFor(async () => {
    expect((await api.get(PODS, pod)).metadata.deletionTimestamp).toBeDefined()
    expect((await api.get(NAMESPACES, { name: 'ordered' })).status?.conditions).toHaveLength(5)
  }, WAIT)
  expect(
    (await api.get(CONFIG_MAPS, { namespace: 'ordered', name: 'used' })).metadata.deletionTimestamp,
  ).toBe(undefined)
  await api.patch(PODS, pod, { metadata: { finalizers: null } }, { type: 'merge' })
  await api.delete(PODS, pod, { gracePeriodSeconds: 0 }).catch(() => undefined)
  await vi.waitFor(async () => expect(await isGone('ordered')).toBe(true), WAIT)
})
