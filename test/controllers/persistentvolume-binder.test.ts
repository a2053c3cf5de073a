// Claims get volumes, and volumes are free, kept, deleted or emptied when their claims go.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import {
  CORE_EVENTS,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
} from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(
    ['persistentvolume-binder', 'pvc-protection', 'pv-protection', 'serviceaccount'],
    { claimBinderSyncMs: 200 },
  )
})
afterAll(() => cluster.stop())

const makeVolume = (name: string, spec: object = {}) =>
  cluster.api.create(PERSISTENT_VOLUMES, {
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/tmp/${name}` },
      storageClassName: name,
      ...spec,
    },
  } as never)
const makeClaim = (name: string, spec: object = {}) =>
  cluster.api.create(PERSISTENT_VOLUME_CLAIMS, {
    metadata: { namespace, name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: name,
      ...spec,
    },
  } as never)
const claim = (name: string) => cluster.api.get(PERSISTENT_VOLUME_CLAIMS, { namespace, name })
const volume = (name: string) => cluster.api.get(PERSISTENT_VOLUMES, { name })
const phases = async (name: string): Promise<unknown[]> => [
  (await claim(name)).status.phase,
  (await volume(name)).status.phase,
]
const toBe = (name: string, wanted: unknown[]) =>
  vi.waitFor(async () => expect(await phases(name)).toEqual(wanted), WAIT)
const eventsOf = async (name: string): Promise<string[]> => {
  const { items } = await cluster.api.list(CORE_EVENTS, { fieldSelector: `involvedObject.name=${name}` })
  return items.map(({ reason, message }) => `${reason} ${message}`)
}
const gone = (name: string) => volume(name).then(() => false, isNotFound)

it('binds, keeps and deletes', async () => {
  await makeVolume('kept', { persistentVolumeReclaimPolicy: 'Retain' })
  await makeVolume('deleted', { persistentVolumeReclaimPolicy: 'Delete' })
  for (const name of ['kept', 'deleted']) {
    await makeClaim(name)
    await toBe(name, ['Bound', 'Bound'])
    const { spec, status, metadata } = await claim(name)
    expect([spec.volumeName, status.capacity]).toEqual([name, { storage: '1Gi' }])
    expect((await volume(name)).spec.claimRef?.uid).toBe(metadata.uid)
    await cluster.api.delete(PERSISTENT_VOLUME_CLAIMS, { namespace, name })
  }
  await vi.waitFor(async () => expect((await volume('kept')).status.phase).toBe('Released'), WAIT)
  await vi.waitFor(async () => expect(await gone('deleted')).toBe(true), WAIT)
})

it('says what it cannot delete, and what is lost', async () => {
  await makeVolume('stuck', { persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/srv' } })
  await makeClaim('stuck')
  await toBe('stuck', ['Bound', 'Bound'])
  await cluster.api.delete(PERSISTENT_VOLUME_CLAIMS, { namespace, name: 'stuck' })
  await vi.waitFor(async () => {
    expect((await volume('stuck')).status.phase).toBe('Failed')
    expect(await eventsOf('stuck')).toContain(
      'VolumeFailedDelete host_path deleter only supports /tmp/.+ but received provided /srv',
    )
  }, WAIT)
  await makeVolume('lost')
  await makeClaim('lost')
  await toBe('lost', ['Bound', 'Bound'])
  await cluster.api.patch(
    PERSISTENT_VOLUMES,
    { name: 'lost' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  )
  await cluster.api.delete(PERSISTENT_VOLUMES, { name: 'lost' })
  await cluster.api
    .patch(PERSISTENT_VOLUMES, { name: 'lost' }, { metadata: { finalizers: null } }, { type: 'merge' })
    .catch(() => undefined)
  await vi.waitFor(async () => expect((await claim('lost')).status.phase).toBe('Lost'), WAIT)
})

it('keeps a volume for the claim that it names', async () => {
  await makeClaim('named', { volumeName: 'named' })
  await makeVolume('named', { claimRef: { namespace, name: 'named' } })
  await toBe('named', ['Bound', 'Bound'])
  expect((await volume('named')).metadata.annotations ?? {}).not.toHaveProperty([
    'pv.kubernetes.io/bound-by-controller',
  ])
})

it('waits for pods and provisioners, and gives claims without a class the marked one', async () => {
  const { api } = cluster
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  await makeClaim('late')
  await makeClaim('plain', { storageClassName: undefined })
  const late = {
    metadata: { name: 'late' },
    provisioner: 'example.com/p',
    volumeBindingMode: 'WaitForFirstConsumer',
  }
  await api.create(STORAGE_CLASSES, late as never)
  await api.create(STORAGE_CLASSES, {
    metadata: { name: 'marked', annotations },
    provisioner: 'example.com/q',
  } as never)
  await vi.waitFor(async () => {
    const { spec, metadata } = await claim('plain')
    expect(spec.storageClassName).toBe('marked')
    expect(metadata.annotations?.['volume.kubernetes.io/storage-provisioner']).toBe('example.com/q')
    expect((await eventsOf('plain')).join()).toContain(
      "ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'example.com/q'",
    )
    expect(await eventsOf('late')).toContain(
      'WaitForFirstConsumer waiting for first consumer to be created before binding',
    )
  }, WAIT)
  await api.patch(
    PERSISTENT_VOLUME_CLAIMS,
    { namespace, name: 'late' },
    { metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'a' } } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => {
    const { metadata } = await claim('late')
    expect(metadata.annotations?.['volume.kubernetes.io/storage-provisioner']).toBe('example.com/p')
  }, WAIT)
})

it('has a pod empty what is to be used again', async () => {
  const { api } = cluster
  await makeVolume('emptied', { persistentVolumeReclaimPolicy: 'Recycle' })
  await makeClaim('emptied')
  await toBe('emptied', ['Bound', 'Bound'])
  await api.delete(PERSISTENT_VOLUME_CLAIMS, { namespace, name: 'emptied' })
  const place = { namespace, name: 'recycler-for-emptied' }
  await vi.waitFor(() => api.get(PODS, place), WAIT)
  await api.patch(
    PODS,
    { ...place, subresource: 'status' },
    { status: { phase: 'Succeeded' } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => {
    const { status, spec } = await volume('emptied')
    expect([status.phase, spec.claimRef]).toEqual(['Available', undefined])
    expect(await api.get(PODS, place).then(() => false, isNotFound)).toBe(true)
  }, WAIT)
})
