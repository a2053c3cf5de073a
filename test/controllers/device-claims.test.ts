// Claims for devices come and go with their pods, and pods go from devices with taints.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import type { ResourceClaim } from '../../src/client/kinds/resource.v1.gen.ts'
import {
  CORE_EVENTS,
  PODS,
  RESOURCE_CLAIM_TEMPLATES,
  RESOURCE_CLAIMS,
  RESOURCE_SLICES,
} from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
const spec = {
  devices: {
    requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 } }],
  },
}
const FINALIZER = 'resource.kubernetes.io/delete-protection'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith([
    'resourceclaim-controller',
    'device-taint-eviction-controller',
    'serviceaccount',
  ])
})
afterAll(() => cluster.stop())

const makePod = (name: string, claim: object, nodeName?: string) => {
  const containers = [{ name: 'a', image: 'a', resources: { claims: [{ name: 'dev' }] } }]
  const body = { containers, resourceClaims: [{ name: 'dev', ...claim }], ...(nodeName ? { nodeName } : {}) }
  return vi.waitFor(
    () => cluster.api.create(PODS, { metadata: { namespace, name }, spec: body } as never),
    WAIT,
  )
}
const claimOf = (name: string) => cluster.api.get(RESOURCE_CLAIMS, { namespace, name })

/** As a scheduler does. */
function allocate(name: string): Promise<ResourceClaim> {
  // The controller writes to claims, too.
  return vi.waitFor(async () => allocateOnce(await claimOf(name)), WAIT)
}

async function allocateOnce(claim: ResourceClaim): Promise<ResourceClaim> {
  const { api } = cluster
  const metadata = { ...claim.metadata, finalizers: [FINALIZER] }
  const held = await api.update(RESOURCE_CLAIMS, { ...claim, metadata })
  const results = [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'gpu-0' }]
  return api.updateStatus(RESOURCE_CLAIMS, {
    ...held,
    status: { allocation: { devices: { results } } },
  } as never)
}

it('makes a claim of a template, reserves it, frees it and deletes it with its pod', async () => {
  const { api } = cluster
  await makePod('one', { resourceClaimTemplateName: 'late' }, 'a')
  await vi.waitFor(async () => {
    const { items } = await api.list(CORE_EVENTS, {
      namespace,
      fieldSelector: 'reason=FailedResourceClaimCreation',
    })
    expect(items[0]?.message).toBe(
      'PodResourceClaim dev: resource claim template "late": resourceclaimtemplate.resource.k8s.io "late" not found',
    )
  }, WAIT)
  await api.create(RESOURCE_CLAIM_TEMPLATES, {
    metadata: { namespace, name: 'late' },
    spec: { spec },
  } as never)
  const name = await vi.waitFor(async () => {
    const { status } = await api.get(PODS, { namespace, name: 'one' })
    expect(status.resourceClaimStatuses).toHaveLength(1)
    return status.resourceClaimStatuses?.[0]?.resourceClaimName ?? ''
  }, WAIT)
  expect(name).toMatch(/^one-dev-/)
  await allocate(name)
  await vi.waitFor(async () => {
    expect((await claimOf(name)).status.reservedFor).toMatchObject([{ resource: 'pods', name: 'one' }])
  }, WAIT)
  await api.patch(
    PODS,
    { namespace, name: 'one', subresource: 'status' },
    { status: { phase: 'Succeeded' } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => expect(await claimOf(name).then(() => false, isNotFound)).toBe(true), WAIT)
  expect((await api.list(RESOURCE_CLAIMS)).items).toEqual([])
})

it('evicts pods from devices with taints, and frees what they shared', async () => {
  const { api } = cluster
  await api.create(RESOURCE_CLAIMS, { metadata: { namespace, name: 'shared' }, spec } as never)
  await allocate('shared')
  await makePod('user', { resourceClaimName: 'shared' }, 'a')
  await vi.waitFor(async () => expect((await claimOf('shared')).status.reservedFor).toHaveLength(1), WAIT)
  const taints = [{ key: 'broken', effect: 'NoExecute' }]
  await api.create(RESOURCE_SLICES, {
    metadata: { name: 'slice' },
    spec: {
      driver: 'd.example.com',
      nodeName: 'a',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'gpu-0', taints }],
    },
  } as never)
  await vi.waitFor(async () => {
    const { metadata, status } = await api.get(PODS, { namespace, name: 'user' })
    expect(metadata.deletionTimestamp).toBeDefined()
    expect(status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByDeviceTaintManager',
        message: 'Device Taint manager: deleting due to NoExecute taint',
      }),
    )
  }, WAIT)
  await api.delete(PODS, { namespace, name: 'user' }, { gracePeriodSeconds: 0 })
  await vi.waitFor(async () => {
    const { metadata, status } = await claimOf('shared')
    expect([metadata.finalizers, status?.allocation, status?.reservedFor]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  }, WAIT)
})
