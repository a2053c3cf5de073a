// Over real connections: the rights that the status of a ResourceClaim asks for beyond the right to write it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from '../api/client.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const CLAIMS = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims'
const spec = {
  devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] },
}

let cluster: Cluster
let admin: ApiClient
beforeAll(async () => {
  cluster = await startCluster({ logLevel: 'error' })
  admin = new ApiClient(cluster)
})
afterAll(async () => {
  admin.close()
  await cluster.stop()
})

async function grant(name: string, resources: string[]): Promise<void> {
  const rules = [{ apiGroups: ['resource.k8s.io'], resources, verbs: ['get', 'update', 'patch'] }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }]
  await admin.ask('POST', `${RBAC}/clusterroles`, { body: { metadata: { name }, rules } })
  await admin.ask('POST', `${RBAC}/clusterrolebindings`, { body: { metadata: { name }, roleRef, subjects } })
}

test('an allocation is written by who may bind', async () => {
  const headers = { 'impersonate-user': 'jane' }
  await grant('writes', ['resourceclaims/status'])
  expect((await admin.ask('POST', CLAIMS, { body: { metadata: { name: 'c' }, spec } })).status).toBe(201)
  const results = [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'gpu-0' }]
  const patch = (body: object) =>
    admin.ask('PATCH', `${CLAIMS}/c/status`, {
      body,
      headers: { ...headers, 'content-type': 'application/merge-patch+json' },
    })
  const allocation = { status: { allocation: { devices: { results } } } }
  const refused = await patch(allocation)
  expect(refused.status).toBe(422)
  expect(refused.body.details.causes[0].message).toContain('requires resource="resourceclaims/binding"')
  await grant('binds', ['resourceclaims/binding'])
  expect((await patch(allocation)).status).toBe(200)
  const devices = [{ driver: 'd.example.com', pool: 'p', device: 'gpu-0', data: { a: 1 } }]
  const said = await patch({ status: { devices } })
  expect(said.status).toBe(422)
  expect(said.body.details.causes[0].message).toContain('requires resource="resourceclaims/driver"')
  // Nothing changes: nothing is asked for.
  expect((await patch({ status: { devices: [] } })).status).toBe(200)
})
