// Who decides on requests, by a file that names two webhooks and RBAC: over real connections, and again when it changes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ApiClient, type Reply } from '../api/client.ts'
import { HookServer } from '../webhooks/hookserver.ts'

const PODS = '/api/v1/namespaces/default/pods'
const REVIEWS = '/apis/authorization.k8s.io/v1'

let folder: string
let hooks: HookServer
let file: string
let cluster: Cluster
let admin: ApiClient
/** What the webhooks say, by path. */
let verdicts: Record<string, (spec: JsonObject) => JsonObject | number>

const webhook = (name: string, more: JsonObject = {}): JsonObject => ({
  type: 'Webhook',
  name,
  webhook: {
    timeout: '5s',
    subjectAccessReviewVersion: 'v1',
    failurePolicy: 'NoOpinion',
    cacheAuthorizedRequests: false,
    cacheUnauthorizedRequests: false,
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: join(folder, name) },
    ...more,
  },
})

const write = (...authorizers: JsonObject[]): void =>
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthorizationConfiguration',
      authorizers,
    }),
  )

const RBAC = { type: 'RBAC', name: 'rbac' }
/** It is asked about jane's requests alone, and closes the door when it fails. */
const STRICT = {
  failurePolicy: 'Deny',
  matchConditionSubjectAccessReviewVersion: 'v1',
  matchConditions: [{ expression: "request.user.startsWith('jane')" }],
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-authz-'))
  file = join(folder, 'authorization.json')
  hooks = await HookServer.start()
  for (const name of ['strict', 'lax']) writeFileSync(join(folder, name), hooks.kubeconfig(`/${name}`))
  write(webhook('strict', STRICT), RBAC, webhook('lax'))
  cluster = await startCluster({ authorizationModes: [], authorizationConfigFile: file })
  admin = new ApiClient(cluster)
})

beforeEach(() => {
  hooks.reviews.length = 0
  verdicts = {}
  hooks.behave = (review: JsonObject, out: ServerResponse, url) => {
    const [path = ''] = url.split('?')
    const said = verdicts[path]?.(review['spec'] as JsonObject) ?? { allowed: false }
    out.writeHead(typeof said === 'number' ? said : 200, { 'content-type': 'application/json' })
    out.end(JSON.stringify(typeof said === 'number' ? {} : { ...review, status: said }))
  }
})

afterAll(async () => {
  admin.close()
  await cluster.stop()
  await hooks.stop()
  rmSync(folder, { recursive: true, force: true })
})

const as = (user: string, path: string, method = 'GET', body?: object): Promise<Reply> =>
  admin.ask(method, path, { headers: { 'impersonate-user': user }, ...(body ? { body } : {}) })

describe('the first that has an opinion decides', () => {
  test('a webhook allows, with all that it is told', async () => {
    verdicts['/strict'] = () => ({ allowed: true })
    expect((await as('jane', `${PODS}?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dx`)).status).toBe(200)
    expect(hooks.reviews.map(({ path }) => path)).toEqual(['/strict?timeout=5s'])
    expect(hooks.reviews[0]?.review).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1',
      spec: {
        user: 'jane',
        groups: ['system:authenticated'],
        resourceAttributes: {
          verb: 'list',
          namespace: 'default',
          resource: 'pods',
          fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['x'] }] },
          labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
        },
      },
    })
  })

  test('a webhook denies: nobody else is asked', async () => {
    verdicts['/strict'] = () => ({ allowed: false, denied: true, reason: 'not on Mondays' })
    const { status, body } = await as('jane', PODS)
    expect([status, body.message]).toEqual([
      403,
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default": not on Mondays',
    ])
    expect(hooks.reviews).toHaveLength(1)
  })

  test('conditions keep a webhook out; the last one is asked behind RBAC', async () => {
    verdicts['/lax'] = () => ({ allowed: false, reason: 'who are you' })
    expect((await as('joe', '/version')).status).toBe(200)
    expect(hooks.reviews).toEqual([])
    expect((await as('joe', PODS)).body.message).toMatch(/in the namespace "default": who are you$/)
    expect(hooks.reviews.map(({ path }) => path)).toEqual(['/lax?timeout=5s'])
  })
})

describe('a webhook that fails', () => {
  test('denies where its policy says so, in words of its own', async () => {
    verdicts['/strict'] = () => 404
    const { status, headers, bytes } = await as('jane', '/version')
    expect([status, headers['content-type'], bytes.toString()]).toEqual([
      500,
      'text/plain; charset=utf-8',
      'Internal Server Error: "/version": the server could not find the requested resource\n',
    ])
  })

  test('leaves the decision to others otherwise', async () => {
    verdicts['/lax'] = () => 404
    expect((await as('joe', '/version')).status).toBe(200)
    expect((await as('joe', PODS)).status).toBe(500)
  })
})

