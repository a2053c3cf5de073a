// Tokens of OpenID issuers: their keys, their claims, and the user that the configuration makes of them.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { JwtIssuer } from './authenticationconfig.ts'
import { refusalOf } from './authenticator.ts'
import { compileExpression, type Expression, type Over, type Rule } from './claimexpressions.ts'
import { OidcAuthenticator } from './oidc.ts'

const URL_OF = 'https://idp.test'
const START = Date.parse('2026-05-01T00:00:00Z')
const SECONDS = START / 1000
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const jwk = (key: KeyObject, kid: string): JsonObject => ({
  ...(key.export({ format: 'jwk' }) as JsonObject),
  kid,
})

const ISSUER: JwtIssuer = {
  url: URL_OF,
  audiences: ['me'],
  username: { claim: 'sub', prefix: 'idp:' },
  groups: { claim: 'roles', prefix: 'g:' },
  requiredClaims: new Map(),
}

interface Setup {
  readonly issuer?: Partial<JwtIssuer>
  readonly documents?: Record<string, Json>
}

function issuer({ issuer: given = {}, documents = {} }: Setup = {}) {
  const served: Record<string, Json> = {
    [`${URL_OF}/.well-known/openid-configuration`]: { issuer: URL_OF, jwks_uri: `${URL_OF}/keys` },
    [`${URL_OF}/keys`]: { keys: [jwk(RSA.publicKey, 'one')] },
    ...documents,
  }
  const fetched: string[] = []
  const warned: string[] = []
  let now = START
  const authenticator = new OidcAuthenticator({
    issuer: { ...ISSUER, ...given },
    signingAlgorithms: ['RS256', 'ES256'],
    apiAudiences: ['api'],
    fetch(url) {
      fetched.push(url)
      const document = served[url]
      return document === undefined ? Promise.reject(new Error(`${url} is down`)) : Promise.resolve(document)
    },
    warn: (why) => warned.push(why),
    now: () => now,
  })
  const ask = async (token: string, audiences: readonly string[] = ['api']) => {
    try {
      return await authenticator.authenticateToken(token, audiences)
    } catch (error) {
      return refusalOf(error)
    }
  }
  return { ask, served, fetched, warned, authenticator, pass: (ms: number) => void (now += ms) }
}

function signed(claims: JsonObject, kid = 'one', key = RSA.privateKey): Promise<string> {
  const payload = { iss: URL_OF, aud: 'me', sub: 'jane', exp: SECONDS + 3600, ...claims }
  const alg = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
  return new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader({ alg, kid }).sign(key)
}

