// What loses its owners goes; owners wait for what blocks them; orphans stay.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import type { ObjectMeta, OwnerReference } from '../../src/client/kinds/meta.v1.gen.ts'
import { CONFIG_MAPS, CORE_EVENTS, NAMESPACES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['garbagecollector'])
})
afterAll(() => cluster.stop())

const make = (name: string, metadata: Partial<ObjectMeta> = {}) =>
  cluster.api.create(CONFIG_MAPS, { metadata: { namespace, ...metadata, name } })
const find = (name: string, place = namespace) =>
  cluster.api.get(CONFIG_MAPS, { namespace: place, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
    return undefined
  })
const gone = (name: string, place = namespace) =>
  vi.waitFor(async () => expect(await find(name, place)).toBe(undefined), WAIT)
const ref = (owner: { metadata: ObjectMeta }, block?: boolean): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  ...(block === undefined ? {} : { blockOwnerDeletion: block }),
})

it('deletes dependents, and theirs, after their owner', async () => {
  const owner = await make('bg-owner')
  const child = await make('bg-child', { ownerReferences: [ref(owner)] })
  await make('bg-grandchild', { ownerReferences: [ref(child)] })
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'bg-owner' }, { propagationPolicy: 'Background' })
  expect(await find('bg-owner')).toBe(undefined)
  await gone('bg-child')
  await gone('bg-grandchild')
})

it('holds an owner until what blocks it is gone', async () => {
  const owner = await make('fg-owner')
  await make('fg-held', { ownerReferences: [ref(owner, true)], finalizers: ['example.com/keep'] })
  await make('fg-free', { ownerReferences: [ref(owner)] })
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'fg-owner' }, { propagationPolicy: 'Foreground' })
  await gone('fg-free')
  await vi.waitFor(
    async () => expect((await find('fg-held'))?.metadata.deletionTimestamp).toBeDefined(),
    WAIT,
  )
  expect((await find('fg-owner'))?.metadata.finalizers).toEqual(['foregroundDeletion'])
  await cluster.api.patch(
    CONFIG_MAPS,
    { namespace, name: 'fg-held' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  )
  await gone('fg-held')
  await gone('fg-owner')
})

it('leaves orphans without their owner', async () => {
  const owner = await make('or-owner')
  const other = await make('or-other')
  await make('or-child', { ownerReferences: [ref(owner), ref(other)] })
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'or-owner' }, { propagationPolicy: 'Orphan' })
  await gone('or-owner')
  expect((await find('or-child'))?.metadata.ownerReferences).toEqual([ref(other)])
})

it('keeps what has another owner, without the one that went', async () => {
  const first = await make('two-first')
  const second = await make('two-second')
  await make('two-child', { ownerReferences: [ref(first), ref(second)] })
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'two-first' })
  await vi.waitFor(
    async () => expect((await find('two-child'))?.metadata.ownerReferences).toEqual([ref(second)]),
    WAIT,
  )
})

it('lets two that own each other go', async () => {
  const a = await make('circle-a')
  const b = await make('circle-b', { ownerReferences: [ref(a, true)] })
  const owners = { metadata: { ownerReferences: [ref(b, true)] } }
  await cluster.api.patch(CONFIG_MAPS, { namespace, name: 'circle-a' }, owners as never, { type: 'merge' })
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'circle-a' }, { propagationPolicy: 'Foreground' })
  await gone('circle-a')
  await gone('circle-b')
})

it('deletes what names an owner that never was', async () => {
  const ghost = { metadata: { name: 'ghost', uid: '7a0a2c5b-6f0f-4d4e-9f7e-0d7d3a1f9f10' } }
  await make('haunted', { ownerReferences: [ref(ghost)] })
  await gone('haunted')
})

it('deletes what names an owner in another namespace, and says so; rightful children stay', async () => {
  const { api } = cluster
  await api.create(NAMESPACES, { metadata: { name: 'elsewhere' } } as never)
  const owner = await make('cross-owner')
  await make('cross-good', { ownerReferences: [ref(owner)] })
  await api.create(CONFIG_MAPS, {
    metadata: { namespace: 'elsewhere', name: 'cross-bad', ownerReferences: [ref(owner)] },
  })
  await gone('cross-bad', 'elsewhere')
  const events = await vi.waitFor(async () => {
    const { items } = await api.list(CORE_EVENTS, { namespace: 'elsewhere' })
    expect(items).toHaveLength(1)
    return items
  }, WAIT)
  expect(events[0]).toMatchObject({
    reason: 'OwnerRefInvalidNamespace',
    type: 'Warning',
    message: `ownerRef [v1/ConfigMap, namespace: elsewhere, name: cross-owner, uid: ${owner.metadata.uid}] does not exist in namespace "elsewhere"`,
    involvedObject: { kind: 'ConfigMap', name: 'cross-bad', namespace: 'elsewhere' },
  })
  expect(await find('cross-good')).toBeDefined()
})
