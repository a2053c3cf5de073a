// Large cascades end: many dependents of one owner, and a namespace full of objects of which some are held.
// DINGHY_CASCADE says how many (10,000 in the full run).
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import { CONFIG_MAPS, NAMESPACES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const COUNT = Number(process.env['DINGHY_CASCADE'] ?? 300)
/** Requests under way at a time. */
const AT_ONCE = 50
const TIME = 60_000 + COUNT * 30
const WAIT = { timeout: TIME, interval: 100 }
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['garbagecollector', 'namespace'])
})
afterAll(() => cluster.stop())

async function makeMany(namespace: string, metadata: (index: number) => object): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    for (let i = next++; i < COUNT; i = next++) {
      const object = { metadata: { ...metadata(i), namespace, name: `many-${i}` } }
      await cluster.api.create(CONFIG_MAPS, object)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

const left = async (namespace: string): Promise<readonly string[]> => {
  const { items, metadata } = await cluster.api.list(CONFIG_MAPS, { namespace, limit: 5 })
  return metadata.continue ? ['many'] : items.map((one) => one.metadata.name ?? '')
}

/** An owner of all others of its namespace, which is deleted then. */
async function deleteOwner(propagationPolicy: 'Foreground' | 'Background' | 'Orphan'): Promise<string> {
  const namespace = propagationPolicy.toLowerCase()
  await cluster.api.create(NAMESPACES, { metadata: { name: namespace } } as never)
  const owner = await cluster.api.create(CONFIG_MAPS, { metadata: { namespace, name: 'owner' } })
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }
  const ownerReferences = [{ ...ref, blockOwnerDeletion: true }]
  await makeMany(namespace, () => ({ ownerReferences }))
  await cluster.api.delete(CONFIG_MAPS, { namespace, name: 'owner' }, { propagationPolicy })
  return namespace
}

it.each(['Foreground', 'Background'] as const)(
  `${COUNT} dependents go with their owner: %s`,
  { timeout: TIME },
  async (propagationPolicy) => {
    const namespace = await deleteOwner(propagationPolicy)
    await vi.waitFor(async () => expect(await left(namespace)).toEqual([]), WAIT)
  },
)

it(`${COUNT} dependents stay without their owner`, { timeout: TIME }, async () => {
  const namespace = await deleteOwner('Orphan')
  await vi.waitFor(async () => {
    const found = await cluster.api.get(CONFIG_MAPS, { namespace, name: 'owner' }).catch(isNotFound)
    expect(found).toBe(true)
  }, WAIT)
  const { items } = await cluster.api.list(CONFIG_MAPS, { namespace })
  expect(items.filter(({ metadata }) => metadata.ownerReferences === undefined)).toHaveLength(COUNT)
})

it('a namespace ends once the last that is held is let go', { timeout: TIME }, async () => {
  const namespace = 'held'
  await cluster.api.create(NAMESPACES, { metadata: { name: namespace } } as never)
  await makeMany(namespace, (i) => (i < 2 ? { finalizers: ['example.com/keep'] } : {}))
  await cluster.api.delete(NAMESPACES, { name: namespace })
  await vi.waitFor(async () => expect(await left(namespace)).toEqual(['many-0', 'many-1']), WAIT)
  await vi.waitFor(async () => {
    const { status } = await cluster.api.get(NAMESPACES, { name: namespace })
    expect(status?.phase).toBe('Terminating')
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'NamespaceFinalizersRemaining',
        status: 'True',
        message:
          'Some content in the namespace has finalizers remaining: example.com/keep in 2 resource instances',
      }),
    )
  }, WAIT)
  for (const name of ['many-0', 'many-1'])
    await cluster.api.patch(
      CONFIG_MAPS,
      { namespace, name },
      { metadata: { finalizers: null } },
      { type: 'merge' },
    )
  await vi.waitFor(async () => {
    await expect(cluster.api.get(NAMESPACES, { name: namespace })).rejects.toThrow('not found')
  }, WAIT)
})
