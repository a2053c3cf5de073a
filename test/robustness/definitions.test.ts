// Definitions that take long to check, and objects that do: other requests are answered meanwhile.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, type Reply } from '../api/client.ts'

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

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const definition = (group: string, spec: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
      },
    ],
  },
})

/** Sends both, the second when the first is under way; which of them was answered first. */
async function firstOf(slow: Promise<Reply>): Promise<string> {
  const quick = api.ask('GET', '/api/v1/namespaces/default')
  const first = await Promise.race([slow.then(() => 'slow'), quick.then(() => 'quick')])
  expect((await quick).status).toBe(200)
  return first
}

async function served(group: string): Promise<string> {
  const path = `/apis/${group}/v1/widgets`
  await vi.waitFor(async () => expect((await api.ask('GET', path)).status).toBe(200), { timeout: 90_000 })
  return path
}

const properties = (count: number, schema: (i: number) => object): object => ({
  type: 'object',
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, schema(i)])),
})

/** Far more than one turn for each of them. */
const SLOW: readonly (readonly [what: string, group: string, spec: object])[] = [
  [
    'thousands of rules',
    'rules.example.com',
    {
      ...properties(1, () => ({ type: 'string', maxLength: 10 })),
      'x-kubernetes-validations': Array.from({ length: 4000 }, (_, i) => ({
        rule: `self.f0.size() < ${i + 10} && self.f0.startsWith("a")`,
      })),
    },
  ],
  [
    'thousands of patterns',
    'patterns.example.com',
    properties(2000, (i) => ({ type: 'string', pattern: `^[a-z]{1,${(i % 500) + 1}}x${i}$` })),
  ],
]

describe.each(SLOW)('%s', (_what, group, spec) => {
  it('are checked in turns with other requests, and so is the first object', async () => {
    const defined = api.ask('POST', DEFINITIONS, { body: definition(group, spec) })
    expect(await firstOf(defined)).toBe('quick')
    expect((await defined).status).toBe(201)
    const path = await served(group)
    const body = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'a' }, spec: { f0: 'ax0' } }
    expect((await api.ask('POST', path, { body })).status).toBe(201)
  })
})

it('a pattern that many characters take long for is looked for elsewhere', async () => {
  const group = 'search.example.com'
  const spec = properties(1, () => ({ type: 'string', pattern: '^(a|b)*a(a|b){900}[cd]\\b' }))
  expect((await api.ask('POST', DEFINITIONS, { body: definition(group, spec) })).status).toBe(201)
  const path = await served(group)
  const body = {
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { f0: 'ab'.repeat(20_000) },
  }
  const refused = api.ask('POST', path, { body })
  expect(await firstOf(refused)).toBe('quick')
  expect((await refused).status).toBe(422)
  expect((await refused).body.message).toContain('should match')
})

it('a list whose items fit the last of many alternatives is looked at in turns', async () => {
  const group = 'alternatives.example.com'
  const item = {
    type: 'object',
    properties: { x: { type: 'integer' } },
    anyOf: Array.from({ length: 50 }, (_, i) => ({ properties: { x: { minimum: 50 - i } } })),
  }
  const spec = properties(1, () => ({ type: 'array', items: item }))
  expect((await api.ask('POST', DEFINITIONS, { body: definition(group, spec) })).status).toBe(201)
  const path = await served(group)
  const body = {
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { f0: Array.from({ length: 20_000 }, () => ({ x: 1 })) },
  }
  const created = api.ask('POST', path, { body })
  expect(await firstOf(created)).toBe('quick')
  expect((await created).status).toBe(201)
})
