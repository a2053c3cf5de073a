// The cloud's controllers against a real API server: balancers that answer, nodes that are initialized, switched off, gone.
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { SYSTEM_CLOCK } from '../../src/client/clock.ts'
import type { Node, Service } from '../../src/client/kinds/core.v1.gen.ts'
import { QueuesMetrics } from '../../src/client/queuemetrics.ts'
import { CORE_EVENTS, ENDPOINT_SLICES, NODES, SERVICES } from '../../src/client/resources.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { CLOUD_SETTINGS, cloudControllers } from '../../src/cmd/controllers/cloud-controllers.ts'
import { SETTINGS } from '../../src/cmd/controllers/settings.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import { apiAs, serviceAccountUser } from '../../src/cmd/parts/part.ts'
import { runControllers } from '../../src/cmd/controllers/run.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const WAIT = { timeout: 90_000, interval: 20 }
const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const stop = new AbortController()
const troubles: object[] = []
let server: ApiServer
let api: Api
let running: Promise<void>

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0 })
  api = new Api(server.loopback(ADMIN), 'test')
  const quiet = (): void => undefined
  const trouble = (details: object): void => void troubles.push(details)
  const routes = { clusterCidrs: ['10.128.0.0/9'], periodMs: 50 }
  running = runControllers(
    {
      api: apiAs(server, ADMIN, 'test'),
      apiOf: (user) => apiAs(server, serviceAccountUser(user), 'test'),
      rows: cloudControllers({ ...CLOUD_SETTINGS, zones: 3, nodeMonitorPeriodMs: 50, routes }),
      settings: SETTINGS,
      metrics: new QueuesMetrics(),
      log: { error: trouble, warn: trouble, info: quiet, debug: quiet },
      clock: SYSTEM_CLOCK,
    },
    stop.signal,
  )
})
afterAll(async () => {
  stop.abort()
  await running
  await server.stop()
  // One has an address that nobody can give it, and is tried until it is gone.
  expect(troubles.filter((trouble) => !JSON.stringify(trouble).includes('elsewhere'))).toEqual([])
})

const balanced = (name: string, port: number, spec: Service['spec'] = {}): Promise<Service> =>
  api.create(SERVICES, {
    metadata: { namespace: 'default', name },
    spec: { type: 'LoadBalancer', ports: [{ port }], ...spec },
  } as Service)
const get = (name: string): Promise<Service> => api.get(SERVICES, { namespace: 'default', name })
const node = (name: string): Promise<Node> => api.get(NODES, { name })

async function reasonsOf(name: string): Promise<string[]> {
  const { items } = await api.list(CORE_EVENTS, { namespace: 'default' })
  return items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ source, type, reason, message }) => `${source?.component} ${type} ${reason}: ${message}`)
    .sort()
}

async function ingressOf(name: string) {
  return vi.waitFor(async () => {
    const [ingress] = (await get(name)).status?.loadBalancer?.ingress ?? []
    expect(ingress).toBeDefined()
    return ingress
  }, WAIT)
}

const said = (host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    connect(port, host)
      .on('data', (chunk) => (text += chunk.toString()))
      .on('end', () => resolve(text))
      .on('error', reject)
      .end('hello')
  })

it('gives a Service an address, and takes it away with the Service', async () => {
  await balanced('web', 28080)
  const ingress = await ingressOf('web')
  expect(ingress).toEqual({ ip: expect.stringMatching(/^127\./) as string, ipMode: 'Proxy' })
  expect((await get('web')).metadata.finalizers).toEqual([FINALIZER])
  const host = ingress?.ip ?? ''
  await expect(said(host, 28080)).rejects.toThrow(/ECONNRESET/)
  await api.delete(SERVICES, { namespace: 'default', name: 'web' })
  await vi.waitFor(() => expect(get('web')).rejects.toThrow('not found'), WAIT)
  await expect(said(host, 28080)).rejects.toThrow(/ECONNREFUSED/)
  await vi.waitFor(async () => {
    expect(await reasonsOf('web')).toEqual([
      'service-controller Normal DeletedLoadBalancer: Deleted load balancer',
      'service-controller Normal DeletingLoadBalancer: Deleting load balancer',
      'service-controller Normal EnsuredLoadBalancer: Ensured load balancer',
      'service-controller Normal EnsuringLoadBalancer: Ensuring load balancer',
      'service-controller Warning UnAvailableLoadBalancer: There are no available nodes for LoadBalancer',
    ])
  }, WAIT)
})

/** Of this machine, and not the loopback, which endpoints may not name. */
const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

