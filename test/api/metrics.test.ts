// What a server tells of its requests under upstream's names, types and labels, and who is counted where: requests that
// were sent away, that waited, that go on. Follows k8s.io/apiserver/pkg/endpoints/metrics.
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from './client.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1'
const DUMP = '/debug/api_priority_and_fairness/dump_priority_levels'

let cluster: Cluster
let client: ApiClient

beforeAll(async () => {
  cluster = await startCluster({ authorizationModes: ['AlwaysAllow'], maxRequestsInflight: 4, maxMutatingRequestsInflight: 2 })
  client = new ApiClient(cluster)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

const text = async (): Promise<string> => (await client.ask('GET', '/metrics')).bytes.toString()

/** The value of the one sample with this name and these labels; 0 where there is none. */
async function sample(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const lines = (await text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const fits = lines.filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
  expect(fits.length).toBeLessThan(2)
  return Number(fits[0]?.split(' ').at(-1) ?? 0)
}

const place = { group: '', version: 'v1', resource: 'configmaps', subresource: '', component: 'apiserver' }

describe('requests are counted', () => {
  it('by verb, scope, dry run and code', async () => {
    expect((await client.ask('POST', MAPS, { body: { metadata: { name: 'a' } } })).status).toBe(201)
    expect((await client.ask('POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'b' } } })).status).toBe(201)
    expect((await client.ask('GET', `${MAPS}/none`)).status).toBe(404)
    const total = (labels: Record<string, string>) => sample('apiserver_request_total', { ...place, ...labels })
    expect(await total({ verb: 'POST', scope: 'resource', dry_run: '', code: '201' })).toBe(1)
    expect(await total({ verb: 'POST', scope: 'resource', dry_run: 'All', code: '201' })).toBe(1)
    expect(await total({ verb: 'GET', scope: 'resource', dry_run: '', code: '404' })).toBe(1)
    const seconds = { ...place, verb: 'POST', scope: 'resource' }
    expect(await sample('apiserver_request_duration_seconds_count', { ...seconds, dry_run: 'All' })).toBe(1)
    // What was not meant does not count for the service level.
    expect(await sample('apiserver_request_sli_duration_seconds_count', seconds)).toBe(1)
    expect(await sample('apiserver_request_body_size_bytes_count', { resource: 'configmaps', verb: 'create' })).toBe(2)
  })

  it('an apply as APPLY, a deletion of many as DELETE of a namespace', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } }
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    expect((await client.ask('PATCH', `${MAPS}/applied?fieldManager=me`, { body, headers })).status).toBe(201)
    expect((await client.ask('DELETE', `${MAPS}?labelSelector=a=b`)).status).toBe(200)
    expect(await sample('apiserver_request_total', { ...place, verb: 'APPLY', scope: 'resource' })).toBe(1)
    expect(await sample('apiserver_request_total', { ...place, verb: 'DELETE', scope: 'namespace' })).toBe(1)
  })

  it('answers to reads by their size, in one piece and in many', async () => {
    const sizes = (verb: string, scope: string) => ({ ...place, verb, scope })
    const one = await client.ask('GET', `${MAPS}/a`)
    const many = await client.ask('GET', MAPS)
    expect(await sample('apiserver_response_sizes_sum', sizes('LIST', 'namespace'))).toBe(many.bytes.length)
    expect(await sample('apiserver_response_sizes_sum', sizes('GET', 'resource'))).toBeGreaterThanOrEqual(one.bytes.length)
  })

  it('watches while they are open, and when they end', async () => {
    const labels = { ...place, resource: 'secrets', verb: 'WATCH', scope: 'namespace' }
    const session = connect(cluster.url, { ca: cluster.caCert, cert: cluster.clientCert, key: cluster.clientKey })
    const stream = session.request({ ':path': '/api/v1/namespaces/default/secrets?watch=1' })
    await new Promise((resolve) => stream.once('response', resolve))
    expect(await sample('apiserver_longrunning_requests', labels)).toBe(1)
    expect(await sample('apiserver_request_total', labels)).toBe(0)
    session.destroy()
    await expect.poll(() => sample('apiserver_longrunning_requests', labels)).toBe(0)
    expect(await sample('apiserver_request_total', { ...labels, code: '200' })).toBe(1)
  })

  it('of documents those that upstream counts, by their paths', async () => {
    for (const path of ['/livez', '/livez/ping', '/openapi/v3', '/version', '/none']) await client.ask('GET', path)
    const at = (subresource: string) => ({ verb: 'GET', subresource, resource: '', component: '' })
    await expect.poll(() => sample('apiserver_request_total', at('openapi/v3'))).toBe(1)
    expect(await sample('apiserver_request_total', { ...at('/livez'), code: '200' })).toBe(1)
    expect(await sample('apiserver_request_duration_seconds_count', at('/livez'))).toBe(1)
    expect(await text()).not.toMatch(/apiserver_request_total\{[^}]*subresource="\/(version|none|livez\/ping)"/)
  })

  it('by who asks, and what the stages of the chain took', async () => {
    const before = await sample('authentication_attempts', { result: 'failure' })
    const wrong = await client.ask('GET', MAPS, { headers: { authorization: 'Bearer wrong' } })
    expect(wrong.status).toBe(200) // The certificate is good.
    expect(await sample('authenticated_user_requests', { username: 'other' })).toBeGreaterThan(0)
    expect(await sample('authentication_attempts', { result: 'success' })).toBeGreaterThan(0)
    expect(await sample('authentication_attempts', { result: 'failure' })).toBe(before)
    expect(await sample('authorization_attempts_total', { result: 'allowed' })).toBeGreaterThan(0)
    for (const filter of ['authentication', 'authorization', 'priorityandfairness', 'constrainedimpersonation'])
      expect(await sample('apiserver_request_filter_duration_seconds_count', { filter }), filter).toBeGreaterThan(0)
    expect(await sample('apiserver_resource_objects', { resource: 'configmaps', group: '' })).toBeGreaterThanOrEqual(2)
    expect(await sample('kubernetes_build_info', { git_version: 'v1.36.3' })).toBe(1)
    await client.ask('GET', '/api/v1/endpoints')
    expect(await sample('apiserver_requested_deprecated_apis', { resource: 'endpoints' })).toBe(1)
  })
})

describe('what lies behind requests is counted', () => {
  it('lists, watches and the caches that answer them', async () => {
    const labels = { resource: 'limitranges', group: '' }
    const ranges = '/api/v1/namespaces/default/limitranges'
    for (const name of ['a', 'b']) {
      const made = await client.ask('POST', ranges, { body: { metadata: { name }, spec: { limits: [] } } })
      expect(made.status).toBe(201)
    }
    const { bytes } = await client.ask('GET', `${ranges}?labelSelector=a`)
    expect(JSON.parse(bytes.toString())).toMatchObject({ items: [] })
    expect((await client.ask('GET', `${ranges}?watch=1&timeoutSeconds=1`)).status).toBe(200)
    expect(await sample('apiserver_cache_list_fetched_objects_total', labels)).toBe(2)
    expect(await sample('apiserver_cache_list_total', { ...labels, index: '' })).toBe(1)
    expect(await sample('apiserver_watch_cache_consistent_read_total', { ...labels, success: 'true' })).toBe(1)
    expect(await sample('apiserver_watch_cache_events_dispatched_total', labels)).toBe(2)
    expect(await sample('apiserver_watch_events_total', { ...labels, version: 'v1' })).toBe(2)
    expect(await sample('apiserver_watch_events_sizes_sum', labels)).toBeGreaterThan(2 * '{"type":"ADDED"}'.length)
    expect(await sample('apiserver_resource_size_estimate_bytes', labels)).toBeGreaterThan(0)
    expect(await sample('apiserver_storage_list_total', labels)).toBe(1)
    expect(await sample('apiserver_watch_cache_resource_version', labels)).toBeGreaterThan(0)
  })

  it('admission by its plugins, and how long certificates are still good', async () => {
    const body = { metadata: { name: 'quota' }, spec: {} }
    expect((await client.ask('POST', '/api/v1/namespaces/none/resourcequotas', { body })).status).toBe(404)
    const plugin = { name: 'NamespaceLifecycle', type: 'admit', operation: 'CREATE', rejected: 'true' }
    expect(await sample('apiserver_admission_controller_admission_duration_seconds_count', plugin)).toBe(1)
    expect(await sample('apiserver_admission_step_admission_duration_seconds_count', { type: 'admit', operation: 'CREATE', rejected: 'true' })).toBe(1)
    const left = 'apiserver_client_certificate_expiration_seconds'
    expect(await sample(`${left}_bucket`, { le: '0' })).toBe(0)
    expect(await sample(`${left}_count`)).toBeGreaterThan(0)
    expect(await sample('version_info', { component: 'kube', emulation: '1.36', min_compat: '1.35' })).toBe(1)
  })
})

/** A level of one seat that holds nobody's queue, for what `user` asks. */
async function levelOfOne(user: string): Promise<void> {
  const limited = { nominalConcurrencyShares: 1, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } }
  const level = { metadata: { name: user }, spec: { type: 'Limited', limited } }
  const rule = {
    subjects: [{ kind: 'User', user: { name: user } }],
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }
  const spec = { priorityLevelConfiguration: { name: user }, matchingPrecedence: 50, rules: [rule] }
  const made = await client.ask('POST', `${FLOW}/prioritylevelconfigurations`, { body: level })
  const schema = await client.ask('POST', `${FLOW}/flowschemas`, { body: { metadata: { name: user }, spec } })
  expect([made.status, schema.status]).toEqual([201, 201])
}

const executingIn = async (level: string): Promise<number> => {
  const row = (await client.ask('GET', DUMP)).bytes.toString().split('\n').find((line) => line.startsWith(`${level},`))
  return Number(row?.split(/, +/)[5])
}

describe('a client that takes no bytes', () => {
  let session: ClientHttp2Session

  beforeAll(async () => {
    await levelOfOne('lazy')
    const tls = { ca: cluster.caCert, cert: cluster.clientCert, key: cluster.clientKey }
    session = connect(cluster.url, tls)
  })
  afterAll(() => session.destroy())

  it('keeps its seat for what is no resource too, and others of its level are sent away', { timeout: 90_000 }, async () => {
    // Far more than a window, and nobody reads.
    const stream = session.request({ ':path': '/openapi/v2', 'impersonate-user': 'lazy' })
    stream.on('error', () => undefined)
    await new Promise((resolve) => stream.once('response', resolve))
    expect(await executingIn('lazy')).toBe(1)
    const labels = { ...place, verb: 'LIST', scope: 'namespace', code: '429' }
    const refused = await client.ask('GET', MAPS, { headers: { 'impersonate-user': 'lazy' } })
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(await sample('apiserver_request_terminations_total', labels)).toBe(1)
    expect(await sample('apiserver_request_total', labels)).toBe(1)
    // What nothing serves has no labels of its own: clients could make up as many as they like, of any length.
    const long = 'x'.repeat(10_000)
    for (const path of [`/${long}`, `/metrics/${long}`, `/api/v1/pods/a/${long}`, `/api/v1/${long}`])
      expect((await client.ask('GET', path, { headers: { 'impersonate-user': 'lazy' } })).status, path.slice(0, 20)).toBe(429)
    for (const subresource of ['other', '/metrics'])
      expect(await sample('apiserver_request_terminations_total', { subresource, code: '429' })).toBe(1)
    expect(await text()).not.toContain('xxx')
    stream.close(constants.NGHTTP2_CANCEL)
    await expect.poll(() => executingIn('lazy')).toBe(0)
    expect((await client.ask('GET', MAPS, { headers: { 'impersonate-user': 'lazy' } })).status).toBe(200)
  })
})

it('tells how checks of health ended, at a path of its own', async () => {
  expect((await client.ask('GET', '/readyz')).status).toBe(200)
  const slis = (await client.ask('GET', '/metrics/slis')).bytes.toString()
  expect(slis).toContain('kubernetes_healthcheck{name="ping",type="readyz"} 1')
  expect(slis).toMatch(/kubernetes_healthchecks_total\{name="ping",status="success",type="readyz"\} \d+/)
})
