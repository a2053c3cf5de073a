// Every built-in kind, in every version that is served: a valid object, with all fields that the server takes of it, lives
// through create, get, update and apply without a change of its content, and the fully populated object of the release
// passes the decoders.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { KubeObject } from '../../src/machinery/object.ts'
import { packageRoot } from '../../src/schema/facts.ts'
import type { Resource } from '../../src/schema/resource.ts'
import type { StructType } from '../../src/schema/type.ts'
import { typeOf } from '../../src/schema/types.ts'
import { ApiClient, type Reply } from '../api/client.ts'
import { collectionOf, sampleOf, storedResources } from '../etcd/kinds.ts'
import { Enricher, sizeOf } from './rich.ts'
import { certificateRequest } from './signing.ts'

const ROUNDTRIP = join(packageRoot(), '../shared/upstream/roundtrip')
if (!existsSync(ROUNDTRIP))
  console.warn('no ../shared/upstream/roundtrip: fully populated objects are not tried')

const title = ({ group, version, name }: Resource): string => `${name}.${version}.${group || 'core'}`
const variant = { name: 'one', address: '10.0.0.77', signingRequest: certificateRequest() }

/** A valid object of the kind, with little in it. */
function sample(resource: Resource): JsonObject {
  const object = sampleOf(resource, { ...variant, name: `one-${resource.version}` })
  if (object) return object
  // autoscaling/v1 alone has none, as the sample of v2 stands for what is stored.
  expect(title(resource)).toBe('horizontalpodautoscalers.v1.autoscaling')
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
  return { metadata: { name: 'one-v1' }, spec: { maxReplicas: 3, scaleTargetRef } }
}

let cluster: Cluster
let client: ApiClient
/** Where the samples say that they are. */
const namespace = 'default'

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
  const body = { metadata: { name: 'default' } }
  await client.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body })
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

/** What a client said, and what the server made of it: without versions, times, owners of fields. */
function content({ metadata, ...rest }: KubeObject): JsonObject {
  const { name, namespace: where, labels, annotations, finalizers } = metadata
  return { ...rest, metadata: { name, where, labels, annotations, finalizers } as JsonObject }
}

function specified(object: KubeObject): JsonObject {
  const { status: _status, ...rest } = content(object)
  return rest
}

const good = (reply: Reply, status: number): KubeObject => {
  expect(reply.body?.message ?? '').toBe(
    reply.status === status ? (reply.body?.message ?? '') : `code ${status}`,
  )
  return reply.body as KubeObject
}

const enricher = new Enricher()

/** The object with all that the server takes, as it says to dry runs. */
function enriched(resource: Resource, object: JsonObject): Promise<JsonObject> {
  const path = `${collectionOf(resource, namespace)}?dryRun=All`
  return enricher.enrich(object, typeOf(resource.definition) as StructType, async (body) => {
    const reply = await client.ask('POST', path, { body })
    return reply.status === 201 ? '' : (reply.body as { message: string }).message
  })
}

it.each(storedResources().map((resource) => [title(resource), resource] as const))(
  '%s: a rich object stays what it is through create, get, update and apply',
  async (_title, resource) => {
    const path = collectionOf(resource, namespace)
    const body = await enriched(resource, sample(resource))
    // Some kinds have few fields; a pod has hundreds.
    expect(sizeOf(body)).toBeGreaterThan(resource.kind === 'Pod' ? 200 : 4)
    const created = good(await client.ask('POST', path, { body }), 201)
    const one = `${path}/${created.metadata.name}`
    const get = async (): Promise<KubeObject> => good(await client.ask('GET', one), 200)
    // The server itself says in a FlowSchema's status whether its level exists.
    if (resource.kind === 'FlowSchema')
      await expect.poll(get).toMatchObject({ status: { conditions: [{ type: 'Dangling' }] } })
    const read = await get()
    expect(specified(read)).toEqual(specified(created))
    if (resource.kind !== 'FlowSchema') expect(read['status']).toEqual(created['status'])
    const updated = good(await client.ask('PUT', one, { body: read }), 200)
    expect(updated).toEqual(read)
    const { managedFields: _owners, resourceVersion: _version, ...metadata } = updated.metadata
    const applied = good(
      await client.ask('PATCH', `${one}?fieldManager=applier&force=true`, {
        body: { ...updated, metadata },
        headers: { 'content-type': 'application/apply-patch+yaml' },
      }),
      200,
    )
    expect(content(applied)).toEqual(content(updated))
    await client.ask('DELETE', one)
  },
)

const full = storedResources().flatMap((resource) => {
  const path = join(ROUNDTRIP, `${resource.group || 'core'}.${resource.version}.${resource.kind}.json`)
  return existsSync(path) ? [[title(resource), resource, path] as const] : []
})

describe.skipIf(full.length === 0)('fully populated objects', () => {
  it.each(full)('%s: passes the decoders', async (_title, resource, path) => {
    const object = JSON.parse(readFileSync(path, 'utf8')) as KubeObject
    const { resourceVersion: _version, generateName: _base, ...metadata } = object.metadata
    const body = {
      ...object,
      metadata: { ...metadata, name: 'full', namespace: resource.namespaced ? namespace : '' },
    }
    const reply = await client.ask(
      'POST',
      `${collectionOf(resource, namespace)}?dryRun=All&fieldValidation=Strict`,
      { body },
    )
    // Most are refused, field by field; none because it could not be read.
    expect([201, 403, 409, 422]).toContain(reply.status)
  })
})