it.skipIf(OWN_ADDRESS === undefined)('answers at the address for the ready endpoints', async () => {
  const echo = createServer((socket) => void socket.pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, OWN_ADDRESS, resolve))
  await balanced('echo', 28086)
  const slice = { namespace: 'default', name: 'echo-1' }
  await api.create(ENDPOINT_SLICES, {
    metadata: { ...slice, labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: (echo.address() as AddressInfo).port }],
    endpoints: [{ addresses: [OWN_ADDRESS ?? ''], conditions: { ready: true } }],
  })
  const { ip = '' } = (await ingressOf('echo')) ?? {}
  await vi.waitFor(async () => expect(await said(ip, 28086)).toBe('hello'), WAIT)
  await api.delete(ENDPOINT_SLICES, slice)
  await vi.waitFor(() => expect(said(ip, 28086)).rejects.toThrow(/ECONNRESET/), WAIT)
  await new Promise((resolve) => echo.close(resolve))
})

it('leaves classes to others, and cleans up when the type changes', async () => {
  await balanced('classy', 28081, { loadBalancerClass: 'example.com/other' })
  await balanced('plain', 28082)
  await ingressOf('plain')
  expect((await get('classy')).metadata.finalizers).toBeUndefined()
  expect((await get('classy')).status?.loadBalancer).toEqual({})
  await api.patch(
    SERVICES,
    { namespace: 'default', name: 'plain' },
    { spec: { type: 'ClusterIP' } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => {
    const { metadata, status } = await get('plain')
    expect(metadata.finalizers).toBeUndefined()
    expect(status?.loadBalancer).toEqual({})
  }, WAIT)
})

it('says which port cannot be had, and why an address cannot', async () => {
  await balanced('twice', 28083, { ports: [{ port: 28083, protocol: 'SCTP' }] } as Service['spec'])
  expect((await ingressOf('twice'))?.ports).toEqual([
    { port: 28083, protocol: 'SCTP', error: 'dinghy.dev/ProtocolNotSupported' },
  ])
  await balanced('elsewhere', 28084, { loadBalancerIP: '192.0.2.1' })
  await vi.waitFor(async () => {
    expect(await reasonsOf('elsewhere')).toContain(
      'service-controller Warning SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: 192.0.2.1 is not in the range of addresses',
    )
  }, WAIT)
  await api.delete(SERVICES, { namespace: 'default', name: 'elsewhere' })
})

it('initializes a node, makes its route, and tells balancers of it', async () => {
  await balanced('told', 28085)
  await ingressOf('told')
  await makeNode('node-1', 'True')
  await vi.waitFor(async () => {
    const { metadata, spec, status } = await node('node-1')
    expect(spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
    expect(spec.providerID).toBe('dinghy://node-1')
    expect(metadata.labels).toMatchObject({
      'topology.kubernetes.io/zone': 'local-b',
      'topology.kubernetes.io/region': 'local',
      'node.kubernetes.io/instance-type': 'simulated-4cpu',
    })
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'NetworkUnavailable', status: 'False', reason: 'RouteCreated' }),
    )
  }, WAIT)
  await vi.waitFor(async () => {
    expect(await reasonsOf('node-1')).toEqual([
      'cloud-node-controller Normal Synced: Node synced successfully',
    ])
    expect(await reasonsOf('told')).toContain(
      'service-controller Normal UpdatedLoadBalancer: Updated load balancer with new hosts',
    )
  }, WAIT)
})

it('taints a node whose machine is off, frees one that is on again, deletes one whose machine is gone', async () => {
  const shutdown = { key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }
  const machine = (name: string, state: string | null) =>
    api.patch(
      NODES,
      { name },
      { metadata: { annotations: { 'simulate.dinghy.dev/machine': state } } },
      { type: 'merge' },
    )
  await makeNode('node-2', 'Unknown')
  await machine('node-2', 'off')
  await vi.waitFor(async () => expect((await node('node-2')).spec.taints).toContainEqual(shutdown), WAIT)
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  await api.patch(NODES, { name: 'node-2', subresource: 'status' }, { status: ready }, { type: 'strategic' })
  await vi.waitFor(
    async () => expect((await node('node-2')).spec.taints ?? []).not.toContainEqual(shutdown),
    WAIT,
  )
  await makeNode('node-3', 'Unknown')
  await machine('node-3', 'deleted')
  await vi.waitFor(() => expect(node('node-3')).rejects.toThrow('not found'), WAIT)
  await vi.waitFor(async () => {
    expect(await reasonsOf('node-3')).toContain(
      'cloud-node-lifecycle-controller Normal DeletingNode: Deleting node node-3 because it does not exist in the cloud provider',
    )
  }, WAIT)
})

async function makeNode(name: string, ready: string): Promise<void> {
  const range = `10.128.${name.slice(-1)}.0/24`
  await api.create(NODES, {
    metadata: { name, labels: { 'node.dinghy.dev/simulated': 'true' } },
    spec: {
      podCIDR: range,
      podCIDRs: [range],
      taints: [
        { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' },
      ],
    },
    status: { capacity: { cpu: '4' }, conditions: [{ type: 'Ready', status: ready }] },
  } as unknown as Node)
}
