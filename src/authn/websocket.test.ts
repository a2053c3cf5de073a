// Tokens in the subprotocols of WebSockets; what is refused, and in which words, is upstream's.
import { describe, expect, test } from 'vitest'
import { refusalOf, type TokenAuthenticator } from './authenticator.ts'
import { webSocketToken } from './websocket.ts'

const PREFIX = 'base64url.bearer.authorization.k8s.io.'
const jane = { name: 'jane', groups: [] }
const tokens: TokenAuthenticator = {
  authenticateToken: (token) => (token === 'sécret' ? { user: jane, audiences: [] } : undefined),
}
const { authenticate } = webSocketToken([tokens], [])
const encoded = (token: string | Buffer): string => PREFIX + Buffer.from(token).toString('base64url')
const UPGRADE = { connection: 'keep-alive, Upgrade', upgrade: 'WebSocket' }
const ask = (protocols: string | undefined, headers: object = UPGRADE) =>
  authenticate({
    headers: { ...headers, ...(protocols === undefined ? {} : { 'sec-websocket-protocol': protocols }) },
  })

test('a token beside another protocol', () => {
  expect(ask(`${encoded('sécret')}, v5.channel.k8s.io`)).toBe(jane)
  expect(ask(`v5.channel.k8s.io,${encoded('sécret')}`)).toBe(jane)
})

describe('nothing to it', () => {
  test.each<[string, string | undefined, object?]>([
    ['no protocol', undefined],
    ['no token among them', 'v5.channel.k8s.io'],
    ['an empty token', `${PREFIX}, v5.channel.k8s.io`],
    ['no WebSocket', `${encoded('sécret')}, v5.channel.k8s.io`, {}],
    ['another upgrade', `${encoded('sécret')}, a`, { connection: 'upgrade', upgrade: 'SPDY/3.1' }],
  ])('%s', (_, protocols, headers) => {
    expect(ask(protocols, headers)).toBeUndefined()
  })
})

describe('refused', () => {
  test.each([
    [
      'two tokens',
      `${encoded('a')}, ${encoded('b')}, x`,
      'multiple base64.bearer.authorization tokens specified',
    ],
    ['padding', `${PREFIX}YQ==, x`, 'invalid base64.bearer.authorization token encoding'],
    ['the other alphabet', `${PREFIX}a+/b, x`, 'invalid base64.bearer.authorization token encoding'],
    ['a length that none has', `${PREFIX}abcde, x`, 'invalid base64.bearer.authorization token encoding'],
    ['no UTF-8', `${encoded(Buffer.from([0xff, 0xfe]))}, x`, 'invalid base64.bearer.authorization token'],
    ['no other protocol', encoded('sécret'), 'missing additional subprotocol'],
    ['a token that nobody knows', `${encoded('x')}, y`, 'invalid bearer token'],
  ])('%s', (_, protocols, why) => {
    let refusal: unknown
    try {
      void ask(protocols)
    } catch (error) {
      refusal = error
    }
    expect(refusalOf(refusal)).toBe(why)
  })
})
