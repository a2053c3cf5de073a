// A server that decides on requests: what it is asked, how long its answers hold, and what its failures come to.
import { describe, expect, test } from 'vitest'
import { HookFailure } from '../machinery/askagain.ts'
import type { JsonObject } from '../machinery/json.ts'
import { compileCondition, conditionsHold, type MatchCondition } from './matchconditions.ts'
import { pathRequest, request, user } from './policy.fixture.ts'
import { WebhookAuthorizer, type WebhookAuthorizerOptions } from './webhook.ts'

type Answer = JsonObject | Error

const reviewed = (status: JsonObject): JsonObject => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  status,
})
const jane = user('jane', 'g')

function webhook(more: Partial<WebhookAuthorizerOptions>, ...answers: Answer[]) {
  const asked: JsonObject[] = []
  const waited: number[] = []
  let now = 0
  const authorizer = new WebhookAuthorizer({
    version: 'v1',
    authorizedTtlMs: 1000,
    unauthorizedTtlMs: 100,
    decisionOnError: 'noOpinion',
    send(body) {
      asked.push(JSON.parse(body.toString()) as JsonObject)
      const answer = answers.shift() ?? new Error('no answer is left')
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    warn: () => undefined,
    now: () => now,
    wait: (ms) => Promise.resolve(void waited.push(ms)),
    ...more,
  })
  return { authorizer, asked, waited, pass: (ms: number) => void (now += ms) }
}

const condition = (source: string): MatchCondition => {
  const compiled = compileCondition(source, 'f')
  if (!('program' in compiled)) throw new Error(compiled.message)
  return compiled as MatchCondition
}
const when = (...sources: string[]): Pick<WebhookAuthorizerOptions, 'matches'> => {
  const conditions = sources.map(condition)
  return { matches: (spec) => conditionsHold(conditions, spec) }
}

describe('what it is asked', () => {
  test('a request for a resource, with its selectors', async () => {
    const { authorizer, asked } = webhook({}, reviewed({ allowed: true, reason: 'friend' }))
    const attributes = {
      ...request({ ...jane, uid: '7', extra: { 'example.com/a': ['b'] } }, 'list', 'pods', {
        namespace: 'n',
      }),
      fieldSelector: [{ key: 'spec.nodeName', operator: '=', values: ['x'] }],
      labelSelector: [
        { key: 'a', operator: 'in', values: ['b', 'c'] },
        { key: 'd', operator: 'exists', values: [] },
        { key: 'e', operator: 'gt', values: ['1'] },
      ],
    }
    expect(await authorizer.authorize(attributes)).toEqual({ decision: 'allow', reason: 'friend' })
    expect(asked).toEqual([
      {
        kind: 'SubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        metadata: {},
        spec: {
          resourceAttributes: {
            namespace: 'n',
            verb: 'list',
            version: 'v1',
            resource: 'pods',
            fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['x'] }] },
            labelSelector: {
              requirements: [
                { key: 'a', operator: 'In', values: ['b', 'c'] },
                { key: 'd', operator: 'Exists' },
              ],
            },
          },
          user: 'jane',
          groups: ['g'],
          extra: { 'example.com/a': ['b'] },
          uid: '7',
        },
        status: { allowed: false },
      },
    ])
  })

  test('a path, in the words of v1beta1', async () => {
    const { authorizer, asked } = webhook(
      { version: 'v1beta1' },
      { status: { allowed: false, reason: 'no' } },
    )
    expect(await authorizer.authorize(pathRequest(jane, 'get', '/x'))).toEqual({
      decision: 'noOpinion',
      reason: 'no',
    })
    expect(asked[0]).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1beta1',
      spec: { nonResourceAttributes: { path: '/x', verb: 'get' }, user: 'jane', group: ['g'] },
    })
  })
})

test('answers hold for their time; the same question is not asked before', async () => {
  const { authorizer, asked, pass } = webhook(
    {},
    reviewed({ allowed: true }),
    reviewed({ allowed: false, denied: true, reason: 'never' }),
    reviewed({ allowed: true }),
  )
  const get = request(jane, 'get', 'pods')
  await authorizer.authorize(get)
  expect(authorizer.authorize(get)).toEqual({ decision: 'allow', reason: '' })
  pass(1000)
  expect(await authorizer.authorize(get)).toEqual({ decision: 'deny', reason: 'never' })
  pass(99)
  expect(await authorizer.authorize(get)).toMatchObject({ decision: 'deny' })
  pass(1)
  expect(await authorizer.authorize(get)).toMatchObject({ decision: 'allow' })
  expect(asked).toHaveLength(3)
})

