// What the server does by itself: its identity lease, and the conditions of flow schemas that clients make.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from './client.ts'

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
const IDENTITY = 'apiserver.kubernetes.io/identity'
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1'

let cluster: Cluster
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster({ advertiseAddress: '192.0.2.7' })
  client = new ApiClient(cluster)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

describe('the identity lease', () => {
  it('is there as soon as upstream would have it, and is renewed for an hour', async () => {
    const list = async () => (await client.ask('GET', `${LEASES}?labelSelector=${IDENTITY}%3Dkube-apiserver`)).body.items
    await expect.poll(list).toHaveLength(1)
    const [lease] = await list()
    expect(lease.metadata.name).toMatch(/^apiserver-[a-z2-7]{26}$/)
    expect(lease.metadata.annotations['kubernetes.io/peer-advertise-address']).toMatch(/^192\.0\.2\.7:\d+$/)
    expect(lease.spec).toEqual({
      holderIdentity: expect.stringMatching(new RegExp(`^${lease.metadata.name}_[0-9a-f-]{36}$`)),
      leaseDurationSeconds: 3600,
      renewTime: expect.stringMatching(/\.\d{6}Z$/),
    })
  })
})

describe('the condition Dangling', () => {
  const condition = async () =>
    (await client.ask('GET', `${FLOW}/flowschemas/mine`)).body.status?.conditions?.map(
      ({ type, status, reason, message }: Record<string, string>) => ({ type, status, reason, message }),
    )
  const references = 'This FlowSchema references the PriorityLevelConfiguration object named "later"'

  it('follows the priority level that a flow schema names', async () => {
    const schema = {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      metadata: { name: 'mine' },
      spec: { priorityLevelConfiguration: { name: 'later' } },
    }
    expect((await client.ask('POST', `${FLOW}/flowschemas`, { body: schema })).status).toBe(201)
    const missing = [
      { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${references} but there is no such object` },
    ]
    await expect.poll(condition).toEqual(missing)
    const [owner] = (await client.ask('GET', `${FLOW}/flowschemas/mine`)).body.metadata.managedFields
    expect(owner).toMatchObject({
      manager: 'api-priority-and-fairness-config-consumer-v1',
      operation: 'Apply',
      subresource: 'status',
    })
    const level = {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      metadata: { name: 'later' },
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
    }
    const levels = `${FLOW}/prioritylevelconfigurations`
    expect((await client.ask('POST', levels, { body: level })).status).toBe(201)
    const found = [
      { type: 'Dangling', status: 'False', reason: 'Found', message: `${references} and it exists` },
    ]
    await expect.poll(condition).toEqual(found)
    await client.ask('DELETE', `${levels}/later`)
    await expect.poll(condition).toEqual(missing)
  })
})

describe('the repair of cluster IPs', () => {
  it('gives a Service back what records its address, at the start', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'dinghy-repair-'))
    const during = async <T>(work: (own: ApiClient) => Promise<T>): Promise<T> => {
      const one = await startCluster({ storage: { dataDir } })
      const own = new ApiClient(one)
      try {
        return await work(own)
      } finally {
        own.close()
        await one.stop()
      }
    }
    const service = { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
    const ip = await during(async (own) => {
      const made = await own.ask('POST', '/api/v1/namespaces/default/services', { body: service })
      const { clusterIP } = made.body.spec
      const removed = await own.ask('DELETE', `/apis/networking.k8s.io/v1/ipaddresses/${clusterIP}`)
      expect(removed.status).toBe(200)
      return clusterIP as string
    })
    await during(async (own) => {
      const parent = async () => {
        const { body } = await own.ask('GET', `/apis/networking.k8s.io/v1/ipaddresses/${ip}`)
        return body.spec?.parentRef
      }
      await expect.poll(parent).toEqual({ resource: 'services', namespace: 'default', name: 'web' })
      const events = async () => (await own.ask('GET', '/api/v1/namespaces/default/events')).body.items
      await expect.poll(events).toEqual([
        expect.objectContaining({
          reason: 'ClusterIPNotAllocated',
          type: 'Warning',
          message: `Cluster IP [IPv4]: ${ip} is not allocated; repairing`,
          reportingComponent: 'ipallocator-repair-controller',
        }),
      ])
    })
    rmSync(dataDir, { recursive: true, force: true })
  })
})
