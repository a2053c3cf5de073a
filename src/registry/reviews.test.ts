// Reviews and their answers; the expected texts are those of a kube-apiserver 1.36.3.
import { beforeEach, describe, expect, test } from 'vitest'
import type { AuthorizationAttributes, Decision } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { type Review, type ReviewContext, REVIEWS } from './reviews.ts'

const AUTHZ = 'authorization.k8s.io'
const admin = { name: 'admin', uid: 'admin', groups: ['system:masters', 'system:authenticated'] }

let asked: AuthorizationAttributes[]
let decision: Decision
const context: ReviewContext = {
  user: admin,
  namespace: 'n',
  now: new Date('2026-01-02T03:04:05.678Z'),
  authorizer: {
    authorize(attributes) {
      asked.push(attributes)
      return decision
    },
  },
  rulesFor: (_, namespace) => ({
    rules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] },
      { verbs: ['get'], nonResourceURLs: ['/api'] },
      { verbs: ['list'], apiGroups: [''], resources: [namespace] },
    ],
    errors: namespace === 'broken' ? ['role.rbac.authorization.k8s.io "none" not found'] : [],
  }),
  reviewToken: (token, audiences) =>
    Promise.resolve(
      token === 'secret'
        ? { user: admin, audiences: [...audiences, 'api'] }
        : { error: 'invalid bearer token' },
    ),
}
beforeEach(() => {
  asked = []
  decision = { decision: 'noOpinion', reason: '' }
})

const review = (
  resource: string,
  object: JsonObject,
  metadata: KubeObject['metadata'] = {},
): Promise<KubeObject> => (REVIEWS.get(resource) as Review)({ ...object, metadata }, context)
const sar = (spec: JsonObject | null, metadata = {}): Promise<KubeObject> =>
  review(`subjectaccessreviews.${AUTHZ}`, { spec }, metadata)
const local = (spec: JsonObject, metadata = {}): Promise<KubeObject> =>
  review(`localsubjectaccessreviews.${AUTHZ}`, { spec }, metadata)
const messageOf = (pending: Promise<unknown>): Promise<string> =>
  pending.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  )

describe('access reviews', () => {
  test('of the cluster lie in no namespace; the local show theirs before the rest', async () => {
    const answer = await sar(
      { user: 'jane', nonResourceAttributes: { path: '/', verb: 'get' } },
      { namespace: 'n' },
    )
    expect(answer.metadata).toEqual({})
    const refused = local({ user: 'jane', resourceAttributes: { namespace: 'n' } }, { labels: { x: 'y' } })
    expect(await messageOf(refused)).toContain('Invalid value: {"namespace":"n","labels":{"x":"y"}}: must be')
  })
  test('ask with the user of the spec, any version, nothing left out', async () => {
    await sar({
      user: 'jane',
      groups: ['g'],
      uid: 'u',
      extra: { k: ['v'], __proto: ['w'] },
      resourceAttributes: {
        namespace: 'n',
        verb: 'get',
        group: 'apps',
        resource: 'deployments',
        subresource: 'scale',
        name: 'd',
      },
    })
    expect(asked).toEqual([
      {
        user: { name: 'jane', uid: 'u', groups: ['g'], extra: { k: ['v'], __proto: ['w'] } },
        isResourceRequest: true,
        path: '',
        verb: 'get',
        group: 'apps',
        version: '*',
        resource: 'deployments',
        subresource: 'scale',
        namespace: 'n',
        name: 'd',
      },
    ])
  })
  test.each([
    [
      { decision: 'allow', reason: 'RBAC: x' },
      { allowed: true, reason: 'RBAC: x' },
    ],
    [{ decision: 'noOpinion', reason: '' }, { allowed: false }],
    [
      { decision: 'deny', reason: 'no' },
      { allowed: false, denied: true, reason: 'no' },
    ],
    [
      { decision: 'noOpinion', reason: '', error: 'broken' },
      { allowed: false, evaluationError: 'broken' },
    ],
  ] as [Decision, JsonObject][])('%j becomes %j, whatever status was sent', async (decided, status) => {
    decision = decided
    const spec = { user: 'a', nonResourceAttributes: { path: '/x', verb: 'get' } }
    const answer = await review(`subjectaccessreviews.${AUTHZ}`, {
      kind: 'SubjectAccessReview',
      spec,
      status: { allowed: true, reason: 'mine' },
    })
    expect(answer).toEqual({ kind: 'SubjectAccessReview', metadata: {}, spec, status })
    expect(asked[0]).toMatchObject({ isResourceRequest: false, path: '/x', verb: 'get' })
  })
  test('about oneself: the requester, a spec without a user', async () => {
    await review(`selfsubjectaccessreviews.${AUTHZ}`, {
      spec: { resourceAttributes: { verb: '*', resource: '*' } },
    })
    expect(asked[0]).toMatchObject({ user: admin, verb: '*' })
    expect(await messageOf(review(`selfsubjectaccessreviews.${AUTHZ}`, { spec: {} }))).toBe(
      `.${AUTHZ} "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified`,
    )
  })
  test('managedFields may be there, and stay', async () => {
    const metadata = { managedFields: [{ manager: 'm' }] }
    expect((await sar({ user: 'a', resourceAttributes: {} }, metadata)).metadata).toEqual(metadata)
  })
  test.each([
    [
      null,
      {},
      '[spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]',
    ],
    [
      { user: 'a', resourceAttributes: {}, nonResourceAttributes: { path: '/x' } },
      {},
      'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: cannot be specified in combination with resourceAttributes',
    ],
    [
      { user: 'a', resourceAttributes: {} },
      { labels: { x: 'y' }, namespace: 'n' },
      'metadata: Invalid value: {"labels":{"x":"y"}}: must be empty',
    ],
  ] as [JsonObject | null, JsonObject, string][])('%j %j is refused', async (spec, metadata, faults) => {
    await expect(sar(spec, metadata)).rejects.toMatchObject({
      message: `.${AUTHZ} "" is invalid: ${faults}`,
      status: { code: 422, details: expect.not.objectContaining({ kind: expect.anything() }) },
    })
  })
})

