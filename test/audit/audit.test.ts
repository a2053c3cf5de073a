// The audit log of a running server: which stages, how much of each request, and what is sent to a webhook.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, configMap, namespaceFor } from '../api/client.ts'

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: None
  users: ["system:apiserver"]
- level: Metadata
  resources: [{group: "", resources: [secrets, serviceaccounts/token]}]
- level: Request
  verbs: [update]
  omitStages: [RequestReceived]
- level: RequestResponse
  omitManagedFields: true
  resources: [{group: "", resources: [configmaps]}]
- level: Metadata
`

interface Event {
  readonly level: string
  readonly auditID: string
  readonly stage: string
  readonly requestURI: string
  readonly verb: string
  readonly user: { readonly username?: string }
  readonly impersonatedUser?: object
  readonly objectRef?: object
  readonly responseStatus?: { readonly code: number }
  readonly requestObject?: Record<string, object>
  readonly responseObject?: Record<string, object>
  readonly annotations?: object
}

const WAIT = { timeout: 90_000 }
let folder: string
let hook: Server
let cluster: Cluster
let client: ApiClient
let namespace: string
const hooked: Event[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-audited-'))
  hook = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      hooked.push(...(JSON.parse(Buffer.concat(chunks).toString()) as { items: Event[] }).items)
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  const [policyFile, configFile] = [join(folder, 'policy.yaml'), join(folder, 'webhook.yaml')]
  writeFileSync(policyFile, POLICY)
  const server = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/events`
  writeFileSync(
    configFile,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: '' } }],
      'current-context': 'c',
    }),
  )
  cluster = await startCluster({
    audit: {
      policyFile,
      file: {
        path: join(folder, 'audit.log'),
        maxSize: 100,
        maxAge: 0,
        maxBackups: 0,
        compress: false,
        strict: false,
      },
      webhook: {
        configFile,
        bufferSize: 10_000,
        maxBatchSize: 10,
        maxWaitMs: 20,
        initialBackoffMs: 10,
        throttle: undefined,
      },
    },
  })
  client = new ApiClient(cluster)
  namespace = await namespaceFor(client)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
  hook.closeAllConnections()
  hook.close()
  rmSync(folder, { recursive: true, force: true })
})

const logged = (): Event[] =>
  readFileSync(join(folder, 'audit.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)

/** The events of one request, once there are so many. */
async function eventsOf(id: string, count: number): Promise<Event[]> {
  return await vi.waitFor(() => {
    const events = logged().filter(({ auditID }) => auditID === id)
    expect(events.map(({ stage }) => stage)).toHaveLength(count)
    return events
  }, WAIT)
}

const configMaps = (): string => `/api/v1/namespaces/${namespace}/configmaps`

test('a request with its answer, under the id that the client chose', async () => {
  const body = { ...configMap('a', { k: '<v>' }), apiVersion: 'v1', kind: 'ConfigMap' }
  const { headers } = await client.ask('POST', configMaps(), { body, headers: { 'audit-id': 'chosen' } })
  expect(headers['audit-id']).toBe('chosen')
  const [received, complete] = await eventsOf('chosen', 2)
  expect(received).toMatchObject({ stage: 'RequestReceived', level: 'RequestResponse', verb: 'create' })
  expect(received).not.toHaveProperty('responseStatus')
  expect(complete).toMatchObject({
    stage: 'ResponseComplete',
    user: { username: 'kubernetes-admin' },
    objectRef: { resource: 'configmaps', namespace, name: 'a', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 201 },
    requestObject: { kind: 'ConfigMap', apiVersion: 'v1', data: { k: '<v>' } },
    responseObject: { kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: '<v>' } },
    annotations: { 'authorization.k8s.io/decision': 'allow' },
  })
  expect(complete?.responseObject?.['metadata']).not.toHaveProperty('managedFields')
})

test('an answer in protobuf is told in JSON', async () => {
  const headers = { accept: 'application/vnd.kubernetes.protobuf', 'audit-id': 'protobuf' }
  await client.ask('GET', configMaps(), { headers })
  const [, complete] = await eventsOf('protobuf', 2)
  expect(complete?.responseObject).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
})

test('only what a rule says: no stage that it omits, no answer', async () => {
  const body = configMap('a', { k: 'w' })
  await client.ask('PUT', `${configMaps()}/a`, { body, headers: { 'audit-id': 'put' } })
  const [complete] = await eventsOf('put', 1)
  expect(complete).toMatchObject({ stage: 'ResponseComplete', requestObject: { data: { k: 'w' } } })
  expect(complete).not.toHaveProperty('responseObject')
})

test('nothing of a secret but its name', async () => {
  const body = { metadata: { name: 's' }, stringData: { password: 'topsecret' } }
  const headers = { 'audit-id': 'secret' }
  await client.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, { body, headers })
  const [, complete] = await eventsOf('secret', 2)
  expect(complete).toMatchObject({ level: 'Metadata', objectRef: { resource: 'secrets', name: 's' } })
  expect(readFileSync(join(folder, 'audit.log'), 'utf8')).not.toContain('topsecret')
})

