// Services have slices, and endpoints, that tell of their pods, ready or not, terminating or gone.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Pod, Service } from '../../src/client/kinds/core.v1.gen.ts'
import { ENDPOINT_SLICES, ENDPOINTS, NODES, PODS, SERVICES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['endpointslice', 'endpoint', 'endpointslicemirroring', 'serviceaccount'])
  await cluster.api.create(NODES, {
    metadata: { name: 'node', labels: { 'topology.kubernetes.io/zone': 'here' } },
  } as never)
})
afterAll(() => cluster.stop())

async function pod(name: string, ip: string): Promise<Pod> {
  const { api } = cluster
  const ports = [{ name: 'web', containerPort: 8080 }]
  const made = await vi.waitFor(
    () =>
      api.create(PODS, {
        metadata: { namespace, name, labels: { app: 'web' } },
        spec: { containers: [{ name: 'a', image: 'a', ports }], nodeName: 'node' },
      } as never),
    WAIT,
  )
  return setReady({ ...made, status: { ...made.status, podIP: ip, podIPs: [{ ip }] } }, true)
}

const setReady = (one: Pod, isReady: boolean): Promise<Pod> =>
  cluster.api.updateStatus(PODS, {
    ...one,
    status: {
      ...one.status,
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: new Date().toISOString() },
      ],
    },
  } as never)

async function slices(service: string) {
  const labelSelector = `kubernetes.io/service-name=${service}`
  return (await cluster.api.list(ENDPOINT_SLICES, { namespace, labelSelector })).items
}

it('follows a service and its pods from nothing to nothing', async () => {
  const { api } = cluster
  const service: Service = {
    metadata: { namespace, name: 'web', labels: { tier: 'front' } },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
  } as never
  await api.create(SERVICES, service)
  const [placeholder] = await vi.waitFor(async () => {
    const found = await slices('web')
    expect(found).toHaveLength(1)
    return found
  }, WAIT)
  expect(placeholder).toMatchObject({
    addressType: 'IPv4',
    metadata: {
      generateName: 'web-',
      labels: {
        tier: 'front',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': 'web',
      },
      ownerReferences: [{ kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
    },
  })
  const one = await pod('one', '10.1.0.1')
  await vi.waitFor(async () => {
    const found = await slices('web')
    expect(found).toHaveLength(1)
    // The placeholder is written over, not replaced.
    expect(found[0]?.metadata.uid).toBe(placeholder?.metadata.uid)
    expect(found[0]).toMatchObject({
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'node',
          zone: 'here',
          targetRef: { kind: 'Pod', name: 'one', namespace, uid: one.metadata.uid },
        },
      ],
    })
    expect(found[0]?.metadata.annotations).toHaveProperty('endpoints.kubernetes.io/last-change-trigger-time')
  }, WAIT)
  const endpoints = async () => (await api.get(ENDPOINTS, { namespace, name: 'web' })).subsets
  const targetRef = { kind: 'Pod', name: 'one', namespace, uid: one.metadata.uid }
  const address = { ip: '10.1.0.1', nodeName: 'node', targetRef }
  const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }]
  await vi.waitFor(async () => expect(await endpoints()).toEqual([{ addresses: [address], ports }]), WAIT)
  await setReady(await api.get(PODS, { namespace, name: 'one' }), false)
  await vi.waitFor(
    async () => expect(await endpoints()).toEqual([{ notReadyAddresses: [address], ports }]),
    WAIT,
  )
  await vi.waitFor(async () => {
    expect((await slices('web'))[0]?.endpoints[0]?.conditions).toEqual({
      ready: false,
      serving: false,
      terminating: false,
    })
  }, WAIT)
  await pod('two', '10.1.0.2')
  await api.delete(PODS, { namespace, name: 'one' }, { gracePeriodSeconds: 0 })
  await vi.waitFor(async () => {
    expect((await slices('web'))[0]?.endpoints.map(({ addresses }) => addresses)).toEqual([['10.1.0.2']])
  }, WAIT)
  await api.delete(PODS, { namespace, name: 'two' }, { gracePeriodSeconds: 0 })
  await vi.waitFor(async () => expect((await slices('web'))[0]?.endpoints ?? []).toEqual([]), WAIT)
})

it('takes the endpoints of a service away with it', async () => {
  const { api } = cluster
  const place = { namespace, name: 'brief' }
  const spec = { selector: { app: 'none' }, ports: [{ port: 80 }] }
  await api.create(SERVICES, { metadata: place, spec } as never)
  await vi.waitFor(() => api.get(ENDPOINTS, place), WAIT)
  await api.delete(SERVICES, place)
  await vi.waitFor(
    () => expect(api.get(ENDPOINTS, place)).rejects.toMatchObject({ reason: 'NotFound' }),
    WAIT,
  )
})

it('mirrors endpoints that are written by hand', async () => {
  const { api } = cluster
  const place = { namespace, name: 'manual' }
  await api.create(SERVICES, { metadata: place, spec: { ports: [{ port: 80 }] } } as never)
  const subset = (ip: string) => [
    { addresses: [{ ip }], notReadyAddresses: [{ ip: 'fd00::1' }], ports: [{ port: 8080 }] },
  ]
  await api.create(ENDPOINTS, {
    metadata: { ...place, labels: { a: 'b' } },
    subsets: subset('10.9.0.1'),
  })
  const told = async () =>
    (await slices('manual'))
      .map((one) => [one.addressType, one.ports, one.endpoints, one.metadata.labels?.['a']])
      .sort()
  const ports = [{ name: '', port: 8080, protocol: 'TCP' }]
  const both = (ip: string) => [
    ['IPv4', ports, [{ addresses: [ip], conditions: { ready: true } }], 'b'],
    ['IPv6', ports, [{ addresses: ['fd00::1'], conditions: { ready: false } }], 'b'],
  ]
  await vi.waitFor(async () => expect(await told()).toEqual(both('10.9.0.1')), WAIT)
  // A patch: a controller may have written to it meanwhile.
  await api.patch(ENDPOINTS, place, { subsets: subset('10.9.0.2') }, { type: 'merge' })
  await vi.waitFor(async () => expect(await told()).toEqual(both('10.9.0.2')), WAIT)
  const label = { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } }
  await api.patch(ENDPOINTS, place, label, { type: 'merge' })
  await vi.waitFor(async () => expect(await told()).toEqual([]), WAIT)
})

it('makes a slice anew that somebody deletes', async () => {
  const { api } = cluster
  await api.create(SERVICES, {
    metadata: { namespace, name: 'again' },
    spec: { selector: { app: 'none' }, ports: [{ port: 80 }] },
  } as never)
  const name = await vi.waitFor(async () => {
    const [found] = await slices('again')
    expect(found).toBeDefined()
    return found?.metadata.name ?? ''
  }, WAIT)
  await api.delete(ENDPOINT_SLICES, { namespace, name })
  await vi.waitFor(async () => {
    const [found] = await slices('again')
    expect(found?.metadata.name).toMatch(/^again-/)
    expect(found?.metadata.name).not.toBe(name)
  }, WAIT)
})
