// Mutating webhooks, and webhooks behind services.
// The texts are those of kube-apiserver 1.36.3, asked the same.
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { CONFIG_MAPS } from '../../src/client/resources.ts'
import { CONFIGURATIONS, Hooked, MAPS, map, NAMESPACE } from './hooked.ts'
import { MACHINE_ADDRESS } from '../machine.ts'
import { allow, deny, HookServer, patch } from './hookserver.ts'

const hooked = new Hooked()
const { send, configure, dryRun } = hooked
beforeAll(() => hooked.start())
afterEach(() => hooked.reset())
afterAll(() => hooked.stop())

describe('mutating webhooks', () => {
  it('change the object in order, and see it again where they ask to', async () => {
    const clientConfig = (path: string) => ({ url: hooked.hooks.url(path), caBundle: hooked.hooks.caBundle })
    await configure(
      'mutating',
      hooked.hooks.hook(NAMESPACE, {
        name: 'a.hooks.test',
        clientConfig: clientConfig('/a'),
        reinvocationPolicy: 'IfNeeded',
      }),
      hooked.hooks.hook(NAMESPACE, { name: 'b.hooks.test', clientConfig: clientConfig('/b') }),
    )
    const adding = patch([{ op: 'add', path: '/data/added', value: 'x' }])
    hooked.hooks.behave = (review, response, path) =>
      (path.startsWith('/b') ? adding : allow())(review, response, path)
    const created = await send('POST', MAPS, map('mutated'))
    expect(created.body['data']).toEqual({ a: 'b', added: 'x' })
    expect(hooked.hooks.reviews.map(({ path }) => path.slice(0, 2))).toEqual(['/a', '/b', '/a'])
    expect(hooked.hooks.reviews[2]?.review.request.object).toMatchObject({ data: { added: 'x' } })
  })

  it('fill in defaults of what they add, and cannot break the object', async () => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    hooked.hooks.behave = patch([
      { op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 'i' } },
    ])
    const pod = { metadata: { name: 'sidecar' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const created = await send('POST', `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, pod)
    expect(created.body).toMatchObject({
      spec: { containers: [{}, { name: 'side', terminationMessagePath: '/dev/termination-log' }] },
    })
    const broken = async (operations: unknown): Promise<unknown> =>
      (await dryRun(patch(operations))).body['message']
    expect(await broken([{ op: 'replace', path: '/data', value: 'x' }])).toMatch(
      /^Internal error occurred: json: cannot unmarshal string into Go struct field ConfigMap.data of type map/,
    )
    expect(await broken([{ op: 'remove', path: '/data/none' }])).toBe(
      "Internal error occurred: error in remove for path: '/data/none': Unable to remove nonexistent key: none: missing value",
    )
    expect(await broken([{ op: 'add', path: '/none/x', value: 1 }])).toBe(
      'Internal error occurred: add operation does not apply: doc is missing path: "/none/x": missing value',
    )
    expect(await broken({})).toBe(
      'Internal error occurred: failed calling webhook "a.hooks.test": received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    )
  })

  it('have no say over configurations of admission', async () => {
    const more = {
      namespaceSelector: {},
      rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
    }
    await configure('mutating', hooked.hooks.hook(NAMESPACE, more))
    hooked.hooks.behave = deny()
    expect((await send('DELETE', `${CONFIGURATIONS}/mutatingwebhookconfigurations/test`)).code).toBe(200)
    expect(hooked.hooks.reviews).toEqual([])
  })
})

describe('services', () => {
  it.skipIf(!MACHINE_ADDRESS)('lead to their endpoints, by the name of the service', async () => {
    const hooks = await HookServer.start(['hook.hooked.svc'], MACHINE_ADDRESS)
    onTestFinished(() => hooks.stop())
    const service = { namespace: NAMESPACE, name: 'hook', path: '/by-service' }
    await configure(
      'validating',
      hooked.hooks.hook(NAMESPACE, {
        clientConfig: { service, caBundle: hooks.caBundle },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      }),
    )
    expect((await dryRun(allow())).body['message']).toBe(
      'Internal error occurred: failed calling webhook "a.hooks.test": failed to call webhook: Post "https://hook.hooked.svc:443/by-service?timeout=5s": service "hook" not found',
    )
    const metadata = { name: 'hook', namespace: NAMESPACE }
    const created = await send('POST', `/api/v1/namespaces/${NAMESPACE}/services`, {
      metadata,
      spec: { ports: [{ name: 'https', port: 443 }] },
    })
    expect(created.code).toBe(201)
    await hooked.api.create(CONFIG_MAPS, { metadata: { name: 'unrelated', namespace: 'default' } })
    const slice = {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [MACHINE_ADDRESS ?? ''] }],
      ports: [{ name: 'https', port: hooks.port }],
    }
    const sliced = await send(
      'POST',
      `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`,
      slice,
    )
    expect(sliced).toMatchObject({ code: 201 })
    await expect.poll(async () => (await dryRun(allow())).code).toBe(201)
    expect(hooks.reviews.at(-1)?.path).toBe('/by-service?timeout=5s')
  })

  it('of another name lead there, at the port that the webhook says', async () => {
    const metadata = { name: 'elsewhere', namespace: NAMESPACE }
    const spec = { type: 'ExternalName', externalName: 'localhost' }
    expect(await send('POST', `/api/v1/namespaces/${NAMESPACE}/services`, { metadata, spec })).toMatchObject({
      code: 201,
    })
    const hooks = await HookServer.start(['elsewhere.hooked.svc'])
    onTestFinished(() => hooks.stop())
    const service = { ...metadata, path: '/elsewhere', port: hooks.port }
    await configure(
      'validating',
      hooked.hooks.hook(NAMESPACE, { clientConfig: { service, caBundle: hooks.caBundle } }),
    )
    expect((await dryRun(allow())).code).toBe(201)
    expect(hooks.reviews.at(-1)?.path).toBe('/elsewhere?timeout=5s')
  })
})
