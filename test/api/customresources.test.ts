// Custom kinds from their definition to their end: served at once, written by their schema, watched across changes of it,
// and gone with it.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
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

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const SPEC = {
  type: 'object',
  properties: {
    size: { type: 'integer', minimum: 1, default: 3 },
    color: { type: 'string', enum: ['red', 'blue'] },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, weight: { type: 'integer' } },
      },
    },
  },
}

function definition(group: string, spec: object = SPEC, scope = 'Namespaced') {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope,
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'] },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  }
}

const pathOf = (group: string, name = ''): string =>
  `/apis/${group}/v1/namespaces/default/widgets${name && `/${name}`}`
const widget = (group: string, name: string, spec: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: { name },
  spec,
})

/** What the server does by itself takes its time where much else is going on. */
const soon = (look: () => Promise<void>): Promise<void> => vi.waitFor(look, { timeout: 90_000 })

async function define(group: string): Promise<void> {
  expect((await api.ask('POST', DEFINITIONS, { body: definition(group) })).status).toBe(201)
  await soon(async () => expect((await api.ask('GET', pathOf(group))).status).toBe(200))
}

describe('a custom kind', () => {
  const group = 'life.example.com'
  beforeAll(() => define(group))

  it('stands in discovery and in both versions of OpenAPI', async () => {
    const { body } = await api.ask('GET', `/apis/${group}/v1`)
    expect(body.resources).toMatchObject([
      { name: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      { name: 'widgets/status' },
    ])
    const v3 = await api.ask('GET', `/openapi/v3/apis/${group}/v1`)
    expect(v3.body.components.schemas['com.example.life.v1.Widget'].properties.spec).toEqual(SPEC)
    const v2 = await api.ask('GET', '/openapi/v2')
    expect(v2.body.definitions['com.example.life.v1.WidgetList'].properties.items.items).toEqual({
      $ref: '#/definitions/com.example.life.v1.Widget',
    })
  })

  it('gives defaults, prunes, and keeps the status apart', async () => {
    const body = { ...widget(group, 'a', { nope: 1 }), status: { ready: true } }
    const made = await api.ask('POST', pathOf(group), { body })
    expect(made.body).toMatchObject({ metadata: { generation: 1 }, spec: { size: 3 } })
    expect(made.body.spec).not.toHaveProperty('nope')
    expect(made.body).not.toHaveProperty('status')
    expect(made.headers['warning']).toContain('unknown field \\"spec.nope\\"')
    const status = { ...made.body, spec: { size: 9 }, status: { ready: true, more: { x: [1] } } }
    const told = await api.ask('PUT', `${pathOf(group, 'a')}/status`, { body: status })
    expect(told.body).toMatchObject({ metadata: { generation: 1 }, spec: { size: 3 }, status: status.status })
  })

  it('takes a scale for its scale, and nothing else; and has no watches in YAML', async () => {
    const group = 'scale.example.com'
    const count = { type: 'object', properties: { replicas: { type: 'integer' } } }
    const made = definition(group, count)
    const paths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
    Object.assign(made.spec.versions[0]!.subresources, { scale: paths })
    await api.ask('POST', DEFINITIONS, { body: made })
    await soon(async () => expect((await api.ask('GET', pathOf(group))).status).toBe(200))
    await api.ask('POST', pathOf(group), { body: widget(group, 'a', { replicas: 1 }) })
    const put = (body: object) => api.ask('PUT', `${pathOf(group, 'a')}/scale`, { body })
    const wrong = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { replicas: 2 } }
    const refused = await put(wrong)
    expect([refused.status, refused.body.message]).toEqual([
      400,
      'no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111"',
    ])
    expect((await put({ ...wrong, apiVersion: 'autoscaling/v1', kind: 'Scale' })).body.spec).toEqual({ replicas: 2 })
    const headers = { accept: 'application/yaml' }
    const watch = await api.ask('GET', `${pathOf(group)}?watch=1`, { headers })
    expect(watch.status).toBe(406)
    expect(watch.bytes.toString()).toContain('application/json;stream=watch')
  })

  it('has an empty list where that is the default', async () => {
    const group = 'empty.example.com'
    const list = { type: 'array', items: { type: 'string' }, default: [] }
    const body = definition(group, { type: 'object', properties: { list } })
    const made = await api.ask('POST', DEFINITIONS, { body })
    expect(made.body.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.list).toEqual(list)
    await soon(async () => expect((await api.ask('GET', pathOf(group))).status).toBe(200))
    const object = await api.ask('POST', pathOf(group), { body: widget(group, 'a') })
    expect(object.body.spec).toEqual({ list: [] })
  })

  it('has the status that its schema gives from the start, and none of the client’s', async () => {
    const group = 'born.example.com'
    const made = definition(group)
    const { properties } = made.spec.versions[0]!.schema.openAPIV3Schema
    Object.assign(properties.status, { default: { phase: 'New' } })
    expect((await api.ask('POST', DEFINITIONS, { body: made })).status).toBe(201)
    await soon(async () => expect((await api.ask('GET', pathOf(group))).status).toBe(200))
    const body = { ...widget(group, 'a'), status: { phase: 'Old' } }
    expect((await api.ask('POST', pathOf(group), { body })).body.status).toEqual({ phase: 'New' })
    expect((await api.ask('GET', pathOf(group, 'a'))).body.status).toEqual({ phase: 'New' })
  })

  it('refuses in upstream’s words what the schema does not allow', async () => {
    const refused = await api.ask('POST', pathOf(group), {
      body: widget(group, 'bad', { size: 0, color: 'green', parts: [{ weight: 'x' }] }),
    })
    expect(refused.status).toBe(422)
    expect(refused.body.details.causes.map(({ message }: { message: string }) => message)).toEqual([
      'Unsupported value: "green": supported values: "red", "blue"',
      'Invalid value: "string": spec.parts[0].weight in body must be of type integer: "string"',
      'Required value',
      'Invalid value: 0: spec.size in body should be greater than or equal to 1',
    ])
  })

  it('merges lists by their keys under server-side apply', async () => {
    const apply = (manager: string, spec: object) =>
      api.ask('PATCH', `${pathOf(group, 'b')}?fieldManager=${manager}`, {
        body: widget(group, 'b', spec),
        headers: { 'content-type': 'application/apply-patch+yaml' },
      })
    expect((await apply('one', { parts: [{ name: 'x', weight: 1 }] })).status).toBe(201)
    const both = await apply('two', { parts: [{ name: 'y', weight: 2 }] })
    expect(both.body.spec.parts).toEqual([
      { name: 'x', weight: 1 },
      { name: 'y', weight: 2 },
    ])
    expect((await apply('two', { parts: [{ name: 'x', weight: 3 }] })).status).toBe(409)
  })

  it('refuses nulls that an apply puts where none may be, and drops those of other writes', async () => {
    const at = `${pathOf(group, 'nulls')}?fieldManager=m`
    const send = (type: string, spec: object) =>
      api.ask('PATCH', at, { body: widget(group, 'nulls', spec), headers: { 'content-type': `application/${type}` } })
    expect((await send('apply-patch+yaml', { parts: [{ name: 'x' }] })).status).toBe(201)
    const refused = await send('apply-patch+yaml', { color: null, parts: null })
    expect(refused.status).toBe(422)
    const fields: string[] = refused.body.details.causes.map(({ field }: { field: string }) => field)
    expect(new Set(fields)).toEqual(new Set(['spec.color', 'spec.parts']))
    const made = await api.ask('POST', pathOf(group), { body: widget(group, 'dropped', { color: null }) })
    expect(made.body.spec).toEqual({ size: 3 })
  })

  it('wants to be told the kind, even of nothing', async () => {
    const refused = await api.ask('POST', pathOf(group), { body: 'null' })
    expect(refused.status).toBe(400)
    expect(refused.body.message).toContain("Object 'Kind' is missing in 'null'")
  })

  it('says when an owner that is named twice was seen', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }
    const owned = { ...widget(group, 'owned'), metadata: { name: 'owned', ownerReferences: [owner, owner] } }
    const warningOf = async (method: string, path: string, headers = {}): Promise<string> =>
      String((await api.ask(method, path, { body: owned, headers })).headers['warning'])
    expect(await warningOf('POST', pathOf(group))).toContain('contains duplicate entries;')
    const merge = { 'content-type': 'application/merge-patch+json' }
    expect(await warningOf('PATCH', pathOf(group, 'owned'), merge)).toContain('duplicate entries after mutating')
  })

  it('keeps keys that objects of JavaScript have anyway', async () => {
    const text = `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"odd"},"status":{},"spec":{"__proto__":{"size":7},"constructor":1}}`
    const made = await api.ask('POST', pathOf(group), { body: text })
    expect(made.status).toBe(201)
    expect(made.body.spec).toEqual({ size: 3 })
  })
})

