// Server-side apply over real sockets: creation and who may, races, preconditions, versions, media types.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, namespaceFor, type Reply } from './client.ts'

let cluster: Cluster
let client: ApiClient
let namespace: string
let path: string

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
  namespace = await namespaceFor(client)
  path = `/api/v1/namespaces/${namespace}/configmaps`
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

const APPLY = 'application/apply-patch+yaml'

const apply = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  client.ask('PATCH', url, { body, headers: { 'content-type': APPLY, ...headers } })
const map = (name: string, rest: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...rest })
const message = ({ status, body }: Reply): [number, string] => [status, body.message]

describe('creation', () => {
  it('answers 201 once, and 200 to all others who came in the same moment', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => apply(`${path}/raced?fieldManager=m${i}`, map('raced', { data: { [`k${i}`]: 'v' } }))),
    )
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201])
    const { body } = await client.ask('GET', `${path}/raced`)
    expect([Object.keys(body.data).length, body.metadata.managedFields.length]).toEqual([20, 20])
  })
  it('takes no uid, minds no resourceVersion, wants a name', async () => {
    const at = (name: string, metadata: object): Promise<Reply> =>
      apply(`${path}/${name}?fieldManager=m`, { ...map(name, {}), metadata })
    expect(message(await at('u', { name: 'u', uid: '5' }))).toEqual([
      409,
      'Operation cannot be fulfilled on configmaps "u": uid mismatch: the provided object specified uid 5, and no existing object was found',
    ])
    expect((await at('v', { name: 'v', resourceVersion: '5' })).status).toBe(201)
    expect(message(await at('w', {}))).toEqual([
      400,
      'the name of the object (w based on URL) was undeterminable: name must be provided',
    ])
  })
  it('is for those who may create', async () => {
    await client.ask('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`, {
      body: { metadata: { name: 'patcher' }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }] },
    })
    await client.ask('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      body: {
        metadata: { name: 'patcher' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patcher' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'u' }],
      },
    })
    const asUser = (name: string): Promise<Reply> =>
      apply(`${path}/${name}?fieldManager=m`, map(name, { data: { a: '1' } }), { 'impersonate-user': 'u' })
    expect(message(await asUser('theirs'))).toEqual([
      403,
      `configmaps "theirs" is forbidden: User "u" cannot create resource "configmaps" in API group "" in the namespace "${namespace}"`,
    ])
    await apply(`${path}/theirs?fieldManager=n`, map('theirs', {}))
    expect((await asUser('theirs')).status).toBe(200)
  })
  it('leaves nothing behind in a dry run', async () => {
    const { status, body } = await apply(`${path}/dry?fieldManager=m&dryRun=All`, map('dry', { data: { a: '1' } }))
    expect([status, body.metadata.managedFields[0].manager]).toEqual([201, 'm'])
    expect((await client.ask('GET', `${path}/dry`)).status).toBe(404)
  })
})

