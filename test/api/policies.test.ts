// Admission policies as a client sees them: what is said of their expressions, and what they do to requests in versions
// that their rules do not name.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from './client.ts'

let cluster: Cluster
let api: ApiClient

beforeAll(async () => {
  cluster = await startCluster()
  api = new ApiClient(cluster)
})
afterAll(async () => {
  api.close()
  await cluster.stop()
})

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const rule = (group: string, version: string, resource: string) => ({
  resourceRules: [
    { apiGroups: [group], apiVersions: [version], resources: [resource], operations: ['CREATE', 'UPDATE'] },
  ],
})

it('names no variables where a validating policy has none', async () => {
  const policy = (variables: readonly object[]) => ({
    metadata: { name: 'variables' },
    spec: {
      matchConstraints: rule('', 'v1', 'configmaps'),
      variables,
      validations: [{ expression: 'variables.missing' }],
    },
  })
  const said = async (variables: readonly object[]): Promise<string> => {
    const body = policy(variables)
    const path = `${ADMISSION}/validatingadmissionpolicies?dryRun=All`
    return (await api.ask('POST', path, { body })).body.message
  }
  expect(await said([])).toContain("undeclared reference to 'variables'")
  expect(await said([{ name: 'n', expression: '1' }])).toContain("undefined field 'missing'")
})

it('is refused where a mutating policy names another version of a kind of the release', async () => {
  const label = 'Object{metadata: Object.metadata{labels: {"a": "b"}}}'
  const policy = {
    metadata: { name: 'scalers' },
    spec: {
      matchConstraints: rule('autoscaling', 'v1', 'horizontalpodautoscalers'),
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: label } }],
    },
  }
  const made = await api.ask('POST', `${ADMISSION}/mutatingadmissionpolicies`, { body: policy })
  expect(made.status).toBe(201)
  const binding = { metadata: { name: 'scalers' }, spec: { policyName: 'scalers' } }
  await api.ask('POST', `${ADMISSION}/mutatingadmissionpolicybindings`, { body: binding })
  const create = (version: string) =>
    api.ask(
      'POST',
      `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers?dryRun=All`,
      {
        body: {
          metadata: { name: 'a' },
          spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3 },
        },
      },
    )
  await vi.waitFor(
    async () => expect((await create('v1')).body.metadata?.labels).toEqual({ a: 'b' }),
    { timeout: 90_000 },
  )
  const refused = await create('v2')
  expect(refused.status).toBe(403)
  expect(refused.body.message).toContain(
    'converting (v1.HorizontalPodAutoscaler) to (v2.HorizontalPodAutoscaler): unknown conversion',
  )
})

it.each([
  ['IfNeeded', 403],
  ['Never', 201],
])('sees its own change again: %s', async (reinvocationPolicy, status) => {
  const name = `moves-${reinvocationPolicy.toLowerCase()}`
  const policy = {
    metadata: { name },
    spec: {
      matchConstraints: rule('', 'v1', 'configmaps'),
      matchConditions: [{ name: 'named', expression: `request.name == '${name}'` }],
      reinvocationPolicy,
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: "[JSONPatch{op: 'move', from: '/data/a', path: '/data/b'}]" },
        },
      ],
    },
  }
  const made = await api.ask('POST', `${ADMISSION}/mutatingadmissionpolicies`, { body: policy })
  expect(made.status).toBe(201)
  const binding = { metadata: { name }, spec: { policyName: name } }
  await api.ask('POST', `${ADMISSION}/mutatingadmissionpolicybindings`, { body: binding })
  await vi.waitFor(
    async () => {
      const body = { metadata: { name }, data: { a: 'x' } }
      const created = await api.ask('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', { body })
      expect(created.status).toBe(status)
      expect(status === 201 ? created.body.data : {}).toEqual(status === 201 ? { b: 'x' } : {})
    },
    { timeout: 90_000 },
  )
})
