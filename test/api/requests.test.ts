// What a request hears whose path, query or headers are odd, over real sockets: words that conformance/differential/requests.ts found
// to be kube-apiserver's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, namespaceFor } from './client.ts'

let cluster: Cluster
let client: ApiClient
let maps: string

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
  maps = `/api/v1/namespaces/${await namespaceFor(client)}/configmaps`
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

const MISSING = 'the server could not find the requested resource'
const REPRESENTED =
  '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf'
const STREAMS = ', application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
const ACCEPTED =
  'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'

const heard = async (method: string, path: string, headers = {}, body?: unknown): Promise<[number, string]> => {
  const reply = await client.ask(method, path, { headers, ...(body === undefined ? {} : { body }) })
  return [reply.status, reply.body.message]
}

describe('paths', () => {
  it('have the parts that their place takes, and no more', async () => {
    expect(await heard('GET', `${maps}/a/status/x?resourceVersion=-1`)).toEqual([404, MISSING])
    expect(await heard('GET', '/api/v1/watch/configmaps/a?timeoutSeconds=1')).toEqual([404, MISSING])
    expect(await heard('GET', '/api/v1/namespaces/default/bindings/a')).toEqual([404, MISSING])
    expect(await heard('DELETE', '/apis/authentication.k8s.io/v1/tokenreviews/a')).toEqual([404, MISSING])
    expect(await heard('GET', '/api/v1/watch/namespaces/default/bindings')).toEqual([404, MISSING])
    expect((await heard('GET', '/api/v1/namespaces/default/bindings'))[0]).toBe(405)
    expect(await heard('PUT', '/apis/storage.k8s.io/v1/namespaces//storageclasses/b', {}, {})).toEqual([404, MISSING])
  })

  it('with an empty namespace list all, and name nothing', async () => {
    expect((await client.ask('GET', '/api/v1/namespaces//configmaps')).status).toBe(200)
    expect(await heard('GET', '/api/v1/namespaces//configmaps/a')).toEqual([400, 'Namespace parameter required.'])
  })

  it.each(['GET', 'DELETE'])('%s no name that is a way to somewhere else', async (method) => {
    expect(await heard(method, `${maps}/%2e%2e`)).toEqual([400, `Name parameter invalid: "..": may not be '..'`])
    expect(await heard(method, `${maps}/a%25b`)).toEqual([400, `Name parameter invalid: "a%b": may not contain '%'`])
  })

  it('of versions take one method, those of lists of groups any', async () => {
    expect(await heard('POST', '/api/v1', {}, {})).toEqual([
      405,
      'the server does not allow this method on the requested resource',
    ])
    expect((await client.ask('POST', '/apis/apps', { body: {} })).body.kind).toBe('APIGroup')
  })
})

describe('headers', () => {
  it('are refused by what would have answered', async () => {
    const accept = { accept: 'text/plain' }
    expect(await heard('GET', `${maps}/a`, accept)).toEqual([406, REPRESENTED])
    expect(await heard('GET', maps, accept)).toEqual([406, REPRESENTED + STREAMS])
    expect(await heard('GET', '/api/v1', accept)).toEqual([406, REPRESENTED])
    expect(await heard('GET', '/apis', accept)).toEqual([406, ACCEPTED])
  })

  it('that ask for what an object is not are heard once there is one', async () => {
    const accept = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }
    expect((await heard('GET', `${maps}/none`, accept))[0]).toBe(404)
    expect((await heard('POST', maps, accept, { metadata: { name: 'there' } }))[0]).toBe(406)
    expect((await client.ask('GET', `${maps}/there`)).status).toBe(200)
  })

  it('choose how a refusal is written, too', async () => {
    const { headers } = await client.ask('GET', `${maps}/a/nothing`, { headers: { accept: 'application/yaml' } })
    expect(headers['content-type']).toBe('application/yaml')
  })
})

