// Who owns which field of a custom object while its definition changes: versions gain fields and go, lists become atomic.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, type Reply } from './client.ts'

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
const text = { type: 'string' }
type Fields = Record<string, object>

const columnOf = (fields: Record<string, Fields>): string => JSON.stringify(fields).replaceAll(/[^a-z0-9]/gi, '')

/** A definition with these fields of spec in these versions; v1 is stored. */
function definition(group: string, fields: Record<string, Fields>) {
  const versions = Object.entries(fields).map(([name, properties]) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: {
      openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
    },
    additionalPrinterColumns: [{ name: columnOf(fields), type: 'string', jsonPath: '.spec.a' }],
  }))
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: { group, scope: 'Cluster', names: { plural: 'widgets', kind: 'Widget' }, versions },
  }
}

const patch = (path: string, body: object, type = 'application/merge-patch+json'): Promise<Reply> =>
  api.ask('PATCH', path, { body, headers: { 'content-type': type } })

/** Makes or changes the definition, and waits until it is served so. */
async function define(group: string, fields: Record<string, Fields>): Promise<void> {
  const body = definition(group, fields)
  const made = await api.ask('POST', DEFINITIONS, { body })
  if (made.status === 409) {
    const { status } = await patch(`${DEFINITIONS}/widgets.${group}`, { spec: body.spec })
    expect(status).toBe(200)
  } else expect(made.status).toBe(201)
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  for (const version of Object.keys(fields)) {
    const seen = async () => {
      const { bytes } = await api.ask('GET', `/apis/${group}/${version}/widgets`, { headers })
      expect(bytes.toString()).toContain(`"${columnOf(fields)}"`)
    }
    await vi.waitFor(seen, { timeout: 90_000 })
  }
}

interface Applying {
  readonly version?: string
  readonly by?: string
}

function apply(group: string, spec: unknown, { version = 'v1', by = 'one' }: Applying = {}): Promise<Reply> {
  const body = { apiVersion: `${group}/${version}`, kind: 'Widget', metadata: { name: 'w' }, spec }
  const path = `/apis/${group}/${version}/widgets/w?fieldManager=${by}`
  return patch(path, body, 'application/apply-patch+yaml')
}

const owners = ({ body }: Reply): string[] =>
  body.metadata.managedFields?.map(
    (entry: { manager: string; apiVersion: string }) => `${entry.manager} ${entry.apiVersion.split('/')[1]}`,
  )

it('refuses applies once an object has a field that the version of an owner lacks', async () => {
  const group = 'gains.example.com'
  await define(group, { v1: { a: text }, v1beta1: { a: text } })
  expect((await apply(group, { a: 'x' }, { version: 'v1beta1' })).status).toBe(201)
  await define(group, { v1: { a: text, b: { type: 'string', default: 'd' } }, v1beta1: { a: text } })
  const again = await apply(group, { a: 'x' })
  expect(again.status).toBe(500)
  expect(again.body.message).toBe('.spec.b: field not declared in schema')
})

it('refuses applies, and forgets owners at updates, once the version of an owner is gone', async () => {
  const group = 'loses.example.com'
  await define(group, { v1: { a: text, b: text }, v1beta1: { a: text, b: text } })
  expect((await apply(group, { a: 'x' }, { version: 'v1beta1' })).status).toBe(201)
  await define(group, { v1: { a: text, b: text } })
  const refused = await apply(group, { b: 'y' }, { by: 'two' })
  expect(refused.status).toBe(500)
  expect(refused.body.message).toBe(
    'request to convert CR to an invalid group/version: loses.example.com/v1beta1',
  )
  const updated = await patch(`/apis/${group}/v1/widgets/w`, { spec: { b: 'y' } })
  expect([updated.status, owners(updated)]).toEqual([200, undefined])
  const applied = await apply(group, { b: 'y' }, { by: 'two' })
  expect(owners(applied).sort()).toEqual(['before-first-apply v1', 'two v1'])
})

it('tells of an object that does not fit its own schema any more', async () => {
  const group = 'turns.example.com'
  await define(group, { v1: { a: text } })
  await apply(group, { a: 'x' })
  await define(group, { v1: { a: { type: 'integer' }, b: text } })
  const fault = '.spec.a: expected numeric (int or float), got string'
  const object = '(/w; turns.example.com/v1, Kind=Widget)'
  const refused = await apply(group, { b: 'y' })
  expect(refused.body.message).toBe(`failed to create typed live object ${object}: ${fault}`)
  await patch(`/apis/${group}/v1/widgets/w`, { metadata: { managedFields: [{}] } })
  const unowned = await apply(group, { a: 'x' })
  expect(unowned.body.message).toBe(
    `failed to create manager for existing fields: failed to convert new object ${object} to smd typed: ${fault}`,
  )
})

it('owns a list as a whole once it is atomic', async () => {
  const group = 'atomic.example.com'
  const list = { type: 'array', items: text }
  await define(group, { v1: { list: { ...list, 'x-kubernetes-list-type': 'set' } } })
  const made = await apply(group, { list: ['i', 'j'] })
  expect(made.body.metadata.managedFields[0].fieldsV1['f:spec']['f:list']).toHaveProperty('v:"i"')
  await define(group, { v1: { list } })
  const taken = await apply(group, { list: ['i'] }, { by: 'two' })
  expect(taken.body.details.causes).toEqual([
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.list' },
  ])
})

it('takes out of what is stored what a version lacks, at any write through it', async () => {
  const group = 'drops.example.com'
  await define(group, { v1: { a: text, b: text }, v1beta1: { a: text } })
  await apply(group, { a: 'x', b: 'y' })
  const before = await api.ask('GET', `/apis/${group}/v1/widgets/w`)
  expect(before.body.spec).toEqual({ a: 'x', b: 'y' })
  await patch(`/apis/${group}/v1beta1/widgets/w`, { spec: { a: 'x' } })
  const after = await api.ask('GET', `/apis/${group}/v1/widgets/w`)
  expect(after.body.spec).toEqual({ a: 'x' })
  await patch(`/apis/${group}/v1beta1/widgets/w`, { spec: { a: 'x' } })
  const still = await api.ask('GET', `/apis/${group}/v1/widgets/w`)
  expect(still.body.metadata.resourceVersion).toBe(after.body.metadata.resourceVersion)
})

it('refuses nulls that are applied, takes them out of other bodies, and counts an empty map as a change', async () => {
  const group = 'nulls.example.com'
  const part = { type: 'object', properties: { p: text } }
  await define(group, { v1: { a: text, part, n: { type: 'string', nullable: true } } })
  const refused = await apply(group, { a: null, n: null })
  expect(refused.body.details.causes).toEqual([
    {
      reason: 'FieldValueTypeInvalid',
      message: 'Invalid value: "null": spec.a in body must be of type string: "null"',
      field: 'spec.a',
    },
  ])
  const body = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w' }, spec: { a: null } }
  expect((await api.ask('POST', `/apis/${group}/v1/widgets`, { body })).body.spec).toEqual({})
  const changed = await patch(`/apis/${group}/v1/widgets/w`, { spec: { part: {} } })
  expect(changed.body.metadata.generation).toBe(2)
})
