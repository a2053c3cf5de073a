import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { builtinResources, type ResourceRow } from '../../schema/resources.ts'
import { negotiateOpenApi } from './accept.ts'
import { createOpenApi, type OpenApiAnswer, type OpenApiRequest } from './openapi.ts'

const resources = builtinResources().filter(({ group }) => group === 'policy' || group === 'events.k8s.io')
const openapi = createOpenApi({ version: '1.36' })
const PROTOBUF_V2 = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

async function get(
  request: OpenApiRequest,
  from: readonly ResourceRow[] = resources,
): Promise<OpenApiAnswer> {
  const answer = await openapi(from, request)
  if (answer === undefined) throw new Error(`${request.path} is no path of OpenAPI`)
  return answer
}

async function locations(from: readonly ResourceRow[] = resources): Promise<Record<string, string>> {
  const { body } = await get({ path: '/openapi/v3' }, from)
  const { paths } = JSON.parse(body.toString()) as { paths: Record<string, { serverRelativeURL: string }> }
  return Object.fromEntries(
    Object.entries(paths).map(([name, { serverRelativeURL }]) => [name, serverRelativeURL]),
  )
}

const hashOf = (location = ''): string => location.slice(location.indexOf('=') + 1)

describe('/openapi/v3', () => {
  it('lists the documents with the hash of their content', async () => {
    const all = await locations()
    expect(Object.keys(all)).toContain('apis/policy/v1')
    expect(all['apis/policy/v1']).toMatch(/^\/openapi\/v3\/apis\/policy\/v1\?hash=[0-9A-F]{128}$/)
    expect(await locations()).toEqual(all)
  })

  it('serves a document, for ever where the hash is its own', async () => {
    const path = '/openapi/v3/apis/policy/v1'
    const plain = await get({ path })
    expect(plain).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
    expect(plain.headers).not.toHaveProperty('cache-control')
    const document = JSON.parse(plain.body.toString()) as { paths: object; components: { schemas: object } }
    expect(document.paths).toHaveProperty(['/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets'])
    expect(document.components.schemas).toHaveProperty(['io.k8s.api.policy.v1.PodDisruptionBudget'])
    const hash = hashOf((await locations())['apis/policy/v1'])
    expect((await get({ path, hash })).headers).toMatchObject({
      'cache-control': 'public, immutable',
      etag: `"${hash}"`,
    })
  })

  it('redirects an old hash, and says when nothing changed', async () => {
    const path = '/openapi/v3/apis/policy/v1'
    const location = (await locations())['apis/policy/v1']
    expect(await get({ path, hash: 'ABC' })).toMatchObject({ status: 301, headers: { location } })
    const ifNoneMatch = `"${hashOf(location)}"`
    expect(await get({ path, ifNoneMatch })).toMatchObject({ status: 304, headers: { etag: ifNoneMatch } })
    expect(await get({ path, ifNoneMatch: '"x"' })).toMatchObject({ status: 200 })
  })

  it('has no other documents', async () => {
    expect(await get({ path: '/openapi/v3/nope' })).toMatchObject({ status: 404 })
    expect(await get({ path: '/openapi/v3/' })).toMatchObject({ status: 404 })
    expect(await get({ path: '/openapi/v3/toString' })).toMatchObject({ status: 404 })
    expect(openapi(resources, { path: '/openapi' })).toBeUndefined()
    expect(openapi(resources, { path: '/openapi/v2/' })).toBeUndefined()
  })

  it('changes the hash of what changed only', async () => {
    const before = await locations()
    const after = await locations(
      resources.map((row) => (row.group === 'policy' ? { ...row, verbs: ['get'] } : row)),
    )
    expect(after['apis/policy/v1']).not.toBe(before['apis/policy/v1'])
    expect(after['apis/events.k8s.io/v1']).toBe(before['apis/events.k8s.io/v1'])
  })
})

describe('/openapi/v2', () => {
  it('is JSON or protobuf, compressed where the client takes it', async () => {
    const json = await get({ path: '/openapi/v2' })
    expect(JSON.parse(json.body.toString())).toMatchObject({ swagger: '2.0', info: { version: '1.36' } })
    const zipped = await get({ path: '/openapi/v2', acceptEncoding: 'br, gzip' })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(zipped.body).equals(json.body)).toBe(true)
    const protobuf = await get({ path: '/openapi/v2', accept: PROTOBUF_V2 })
    expect(protobuf.headers['content-type']).toBe(PROTOBUF_V2.replace('@', '.'))
    // Field 1 of the document is its version.
    expect(protobuf.body.subarray(0, 5)).toEqual(Buffer.from([0x0a, 3, ...Buffer.from('2.0')]))
  })

  it('does not do XML', async () => {
    expect(await get({ path: '/openapi/v2', accept: 'application/xml' })).toMatchObject({ status: 406 })
  })
})

describe('negotiateOpenApi', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/json;q=0.5,application/com.github.proto-openapi.spec.v2.v1.0+protobuf', 'protobuf'],
    [`application/json, ${PROTOBUF_V2}`, 'json'],
    ['text/html', undefined],
  ])('%s: %s', (accept, form) => expect(negotiateOpenApi(accept, 'v2')).toBe(form))
})
