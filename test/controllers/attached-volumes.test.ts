// Volumes of drivers: attached where pods need them, told of to nodes, kept by classes, asked to grow.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import {
  CORE_EVENTS,
  CSI_DRIVERS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
  VOLUME_ATTACHMENTS,
  VOLUME_ATTRIBUTES_CLASSES,
} from '../../src/client/resources.ts'
import { startNodes } from '../../src/cmd/nodes/part.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
const DRIVER = 'd.example.com'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith([
    'attachdetach',
    'persistentvolume-binder',
    'persistentvolume-expander',
    'volumeattributesclass-protection-controller',
    'serviceaccount',
  ])
})
afterAll(() => cluster.stop())

const events = async (reason: string): Promise<unknown[]> => {
  const { items } = await cluster.api.list(CORE_EVENTS, { namespace, fieldSelector: `reason=${reason}` })
  return items.map(({ involvedObject, message }) => `${involvedObject.name}: ${message}`)
}

async function makeClaim(name: string, more: object = {}): Promise<void> {
  const { api } = cluster
  const csi = { driver: DRIVER, volumeHandle: name }
  const accessModes = ['ReadWriteOnce']
  const shared = { storageClassName: 'grows', ...more }
  const volume = {
    capacity: { storage: '1Gi' },
    accessModes,
    csi,
    persistentVolumeReclaimPolicy: 'Retain',
    ...shared,
  }
  await api.create(PERSISTENT_VOLUMES, { metadata: { name }, spec: volume } as never)
  const resources = { requests: { storage: '1Gi' } }
  const claim = { accessModes, resources, volumeName: name, ...shared }
  await api.create(PERSISTENT_VOLUME_CLAIMS, { metadata: { namespace, name }, spec: claim } as never)
  await vi.waitFor(async () => {
    const { status } = await api.get(PERSISTENT_VOLUME_CLAIMS, { namespace, name })
    expect(status.phase).toBe('Bound')
  }, WAIT)
}

it('attaches a volume to its pod’s node, tells the node, and detaches it when it is not in use', async () => {
  const { api } = cluster
  const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
  for (const name of ['a', 'b']) await api.create(NODES, { metadata: { name, annotations } } as never)
  const grows = { metadata: { name: 'grows' }, provisioner: DRIVER, allowVolumeExpansion: true }
  await api.create(STORAGE_CLASSES, grows as never)
  await makeClaim('data')
  const pod = (name: string, nodeName: string) => {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
    const spec = { nodeName, volumes, containers: [{ name: 'a', image: 'a' }] }
    return vi.waitFor(() => api.create(PODS, { metadata: { namespace, name }, spec } as never), WAIT)
  }
  await pod('first', 'a')
  const attachment = await vi.waitFor(async () => {
    const { items } = await api.list(VOLUME_ATTACHMENTS)
    expect(items).toMatchObject([
      { spec: { attacher: DRIVER, nodeName: 'a', source: { persistentVolumeName: 'data' } } },
    ])
    return items[0]?.metadata.name ?? ''
  }, WAIT)
  await api.patch(
    VOLUME_ATTACHMENTS,
    { name: attachment, subresource: 'status' },
    { status: { attached: true } },
    { type: 'merge' },
  )
  const unique = `kubernetes.io/csi/${DRIVER}^data`
  await vi.waitFor(async () => {
    expect((await api.get(NODES, { name: 'a' })).status.volumesAttached).toEqual([
      { name: unique, devicePath: '' },
    ])
    expect(await events('SuccessfulAttachVolume')).toEqual([
      'first: AttachVolume.Attach succeeded for volume "data" ',
    ])
  }, WAIT)
  await api.patch(
    NODES,
    { name: 'a', subresource: 'status' },
    { status: { volumesInUse: [unique], conditions: [{ type: 'Ready', status: 'True' }] } },
    { type: 'merge' },
  )
  await pod('second', 'b')
  await vi.waitFor(async () => {
    expect(await events('FailedAttachVolume')).toEqual([
      'second: Multi-Attach error for volume "data" Volume is already used by pod(s) first',
    ])
  }, WAIT)
  await api.delete(PODS, { namespace, name: 'first' }, { gracePeriodSeconds: 0 })
  expect(await api.get(VOLUME_ATTACHMENTS, { name: attachment })).toBeDefined()
  await api.patch(
    NODES,
    { name: 'a', subresource: 'status' },
    { status: { volumesInUse: null } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => {
    const { items } = await api.list(VOLUME_ATTACHMENTS)
    expect(items.map(({ spec }) => spec.nodeName)).toEqual(['b'])
    expect((await api.get(NODES, { name: 'a' })).status.volumesAttached ?? []).toEqual([])
  }, WAIT)
})

it('a simulated node waits until a volume is attached, and holds it until nothing uses it', async () => {
  const { api, server } = cluster
  const nodes = await startNodes(server, { nodes: 1, cloud: undefined })
  try {
    await api.create(CSI_DRIVERS, { metadata: { name: DRIVER }, spec: {} })
    await makeClaim('kept')
    const unique = `kubernetes.io/csi/${DRIVER}^kept`
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'kept' } }]
    const containers = [{ name: 'a', image: 'a', volumeMounts: [{ name: 'v', mountPath: '/v' }] }]
    const spec = { nodeName: 'node-0', volumes, containers, terminationGracePeriodSeconds: 1 }
    const pod = { namespace, name: 'waits' }
    await api.create(PODS, { metadata: pod, spec } as never)
    const attachment = await vi.waitFor(async () => {
      const { items } = await api.list(VOLUME_ATTACHMENTS)
      const one = items.find(({ spec: { nodeName } }) => nodeName === 'node-0')
      expect((await api.get(NODES, { name: 'node-0' })).status.volumesInUse).toEqual([unique])
      expect((await api.get(PODS, pod)).status.containerStatuses?.[0]?.state).toEqual({
        waiting: { reason: 'ContainerCreating' },
      })
      return one?.metadata.name ?? expect.fail('no attachment')
    }, WAIT)
    const attached = { status: { attached: true } }
    const place = { name: attachment, subresource: 'status' }
    await api.patch(VOLUME_ATTACHMENTS, place, attached, { type: 'merge' })
    await vi.waitFor(async () => expect((await api.get(PODS, pod)).status.phase).toBe('Running'), WAIT)
    await api.delete(PODS, pod)
    await vi.waitFor(async () => {
      const { items } = await api.list(VOLUME_ATTACHMENTS)
      expect(items.filter(({ spec: { nodeName } }) => nodeName === 'node-0')).toEqual([])
      const { volumesInUse = [], volumesAttached = [] } = (await api.get(NODES, { name: 'node-0' })).status
      expect([volumesInUse, volumesAttached]).toEqual([[], []])
    }, WAIT)
    const lacking = { ...spec, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'nosuch' } }] }
    await api.create(PODS, { metadata: { namespace, name: 'lacks' }, spec: lacking } as never)
    await vi.waitFor(async () => {
      expect(await events('FailedMount')).toContain(
        'lacks: Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/nosuch: failed to fetch PVC from API server: persistentvolumeclaims "nosuch" not found',
      )
    }, WAIT)
  } finally {
    await nodes.stop()
  }
}, 60_000)

