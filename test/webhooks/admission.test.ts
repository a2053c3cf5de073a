// Admission webhooks against a server of their own: what they are asked, and what comes of their answers.
// The texts are those of kube-apiserver 1.36.3, asked the same.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CONFIGURATIONS, Hooked, MAPS, map, NAMESPACE } from './hooked.ts'
import { PODS } from '../../src/client/resources.ts'
import { allow, answer, type Behave, deny } from './hookserver.ts'

const hooked = new Hooked()
const { send, configure, dryRun } = hooked
beforeAll(() => hooked.start())
afterEach(() => hooked.reset())
afterAll(() => hooked.stop())

const raw =
  (status: number, type: string, text: string): Behave =>
  (_review, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(text)
  }

describe('what a webhook is asked', () => {
  it('has the request, the user, the objects and the options', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    await send('POST', `${MAPS}?fieldManager=me`, map('asked'))
    await send('PATCH', `${MAPS}/asked`, { data: { c: 'd' } }, 'application/merge-patch+json')
    await send('DELETE', `${MAPS}/asked?propagationPolicy=Background`)
    const [created, patched, deleted] = hooked.hooks.reviews
    expect(created?.path).toBe('/hook?timeout=5s')
    expect(created?.review).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
        requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'asked',
        namespace: NAMESPACE,
        operation: 'CREATE',
        userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'asked' }, data: { a: 'b' } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
      },
    })
    expect(patched?.review.request).toMatchObject({
      operation: 'UPDATE',
      object: { data: { a: 'b', c: 'd' } },
      oldObject: { data: { a: 'b' } },
      options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
    })
    expect(deleted?.review.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { data: { a: 'b', c: 'd' } },
      options: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', propagationPolicy: 'Background' },
    })
  })

  it('shows a subresource as its own kind, and tells of connections and actions', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await hooked.api.create(PODS, { metadata: { name: 'p', namespace: NAMESPACE }, spec } as never)
    hooked.hooks.reviews.length = 0
    await send('POST', `${pods}/p/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p' },
    })
    await send('POST', `${pods}/p/exec?command=ls&command=-l&stdout=true`)
    const [evicted, connected, ...others] = hooked.hooks.reviews.map(({ review }) => review.request)
    expect(others).toEqual([])
    expect(evicted).toMatchObject({
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      resource: { resource: 'pods' },
      subResource: 'eviction',
      operation: 'CREATE',
      object: { kind: 'Eviction' },
    })
    expect(connected).toMatchObject({
      subResource: 'exec',
      operation: 'CONNECT',
      object: { kind: 'PodExecOptions', apiVersion: 'v1', command: ['ls', '-l'], stdout: true },
      options: null,
    })
  })

  it('is about the version that its rules name, where the policy is Equivalent', async () => {
    const rules = [
      {
        apiGroups: ['autoscaling'],
        apiVersions: ['v1'],
        operations: ['*'],
        resources: ['horizontalpodautoscalers'],
      },
    ]
    const exact = hooked.hooks.hook(NAMESPACE, { name: 'b.hooks.test', rules, matchPolicy: 'Exact' })
    await configure('validating', hooked.hooks.hook(NAMESPACE, { rules }), exact)
    const target = { type: 'Utilization', averageUtilization: 70 }
    const created = await send(
      'POST',
      `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers`,
      {
        metadata: { name: 'h' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
          maxReplicas: 3,
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
        },
      },
    )
    expect(created.code).toBe(201)
    expect(hooked.hooks.reviews.map(({ review }) => review.request)).toMatchObject([
      {
        kind: { version: 'v1' },
        resource: { version: 'v1' },
        requestKind: { version: 'v2' },
        requestResource: { version: 'v2' },
        object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 70 } },
      },
    ])
  })
})

/** What the answer makes of the request; the texts stand behind "failed calling webhook …". */
const FAILURES: readonly (readonly [string, Behave, string])[] = [
  [
    'no response',
    (_r, out) => out.end('{}'),
    'received invalid webhook response: webhook response was absent',
  ],
  [
    'another kind',
    answer({ allowed: true }, { kind: 'Other' }),
    'failed to call webhook: no kind "Other" is registered for version "admission.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    'another version',
    answer({ allowed: true }, { apiVersion: 'admission.k8s.io/v1beta1' }),
    'failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
  ],
  [
    'a patch',
    allow({ patch: 'W10=', patchType: 'JSONPatch' }),
    'received invalid webhook response: validating webhook may not return response.patch',
  ],
  [
    'a type that is none',
    answer({ allowed: 'yes' }),
    'failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
  ],
  [
    '404',
    raw(404, 'text/plain', '404 page not found'),
    'failed to call webhook: the server could not find the requested resource',
  ],
  [
    '500',
    raw(500, 'text/plain', 'boom'),
    'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding',
  ],
  [
    'a redirect to nowhere',
    raw(302, 'text/plain', ''),
    'failed to call webhook: the server responded with the status code 302 but did not return more information',
  ],
  [
    'nothing',
    raw(200, 'application/json', ''),
    'failed to call webhook: 0-length response with status code: 200 and content type: application/json',
  ],
  [
    'half an object',
    raw(200, 'application/json', '{"a":'),
    "failed to call webhook: couldn't get version/kind; json parse error: unexpected end of JSON input",
  ],
  [
    'too much',
    raw(200, 'application/json', ' '.repeat(9 * 1024 * 1024)),
    'failed to call webhook: the answer is larger than 8388608 bytes',
  ],
]

describe('what comes of an answer', () => {
  it('refuses as the webhook says', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    expect(await dryRun(deny())).toMatchObject({
      code: 400,
      body: { message: 'admission webhook "a.hooks.test" denied the request without explanation' },
    })
    const status = {
      message: 'no',
      code: 403,
      reason: 'Forbidden',
      details: { causes: [{ message: 'why' }] },
    }
    expect(await dryRun(deny(status))).toMatchObject({
      code: 403,
      body: {
        message: 'admission webhook "a.hooks.test" denied the request: no',
        reason: 'Forbidden',
        details: { causes: [{ message: 'why' }] },
        code: 403,
      },
    })
  })

  it('warns', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    expect(await dryRun(allow({ warnings: ['careful'] }))).toMatchObject({
      code: 201,
      warning: ['299 - "careful"'],
    })
  })

  it.each(FAILURES)('fails closed on %s', async (_what, behave, why) => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const message = `failed calling webhook "a.hooks.test": ${why}`
    expect(await dryRun(behave)).toMatchObject({
      code: 500,
      body: {
        message: `Internal error occurred: ${message}`,
        reason: 'InternalError',
        details: { causes: [{ message }] },
      },
    })
  })

  it('fails open where it may', async () => {
    await configure(
      'validating',
      hooked.hooks.hook(NAMESPACE, { failurePolicy: 'Ignore', timeoutSeconds: 1 }),
    )
    expect((await dryRun(raw(500, 'text/plain', ''))).code).toBe(201)
    expect((await dryRun(() => undefined)).code).toBe(201)
    await hooked.reset()
    await configure('validating', hooked.hooks.hook(NAMESPACE, { failurePolicy: 'Ignore' }))
    expect((await dryRun(deny())).code).toBe(400)
  })

  it('says which webhook did not answer in time, or at all', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE, { timeoutSeconds: 1 }))
    expect((await dryRun(() => undefined)).body['message']).toBe(
      `Internal error occurred: failed calling webhook "a.hooks.test": failed to call webhook: Post "${hooked.hooks.url()}?timeout=1s": context deadline exceeded`,
    )
    await send('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/test`)
    const clientConfig = { url: hooked.hooks.url() }
    await configure('validating', hooked.hooks.hook(NAMESPACE, { clientConfig }))
    expect((await dryRun(allow())).body['message']).toContain(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    )
  })

  it('is not asked on a dry run where it does more than answer', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE, { sideEffects: 'NoneOnDryRun' }))
    expect((await dryRun(allow())).code).toBe(201)
    await send(
      'PATCH',
      `${CONFIGURATIONS}/validatingwebhookconfigurations/test`,
      { webhooks: null },
      'application/merge-patch+json',
    )
    hooked.hooks.reviews.length = 0
    expect((await dryRun(deny())).code).toBe(201)
    expect(hooked.hooks.reviews).toEqual([])
  })

  it('keeps connections', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    await dryRun(allow())
    const before = hooked.hooks.connections
    for (let i = 0; i < 5; i++) await dryRun(allow())
    expect(hooked.hooks.connections).toBe(before)
  })
})
