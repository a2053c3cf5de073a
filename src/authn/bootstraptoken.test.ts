// Tokens of nodes that join: what a secret must say for its token to be known.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { bootstrapTokens } from './bootstraptoken.ts'

const NOW = Date.parse('2026-05-01T00:00:00Z')
const GOOD: Record<string, string> = {
  'token-id': 'abcdef',
  'token-secret': '0123456789abcdef',
  'usage-bootstrap-authentication': 'true',
}

function ask(data: Record<string, string>, more: JsonObject = {}, token = 'abcdef.0123456789abcdef') {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  const secret: KubeObject = {
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: 'bootstrap-token-abcdef' },
    data: Object.fromEntries(encoded) as JsonObject,
    ...more,
  }
  const objects = {
    get: (_: unknown, namespace: string, name: string) =>
      namespace === 'kube-system' && name === 'bootstrap-token-abcdef' ? secret : undefined,
    fresh: () => Promise.resolve(),
  }
  return bootstrapTokens(objects, ['api'], () => NOW).authenticateToken(token, ['api', 'other'])
}

test('a secret that says all makes a user', () => {
  const data = { ...GOOD, 'auth-extra-groups': 'system:bootstrappers:z,system:bootstrappers:a' }
  expect(ask(data)).toEqual({
    user: {
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:a', 'system:bootstrappers:z'],
    },
    audiences: ['api'],
  })
  expect(ask({ ...GOOD, expiration: '2026-05-01T00:00:01Z' })).toBeDefined()
})

describe('nobody is', () => {
  test.each([
    ['another secret', { ...GOOD, 'token-secret': '0123456789abcdee' }],
    ['a longer secret', { ...GOOD, 'token-secret': '0123456789abcdef0' }],
    ['another id', { ...GOOD, 'token-id': 'abcdee' }],
    ['no use as a login', { ...GOOD, 'usage-bootstrap-authentication': 'false' }],
    ['over', { ...GOOD, expiration: '2026-05-01T00:00:00Z' }],
    ['over at a time that cannot be read', { ...GOOD, expiration: 'tomorrow' }],
    ['in a group of others', { ...GOOD, 'auth-extra-groups': 'system:masters' }],
  ])('%s', (_, data) => {
    expect(ask(data)).toBeUndefined()
  })

  test('a secret of another type, or on its way out', () => {
    expect(ask(GOOD, { type: 'Opaque' })).toBeUndefined()
    const metadata = { name: 'bootstrap-token-abcdef', deletionTimestamp: '2026-05-01T00:00:00Z' }
    expect(ask(GOOD, { metadata })).toBeUndefined()
  })

  test.each(['abcdef.0123456789abcde', 'ABCDEF.0123456789abcdef', 'abcdef.0123456789abcdef.x', 'abcdef'])(
    'a token of another form: %s',
    (token) => {
      expect(ask(GOOD, {}, token)).toBeUndefined()
    },
  )

  test('a token without a secret', async () => {
    expect(await ask(GOOD, {}, 'zzzzzz.0123456789abcdef')).toBeUndefined()
  })
})