it('says who makes a volume larger', async () => {
  await makeClaim('small')
  const spec = { resources: { requests: { storage: '2Gi' } } }
  await cluster.api.patch(PERSISTENT_VOLUME_CLAIMS, { namespace, name: 'small' }, { spec }, { type: 'merge' })
  await vi.waitFor(async () => {
    expect(await events('ExternalExpanding')).toEqual([
      'small: waiting for an external controller to expand this PVC',
    ])
  }, WAIT)
})

it('keeps a class while something names it', async () => {
  const { api } = cluster
  const place = { name: 'gold' }
  await api.create(VOLUME_ATTRIBUTES_CLASSES, {
    metadata: place,
    driverName: DRIVER,
    parameters: { iops: '1' },
  } as never)
  await vi.waitFor(async () => {
    const { metadata } = await api.get(VOLUME_ATTRIBUTES_CLASSES, place)
    expect(metadata.finalizers).toEqual(['kubernetes.io/vac-protection'])
  }, WAIT)
  await makeClaim('golden', { volumeAttributesClassName: 'gold' })
  await api.delete(VOLUME_ATTRIBUTES_CLASSES, place)
  await api.delete(PERSISTENT_VOLUMES, { name: 'golden' })
  await api
    .patch(PERSISTENT_VOLUMES, { name: 'golden' }, { metadata: { finalizers: null } }, { type: 'merge' })
    .catch(() => undefined)
  expect((await api.get(VOLUME_ATTRIBUTES_CLASSES, place)).metadata.deletionTimestamp).toBeDefined()
  const claim = { namespace, name: 'golden' }
  await api.delete(PERSISTENT_VOLUME_CLAIMS, claim)
  await api
    .patch(PERSISTENT_VOLUME_CLAIMS, claim, { metadata: { finalizers: null } }, { type: 'merge' })
    .catch(() => undefined)
  await vi.waitFor(async () => {
    expect(await api.get(VOLUME_ATTRIBUTES_CLASSES, place).then(() => false, isNotFound)).toBe(true)
  }, WAIT)
})