describe('queries', () => {
  it('are read before they are checked', async () => {
    const query = 'labelSelector=a%3Db%3Dc&resourceVersionMatch=exact'
    expect(await heard('GET', `${maps}?${query}`)).toEqual([400, `found '=', expected: ',' or 'end of string'`])
    expect(await heard('GET', `${maps}?limit=`)).toEqual([400, 'strconv.ParseInt: parsing "": invalid syntax'])
  })

  it('that say nothing of a field select everything', async () => {
    expect((await client.ask('GET', `${maps}?fieldSelector=%3D`)).status).toBe(200)
  })

  it('of a watch that names no version begin with what is there, and say where that ends', async () => {
    const { bytes } = await client.ask('GET', `${maps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1`)
    const last = JSON.parse(bytes.toString().trim().split('\n').at(-1) ?? '')
    expect(last.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })
})

describe('bodies', () => {
  it('are looked at when there is an object for them', async () => {
    const headers = { 'content-type': 'application/json-patch+json' }
    expect((await heard('PATCH', `${maps}/none`, headers, { no: 'patch' }))[0]).toBe(404)
  })

  it('of an unknown sort are refused before options', async () => {
    expect((await heard('POST', `${maps}?dryRun=x`, { 'content-type': 'text/plain' }, {}))[0]).toBe(415)
  })

  it('with a version hear of it when all else is right', async () => {
    const metadata = { name: 'versioned', resourceVersion: '5' }
    expect((await heard('POST', maps, {}, { metadata, data: { 'not a key': 'x' } }))[0]).toBe(422)
    expect(await heard('POST', maps, {}, { metadata })).toEqual([
      500,
      'resourceVersion should not be set on objects to be created',
    ])
    const dry = await client.ask('POST', `${maps}?dryRun=All`, { body: { metadata } })
    expect(dry.body.metadata.resourceVersion).toBe('5')
  })
})

describe('fields', () => {
  it('that nobody knows are passed over, whatever is in them twice', async () => {
    const body = '{"metadata":{"name":"x","z":{"a":1,"a":2}},"unk":1,"unk":2,"data":{"a":"1","a":"2"}}'
    const json = { 'content-type': 'application/json' }
    const [code, message] = await heard('POST', `${maps}?fieldValidation=Strict`, json, body)
    expect(code).toBe(400)
    expect(message).toMatch(
      /strict decoding error: unknown field "metadata\.z", unknown field "unk", duplicate field "data\.a"$/,
    )
  })

  it('that are gone are missed by those alone who ask for them', async () => {
    expect((await heard('GET', '/api/v1/namespaces/default?export=false'))[0]).toBe(200)
    expect((await heard('GET', '/api/v1/namespaces/default?export=true'))[0]).toBe(400)
  })

  it('of an account that are deprecated are warned of where they are new', async () => {
    const path = `${maps.slice(0, maps.lastIndexOf('/'))}/serviceaccounts`
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' }
    const body = { metadata: { name: 'old', annotations } }
    expect(String((await client.ask('POST', path, { body })).headers['warning'])).toContain('deprecated in v1.32+')
    expect((await client.ask('PUT', `${path}/old`, { body })).headers['warning']).toBeUndefined()
  })

  it('beside CPU and memory stay as they are when a pod is resized', async () => {
    const path = `${maps.slice(0, maps.lastIndexOf('/'))}/pods`
    const account = { metadata: { name: 'default' } }
    await client.ask('POST', path.replace(/pods$/, 'serviceaccounts'), { body: account })
    const requests = (more: object) => ({ requests: { cpu: '1', 'ephemeral-storage': '1Gi', ...more } })
    const spec = (more: object, name = 'c') => ({ containers: [{ name, image: 'i', resources: requests(more) }] })
    expect((await client.ask('POST', path, { body: { metadata: { name: 'p' }, spec: spec({}) } })).status).toBe(201)
    const resize = async (more: object, name?: string): Promise<[number, string]> =>
      heard('PUT', `${path}/p/resize`, {}, { metadata: { name: 'p' }, spec: spec(more, name) })
    expect((await resize({ cpu: '2' }))[0]).toBe(200)
    expect((await resize({ 'ephemeral-storage': '2Gi' }))[1]).toContain('only cpu and memory resources are mutable')
    expect((await resize({}, 'other'))[1]).toContain('containers may not be renamed or reordered on resize')
  })
})
