// Nodes that come, fall silent, and are heard of again, as their taints, conditions and pods tell.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { CORE_EVENTS, LEASES, NODES, PODS } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
let cluster: TestCluster
/** Nodes whose leases are renewed, as living ones do. */
const alive = new Set<string>()
let renewing: NodeJS.Timeout

beforeAll(async () => {
  cluster = await clusterWith(['nodelifecycle', 'taint-eviction-controller', 'serviceaccount'], {
    nodeMonitorGraceMs: 5000,
    nodeMonitorPeriodMs: 50,
    nodeEvictionRate: 100,
  })
  renewing = setInterval(() => void Promise.all([...alive].map(renew)), 200)
})
afterAll(() => {
  clearInterval(renewing)
  return cluster.stop()
})

async function renew(name: string): Promise<void> {
  const spec = { holderIdentity: name, renewTime: new Date().toISOString().replace('Z', '000Z') }
  await cluster.api
    .patch(LEASES, { namespace: 'kube-node-lease', name }, { spec }, { type: 'merge' })
    .catch(() => undefined)
}

async function join(name: string): Promise<void> {
  const lease = { metadata: { namespace: 'kube-node-lease', name }, spec: { holderIdentity: name } }
  await vi.waitFor(() => cluster.api.create(LEASES, lease as never), WAIT)
  alive.add(name)
  await renew(name)
  await cluster.api.create(NODES, { metadata: { name, labels: { 'kubernetes.io/os': 'linux' } } } as never)
  await report(name, 'True')
}

function report(name: string, status: string): Promise<unknown> {
  const time = new Date().toISOString()
  const conditions = [
    { type: 'Ready', status, reason: 'Test', lastHeartbeatTime: time, lastTransitionTime: time },
  ]
  return cluster.api.patch(
    NODES,
    { name, subresource: 'status' },
    { status: { conditions } },
    { type: 'strategic' },
  )
}

const taintsOf = async (name: string): Promise<string[]> =>
  ((await cluster.api.get(NODES, { name })).spec.taints ?? [])
    .map(({ key, effect }) => `${key}:${effect}`)
    .sort()

it('frees nodes that are ready, and taints and empties those that fall silent', async () => {
  const { api } = cluster
  await Promise.all(['well', 'ill'].map(join))
  await vi.waitFor(async () => expect(await taintsOf('ill')).toEqual([]), WAIT)
  const { metadata } = await api.get(NODES, { name: 'well' })
  await vi.waitFor(async () => {
    const { labels } = (await api.get(NODES, { name: 'well' })).metadata
    expect(labels).toMatchObject({ 'beta.kubernetes.io/os': 'linux' })
  }, WAIT)
  const spec = {
    nodeName: 'ill',
    containers: [{ name: 'a', image: 'a' }],
    tolerations: [
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 1,
      },
    ],
  }
  const pod = { metadata: { namespace, name: 'a', finalizers: ['example.com/keep'] }, spec }
  await vi.waitFor(() => api.create(PODS, pod as never), WAIT)
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await api.patch(PODS, { namespace, name: 'a', subresource: 'status' }, { status }, { type: 'strategic' })
  alive.delete('ill')
  await vi.waitFor(async () => {
    expect(await taintsOf('ill')).toEqual([
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ])
    const { conditions = [] } = (await api.get(NODES, { name: 'ill' })).status
    expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    })
    const left = await api.get(PODS, { namespace, name: 'a' })
    expect(left.status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False' }))
    expect(left.metadata.deletionTimestamp).toBeDefined()
  }, WAIT)
  await vi.waitFor(async () => expect(await taintsOf('well')).toEqual([]), WAIT)
  const items = await vi.waitFor(async () => {
    const { items: found } = await api.list(CORE_EVENTS, { namespace })
    expect(
      found.map(
        ({ source, involvedObject, message }) => `${source?.component} ${involvedObject.name}: ${message}`,
      ),
    ).toEqual(
      expect.arrayContaining([
        'node-controller well: Node well event: Registered Node well in Controller',
        'node-controller ill: Node ill status is now: NodeNotReady',
        'node-controller a: Node is not ready',
      ]),
    )
    return found
  }, WAIT)
  expect(items.find(({ involvedObject }) => involvedObject.name === 'well')?.involvedObject.uid).toBe(
    metadata.uid,
  )
  alive.add('ill')
  await report('ill', 'True')
  await vi.waitFor(async () => expect(await taintsOf('ill')).toEqual([]), WAIT)
  await report('ill', 'False')
  await vi.waitFor(async () => {
    expect(await taintsOf('ill')).toEqual([
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/not-ready:NoSchedule',
    ])
  }, WAIT)
})

it('taints what is cordoned', async () => {
  await cluster.api.patch(NODES, { name: 'well' }, { spec: { unschedulable: true } }, { type: 'merge' })
  await vi.waitFor(
    async () => expect(await taintsOf('well')).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']),
    WAIT,
  )
})
