// Simulated nodes against an API server in this process: registration, leases, the life of pods that are bound to them,
// and how little a node may do.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Api, isNotFound } from '../../src/client/api.ts'
import type { Pod } from '../../src/client/kinds/core.v1.gen.ts'
import { CORE_EVENTS, LEASES, NODES, PODS, SECRETS } from '../../src/client/resources.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { startNodes } from '../../src/cmd/nodes/part.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import type { RunningPart } from '../../src/cmd/parts/part.ts'

let server: ApiServer
let nodes: RunningPart
let admin: Api

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0, disableAdmissionPlugins: ['ServiceAccount'] })
  admin = new Api(server.loopback({ name: 'admin', groups: ['system:masters'] }), 'test/1')
  nodes = await startNodes(server, { nodes: 3, cloud: undefined })
})
afterAll(async () => {
  await nodes.stop()
  await server.stop()
})

function pod(name: string, more: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod {
  return {
    metadata: { name, namespace: 'default', annotations },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx', resources: {} }], ...more },
    status: {},
  }
}
const WAIT = { timeout: 90_000, interval: 20 }
const place = (name: string) => ({ namespace: 'default', name })
const until = (name: string, look: (pod: Pod) => void): Promise<void> =>
  vi.waitFor(async () => look(await admin.get(PODS, place(name))), WAIT)

describe('nodes', () => {
  it('are registered, say that they are simulated, and have leases', async () => {
    const { items } = await admin.list(NODES)
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['node-0', 'node-1', 'node-2'])
    expect(items[1]?.spec.podCIDR).toBe('10.128.1.0/24')
    expect(items[1]?.status.nodeInfo.containerRuntimeVersion).toMatch(/^dinghy-simulated:/)
    expect(items[1]?.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'True',
    })
    const lease = await vi.waitFor(
      () => admin.get(LEASES, { namespace: 'kube-node-lease', name: 'node-1' }),
      WAIT,
    )
    expect(lease.spec).toMatchObject({ holderIdentity: 'node-1', leaseDurationSeconds: 40 })
    expect(lease.metadata.ownerReferences).toMatchObject([
      { kind: 'Node', name: 'node-1', uid: items[1]?.metadata.uid },
    ])
  })

  it('run what is bound to them, and let it go in order', async () => {
    await admin.create(PODS, pod('web'))
    await until('web', ({ status }) => {
      expect(status).toMatchObject({
        phase: 'Running',
        podIP: expect.stringMatching(/^10\.128\.1\.\d+$/) as string,
      })
      expect(status.conditions?.filter((one) => one.status === 'True').map(({ type }) => type)).toEqual(
        expect.arrayContaining(['Ready', 'ContainersReady', 'Initialized', 'PodReadyToStartContainers']),
      )
      expect(status.containerStatuses).toMatchObject([
        { name: 'app', ready: true, started: true, restartCount: 0 },
      ])
    })
    await vi.waitFor(async () => {
      const { items } = await admin.list(CORE_EVENTS, {
        namespace: 'default',
        fieldSelector: 'involvedObject.name=web',
      })
      expect(items.map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(['Pulled', 'Created', 'Started']),
      )
    }, WAIT)
    await admin.delete(PODS, place('web'))
    await vi.waitFor(async () => {
      expect(isNotFound(await admin.get(PODS, place('web')).catch((error: unknown) => error))).toBe(true)
    }, WAIT)
  })

  it('end what is to end, as its pod declares', async () => {
    await admin.create(
      PODS,
      pod('once', { restartPolicy: 'Never' }, { 'simulate.dinghy.dev/exit-code': '3' }),
    )
    await until('once', ({ status }) => {
      expect(status.phase).toBe('Failed')
      expect(status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    })
  })

  it('show a crash loop', async () => {
    await admin.create(PODS, pod('crash', {}, { 'simulate.dinghy.dev/exit-code': '1' }))
    await until('crash', ({ status }) => {
      expect(status.containerStatuses?.[0]).toMatchObject({
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1 } },
      })
      expect(status.containerStatuses?.[0]?.restartCount).toBeGreaterThan(0)
      expect(status.phase).toBe('Running')
    })
  })

  it('resize a pod when there is room for it', async () => {
    const node = await admin.get(NODES, { name: 'node-2' })
    const cpus = Number(node.status.allocatable?.['cpu'])
    const asking = (cpu: number) => ({
      ...{ nodeName: 'node-2' },
      containers: [{ name: 'app', image: 'nginx', resources: { requests: { cpu: String(cpu) } } }],
    })
    await admin.create(PODS, pod('growing', asking(1)))
    await admin.create(PODS, pod('neighbour', asking(1)))
    for (const name of ['growing', 'neighbour'])
      await until(name, ({ status }) => expect(status.phase).toBe('Running'))
    const { containers } = asking(cpus)
    await admin.patch(
      PODS,
      { ...place('growing'), subresource: 'resize' },
      { spec: { containers } },
      { type: 'strategic' },
    )
    const pendingOf = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'PodResizePending')
    await until('growing', (one) => {
      expect(pendingOf(one)).toMatchObject({ status: 'True', reason: 'Deferred', observedGeneration: 2 })
      expect(one.status.containerStatuses?.[0]?.allocatedResources).toEqual({ cpu: '1' })
    })
    await admin.delete(PODS, place('neighbour'))
    await until('growing', (one) => {
      expect(pendingOf(one)).toBeUndefined()
      expect(one.status.containerStatuses?.[0]).toMatchObject({
        allocatedResources: { cpu: String(cpus) },
        resources: { requests: { cpu: String(cpus) } },
      })
    })
    await admin.delete(PODS, place('growing'))
  })
})

