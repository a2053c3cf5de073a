// The scheduler with a configuration, against an API server in this process: several profiles, an extender that filters,
// rates and binds, and pods that claim devices.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import type { Node, Pod } from '../../src/client/kinds/core.v1.gen.ts'
import { DEVICE_CLASSES, NODES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES } from '../../src/client/resources.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import type { RunningPart } from '../../src/cmd/parts/part.ts'
import { startScheduler } from '../../src/cmd/scheduler/part.ts'
import { readConfiguration } from '../../src/scheduler/config/configuration.ts'

let server: ApiServer
let scheduler: RunningPart
let extender: Server
let api: Api
const namespace = 'default'
const asked: { path: string; body: Record<string, unknown> }[] = []

/** Refuses node a, likes node c best, and binds by itself what it looks after. */
function answer(path: string, body: Record<string, unknown>): unknown {
  const nodes = (body['NodeNames'] ?? []) as string[]
  if (path === '/x/filter')
    return { nodenames: nodes.filter((name) => name !== 'a'), failedNodes: { a: 'not this one' } }
  if (path === '/x/rate') return nodes.map((host) => ({ host, score: host === 'c' ? 10 : 0 }))
  return { error: 'no' }
}

beforeAll(async () => {
  extender = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
      asked.push({ path: request.url ?? '', body })
      response.end(JSON.stringify(answer(request.url ?? '', body)))
    })
  })
  await new Promise<void>((resolve) => extender.listen(0, '127.0.0.1', resolve))
  const { port } = extender.address() as AddressInfo
  const read = readConfiguration({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    profiles: [
      { schedulerName: 'default-scheduler' },
      { schedulerName: 'blind', plugins: { multiPoint: { disabled: [{ name: 'NodeResourcesFit' }] } } },
    ],
    extenders: [
      {
        urlPrefix: `http://127.0.0.1:${port}/x/`,
        filterVerb: 'filter',
        prioritizeVerb: 'rate',
        weight: 100,
        nodeCacheCapable: true,
        managedResources: [{ name: 'example.com/thing', ignoredByScheduler: true }],
      },
    ],
  })
  if ('faults' in read) throw new Error(read.faults.join(', '))
  const disableAdmissionPlugins = ['ServiceAccount', 'TaintNodesByCondition']
  server = await startApiServer({ ...DEFAULTS, port: 0, disableAdmissionPlugins })
  api = new Api(server.loopback({ name: 'admin', groups: ['system:masters'] }), 'test/1')
  scheduler = await startScheduler(server, new AbortController(), read.configuration)
  for (const name of ['a', 'b', 'c']) {
    const capacity = { cpu: '2', memory: '4Gi', pods: '10' }
    const status = { capacity, allocatable: capacity } as unknown as Node['status']
    await api.create(NODES, { metadata: { name }, spec: {}, status })
  }
  await knowsNodes(3)
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
  await new Promise((resolve) => extender.close(resolve))
})

const create = (
  name: string,
  requests: Record<string, string>,
  more: Partial<Pod['spec']> = {},
): Promise<Pod> =>
  api.create(PODS, {
    metadata: { name, namespace },
    spec: {
      containers: [{ name: 'app', image: 'nginx', resources: { requests, limits: requests } }],
      ...more,
    },
    status: {},
  })
const until = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 90_000, interval: 20 })
const nodeOf = (name: string): Promise<string> =>
  until(async () => {
    const { nodeName } = (await api.get(PODS, { namespace, name })).spec
    expect(nodeName).toBeTruthy()
    return nodeName as string
  })
const messageOf = (name: string): Promise<string> =>
  until(async () => {
    const { status } = await api.get(PODS, { namespace, name })
    const condition = status.conditions?.find(({ type }) => type === 'PodScheduled')
    expect(condition?.status).toBe('False')
    return condition?.message ?? ''
  })

