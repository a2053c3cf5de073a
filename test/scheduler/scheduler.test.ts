// The scheduler against an API server in this process: pods get nodes, those that fit nowhere say why, and more important
// ones push others out.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Api, isNotFound } from '../../src/client/api.ts'
import type { Node, Pod } from '../../src/client/kinds/core.v1.gen.ts'
import {
  CORE_EVENTS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  PRIORITY_CLASSES,
} from '../../src/client/resources.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import type { RunningPart } from '../../src/cmd/parts/part.ts'
import { startScheduler } from '../../src/cmd/scheduler/part.ts'

let server: ApiServer
let scheduler: RunningPart
let api: Api
const namespace = 'default'

const node = (name: string, pool: string): Node => {
  const capacity = { cpu: '2', memory: '4Gi', pods: '10' }
  return {
    metadata: { name, labels: { pool, 'kubernetes.io/hostname': name } },
    spec: {},
    status: { capacity, allocatable: capacity } as unknown as Node['status'],
  }
}

beforeAll(async () => {
  const disableAdmissionPlugins = ['ServiceAccount', 'TaintNodesByCondition']
  server = await startApiServer({ ...DEFAULTS, port: 0, disableAdmissionPlugins })
  api = new Api(server.loopback({ name: 'admin', groups: ['system:masters'] }), 'test/1')
  scheduler = await startScheduler(server)
  for (const [name, pool] of [
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
  ] as const)
    await api.create(NODES, node(name, pool))
  await knowsNodes(3)
  await api.create(PRIORITY_CLASSES, { metadata: { name: 'high' }, value: 1000 })
})
/** The scheduler has heard of the nodes: before that, pods fit nowhere for other reasons. */
async function knowsNodes(count: number): Promise<void> {
  const way = server.loopback({ name: 'admin', groups: ['system:masters'] })
  const metrics = async (): Promise<string> => {
    const answer = await way.send({ method: 'GET', path: '/metrics', headers: {} })
    return (await answer.body()).toString()
  }
  const line = `scheduler_cache_size{type="nodes"} ${count}\n`
  await vi.waitFor(async () => expect(await metrics()).toContain(line), { timeout: 90_000 })
}
afterAll(async () => {
  await scheduler.stop()
  await server.stop()
})

const pod = (
  name: string,
  cpu: string,
  more: Partial<Pod['spec']> = {},
  labels: Record<string, string> = {},
): Pod => ({
  metadata: { name, namespace, labels },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'app', image: 'nginx', resources: { requests: { cpu } } }],
    ...more,
  },
  status: {},
})
const get = (name: string): Promise<Pod> => api.get(PODS, { namespace, name })
const WAIT = { timeout: 90_000, interval: 20 }
const scheduled = (name: string): Promise<string> =>
  vi.waitFor(async () => {
    const { nodeName } = (await get(name)).spec
    expect(nodeName).toBeTruthy()
    return nodeName as string
  }, WAIT)
const messageOf = (name: string): Promise<string> =>
  vi.waitFor(async () => {
    const condition = (await get(name)).status.conditions?.find(({ type }) => type === 'PodScheduled')
    expect(condition).toMatchObject({ status: 'False', reason: 'Unschedulable' })
    return condition?.message ?? ''
  }, WAIT)