test('reviews tell of denials and failures', async () => {
  const review = async (): Promise<Reply['body']> => {
    const spec = { user: 'jane', nonResourceAttributes: { path: '/x', verb: 'get' } }
    return (await admin.ask('POST', `${REVIEWS}/subjectaccessreviews`, { body: { spec } })).body.status
  }
  verdicts['/strict'] = () => ({ denied: true, allowed: false, reason: 'no' })
  expect(await review()).toEqual({ allowed: false, denied: true, reason: 'no' })
  verdicts['/strict'] = () => 404
  expect(await review()).toEqual({
    allowed: false,
    denied: true,
    evaluationError: 'the server could not find the requested resource',
  })
})

test('rules cannot be told in full', async () => {
  verdicts['/lax'] = () => ({ allowed: true })
  const body = { spec: { namespace: 'default' } }
  const { body: answer } = await as('joe', `${REVIEWS}/selfsubjectrulesreviews`, 'POST', body)
  expect(answer.status).toMatchObject({
    incomplete: true,
    evaluationError: 'webhook authorizer does not support user rule resolution',
  })
  expect(answer.status.resourceRules).toContainEqual(
    expect.objectContaining({ resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] }),
  )
})

test('the file is read again when it changes, and kept as it was where it is no good', async () => {
  const isAllowed = async (): Promise<boolean> => (await as('jane', PODS)).status === 200
  verdicts['/lax'] = () => ({ allowed: true })
  verdicts['/strict'] = () => ({ denied: true, allowed: false })
  expect(await isAllowed()).toBe(false)
  write(RBAC, webhook('lax'))
  await vi.waitFor(async () => expect(await isAllowed()).toBe(true), { timeout: 90_000, interval: 100 })
  write(webhook('strict'))
  expect(await isAllowed()).toBe(true)
  write(RBAC, webhook('strict'))
  await vi.waitFor(async () => expect(await isAllowed()).toBe(false), { timeout: 90_000, interval: 100 })
})

describe('named by flags', () => {
  test('a webhook is asked in v1beta1, and its answers are remembered', async () => {
    const authorizationWebhook = {
      configFile: join(folder, 'lax'),
      version: 'v1beta1',
      authorizedTtlMs: 60_000,
      unauthorizedTtlMs: 0,
    } as const
    const other = await startCluster({ authorizationModes: ['RBAC', 'Webhook'], authorizationWebhook })
    const client = new ApiClient(other)
    verdicts['/lax'] = ({ group }) => ({ allowed: JSON.stringify(group) === '["system:authenticated"]' })
    try {
      for (let i = 0; i < 2; i++) {
        const { status } = await client.ask('GET', PODS, { headers: { 'impersonate-user': 'joe' } })
        expect(status).toBe(200)
      }
      expect(hooks.reviews.map(({ path }) => path)).toEqual(['/lax?timeout=30s'])
    } finally {
      client.close()
      await other.stop()
    }
  })

  test('policies of a file', async () => {
    const policies = join(folder, 'policies')
    writeFileSync(policies, '{"user":"joe","resource":"pods","readonly":true}\n')
    const other = await startCluster({ authorizationModes: ['ABAC'], authorizationPolicyFile: policies })
    const client = new ApiClient(other)
    const headers = { 'impersonate-user': 'joe' }
    try {
      expect((await client.ask('GET', PODS, { headers })).status).toBe(200)
      const { status, body } = await client.ask('POST', PODS, { headers, body: {} })
      expect([status, body.message]).toEqual([403, expect.stringMatching(/: No policy matched\.$/)])
    } finally {
      client.close()
      await other.stop()
    }
  })

  test.each([
    ['a policy file with no policy', 'ABAC', 'nothing', /^error reading policy file .*, line 1: nothing: /],
    ['a kubeconfig that leads nowhere', 'Webhook', '{"clusters": []}', /current-context leads to no cluster/],
  ] as const)('%s is named at the start', async (_, mode, text, message) => {
    const path = join(folder, 'bad')
    writeFileSync(path, text)
    const starting = startCluster({
      authorizationModes: [mode],
      authorizationPolicyFile: path,
      authorizationWebhook: { configFile: path, version: 'v1', authorizedTtlMs: 0, unauthorizedTtlMs: 0 },
    })
    await expect(starting).rejects.toThrow(message)
  })
})
