// What writes count and who owns what they say, where upstream looks at it after conversion: over a running server.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { KubeObject } from '../../src/machinery/object.ts'
import { ApiClient } from '../api/client.ts'

let cluster: Cluster
let client: ApiClient

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

async function send(method: string, path: string, body: JsonObject, type = ''): Promise<KubeObject> {
  const headers: Record<string, string> = type ? { 'content-type': type } : {}
  const reply = await client.ask(method, path, { body, headers })
  expect([200, 201]).toContain(reply.status)
  return reply.body as KubeObject
}

const owned = ({ metadata }: KubeObject): JsonObject => metadata.managedFields?.[0]?.fieldsV1 as JsonObject

const ANNOTATIONS = 'autoscaling.alpha.kubernetes.io'

it('whoever creates an autoscaler of autoscaling/v1 owns the annotations that its parts of v2 are converted to', async () => {
  const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
  const withStatus = await send('POST', path, {
    metadata: { name: 'with-status' },
    spec: { maxReplicas: 3, scaleTargetRef },
    status: { currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 7 },
  })
  // The status is dropped afterwards.
  expect(withStatus['status']).toEqual({ currentReplicas: 0, desiredReplicas: 0 })
  expect(withStatus.metadata.annotations).toBeUndefined()
  expect(owned(withStatus)['f:metadata']).toEqual({
    'f:annotations': { '.': {}, [`f:${ANNOTATIONS}/current-metrics`]: {} },
  })
  const unread = await send('POST', path, {
    metadata: { name: 'unread', annotations: { [`${ANNOTATIONS}/behavior`]: 'no JSON' } },
    spec: { maxReplicas: 3, scaleTargetRef },
  })
  expect(unread.metadata.annotations).toBeUndefined()
  expect(owned(unread)['f:metadata']).toBeUndefined()
})

const MERGE = 'application/merge-patch+json'

it('an empty struct that upstream has behind a pointer is a new generation, an empty map or list is none', async () => {
  const path = '/apis/apps/v1/namespaces/default/daemonsets'
  const labels = { app: 'a' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await send('POST', path, { metadata: { name: 'd' }, spec: { selector: { matchLabels: labels }, template } })
  const patched = async (spec: JsonObject) => {
    const { metadata } = await send('PATCH', `${path}/d`, { spec: { template: { spec } } }, MERGE)
    return [metadata.generation, metadata.annotations?.['deprecated.daemonset.template.generation']]
  }
  expect(await patched({ nodeSelector: {}, volumes: [] })).toEqual([1, '1'])
  expect(await patched({ affinity: {} })).toEqual([2, '2'])
  expect(await patched({ affinity: {} })).toEqual([2, '2'])
  expect(await patched({ affinity: null })).toEqual([3, '3'])
})

it('where upstream compares to the bit, an empty list that was sent is a new generation', async () => {
  const path = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies'
  await send('POST', path, { metadata: { name: 'n' }, spec: { podSelector: {} } })
  const patched = async (spec: JsonObject) =>
    (await send('PATCH', `${path}/n`, { spec }, MERGE)).metadata.generation
  expect(await patched({ egress: null })).toBe(1)
  // A default fills it.
  expect(await patched({ policyTypes: [] })).toBe(1)
  expect(await patched({ egress: [] })).toBe(2)
  expect(await patched({ podSelector: { matchLabels: {} } })).toBe(3)
  const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
  await send('POST', hooks, { metadata: { name: 'h' } })
  expect((await send('PATCH', `${hooks}/h`, { webhooks: null }, MERGE)).metadata.generation).toBe(1)
  expect((await send('PATCH', `${hooks}/h`, { webhooks: [] }, MERGE)).metadata.generation).toBe(2)
})

it("an empty list of claims is refused among a whole pod's resources", async () => {
  const reply = await client.ask('POST', '/api/v1/namespaces/default/podtemplates', {
    body: {
      metadata: { name: 'p' },
      template: { spec: { containers: [{ name: 'c', image: 'i' }], resources: { claims: [] } } },
    },
  })
  expect(reply.body).toMatchObject({
    code: 422,
    details: { causes: [{ reason: 'FieldValueForbidden', field: 'template.spec.resources.claims' }] },
  })
})

it('the data of a revision are bytes: an empty object in them, and another order of keys, is a change', async () => {
  const path = '/apis/apps/v1/namespaces/default/controllerrevisions'
  const revision = (data: JsonObject): JsonObject => ({ metadata: { name: 'r' }, revision: 1, data })
  await send('POST', path, revision({ a: 1, b: [] }))
  await send('PUT', `${path}/r`, { ...revision({ a: 1, b: [] }), revision: 2 })
  for (const data of [{ a: 1 }, { b: [], a: 1 }, { a: 1, b: [], c: {} }]) {
    const { body } = await client.ask('PUT', `${path}/r`, { body: revision(data) })
    const message = `Invalid value: ${JSON.stringify(data)}: field is immutable`
    expect(body.details.causes).toEqual([{ reason: 'FieldValueInvalid', message, field: 'data' }])
  }
})

it('a refused change of a pod shows that its service account was left out', async () => {
  const path = '/api/v1/namespaces/default/pods'
  const pod = (spec: JsonObject): JsonObject => ({
    metadata: { name: 'p' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }], ...spec },
  })
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'own' } })
  await send('POST', path, pod({ serviceAccountName: 'own' }))
  // The older name says the same.
  await send('PUT', `${path}/p`, pod({ serviceAccount: 'own' }))
  const { body } = await client.ask('PUT', `${path}/p`, { body: pod({}) })
  const changed = (body.message as string).split('\n').filter((line) => /^[-+]/.test(line))
  expect(changed).toEqual(['- "ServiceAccountName": "own",', '+ "ServiceAccountName": "",'])
})

it('only a persistent volume must not leave the namespace of its secret empty', async () => {
  const azureFile = { secretName: 's', shareName: 'n', secretNamespace: '' }
  const spec = { accessModes: ['ReadOnlyMany'], capacity: { storage: '1Gi' } }
  const { body } = await client.ask('POST', '/api/v1/persistentvolumes', {
    body: { metadata: { name: 'v' }, spec: { ...spec, azureFile } },
  })
  expect(body.details.causes).toEqual([
    { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.azureFile.secretNamespace' },
  ])
})

it('what must not change must not become an empty struct either', async () => {
  const path = '/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities'
  await send('POST', path, { metadata: { name: 'c' }, storageClassName: 'fast' })
  const { body } = await client.ask('PATCH', `${path}/c`, {
    body: { nodeTopology: {} },
    headers: { 'content-type': MERGE },
  })
  expect(body.details.causes).toEqual([
    { reason: 'FieldValueInvalid', message: 'Invalid value: {}: field is immutable', field: 'nodeTopology' },
  ])
})

it('a status of autoscaling/v1 is converted once: no value comes in that nobody said', async () => {
  const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
  await send('POST', path, { metadata: { name: 'once' }, spec: { maxReplicas: 3, scaleTargetRef } })
  const status = { currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 5 }
  await send('PATCH', `${path}/once/status`, { status }, MERGE)
  const { body } = await client.ask('GET', `${path.replace('/v1/', '/v2/')}/once`)
  const resource = { name: 'cpu', current: { averageUtilization: 5 } }
  expect(body.status.currentMetrics).toEqual([{ type: 'Resource', resource }])
})