describe('the scheduler', () => {
  it('gives pods nodes, and tells of it', async () => {
    await api.create(PODS, pod('plain', '100m'))
    const chosen = await scheduled('plain')
    expect((await get('plain')).status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }])
    await vi.waitFor(async () => {
      const { items } = await api.list(CORE_EVENTS, { namespace, fieldSelector: 'involvedObject.name=plain' })
      expect(items).toMatchObject([
        { reason: 'Scheduled', message: `Successfully assigned default/plain to ${chosen}`, type: 'Normal' },
      ])
    }, WAIT)
  })

  it('tells how it does, beside the server that it works in', async () => {
    const admin = server.loopback({ name: 'admin', groups: ['system:masters'] })
    const answer = await admin.send({ method: 'GET', path: '/metrics', headers: {} })
    const lines = (await answer.body()).toString().split('\n')
    const attempts = 'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"}'
    expect(lines).toContain(`${attempts} 1`)
    expect(lines).toContain('scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"} 1')
    expect(lines).toContain('scheduler_cache_size{type="nodes"} 3')
    expect(lines).toContain('scheduler_pending_pods{queue="active"} 0')
  })

  it('follows selectors, and keeps apart what wants to be', async () => {
    const podAntiAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: 'apart' } }, topologyKey: 'kubernetes.io/hostname' },
      ],
    }
    const spec = { affinity: { podAntiAffinity }, nodeSelector: { pool: 'x' } }
    const names = ['apart-1', 'apart-2', 'apart-3']
    for (const name of names) await api.create(PODS, pod(name, '10m', spec, { app: 'apart' }))
    expect([await scheduled('apart-1'), await scheduled('apart-2')].sort()).toEqual(['a', 'b'])
    expect(await messageOf('apart-3')).toBe(
      "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    )
    for (const name of names) await api.delete(PODS, { namespace, name })
  })

  it('counts what a pod holds until its node says that it holds less', async () => {
    const nodeSelector = { pool: 'y' }
    const shrinking = await api.create(PODS, pod('shrinking', '1500m', { nodeSelector }))
    await scheduled('shrinking')
    const held = (amount: string) => ({
      ...{ name: 'app', image: 'nginx', imageID: '', ready: true, restartCount: 0, lastState: {} },
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      allocatedResources: { cpu: amount },
      resources: { requests: { cpu: amount } },
    })
    const tell = (amount: string): Promise<Pod> => {
      const status = { phase: 'Running', containerStatuses: [held(amount)] }
      const place = { namespace, name: 'shrinking', subresource: 'status' }
      return api.patch(PODS, place, { status }, { type: 'strategic' })
    }
    await tell('1500m')
    const [container] = shrinking.spec.containers
    const containers = [{ ...container, resources: { requests: { cpu: '500m' } } }]
    const resized = { namespace, name: 'shrinking', subresource: 'resize' }
    await api.patch(PODS, resized, { spec: { containers } }, { type: 'strategic' })
    await api.create(PODS, pod('beside', '1', { nodeSelector }))
    expect(await messageOf('beside')).toContain('1 Insufficient cpu')
    await tell('500m')
    expect(await scheduled('beside')).toBe('c')
    for (const name of ['shrinking', 'beside']) await api.delete(PODS, { namespace, name })
  })

  it('looks for nobody to send away where no node will do', async () => {
    const resources = { requests: { storage: '1Gi' } }
    const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'nobody', resources }
    const claim = { metadata: { namespace, name: 'unbound' }, spec, status: {} }
    await api.create(PERSISTENT_VOLUME_CLAIMS, claim)
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'unbound' } }]
    await api.create(PODS, pod('waiting', '10m', { volumes }))
    await vi.waitFor(async () => {
      // The claim may come to the scheduler after the pod.
      expect(await messageOf('waiting')).toBe(
        '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
      )
    }, WAIT)
    await api.delete(PODS, { namespace, name: 'waiting' })
  })

  it('says why a pod fits nowhere, and finds it a node when one comes', async () => {
    await api.create(PODS, pod('large', '4'))
    expect(await messageOf('large')).toBe(
      '0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    )
    const large = node('d', 'z')
    const capacity = { cpu: '8', memory: '16Gi', pods: '10' }
    await api.create(NODES, { ...large, status: { ...large.status, capacity, allocatable: capacity } })
    expect(await scheduled('large')).toBe('d')
    await api.delete(PODS, { namespace, name: 'large' })
    await api.delete(NODES, { name: 'd' })
  })

  it('waits for gates', async () => {
    await api.create(PODS, pod('gated', '10m', { schedulingGates: [{ name: 'example.com/wait' }] }))
    await api.create(PODS, pod('ungated', '10m'))
    await scheduled('ungated')
    expect((await get('gated')).spec.nodeName).toBeUndefined()
    await api.patch(
      PODS,
      { namespace, name: 'gated' },
      { spec: { schedulingGates: null } },
      { type: 'merge' },
    )
    await scheduled('gated')
  })

  it('sends away the less important, those last whom a budget keeps', async () => {
    const onY = { nodeSelector: { pool: 'y' } }
    await api.create(PODS, pod('kept', '1', onY, { app: 'kept' }))
    await api.create(PODS, pod('weak', '800m', onY))
    await Promise.all([scheduled('kept'), scheduled('weak')])
    const budget = {
      metadata: { name: 'kept', namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
    }
    await api.create(POD_DISRUPTION_BUDGETS, { ...budget, status: {} } as never)
    await api.create(PODS, pod('strong', '900m', { ...onY, priorityClassName: 'high' }))
    expect(await scheduled('strong')).toBe('c')
    expect(isNotFound(await get('weak').catch((error: unknown) => error))).toBe(true)
    expect((await get('kept')).spec.nodeName).toBe('c')
  })
})