describe('a machine that is switched on again', () => {
  it('says anew what others have said otherwise of its pods', async () => {
    await admin.create(PODS, pod('lasting', { nodeName: 'node-0' }))
    const readyOf = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'Ready')?.status
    await until('lasting', (one) => expect(readyOf(one)).toBe('True'))
    const switched = (to: string | null): Promise<unknown> => {
      const annotations = { 'simulate.dinghy.dev/machine': to }
      return admin.patch(NODES, { name: 'node-0' }, { metadata: { annotations } }, { type: 'merge' })
    }
    await switched('off')
    const conditions = [{ type: 'Ready', status: 'False' }]
    const at = { ...place('lasting'), subresource: 'status' }
    await admin.patch(PODS, at, { status: { conditions } }, { type: 'strategic' })
    await switched(null)
    await until('lasting', (one) => expect(readyOf(one)).toBe('True'))
    await admin.delete(PODS, place('lasting'))
  })
})

describe('a node’s user', () => {
  it('may touch its own lease and no other, and no secret that no pod of its own needs', async () => {
    const api = new Api(
      server.loopback({ name: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] }),
      'test/1',
    )
    await admin.create(SECRETS, { metadata: { name: 'ours', namespace: 'default' } })
    await admin.create(SECRETS, { metadata: { name: 'theirs', namespace: 'default' } })
    const volumes = [{ name: 'v', secret: { secretName: 'ours' } }]
    await admin.create(PODS, pod('reader', { volumes }))
    await vi.waitFor(() => api.get(SECRETS, place('ours')), WAIT)
    await expect(api.get(SECRETS, place('theirs'))).rejects.toMatchObject({ code: 403 })
    await expect(api.list(SECRETS, { namespace: 'default' })).rejects.toMatchObject({ code: 403 })
    await expect(api.get(LEASES, { namespace: 'kube-node-lease', name: 'node-2' })).rejects.toMatchObject({
      code: 403,
    })
    expect((await api.get(LEASES, { namespace: 'kube-node-lease', name: 'node-1' })).metadata.name).toBe(
      'node-1',
    )
  })
})