describe('an object that is there', () => {
  it('has its version as a precondition', async () => {
    const { body } = await apply(`${path}/locked?fieldManager=m`, map('locked', { data: { a: '1' } }))
    const at = (resourceVersion: string, a: string): Promise<Reply> =>
      apply(`${path}/locked?fieldManager=m`, { ...map('locked', { data: { a } }), metadata: { name: 'locked', resourceVersion } })
    expect((await at(body.metadata.resourceVersion, '2')).status).toBe(200)
    expect(message(await at(body.metadata.resourceVersion, '3'))[0]).toBe(409)
  })
  it('keeps its version where nothing changes, but not where somebody else says the same', async () => {
    const first = await apply(`${path}/same?fieldManager=m`, map('same', { data: { a: '1' } }))
    const again = await apply(`${path}/same?fieldManager=m`, map('same', { data: { a: '1' } }))
    expect(again.body).toEqual(first.body)
    const other = await apply(`${path}/same?fieldManager=n`, map('same', { data: { a: '1' } }))
    expect(other.body.metadata.resourceVersion).not.toBe(first.body.metadata.resourceVersion)
    expect(other.body.metadata.managedFields.map((e: { time?: string }) => typeof e.time)).toEqual(['undefined', 'string'])
  })
  it('is looked at in the version of each of its owners', async () => {
    const url = (version: string): string => `/apis/autoscaling/${version}/namespaces/${namespace}/horizontalpodautoscalers/h`
    const scaler = (version: string, spec: object): object => ({
      apiVersion: `autoscaling/${version}`,
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...spec },
    })
    const metrics = (averageUtilization: number): object => ({
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
    })
    expect((await apply(`${url('v1')}?fieldManager=one`, scaler('v1', { targetCPUUtilizationPercentage: 50 }))).status).toBe(201)
    expect((await apply(`${url('v2')}?fieldManager=two`, scaler('v2', metrics(50)))).status).toBe(200)
    expect(message(await apply(`${url('v2')}?fieldManager=two`, scaler('v2', metrics(60))))).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "one": .spec.targetCPUUtilizationPercentage',
    ])
  })
  it('keeps for kubectl the annotation of client-side apply', async () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
    const before = map('annotated', { data: { a: '1' } })
    await client.ask('POST', `${path}?fieldManager=kubectl-client-side-apply`, {
      body: { ...before, metadata: { name: 'annotated', annotations: { [annotation]: JSON.stringify(before) } } },
    })
    const after = map('annotated', { data: { a: '<2>' } })
    expect((await apply(`${path}/annotated?fieldManager=other`, after)).status).toBe(409)
    const { status, body } = await apply(`${path}/annotated?fieldManager=kubectl`, after)
    expect([status, body.metadata.annotations[annotation]]).toEqual([
      200,
      '{"apiVersion":"v1","data":{"a":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"name":"annotated"}}\n',
    ])
  })
  it('has ten entries of updates at most, and any number of appliers', async () => {
    const merge = { 'content-type': 'application/merge-patch+json' }
    await apply(`${path}/many?fieldManager=m`, map('many', {}))
    for (let i = 0; i < 12; i++) {
      await client.ask('PATCH', `${path}/many?fieldManager=u${i}`, { body: { data: { [`u${i}`]: '1' } }, headers: merge })
      await apply(`${path}/many?fieldManager=a${i}`, map('many', { data: { [`a${i}`]: '1' } }))
    }
    const { body } = await client.ask('GET', `${path}/many`)
    const names = body.metadata.managedFields.map((e: { manager: string; operation: string }) => e)
    expect(names.filter((e: { operation: string }) => e.operation === 'Apply')).toHaveLength(12)
    const updates = names.filter((e: { operation: string }) => e.operation === 'Update')
    expect([updates.length, updates.some((e: { manager: string }) => e.manager === 'ancient-changes')]).toEqual([10, true])
  })
})

describe('bodies', () => {
  it('are YAML, whose faults are told when there is something to apply to', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yam}\ndata:\n  a: "1"\n  a: "2"\n'
    const { body, headers } = await apply(`${path}/yam?fieldManager=m`, yaml)
    expect([body.data, headers['warning']]).toEqual([{ a: '2' }, '299 - "line 6: key \\"a\\" already set in map"'])
    expect(message(await apply(`${path}/yam?fieldManager=m&fieldValidation=Strict`, yaml))).toEqual([
      400,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key "a" already set in map',
    ])
    expect(message(await apply(`${path}/yam?fieldManager=m`, '- a'))).toEqual([
      400,
      'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ])
    const status = `/api/v1/namespaces/${namespace}/pods/none/status?fieldManager=m`
    expect((await apply(status, '- a')).status).toBe(404)
  })
  it('may be no CBOR', async () => {
    const cbor = { 'content-type': 'application/apply-patch+cbor' }
    expect((await client.ask('PATCH', `${path}/yam?fieldManager=m`, { body: 'x', headers: cbor })).status).toBe(415)
  })
})