test('what is as long as clients like is not remembered', async () => {
  const { authorizer, asked } = webhook({}, reviewed({ allowed: true }), reviewed({ allowed: true }))
  const long = pathRequest(jane, 'get', `/${'x'.repeat(10_000)}`)
  await authorizer.authorize(long)
  await authorizer.authorize(long)
  expect(asked).toHaveLength(2)
})

describe('a webhook that fails', () => {
  test('is asked five times where that may help, and is no opinion', async () => {
    const { authorizer, asked, waited } = webhook(
      {},
      ...Array<Answer>(9).fill(new HookFailure('broken', true)),
    )
    const get = request(jane, 'get', 'pods')
    expect(await authorizer.authorize(get)).toEqual({ decision: 'noOpinion', reason: '', error: 'broken' })
    expect([asked.length, waited.length]).toEqual([5, 4])
  })

  test.each([
    ['will not pass', new HookFailure('no', false), 'no'],
    ['answers with both', reviewed({ allowed: true, denied: true }), /both allow and deny response$/],
    ['answers with another kind', { kind: 'Pod' }, /^expected a SubjectAccessReview/],
  ])('that %s is a denial by policy', async (_, first, why) => {
    const { authorizer, asked } = webhook({ decisionOnError: 'deny' }, first)
    expect(await authorizer.authorize(request(jane, 'get', 'pods'))).toEqual({
      decision: 'deny',
      reason: '',
      error: expect.stringMatching(why),
    })
    expect(asked).toHaveLength(1)
  })
})

describe('match conditions', () => {
  const get = request(jane, 'get', 'pods', { namespace: 'n' })

  test('choose what it is asked about', async () => {
    const { authorizer, asked } = webhook(
      when(
        "!('system:masters' in request.groups)",
        "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'n'",
      ),
      reviewed({ allowed: true }),
    )
    const skipped = { decision: 'noOpinion', reason: '' }
    expect(authorizer.authorize(request(user('x', 'system:masters'), 'get', 'pods'))).toEqual(skipped)
    expect(authorizer.authorize(pathRequest(jane, 'get', '/x'))).toEqual(skipped)
    expect(await authorizer.authorize(get)).toMatchObject({ decision: 'allow' })
    expect(asked).toHaveLength(1)
  })

  test('see what a review leaves out as empty, and selectors', () => {
    const { matches } = when(
      "request.uid == '' && request.extra.size() == 0 && request.resourceAttributes.subresource == ''",
      "!has(request.resourceAttributes.labelSelector) || request.resourceAttributes.labelSelector.requirements.exists(r, r.key == 'a' && r.operator == 'In' && 'b' in r.values)",
    )
    expect(matches?.({ user: 'u', resourceAttributes: { verb: 'get' } })).toBe(true)
    const selected = (values: string[]) => ({
      resourceAttributes: { labelSelector: { requirements: [{ key: 'a', operator: 'In', values }] } },
    })
    expect([matches?.(selected(['b'])), matches?.(selected(['c']))]).toEqual([true, false])
  })

  test('that cannot be evaluated fail the webhook, unless another is false', () => {
    const broken = 'request.nonResourceAttributes.path == "/x"'
    const failing = webhook({ ...when(broken, 'true'), decisionOnError: 'deny' })
    expect(failing.authorizer.authorize(get)).toEqual({
      decision: 'deny',
      reason: '',
      error: `cel evaluation error: expression '${broken}' resulted in error: no such key: nonResourceAttributes`,
    })
    expect(webhook(when(broken, 'false')).authorizer.authorize(get)).toEqual({
      decision: 'noOpinion',
      reason: '',
    })
  })

  test('must be boolean expressions over the request', () => {
    expect(compileCondition('1', 'f')).toMatchObject({
      message: 'Invalid value: "1": must evaluate to bool but got int',
    })
    expect(compileCondition('object == 1', 'f')).toMatchObject({
      message: expect.stringContaining(
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'object'",
      ),
    })
    expect(compileCondition('request.nothing', 'f')).toMatchObject({
      message: expect.stringContaining("undefined field 'nothing'"),
    })
  })
})

test('its rules cannot be listed', () => {
  expect(webhook({}).authorizer.rulesFor()).toEqual({
    rules: [],
    errors: ['webhook authorizer does not support user rule resolution'],
    incomplete: true,
  })
})