test('claims become a user', async () => {
  const { ask, authenticator } = issuer()
  const token = await signed({ roles: ['a', 'b'], jti: 'x' })
  expect(await ask(token)).toEqual({
    user: {
      name: 'idp:jane',
      groups: ['g:a', 'g:b'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x'] },
    },
    audiences: ['api'],
  })
  expect(authenticator.authenticateToken(token, ['api'])).not.toBeInstanceOf(Promise)
  expect(await ask(await signed({ roles: 'one' }))).toMatchObject({ user: { groups: ['g:one'] } })
  expect(await ask(token, ['elsewhere'])).toBeUndefined()
})

describe('refused are', () => {
  test.each([
    [
      { exp: SECONDS - 1 },
      'oidc: verify token: oidc: token is expired (Token Expiry: 2026-04-30T23:59:59.000Z)',
    ],
    [{ nbf: SECONDS + 61 }, 'oidc: verify token: oidc: current time before the nbf (not before) time'],
    [{ aud: ['you'] }, 'oidc: verify token: oidc: expected audience "me" got ["you"]'],
    [{ sub: null }, 'oidc: parse username claims "sub": it is no text'],
    [{ roles: [1] }, 'oidc: parse groups claim "roles": it is no list of texts'],
  ])('%j', async (claims, refusal) => {
    expect(await issuer().ask(await signed(claims))).toBe(refusal)
  })

  test('mail addresses that nobody verified', async () => {
    const { ask } = issuer({ issuer: { username: { claim: 'email', prefix: '' } } })
    expect(await ask(await signed({ email: 'j@x', email_verified: false }))).toBe('oidc: email not verified')
    expect(await ask(await signed({ email: 'j@x', email_verified: true }))).toMatchObject({
      user: { name: 'j@x' },
    })
    expect(await ask(await signed({ email: 'j@x' }))).toMatchObject({ user: { name: 'j@x' } })
  })

  test('tokens without a claim that is required', async () => {
    const { ask } = issuer({ issuer: { requiredClaims: new Map([['tenant', 'a']]) } })
    expect(await ask(await signed({ tenant: 'a' }))).toHaveProperty('user')
    expect(await ask(await signed({}))).toBe('oidc: required claim tenant not present in ID token')
    expect(await ask(await signed({ tenant: 'b' }))).toBe(
      'oidc: required claim tenant value does not match. Got = b, want = a',
    )
  })

  test('signatures of other keys', async () => {
    const { ask } = issuer()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(await ask(await signed({}, 'one', privateKey))).toMatch(/^oidc: verify token: /)
    expect(await ask(await signed({}, 'two', privateKey))).toMatch(/failed to verify id token signature$/)
  })
})

describe('expressions', () => {
  const compiled = (source: string, over: Over = 'claims'): Expression => {
    const one = compileExpression(source, over, 'f')
    if (!('program' in one)) throw new Error(one.message)
    return one as Expression
  }
  const rule = (source: string, over: Over): Rule => ({ expression: compiled(source, over), message: 'no' })
  const mapped: Partial<JwtIssuer> = {
    username: { expression: compiled("'idp:' + claims.sub") },
    groups: { expression: compiled('claims.?roles.orValue([])') },
    uid: { expression: compiled('claims.oid.id') },
    extra: [
      { key: 'example.com/tenant', expression: compiled('claims.tenant') },
      { key: 'example.com/none', expression: compiled("claims.?none.orValue('')") },
    ],
    claimRules: [rule('claims.exp - claims.nbf <= 86400.0', 'condition')],
    userRules: [rule("!user.username.startsWith('idp:system:') && user.extra.size() > 0", 'user')],
  }
  const claims = { nbf: SECONDS, oid: { id: '7' }, tenant: ['t', ''] }

  test('make the user of the claims', async () => {
    const { ask } = issuer({ issuer: mapped })
    expect(await ask(await signed({ ...claims, roles: ['a', 'b'] }))).toEqual({
      user: { name: 'idp:jane', uid: '7', groups: ['a', 'b'], extra: { 'example.com/tenant': ['t'] } },
      audiences: ['api'],
    })
    expect(await ask(await signed({ ...claims, roles: 'one' }))).toMatchObject({ user: { groups: ['one'] } })
    expect(await ask(await signed(claims))).toMatchObject({ user: { groups: [] } })
  })

  test.each([
    [
      { sub: 'system:x' },
      "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('idp:system:') && user.extra.size() > 0' failed: no",
    ],
    [
      { nbf: SECONDS - 100_000 },
      "oidc: error evaluating claim validation expression: validation expression 'claims.exp - claims.nbf <= 86400.0' failed: no",
    ],
    [
      { oid: {} },
      "oidc: error evaluating uid claim expression: expression 'claims.oid.id' resulted in error: no such key: id",
    ],
    [
      { oid: { id: 7 } },
      'oidc: error evaluating uid claim expression: uid claim expression must return a string',
    ],
    [
      { roles: { a: 1 } },
      'oidc: error evaluating group claim expression: expression must return a string or a list of strings',
    ],
  ])('refuse %j', async (more, refusal) => {
    const { ask } = issuer({ issuer: mapped })
    expect(await ask(await signed({ ...claims, ...more }))).toBe(refusal)
  })

  test('that give no name make nobody', async () => {
    const { ask } = issuer({ issuer: { username: { expression: compiled("claims.?name.orValue('')") } } })
    expect(await ask(await signed({}))).toBe('oidc: empty username via CEL expression is not allowed')
  })
})

test('tokens of other issuers are for others', async () => {
  const { ask, fetched } = issuer()
  expect(await ask(await signed({ iss: 'https://other.test' }))).toBeUndefined()
  expect(await ask('no.jwt')).toBeUndefined()
  expect(fetched).toEqual([])
})

test('a new key is fetched when its first token comes, but not for every token', async () => {
  const { ask, served, fetched, pass } = issuer()
  expect(await ask(await signed({}))).toHaveProperty('user')
  served[`${URL_OF}/keys`] = { keys: [jwk(RSA.publicKey, 'one'), jwk(EC.publicKey, 'new'), { kty: 'odd' }] }
  const token = await signed({}, 'new', EC.privateKey)
  expect(await ask(token)).toMatch(/signature$/)
  expect(fetched).toHaveLength(2)
  pass(10_000)
  expect(await ask(token)).toHaveProperty('user')
  expect(fetched).toHaveLength(4)
})

test('an issuer that is down, or says that it is another, is asked again later', async () => {
  const { ask, served, warned, pass } = issuer({
    documents: {
      [`${URL_OF}/.well-known/openid-configuration`]: { issuer: 'https://x.test', jwks_uri: 'y' },
    },
  })
  const token = await signed({})
  expect(await ask(token)).toBe('oidc: verify token: authenticator not initialized')
  expect(warned).toEqual([
    'issuer did not match the issuer returned by provider, expected "https://idp.test" got "https://x.test"',
  ])
  served[`${URL_OF}/.well-known/openid-configuration`] = { issuer: URL_OF, jwks_uri: `${URL_OF}/keys` }
  expect(await ask(token)).toBe('oidc: verify token: authenticator not initialized')
  pass(10_000)
  expect(await ask(token)).toHaveProperty('user')
})

test('its configuration may be elsewhere', async () => {
  const discoveryUrl = 'https://elsewhere.test/configuration'
  const documents = { [discoveryUrl]: { issuer: URL_OF, jwks_uri: `${URL_OF}/keys` } }
  const { ask, fetched } = issuer({ issuer: { discoveryUrl }, documents })
  expect(await ask(await signed({}))).toHaveProperty('user')
  expect(fetched).toEqual([discoveryUrl, `${URL_OF}/keys`])
})