it('places each pod by the profile that it names', async () => {
  await create('big', { cpu: '3' })
  expect(await messageOf('big')).toContain('3 Insufficient cpu')
  await create('careless', { cpu: '3' }, { schedulerName: 'blind' })
  expect(['a', 'b', 'c']).toContain(await nodeOf('careless'))
  await api.delete(PODS, { namespace, name: 'careless' }, { gracePeriodSeconds: 0 })
  await api.delete(PODS, { namespace, name: 'big' }, { gracePeriodSeconds: 0 })
})
it('asks extenders about what they look after', async () => {
  asked.length = 0
  await create('thing', { 'example.com/thing': '1' })
  expect(await nodeOf('thing')).toBe('c')
  expect(asked.map(({ path }) => path)).toEqual(['/x/filter', '/x/rate'])
  expect(asked[0]?.body).toMatchObject({ Pod: { metadata: { name: 'thing' } }, Nodes: null })
  await create('thing-on-a', { 'example.com/thing': '1' }, { nodeSelector: { none: 'x' } })
  await create('plain', { cpu: '100m' })
  await nodeOf('plain')
  expect(asked).toHaveLength(2)
})
it('finds devices, and gives them to others when they are free', async () => {
  await api.create(DEVICE_CLASSES, {
    metadata: { name: 'gpu' },
    spec: {
      selectors: [
        {
          cel: {
            expression: `device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model == "a1"`,
          },
        },
      ],
    },
  })
  for (const [node, model] of [
    ['a', 'a0'],
    ['b', 'a1'],
  ] as const) {
    await api.create(RESOURCE_SLICES, {
      metadata: { name: `gpus-${node}` },
      spec: {
        driver: 'gpu.example.com',
        nodeName: node,
        pool: { name: node, generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0', attributes: { model: { string: model } } }],
      },
    })
  }
  const claimed = async (name: string): Promise<void> => {
    await api.create(RESOURCE_CLAIMS, {
      metadata: { name, namespace },
      spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } },
      status: {},
    })
    await create(name, { cpu: '10m' }, { resourceClaims: [{ name: 'gpu', resourceClaimName: name }] })
  }
  await claimed('first')
  expect(await nodeOf('first')).toBe('b')
  const { metadata, status } = await api.get(RESOURCE_CLAIMS, { namespace, name: 'first' })
  expect(metadata.finalizers).toContain('resource.kubernetes.io/delete-protection')
  expect(status.allocation?.devices.results).toMatchObject([
    { request: 'one', driver: 'gpu.example.com', pool: 'b', device: 'gpu-0' },
  ])
  expect(status.reservedFor).toMatchObject([{ resource: 'pods', name: 'first' }])
  await claimed('second')
  expect(await messageOf('second')).toContain('3 cannot allocate all claims')
  // Somebody, the controller of claims, takes back what nobody uses any more.
  await api.delete(PODS, { namespace, name: 'first' }, { gracePeriodSeconds: 0 })
  const latest = await api.get(RESOURCE_CLAIMS, { namespace, name: 'first' })
  await api.updateStatus(RESOURCE_CLAIMS, { ...latest, status: {} })
  expect(await nodeOf('second')).toBe('b')
})
it('gives shares of a device to several, and binds pods when their devices are ready', async () => {
  const driver = 'nic.example.com'
  await api.create(DEVICE_CLASSES, {
    metadata: { name: 'nic' },
    spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
  })
  await api.create(RESOURCE_SLICES, {
    metadata: { name: 'nics' },
    spec: {
      driver,
      nodeName: 'c',
      pool: { name: 'c', generation: 1, resourceSliceCount: 1 },
      devices: [
        {
          name: 'nic-0',
          allowMultipleAllocations: true,
          capacity: { bandwidth: { value: '10G' } },
          bindsToNode: true,
          bindingConditions: ['Attached'],
          bindingFailureConditions: ['Lost'],
        },
      ],
    },
  })
  const claimOf = (name: string) => api.get(RESOURCE_CLAIMS, { namespace, name })
  const claimed = async (name: string, bandwidth: string): Promise<void> => {
    const exactly = { deviceClassName: 'nic', capacity: { requests: { bandwidth } } }
    await api.create(RESOURCE_CLAIMS, {
      metadata: { name, namespace },
      spec: { devices: { requests: [{ name: 'nic', exactly }] } },
      status: {},
    })
    await create(name, { cpu: '10m' }, { resourceClaims: [{ name: 'nic', resourceClaimName: name }] })
  }
  const allocated = (name: string) =>
    until(async () => {
      const { status } = await claimOf(name)
      expect(status.allocation).toBeDefined()
      return status.allocation
    })
  /** As the driver says it. */
  const say = (name: string, type: string): Promise<unknown> =>
    until(async () => {
      const latest = await claimOf(name)
      const [{ shareID } = {}] = latest.status.allocation?.devices.results ?? []
      const lastTransitionTime = '2026-01-01T00:00:00Z'
      const conditions = [{ type, status: 'True', reason: 'Said', message: 'so', lastTransitionTime }]
      const devices = [{ driver, pool: 'c', device: 'nic-0', conditions, ...(shareID && { shareID }) }]
      await api.updateStatus(RESOURCE_CLAIMS, { ...latest, status: { ...latest.status, devices } })
    })

  await claimed('six', '6G')
  expect((await allocated('six'))?.devices.results).toMatchObject([
    { device: 'nic-0', consumedCapacity: { bandwidth: '6G' }, bindingConditions: ['Attached'] },
  ])
  // It has its device, and no node before that is ready.
  expect((await api.get(PODS, { namespace, name: 'six' })).spec.nodeName).toBeUndefined()
  await say('six', 'Attached')
  expect(await nodeOf('six')).toBe('c')

  await claimed('four', '4G')
  const share = (await allocated('four'))?.devices.results?.[0]
  expect(share?.shareID).not.toBe((await claimOf('six')).status.allocation?.devices.results?.[0]?.shareID)
  await claimed('one', '1G')
  expect(await messageOf('one')).toContain('cannot allocate all claims')
  // What will never be ready is taken back, and others may have it.
  await say('four', 'Lost')
  const winner = await until(async () => {
    const both = await Promise.all(['one', 'four'].map(claimOf))
    const found = both.find(({ status: { allocation } }) => {
      const [{ shareID } = {}] = allocation?.devices.results ?? []
      return shareID !== undefined && shareID !== share?.shareID
    })
    expect(found).toBeDefined()
    return found?.metadata.name ?? ''
  })
  await say(winner, 'Attached')
  expect(await nodeOf(winner)).toBe('c')
})
it('lets devices stand for an extended resource', async () => {
  const driver = 'fpga.example.com'
  const fpga = 'example.com/fpga'
  await create('early', { [fpga]: '2' })
  expect(await messageOf('early')).toContain(`3 Insufficient ${fpga}`)
  await api.create(RESOURCE_SLICES, {
    metadata: { name: 'fpgas' },
    spec: {
      driver,
      nodeName: 'b',
      pool: { name: 'b', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'fpga-0' }, { name: 'fpga-1' }],
    },
  })
  await api.create(DEVICE_CLASSES, {
    metadata: { name: 'fpga' },
    spec: {
      extendedResourceName: fpga,
      selectors: [{ cel: { expression: `device.driver == "${driver}"` } }],
    },
  })
  expect(await nodeOf('early')).toBe('b')
  const { metadata, status } = await api.get(PODS, { namespace, name: 'early' })
  const { resourceClaimName = '', requestMappings = [] } = status.extendedResourceClaimStatus ?? {}
  expect(requestMappings).toEqual([
    { containerName: 'app', resourceName: fpga, requestName: 'container-0-request-0' },
  ])
  const claim = await api.get(RESOURCE_CLAIMS, { namespace, name: resourceClaimName })
  expect(claim.metadata).toMatchObject({
    annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
    ownerReferences: [{ kind: 'Pod', name: 'early', uid: metadata.uid, controller: true }],
  })
  expect(claim.status.allocation?.devices.results).toMatchObject([
    { request: 'container-0-request-0', driver, device: 'fpga-0' },
    { request: 'container-0-request-0', driver, device: 'fpga-1' },
  ])
  expect(claim.status.reservedFor).toMatchObject([{ resource: 'pods', name: 'early' }])
  // All are taken; and a class stands for a resource of its own name, too.
  await create('late', { 'deviceclass.resource.kubernetes.io/fpga': '1' })
  expect(await messageOf('late')).toContain('3 cannot allocate all claims')
})
