// APIServices that name a Service: who is let through and as whom, what goes on its way and back, what a condition says.
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ADDRESS, Aggregated, APISERVICES, eventually, isReachable, NAME } from './aggregated.ts'
import { GROUP, THINGS, VERSION } from './extensionserver.ts'

const cluster = new Aggregated()
beforeAll(() => cluster.start())
afterAll(() => cluster.stop())
afterEach(() => cluster.clear())

const PASSED = 'True Passed: all checks passed'

async function registered(): Promise<void> {
  await cluster.serve()
  await cluster.register()
  expect(
    await eventually(
      () => cluster.condition(),
      (seen) => seen === PASSED,
    ),
  ).toBe(PASSED)
}

describe.skipIf(!isReachable)('a request', () => {
  it('is answered by the server behind the Service, as long as it is registered', async () => {
    expect((await cluster.send('GET', THINGS)).code).toBe(404)
    await registered()
    const { code, body, headers } = await cluster.send('GET', `${THINGS}?limit=5&fieldSelector=a%3Db`)
    expect(code).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(body).toMatchObject({ kind: 'ThingList', items: [{ metadata: { name: 'a' } }, {}] })
    expect(cluster.extension.last(THINGS)?.url).toBe(`${THINGS}?fieldSelector=a%3Db&limit=5`)
    const thing = { metadata: { name: 'c', labels: { ä: 'ö' } } }
    const created = await cluster.send('POST', THINGS, thing)
    expect([created.code, created.body]).toEqual([201, thing])
    expect((await cluster.send('GET', `${THINGS}/x`)).body['message']).toBe('no such thing')
    await cluster.send('DELETE', `${APISERVICES}/${NAME}`)
    const gone = await eventually(
      () => cluster.send('GET', THINGS),
      ({ code }) => code === 404,
    )
    expect(gone.text).toBe('404 page not found\n')
  })

  it('tells who asks, and nothing by which it could be asked for', async () => {
    await registered()
    const user = {
      name: 'jürgen',
      uid: 'u-1',
      groups: ['system:masters', 'b'],
      extra: { 'example.com/a b': ['1', '2'] },
    }
    await cluster.send('GET', THINGS, undefined, {
      user,
      headers: {
        authorization: 'Bearer secret',
        'x-remote-user': 'admin',
        'x-remote-group': 'system:masters',
        'x-remote-extra-scopes': 'all',
        'x-forwarded-for': '192.0.2.7',
        'x-custom': 'kept',
        connection: 'x-hop',
        'x-hop': 'dropped',
      },
    })
    const { headers, rawHeaders, proxy } = cluster.extension.last(THINGS) ?? {}
    expect(proxy).toBe('front-proxy-client')
    expect(Buffer.from(String(headers?.['x-remote-user']), 'latin1').toString()).toBe('jürgen')
    expect(headers?.['x-remote-uid']).toBe('u-1')
    const values = (name: string): unknown[] =>
      (rawHeaders ?? []).filter((_value, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name)
    expect(values('x-remote-group')).toEqual(['system:masters', 'b'])
    expect(values('x-remote-extra-example.com%2fa%20b')).toEqual(['1', '2'])
    expect(headers?.['x-forwarded-for']).toBe('192.0.2.7, 127.0.0.1')
    expect(headers?.['x-custom']).toBe('kept')
    const absent = ['authorization', 'x-remote-extra-scopes', 'x-hop'].filter(
      (name) => name in (headers ?? {}),
    )
    expect(absent).toEqual([])
    expect(JSON.stringify(rawHeaders)).not.toContain('secret')
  })

  it('of somebody who may not is refused by us', async () => {
    await registered()
    const before = cluster.extension.received.length
    const nobody = { name: 'nobody', groups: ['system:authenticated'] }
    const { code, body } = await cluster.send('GET', THINGS, undefined, { user: nobody })
    expect([code, body['message']]).toEqual([
      403,
      `things.${GROUP} is forbidden: User "nobody" cannot list resource "things" in API group "${GROUP}" in the namespace "default"`,
    ])
    const asked = cluster.extension.received.slice(before).filter(({ url }) => url.startsWith(THINGS))
    expect(asked).toEqual([])
  })

  it('may watch, and ends the watch by going', async () => {
    await registered()
    const ended = new AbortController()
    const watch = await cluster.server.loopback({ name: 'a', groups: ['system:masters'] }).send({
      method: 'GET',
      path: `${THINGS}?watch=1`,
      headers: {},
      signal: ended.signal,
    })
    expect(watch.status).toBe(200)
    const chunks = watch.chunks()[Symbol.asyncIterator]()
    for (const name of ['x', 'y']) {
      cluster.extension.tell('ADDED', name)
      const { value } = await chunks.next()
      expect(JSON.parse(String(value))).toMatchObject({ type: 'ADDED', object: { metadata: { name } } })
    }
    ended.abort()
    expect(
      await eventually(
        () => Promise.resolve(cluster.extension.watches),
        (open) => open === 0,
      ),
    ).toBe(0)
  })

  it('is told what went wrong as upstream tells it', async () => {
    await registered()
    const answer = async (path = THINGS): Promise<[number, string]> => {
      const { code, text } = await cluster.send('GET', path)
      return [code, text]
    }
    // Not to those that look whether the server is there.
    const behave = (act: (response: ServerResponse) => void): void => {
      cluster.extension.behave = ({ url = '' }, response) => {
        if (url.startsWith(THINGS)) act(response)
        return url.startsWith(THINGS)
      }
    }
    behave((response) => response.writeHead(302, { location: 'https://elsewhere.example' }).end())
    expect(await answer()).toEqual([
      502,
      'the backend attempted to redirect this request, which is not permitted',
    ])
    behave((response) => response.destroy())
    expect(await answer()).toEqual([503, 'error trying to reach service: EOF\n'])
    behave(() => undefined)
    const late = await cluster.send('GET', `${THINGS}?timeout=1s`)
    expect([late.code, late.body['reason']]).toEqual([504, 'Timeout'])
    behave((response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('begun', () => response.destroy())
    })
    await expect(answer()).rejects.toThrow('aborted')
  })

  it('that asks for another protocol gets it from the server', async () => {
    await registered()
    const upgraded = await cluster.say(`${THINGS}/a/echo`, 'hello', /hello/)
    expect(upgraded).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(upgraded).toMatch(/\r\n\r\nwelcome hello$/)
    expect(cluster.extension.last(`${THINGS}/a/echo`)).toMatchObject({
      headers: { upgrade: 'echo', 'x-remote-user': 'kubernetes-admin' },
      proxy: 'front-proxy-client',
    })
    const refused = await cluster.say(`${THINGS}/a/other`, '', /none/)
    expect(refused).toMatch(/^HTTP\/1\.1 404 [^]*\r\n\r\nnone$/)
    expect(await cluster.say('/version', '', /gitVersion/)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await cluster.say('/api/v1/namespaces/default', '', /default/)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe.skipIf(!isReachable)('the condition', () => {
  const becomes = (wanted: string | RegExp): Promise<string> =>
    eventually(
      () => cluster.condition(),
      (seen) => (typeof wanted === 'string' ? seen === wanted : wanted.test(seen)),
    )

  it('says what is in the way', async () => {
    await cluster.register()
    const service = 'service/things in "ext"'
    expect(await becomes(/NotFound/)).toBe(`False ServiceNotFound: ${service} is not present`)
    const unavailable = await cluster.send('GET', THINGS)
    expect([unavailable.code, unavailable.text]).toEqual([503, 'service unavailable\n'])
    expect(unavailable.headers['content-type']).toBe('text/plain; charset=utf-8')
    const services = '/api/v1/namespaces/ext/services'
    const spec = { ports: [{ name: 'https', port: 444 }] }
    await cluster.send('POST', services, { metadata: { name: 'things' }, spec })
    const port = `False ServicePortError: ${service} is not listening on port 443`
    expect(await becomes(/Port/)).toBe(port)
    await cluster.send('PATCH', `${services}/things`, { spec: { ports: [{ name: 'https', port: 443 }] } })
    const endpoints = `False EndpointsNotFound: cannot find endpointslices for ${service}`
    expect(await becomes(/EndpointsNotFound/)).toBe(endpoints)
    const metadata = { name: 'things', labels: { 'kubernetes.io/service-name': 'things' } }
    const slices = '/apis/discovery.k8s.io/v1/namespaces/ext/endpointslices'
    await cluster.send('POST', slices, { metadata, addressType: 'IPv4', endpoints: [], ports: [] })
    expect(await becomes(/Missing/)).toBe(
      `False MissingEndpoints: endpointslices for ${service} have no addresses with port name "https"`,
    )
    await cluster.slice(1)
    const url = `https://${ADDRESS}:1/apis/things.example.com/v1alpha1`
    expect(await becomes(/Failed/)).toBe(
      `False FailedDiscoveryCheck: failing or missing response from ${url}: Get "${url}": dial tcp ${ADDRESS}:1: connect: connection refused`,
    )
    await cluster.slice(cluster.extension.port)
    expect(await becomes(PASSED)).toBe(PASSED)
  })

  it('looks at the certificate', async () => {
    await cluster.serve()
    await cluster.register({})
    expect(await becomes(/Failed/)).toContain('x509: certificate signed by unknown authority')
    await cluster.send('PATCH', `${APISERVICES}/${NAME}`, { spec: { insecureSkipTLSVerify: true } })
    expect(await becomes(PASSED)).toBe(PASSED)
    await cluster.send('PATCH', `${APISERVICES}/${NAME}`, {
      spec: { insecureSkipTLSVerify: null, caBundle: Buffer.from('none').toString('base64') },
    })
    expect(await becomes(/Failed/)).toBe(
      'False FailedDiscoveryCheck: unable to load root certificates: unable to parse bytes as PEM block',
    )
    await cluster.send('PATCH', `${APISERVICES}/${NAME}`, { spec: { service: null, caBundle: null } })
    expect(await becomes(/Local/)).toBe('True Local: Local APIServices are always available')
  })
})

describe.skipIf(!isReachable)('discovery', () => {
  const groups = async (): Promise<string[]> => {
    const { body } = await cluster.send('GET', '/apis')
    return (body['groups'] as { name: string }[]).map(({ name }) => name)
  }
  const aggregated = async (): Promise<JsonObject | undefined> => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { body } = await cluster.send('GET', '/apis', undefined, { headers: { accept } })
    const items = body['items'] as { metadata: { name: string }; versions: JsonObject[] }[]
    return items.find(({ metadata }) => metadata.name === GROUP)?.versions[0]
  }
  const current = (): Promise<JsonObject | undefined> =>
    eventually(aggregated, (seen) => seen?.['freshness'] === 'Current')

  const THING = { group: GROUP, version: VERSION, kind: 'Thing' }
  const KNOWN = {
    version: VERSION,
    freshness: 'Current',
    resources: [
      {
        resource: 'things',
        responseKind: THING,
        scope: 'Namespaced',
        singularResource: 'thing',
        verbs: ['create', 'get', 'list', 'watch'],
        shortNames: ['th'],
        subresources: [{ subresource: 'echo', responseKind: THING, verbs: ['get'] }],
      },
    ],
  }

  it('tells of the group in its place, with what its server says', async () => {
    expect(await groups()).not.toContain(GROUP)
    await registered()
    const all = await groups()
    expect(all.at(0)).toBe('apiregistration.k8s.io')
    expect(all.at(-1)).toBe(GROUP)
    const { body } = await cluster.send('GET', `/apis/${GROUP}`)
    const version = { groupVersion: `${GROUP}/${VERSION}`, version: VERSION }
    expect(body).toMatchObject({ kind: 'APIGroup', versions: [version], preferredVersion: version })
    expect((await cluster.send('GET', `/apis/${GROUP}/${VERSION}`)).body).toMatchObject({
      resources: [{ name: 'things' }, { name: 'things/echo' }],
    })
    expect(await current()).toEqual(KNOWN)
    await cluster.send('PATCH', `${APISERVICES}/${NAME}`, { spec: { groupPriorityMinimum: 17_790 } })
    const moved = await eventually(groups, (seen) => seen[2] === GROUP)
    expect(moved.slice(0, 4)).toEqual(['apiregistration.k8s.io', 'apps', GROUP, 'events.k8s.io'])
  })

  it('reads the lists of older servers', async () => {
    cluster.extension.isOld = true
    await registered()
    expect(await current()).toEqual(KNOWN)
  })

  it('says that it is stale while the server does not answer', async () => {
    await registered()
    await current()
    await cluster.slice(1)
    const stale = await eventually(aggregated, (seen) => seen?.['freshness'] === 'Stale')
    expect(stale).toEqual({ ...KNOWN, freshness: 'Stale' })
    // Who looks for what the server has is not who looks whether it is there.
    const unavailable = `aggregator_unavailable_apiservice{name="${NAME}"} 1\n`
    const { text } = await eventually(
      () => cluster.send('GET', '/metrics'),
      (seen) => seen.text.includes(unavailable),
    )
    expect(text).toContain(unavailable)
    expect(text).toContain('aggregator_unavailable_apiservice{name="v1.apps"} 0\n')
    expect(text).toMatch(
      new RegExp(
        `^aggregator_unavailable_apiservice_total\\{name="${NAME}",reason="FailedDiscoveryCheck"\\} [1-9]`,
        'm',
      ),
    )
    await cluster.slice(cluster.extension.port)
    expect(await current()).toEqual(KNOWN)
  })

  it('takes custom groups over by registrations of its own, and gives them back', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const schema = { openAPIV3Schema: { type: 'object' } }
    await cluster.send('POST', definitions, {
      metadata: { name: 'widgets.shop.example' },
      spec: {
        group: 'shop.example',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v2beta1', served: true, storage: false, schema },
          { name: 'v1alpha1', served: false, storage: false, schema },
        ],
      },
    })
    const mine = async (): Promise<string[]> => {
      const { body } = await cluster.send('GET', APISERVICES)
      const items = body['items'] as { metadata: { name: string } }[]
      return items.map(({ metadata }) => metadata.name).filter((name) => name.endsWith('shop.example'))
    }
    const both = ['v1.shop.example', 'v2beta1.shop.example']
    expect(await eventually(mine, (seen) => seen.length === 2)).toEqual(both)
    const { body } = await eventually(
      () => cluster.send('GET', `${APISERVICES}/v1.shop.example`),
      (seen) => seen.text.includes('"Local"'),
    )
    expect(body).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
      status: { conditions: [{ reason: 'Local', status: 'True' }] },
    })
    await cluster.send('DELETE', `${APISERVICES}/v1.shop.example`)
    expect(await eventually(mine, (seen) => seen.length === 2)).toEqual(both)
    const served = [{ name: 'v1', served: true, storage: true, schema }]
    await cluster.send('PATCH', `${definitions}/widgets.shop.example`, { spec: { versions: served } })
    expect(await eventually(mine, (seen) => seen.length === 1)).toEqual(['v1.shop.example'])
    await cluster.send('DELETE', `${definitions}/widgets.shop.example`)
    expect(await eventually(mine, (seen) => seen.length === 0)).toEqual([])
    const others = await eventually(groups, (seen) => !seen.includes('shop.example'))
    expect(others).not.toContain('shop.example')
  })
})

describe.skipIf(!isReachable)('the schema', () => {
  const path = `/apis/${GROUP}/${VERSION}/namespaces/{namespace}/things/{name}`

  it('of OpenAPI v3 is told by the server itself', async () => {
    await registered()
    const { body } = await cluster.send('GET', '/openapi/v3')
    const paths = body['paths'] as Record<string, { serverRelativeURL: string }>
    const { serverRelativeURL = '' } = paths[`apis/${GROUP}/${VERSION}`] ?? {}
    expect(serverRelativeURL).toBe(`/openapi/v3/apis/${GROUP}/${VERSION}?hash=1`)
    expect(paths['version']?.serverRelativeURL).not.toContain('hash=2')
    const schema = await cluster.send('GET', serverRelativeURL)
    expect([schema.code, schema.body['info']]).toEqual([200, { title: 'things', version: '1' }])
    expect(cluster.extension.last('/openapi/v3/apis')?.headers['x-remote-user']).toBe('admin')
    await cluster.clear()
    const gone = await eventually(
      () => cluster.send('GET', '/openapi/v3'),
      ({ text }) => !text.includes(GROUP),
    )
    expect(gone.body['paths']).not.toHaveProperty(`apis/${GROUP}/${VERSION}`)
    expect((await cluster.send('GET', serverRelativeURL)).code).toBe(404)
  })

  it('of OpenAPI v2 is part of ours', async () => {
    await registered()
    const { body } = await cluster.send('GET', '/openapi/v2')
    const { paths, definitions } = body as Record<'paths' | 'definitions', Record<string, JsonObject>>
    const reference = (name: string): JsonObject => ({ $ref: `#/definitions/${name}` })
    expect(paths[path]).toMatchObject({
      get: { responses: { 200: { schema: reference('com.example.things.v1alpha1.Thing') } } },
    })
    const other = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2'
    expect(definitions['com.example.things.v1alpha1.Thing']).toMatchObject({
      properties: { metadata: reference(other) },
    })
    expect(definitions[other]).toMatchObject({ properties: { name: { type: 'string' } } })
    expect(definitions).toHaveProperty(['io.k8s.api.core.v1.Pod'])
    expect(definitions).not.toHaveProperty(['com.example.unused'])
    await cluster.clear()
    const gone = await eventually(
      () => cluster.send('GET', '/openapi/v2'),
      ({ text }) => !text.includes(GROUP),
    )
    expect(gone.code).toBe(200)
  })
})