it('goes on with a watch when the schema changes, and reads old objects by the new one', async () => {
  const group = 'watch.example.com'
  await define(group)
  await api.ask('POST', pathOf(group), { body: widget(group, 'old') })
  const stream = await api.watch(`${pathOf(group)}?watch=1`)
  expect((await stream.next()).object.metadata.name).toBe('old')
  const grown = { ...SPEC, properties: { ...SPEC.properties, shape: { type: 'string', default: 'round' } } }
  const patched = await api.ask('PATCH', `${DEFINITIONS}/widgets.${group}`, {
    body: { spec: { versions: definition(group, grown).spec.versions } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(patched.status).toBe(200)
  await soon(async () =>
    expect((await api.ask('GET', pathOf(group, 'old'))).body.spec).toEqual({ size: 3, shape: 'round' }),
  )
  await api.ask('POST', pathOf(group), { body: widget(group, 'new') })
  expect((await stream.next()).object).toMatchObject({ metadata: { name: 'new' }, spec: { shape: 'round' } })
  stream.close()
})

it('takes its objects with it when its definition is deleted', async () => {
  const group = 'end.example.com'
  await define(group)
  const held = widget(group, 'held')
  const metadata = { ...held.metadata, finalizers: ['example.com/hold'] }
  await api.ask('POST', pathOf(group), { body: { ...held, metadata } })
  await api.ask('POST', pathOf(group), { body: widget(group, 'free') })
  const marked = await api.ask('DELETE', `${DEFINITIONS}/widgets.${group}`)
  expect(marked.body.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
  await soon(async () => expect((await api.ask('GET', pathOf(group, 'free'))).status).toBe(404))
  expect((await api.ask('POST', pathOf(group), { body: widget(group, 'late') })).status).toBe(403)
  const release = { metadata: { finalizers: null } }
  const headers = { 'content-type': 'application/merge-patch+json' }
  await api.ask('PATCH', pathOf(group, 'held'), { body: release, headers })
  await soon(
    async () => expect((await api.ask('GET', `${DEFINITIONS}/widgets.${group}`)).status).toBe(404),
  )
  expect((await api.ask('GET', `/apis/${group}/v1`)).status).toBe(404)
})