describe('refusals', () => {
  test('of the server', async () => {
    await client.ask('GET', `${configMaps()}/none`, { headers: { 'audit-id': 'missing' } })
    const [, complete] = await eventsOf('missing', 2)
    expect(complete?.responseStatus).toMatchObject({
      code: 404,
      reason: 'NotFound',
      details: { name: 'none' },
    })
  })

  test('of authorization, for whoever the user acts as', async () => {
    const headers = { 'audit-id': 'forbidden', 'impersonate-user': 'jane' }
    await client.ask('GET', `${configMaps()}/a`, { headers })
    const [, complete] = await eventsOf('forbidden', 2)
    expect(complete).toMatchObject({
      impersonatedUser: { username: 'jane', groups: ['system:authenticated'] },
      responseStatus: { code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    })
  })

  test('of authentication: one event, of nobody', async () => {
    const stranger = new ApiClient({ ...cluster, clientCert: '', clientKey: '' })
    const headers = { 'audit-id': 'stranger', authorization: 'Bearer topsecret' }
    await stranger.ask('GET', `${configMaps()}/a`, { headers })
    stranger.close()
    const [only] = await eventsOf('stranger', 1)
    expect(only).toMatchObject({ stage: 'ResponseStarted', user: {}, responseStatus: { code: 401 } })
  })
})

test('which token was given out', async () => {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await client.ask('POST', accounts, { body: { metadata: { name: 'audited' } } })
  await client.ask('POST', `${accounts}/audited/token`, { body: {}, headers: { 'audit-id': 'token' } })
  const [, complete] = await eventsOf('token', 2)
  expect(complete?.annotations).toMatchObject({
    'authentication.kubernetes.io/issued-credential-id': expect.stringMatching(/^JTI=[0-9a-f-]{36}$/),
  })
})

test('a watch has a beginning and an end', async () => {
  const query = 'watch=1&timeoutSeconds=1'
  await client.ask('GET', `${configMaps()}?${query}`, { headers: { 'audit-id': 'watch' } })
  const events = await eventsOf('watch', 3)
  expect(events.map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseStarted', 'ResponseComplete'])
})

test('paths that are no resource', async () => {
  await client.ask('GET', '/version', { headers: { 'audit-id': 'version' } })
  const [, complete] = await eventsOf('version', 2)
  expect(complete).toMatchObject({ verb: 'get', requestURI: '/version', responseStatus: { code: 200 } })
  expect(complete).not.toHaveProperty('objectRef')
})

test('the webhook gets the same events', async () => {
  await vi.waitFor(() => {
    const ids = new Set(hooked.map(({ auditID, stage }) => `${auditID} ${stage}`))
    for (const { auditID, stage } of logged()) expect(ids).toContain(`${auditID} ${stage}`)
  }, WAIT)
})

test('what could go on and is refused has a beginning all the same', async () => {
  await client.ask('GET', `${configMaps()}?watch=1&resourceVersion=x`, {
    headers: { 'audit-id': 'no-watch' },
  })
  const [, started, complete] = await eventsOf('no-watch', 3)
  expect([started?.stage, complete?.stage]).toEqual(['ResponseStarted', 'ResponseComplete'])
  expect(started).toMatchObject({ responseStatus: { status: 'Failure', code: 500 } })
})

test('a request that is refused before anybody asks who sends it', async () => {
  await client.ask('GET', `${configMaps()}?timeout=nonsense`, { headers: { 'audit-id': 'bad-timeout' } })
  const [event] = await eventsOf('bad-timeout', 1)
  expect(event).toMatchObject({
    stage: 'ResponseStarted',
    user: {},
    responseStatus: { reason: 'BadRequest', code: 400 },
  })
})

test('a refusal that the client cannot be told in its encoding has a code alone', async () => {
  await client.ask('GET', `${configMaps()}/none`, {
    headers: { 'audit-id': 'not-told', accept: 'image/png' },
  })
  const [, complete] = await eventsOf('not-told', 2)
  expect(complete?.responseStatus).toEqual({ metadata: {}, code: 406 })
  expect(complete).not.toHaveProperty('responseObject')
})

test('by which constrained mode somebody acts as another, and that an API is deprecated', async () => {
  const path = `/api/v1/namespaces/${namespace}/endpoints`
  await client.ask('GET', path, {
    headers: { 'audit-id': 'constrained', 'impersonate-user': 'constrained-bob' },
  })
  const [, complete] = await eventsOf('constrained', 2)
  expect(complete).toMatchObject({
    authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
  })
  await client.ask('GET', path, { headers: { 'audit-id': 'deprecated' } })
  expect((await eventsOf('deprecated', 2))[1]).toMatchObject({ annotations: { 'k8s.io/deprecated': 'true' } })
})
