// The small ones: budgets, roles made of roles, claims and volumes in use, claims of pods, pods that nobody deletes.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import type { Pod } from '../../src/client/kinds/core.v1.gen.ts'
import type { Resource } from '../../src/client/resource.ts'
import {
  CLUSTER_ROLES,
  CORE_EVENTS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
} from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith([
    'serviceaccount',
    'disruption',
    'clusterrole-aggregation',
    'pvc-protection',
    'pv-protection',
    'ephemeral-volume',
    'podgc',
    'ttl',
  ])
})
afterAll(() => cluster.stop())

function makePod(name: string, more: { metadata?: object; spec?: object } = {}): Promise<Pod> {
  const metadata = { namespace, name, ...more.metadata }
  const spec = { containers: [{ name: 'a', image: 'a' }], ...more.spec }
  return vi.waitFor(() => cluster.api.create(PODS, { metadata, spec } as never), WAIT)
}

async function makeReady(pod: Pod): Promise<void> {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  const place = { namespace, name: pod.metadata.name ?? '', subresource: 'status' }
  await cluster.api.patch(PODS, place, { status }, { type: 'strategic' })
}

const isGone = (resource: Resource, name: string, place?: string): Promise<boolean> =>
  cluster.api.get(resource, { namespace: place, name }).then(() => false, isNotFound)

it('counts how many pods of a budget may be disturbed', async () => {
  const { api } = cluster
  const labels = { app: 'guarded' }
  const selector = { matchLabels: labels }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } }
  const set = await api.create(REPLICA_SETS, {
    metadata: { namespace, name: 'guarded' },
    spec: { replicas: 4, selector, template },
  } as never)
  const { uid = '' } = set.metadata
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'guarded', uid, controller: true }
  for (let i = 0; i < 3; i++)
    await makeReady(await makePod(`guarded-${i}`, { metadata: { labels, ownerReferences: [owner] } }))
  const place = { namespace, name: 'guarded' }
  await api.create(POD_DISRUPTION_BUDGETS, {
    metadata: place,
    spec: { selector, maxUnavailable: '50%' },
  } as never)
  await vi.waitFor(async () => {
    const { status, metadata } = await api.get(POD_DISRUPTION_BUDGETS, place)
    expect(status).toMatchObject({
      expectedPods: 4,
      desiredHealthy: 2,
      currentHealthy: 3,
      disruptionsAllowed: 1,
      observedGeneration: metadata.generation,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    })
  }, WAIT)
  await api.delete(PODS, { namespace, name: 'guarded-0' }, { gracePeriodSeconds: 0 })
  await vi.waitFor(async () => {
    const { status } = await api.get(POD_DISRUPTION_BUDGETS, place)
    expect(status).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 0,
      conditions: [{ status: 'False', reason: 'InsufficientPods' }],
    })
  }, WAIT)
})

it('lets nobody disturb pods whose controllers it does not know', async () => {
  const { api } = cluster
  const labels = { app: 'unknown' }
  const owner = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'a', uid: 'u', controller: true }
  await makeReady(await makePod('unknown', { metadata: { labels, ownerReferences: [owner] } }))
  const place = { namespace, name: 'unknown' }
  const spec = { selector: { matchLabels: labels }, maxUnavailable: 1 }
  await api.create(POD_DISRUPTION_BUDGETS, { metadata: place, spec } as never)
  await vi.waitFor(async () => {
    const { status } = await api.get(POD_DISRUPTION_BUDGETS, place)
    expect(status.conditions).toMatchObject([
      { status: 'False', reason: 'SyncFailed', message: 'found no controllers for pod "unknown"' },
    ])
    const { items } = await api.list(CORE_EVENTS, { namespace, fieldSelector: 'involvedObject.name=unknown' })
    expect(items.map(({ reason }) => reason)).toContain('CalculateExpectedPodCountFailed')
  }, WAIT)
})

it('gives a role the rules of those that it is made of', async () => {
  const { api } = cluster
  const rule = { apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }
  await api.create(CLUSTER_ROLES, {
    metadata: { name: 'things-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    rules: [rule],
  } as never)
  const rules = async () => (await api.get(CLUSTER_ROLES, { name: 'view' })).rules ?? []
  await vi.waitFor(async () => expect(await rules()).toContainEqual(rule), WAIT)
  await api.delete(CLUSTER_ROLES, { name: 'things-view' })
  await vi.waitFor(async () => expect(await rules()).not.toContainEqual(rule), WAIT)
})

it('keeps a claim while a pod uses it', async () => {
  const { api } = cluster
  const place = { namespace, name: 'used' }
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  await api.create(PERSISTENT_VOLUME_CLAIMS, { metadata: place, spec } as never)
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'used' } }]
  await makePod('user', { spec: { volumes, nodeName: 'anywhere' } })
  await api.delete(PERSISTENT_VOLUME_CLAIMS, place)
  await makePod('watching', {})
  expect(await isGone(PERSISTENT_VOLUME_CLAIMS, 'used', namespace)).toBe(false)
  await api.delete(PODS, { namespace, name: 'user' }, { gracePeriodSeconds: 0 })
  await vi.waitFor(
    async () => expect(await isGone(PERSISTENT_VOLUME_CLAIMS, 'used', namespace)).toBe(true),
    WAIT,
  )
})

it('lets a volume go that is bound to nothing', async () => {
  const { api } = cluster
  await api.create(PERSISTENT_VOLUMES, {
    metadata: { name: 'free' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/tmp/a' } },
  } as never)
  expect((await api.get(PERSISTENT_VOLUMES, { name: 'free' })).metadata.finalizers).toEqual([
    'kubernetes.io/pv-protection',
  ])
  await api.delete(PERSISTENT_VOLUMES, { name: 'free' })
  await vi.waitFor(async () => expect(await isGone(PERSISTENT_VOLUMES, 'free')).toBe(true), WAIT)
})

it('makes the claims of a pod’s own volumes', async () => {
  const { api } = cluster
  const template = {
    metadata: { labels: { of: 'it' } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate: template } }]
  const pod = await makePod('own', { spec: { volumes } })
  const place = { namespace, name: 'own-scratch' }
  const claim = await vi.waitFor(() => api.get(PERSISTENT_VOLUME_CLAIMS, place), WAIT)
  expect(claim.metadata).toMatchObject({
    labels: { of: 'it' },
    ownerReferences: [{ kind: 'Pod', name: 'own', uid: pod.metadata.uid, controller: true }],
  })
})

it('tells nodes how long they may keep what they read', async () => {
  const { api } = cluster
  await api.create(NODES, { metadata: { name: 'fresh' } } as never)
  await vi.waitFor(async () => {
    const { annotations } = (await api.get(NODES, { name: 'fresh' })).metadata
    expect(annotations?.['node.alpha.kubernetes.io/ttl']).toBe('0')
  }, WAIT)
})
