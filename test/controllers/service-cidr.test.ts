// Ranges of services' addresses come, are ready, and go when nothing needs them.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import { IP_ADDRESSES, SERVICE_CIDRS, SERVICES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
let cluster: TestCluster
beforeAll(async () => {
  cluster = await clusterWith(['service-cidr-controller'], { serviceCidrGraceMs: 2000 })
})
afterAll(() => cluster.stop())

const ready = async (name: string) =>
  (await cluster.api.get(SERVICE_CIDRS, { name })).status.conditions?.find(({ type }) => type === 'Ready')
const isGone = (name: string): Promise<boolean> =>
  cluster.api.get(SERVICE_CIDRS, { name }).then(() => false, isNotFound)

it('keeps a range while a service has an address of it', async () => {
  const { api } = cluster
  await api.create(SERVICE_CIDRS, { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/24'] } } as never)
  await vi.waitFor(async () => {
    expect(await ready('more')).toMatchObject({ status: 'True', message: 'Kubernetes Service CIDR is ready' })
    const { metadata } = await api.get(SERVICE_CIDRS, { name: 'more' })
    expect(metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer'])
  }, WAIT)
  const metadata = { namespace: 'default', name: 'there' }
  const labels = {
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
  }
  const parentRef = { resource: 'services', ...metadata }
  await api.create(SERVICES, { metadata, spec: { ports: [{ port: 80 }] } } as never)
  await api.create(IP_ADDRESSES, { metadata: { name: '10.200.0.9', labels }, spec: { parentRef } } as never)
  await api.delete(SERVICE_CIDRS, { name: 'more' })
  await vi.waitFor(async () => {
    expect(await ready('more')).toMatchObject({
      ...{ status: 'False', reason: 'Terminating' },
      message:
        'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
    })
  }, WAIT)
  await api.delete(IP_ADDRESSES, { name: '10.200.0.9' })
  await vi.waitFor(async () => expect(await isGone('more')).toBe(true), WAIT)
})
