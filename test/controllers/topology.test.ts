// A service that asks for hints gets them while its zones are ready, says so, and loses them with the zone.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { CORE_EVENTS, ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
const ENABLED = 'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4'
let cluster: TestCluster
beforeAll(async () => {
  cluster = await clusterWith(['endpointslice', 'serviceaccount'])
})
afterAll(() => cluster.stop())

async function hints(): Promise<string> {
  const labelSelector = 'kubernetes.io/service-name=near'
  const { items } = await cluster.api.list(ENDPOINT_SLICES, { namespace, labelSelector })
  return items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .map(({ zone, hints: given }) => `${zone}:${given?.forZones?.[0]?.name ?? ''}`)
    .sort()
    .join(' ')
}

async function events(): Promise<string> {
  const { items } = await cluster.api.list(CORE_EVENTS, {
    namespace,
    fieldSelector: 'involvedObject.name=near',
  })
  return items.map(({ reason, message }) => `${reason}: ${message}`).join('\n')
}

async function setNode(name: string, status: string): Promise<void> {
  const conditions = [{ type: 'Ready', status }]
  const body = { status: { conditions, allocatable: { cpu: '2' }, capacity: { cpu: '2' } } }
  await cluster.api.patch(NODES, { name, subresource: 'status' }, body, { type: 'strategic' })
}

it('hints as the annotation says', async () => {
  const { api } = cluster
  for (const zone of ['a', 'b']) {
    const labels = { 'topology.kubernetes.io/zone': zone }
    await api.create(NODES, { metadata: { name: `node-${zone}`, labels } } as never)
    await setNode(`node-${zone}`, 'True')
  }
  const ips = ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4']
  for (const [at, ip] of ips.entries()) {
    const metadata = { namespace, name: `p${at}`, labels: { app: 'near' } }
    const spec = { containers: [{ name: 'a', image: 'a' }], nodeName: at === 0 ? 'node-b' : 'node-a' }
    await vi.waitFor(() => api.create(PODS, { metadata, spec } as never), WAIT)
    const conditions = [{ type: 'Ready', status: 'True' }]
    const body = { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } }
    await api.patch(PODS, { namespace, name: `p${at}`, subresource: 'status' }, body, { type: 'strategic' })
  }
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' }
  const spec = { selector: { app: 'near' }, ports: [{ port: 80 }] }
  await api.create(SERVICES, { metadata: { namespace, name: 'near', annotations }, spec } as never)
  await vi.waitFor(async () => {
    expect(await hints()).toBe('a:a a:a a:b b:b')
    expect(await events()).toContain(ENABLED)
  }, WAIT)
  await setNode('node-b', 'False')
  await vi.waitFor(async () => {
    expect(await hints()).toBe('a: a: a: b:')
    expect(await events()).toContain('TopologyAwareHintsDisabled: Insufficient Node information')
  }, WAIT)
})
