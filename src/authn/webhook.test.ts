// A server that knows tokens: what it is asked, how often, and what its answers mean.
import { describe, expect, test } from 'vitest'
import { refusalOf } from './authenticator.ts'
import { HookFailure } from '../machinery/askagain.ts'
import type { JsonObject } from '../machinery/json.ts'
import { WebhookAuthenticator } from './webhook.ts'

type Answer = JsonObject | Error

const reviewed = (status: JsonObject): JsonObject => ({ kind: 'TokenReview', status })
const JANE = { username: 'jane', uid: '1', groups: ['g'], extra: { 'example.com/a': ['b'] } }

function webhook(...answers: Answer[]) {
  const asked: { apiVersion: string; spec: object }[] = []
  const waited: number[] = []
  const warned: string[] = []
  let now = 0
  const authenticator = new WebhookAuthenticator({
    version: 'v1beta1',
    apiAudiences: ['api'],
    cacheMs: 1000,
    send(body) {
      asked.push(JSON.parse(body.toString()) as { apiVersion: string; spec: object })
      const answer = answers.shift() ?? new Error('no answer is left')
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    warn: (why) => warned.push(why),
    now: () => now,
    wait: (ms) => Promise.resolve(void waited.push(ms)),
  })
  const ask = async (token: string, audiences: readonly string[] = ['api']) => {
    try {
      return await authenticator.authenticateToken(token, audiences)
    } catch (error) {
      return refusalOf(error)
    }
  }
  return { ask, asked, waited, warned, authenticator, pass: (ms: number) => void (now += ms) }
}

describe('a token that it knows', () => {
  const user = { name: 'jane', uid: '1', groups: ['g'], extra: { 'example.com/a': ['b'] } }

  test('is asked about once, and again when the answer is old', async () => {
    const { ask, asked, pass, authenticator } = webhook(
      reviewed({ authenticated: true, user: JANE }),
      reviewed({ authenticated: true, user: { username: 'joe' } }),
    )
    const answers = await Promise.all([ask('t'), ask('t')])
    expect(answers).toEqual(Array(2).fill({ user, audiences: ['api'] }))
    expect(authenticator.authenticateToken('t', ['api'])).not.toBeInstanceOf(Promise)
    expect(asked).toEqual([
      expect.objectContaining({
        apiVersion: 'authentication.k8s.io/v1beta1',
        kind: 'TokenReview',
        spec: { token: 't', audiences: ['api'] },
      }),
    ])
    pass(1001)
    expect(await ask('t')).toEqual({ user: { name: 'joe', groups: [] }, audiences: ['api'] })
  })

  test('is for the audiences that it says, else for those of this server', async () => {
    const { ask } = webhook(
      reviewed({ authenticated: true, user: JANE, audiences: ['other'] }),
      reviewed({ authenticated: true, user: JANE }),
    )
    expect(await ask('t', ['other', 'more'])).toMatchObject({ audiences: ['other'] })
    expect(await ask('t', ['more'])).toBeUndefined()
  })
})

test('a token that it does not know is nobody, and that is remembered', async () => {
  const { ask, asked } = webhook(reviewed({ authenticated: false }))
  expect([await ask('t'), await ask('t')]).toEqual([undefined, undefined])
  expect(asked).toHaveLength(1)
})

test('a token with a fault is refused, and asked about again', async () => {
  const { ask } = webhook(reviewed({ error: 'too old' }), reviewed({ authenticated: true, user: JANE }))
  expect(await ask('t')).toBe('too old')
  expect(await ask('t')).toHaveProperty('user')
})

describe('a webhook that does not answer well', () => {
  test('is asked again after a fault that may pass', async () => {
    const { ask, waited } = webhook(
      new HookFailure('broken', true),
      reviewed({ authenticated: true, user: JANE }),
    )
    expect(await ask('t')).toHaveProperty('user')
    expect(waited).toHaveLength(1)
  })

  test('is given up after five attempts, each after a longer pause', async () => {
    const { ask, asked, waited, warned } = webhook(...Array<Answer>(9).fill(new HookFailure('broken', true)))
    expect(await ask('t')).toBe('broken')
    expect([asked.length, warned.length]).toEqual([5, 1])
    expect(waited).toEqual([...waited].sort((a, b) => a - b))
  })

  test.each([
    ['one that will not pass', new HookFailure('no', false), 'no'],
    ['another kind', { kind: 'Pod' }, 'the webhook did not answer with a TokenReview'],
    ['a fault of ours', new Error('out of order'), 'out of order'],
  ])('is not asked again after %s', async (_, first, refusal) => {
    const { ask, asked } = webhook(first)
    expect(await ask('t')).toBe(refusal)
    expect(asked).toHaveLength(1)
  })
})