describe('reviews in a namespace', () => {
  test('get the namespace of the request', async () => {
    const answer = await local({ user: 'x', resourceAttributes: { namespace: 'n' } })
    expect(answer).toMatchObject({ metadata: { namespace: 'n' }, status: { allowed: false } })
  })
  test.each([
    [
      { user: 'x', resourceAttributes: { namespace: 'n' } },
      { namespace: 'other' },
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      { user: 'x', resourceAttributes: { namespace: 'other' } },
      {},
      `.${AUTHZ} "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace`,
    ],
    [
      { user: 'x', nonResourceAttributes: { path: '/x', verb: 'get' } },
      {},
      `.${AUTHZ} "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: disallowed on this kind of request`,
    ],
    [
      { user: 'x', resourceAttributes: {} },
      { name: 'q' },
      `.${AUTHZ} "" is invalid: [metadata: Invalid value: {"name":"q","namespace":"n"}: must be empty except for namespace, spec.resourceAttributes.namespace: Invalid value: "": must match metadata.namespace]`,
    ],
  ])('%j %j is refused', async (spec, metadata, message) => {
    expect(await messageOf(local(spec, metadata))).toBe(message)
  })
})

describe('selectors', () => {
  const withSelectors = (resourceAttributes: JsonObject): Promise<KubeObject> =>
    sar({ user: 'a', resourceAttributes })
  const requirements = [
    { key: 'a', operator: 'In', values: [] },
    { key: '', operator: 'Exists', values: ['x'] },
    { key: 'a', operator: 'Foo' },
  ]

  test('are handed on as requirements', async () => {
    await withSelectors({
      labelSelector: {
        requirements: [
          { key: 'a', operator: 'In', values: ['b', 'c'] },
          { key: 'd', operator: 'DoesNotExist' },
        ],
      },
      fieldSelector: { requirements: [{ key: 'metadata.name', operator: 'NotIn', values: ['x'] }] },
    })
    await withSelectors({
      labelSelector: { rawSelector: 'a=b' },
      fieldSelector: { rawSelector: 'spec.nodeName=n' },
    })
    expect(asked).toMatchObject([
      {
        labelSelector: [
          { key: 'a', operator: 'in', values: ['b', 'c'] },
          { key: 'd', operator: '!', values: [] },
        ],
        fieldSelector: [{ key: 'metadata.name', operator: '!=', values: ['x'] }],
      },
      {
        labelSelector: [{ key: 'a', operator: '=', values: ['b'] }],
        fieldSelector: [{ key: 'spec.nodeName', operator: '=', values: ['n'] }],
      },
    ])
  })
  test.each([
    [
      { labelSelector: { rawSelector: 'a ==== b' }, fieldSelector: { rawSelector: 'a' } },
      'spec.resourceAttributes.fieldSelector ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error',
    ],
    [
      {
        labelSelector: {
          requirements: [
            { key: 'a', operator: 'Foo' },
            { key: 'a', operator: 'Exists' },
          ],
        },
        fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] },
      },
      'spec.resourceAttributes.fieldSelector ignored due to parse error; spec.resourceAttributes.labelSelector partially ignored due to parse error',
    ],
  ])('%j is told as ignored', async (attributes, evaluationError) => {
    expect(await withSelectors(attributes)).toMatchObject({ status: { allowed: false, evaluationError } })
  })
  test('their faults, fields first', async () => {
    const message = await messageOf(
      withSelectors({
        labelSelector: { rawSelector: 'a=b', requirements },
        fieldSelector: { rawSelector: 'a=b', requirements },
      }),
    )
    const at = 'spec.resourceAttributes'
    expect(message).toBe(
      `.${AUTHZ} "" is invalid: [${[
        `${at}.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
        `${at}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
        `${at}.fieldSelector.requirements[1].key: Required value: must be specified`,
        `${at}.fieldSelector.requirements[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
        `${at}.labelSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
        `${at}.labelSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
        `${at}.labelSelector.requirements[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
        `${at}.labelSelector.requirements[1].key: Invalid value: "": name part must be non-empty`,
        `${at}.labelSelector.requirements[1].key: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ].join(', ')}]`,
    )
    expect(await messageOf(withSelectors({ labelSelector: {} }))).toMatch(
      /labelSelector\.requirements: Required value: when spec\.resourceAttributes\.labelSelector is specified, requirements or rawSelector is required$/,
    )
  })
})

describe('rules of oneself', () => {
  const rules = (namespace: string): Promise<KubeObject> =>
    review(`selfsubjectrulesreviews.${AUTHZ}`, { spec: { namespace } }, { name: 'dropped' })
  test('resources and paths apart', async () => {
    expect(await rules('m')).toEqual({
      apiVersion: `${AUTHZ}/v1`,
      kind: 'SelfSubjectRulesReview',
      metadata: {},
      spec: {},
      status: {
        resourceRules: [
          { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] },
          { verbs: ['list'], apiGroups: [''], resources: ['m'] },
        ],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/api'] }],
        incomplete: false,
      },
    })
  })
  test('faults are told; a namespace is needed', async () => {
    expect(await rules('broken')).toMatchObject({
      status: { evaluationError: 'role.rbac.authorization.k8s.io "none" not found' },
    })
    await expect(rules('')).rejects.toMatchObject({ code: 400, message: 'no namespace on request' })
  })
})

describe('users and tokens', () => {
  const tokenReview = (object: JsonObject): Promise<KubeObject> =>
    review('tokenreviews.authentication.k8s.io', object)
  const shown = { username: 'admin', uid: 'admin', groups: ['system:masters', 'system:authenticated'] }

  test('who am I', async () => {
    const object = { status: { userInfo: { username: 'other' } } }
    expect(await review('selfsubjectreviews.authentication.k8s.io', object, { name: 'q' })).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: { creationTimestamp: '2026-01-02T03:04:05Z' },
      status: { userInfo: shown },
    })
  })
  test('a known token', async () => {
    expect(await tokenReview({ spec: { token: 'secret', audiences: ['b'] } })).toMatchObject({
      status: { authenticated: true, user: shown, audiences: ['b', 'api'] },
    })
  })
  test('an unknown token, and none', async () => {
    expect(
      (await tokenReview({ spec: { token: 'nope' }, status: { authenticated: true } }))['status'],
    ).toEqual({
      user: {},
      error: 'invalid bearer token',
    })
    await expect(tokenReview({ spec: { token: '' } })).rejects.toMatchObject({
      code: 400,
      message: 'token is required for TokenReview in authentication',
    })
  })
})
