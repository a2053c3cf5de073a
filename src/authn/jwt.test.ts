// Tokens of service accounts: what is accepted, for how long, and what is refused in which words.
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { refusalOf } from './authenticator.ts'
import { boundTokens } from './boundtoken.ts'
import { tokenSigner } from './issuer.ts'
import { JwtAuthenticator } from './jwt.ts'
import { LEGACY_ISSUER, legacyTokens } from './legacytoken.ts'
import { signingKey, verifyingKeys } from './signingkeys.ts'

const ISSUER = 'https://issuer.test'
const AUDIENCES = ['api']
const START = Date.parse('2026-05-01T00:00:00Z')
const SECONDS = START / 1000

function ecKey(namedCurve = 'P-256'): string {
  return generateKeyPairSync('ec', { namedCurve })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString()
const OWN = ecKey()

interface Setup {
  readonly keys?: readonly string[]
  readonly unseen?: readonly string[]
}

/** A cluster with the account, pod, node and secret that tokens name. */
function cluster({ keys = [OWN], unseen = [] }: Setup = {}) {
  const objects = new Map<string, KubeObject>(
    ['serviceaccounts/ns/sa', 'pods/ns/p', 'nodes//n', 'secrets/ns/s'].map((key) => {
      const [, namespace = '', name = ''] = key.split('/')
      return [key, { metadata: { namespace, name, uid: `uid-of-${name}` } }]
    }),
  )
  const hidden = new Set(unseen)
  const marked: unknown[] = []
  let now = START
  const store = {
    get: ({ resource }: { resource: string }, namespace: string, name: string) =>
      hidden.has(resource) ? undefined : objects.get(`${resource}/${namespace}/${name}`),
    fresh: (...resources: { resource: string }[]) => {
      for (const { resource } of resources) hidden.delete(resource)
      return Promise.resolve()
    },
  }
  const authenticator = new JwtAuthenticator({
    keys: keys.flatMap(verifyingKeys),
    issuers: new Map([
      [ISSUER, boundTokens(store)],
      [LEGACY_ISSUER, legacyTokens(store, (secret, label) => marked.push([secret.metadata.name, label]))],
    ]),
    apiAudiences: AUDIENCES,
    now: () => now,
  })
  const ask = async (token: string, audiences: readonly string[] = AUDIENCES) => {
    try {
      return await authenticator.authenticateToken(token, audiences)
    } catch (error) {
      return refusalOf(error)
    }
  }
  return { objects, marked, authenticator, ask, pass: (ms: number) => void (now += ms) }
}

const claimsFor = (bound: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  aud: ['api', 'other'],
  exp: SECONDS + 3600,
  iat: SECONDS,
  nbf: SECONDS,
  jti: 'j',
  sub: 'system:serviceaccount:ns:sa',
  'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'sa', uid: 'uid-of-sa' }, ...bound },
  ...more,
})

const signed = (claims: JsonObject, key = OWN, issuer = ISSUER): Promise<string> =>
  tokenSigner(issuer, signingKey(key))(claims)

const POD = { pod: { name: 'p', uid: 'uid-of-p' }, node: { name: 'n', uid: 'uid-of-n' } }

describe('tokens of this issuer', () => {
  test.each([
    ['RSA', RSA],
    ['P-256', OWN],
    ['P-384', ecKey('P-384')],
    ['P-521', ecKey('P-521')],
  ])('are known by a key of type %s', async (_, key) => {
    const answer = await cluster({ keys: [OWN, key] }).ask(await signed(claimsFor(), key))
    expect(answer).toEqual({
      user: {
        name: 'system:serviceaccount:ns:sa',
        uid: 'uid-of-sa',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
        extra: { 'authentication.kubernetes.io/credential-id': ['JTI=j'] },
      },
      audiences: ['api'],
    })
  })

  test.each<[string, JsonObject, string]>([
    [
      'an audience',
      { aud: 5 },
      'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience',
    ],
    ['a time', { exp: 'x' }, 'go-jose/go-jose/jwt: expected number value to unmarshal NumericDate'],
    [
      'what is ours',
      { 'kubernetes.io': 'x' },
      'json: cannot unmarshal string into Go value of type serviceaccount.kubernetes',
    ],
    [
      'a name',
      { 'kubernetes.io': { pod: { name: 5 } } },
      'json: cannot unmarshal number into Go value of type string',
    ],
  ])('are refused with %s of another type', async (_, more, why) => {
    const { ask } = cluster()
    expect(await ask(await signed(claimsFor({}, more)))).toBe(why)
  })

  test('are refused for their audience before what they lack is told', async () => {
    const { ask } = cluster()
    const token = await signed({ sub: 'x' }, OWN, LEGACY_ISSUER)
    expect(await ask(token, ['x'])).toContain('is invalid for the target audiences ["x"]')
    expect(await ask(token)).toBe('namespace claim is missing')
  })

  test('tell pod and node', async () => {
    const answer = await cluster().ask(await signed(claimsFor(POD)))
    expect(answer).toMatchObject({
      user: {
        extra: {
          'authentication.kubernetes.io/pod-name': ['p'],
          'authentication.kubernetes.io/pod-uid': ['uid-of-p'],
          'authentication.kubernetes.io/node-name': ['n'],
          'authentication.kubernetes.io/node-uid': ['uid-of-n'],
        },
      },
    })
  })

  test('are verified once, and give the same user again, at once', async () => {
    const { ask, authenticator } = cluster()
    const token = await signed(claimsFor(POD))
    const [first, second] = await Promise.all([ask(token), ask(token)])
    const third = authenticator.authenticateToken(token, AUDIENCES)
    expect(third).not.toBeInstanceOf(Promise)
    expect([second, third].map((answer) => (answer as { user: object }).user)).toEqual(
      Array(2).fill((first as { user: object }).user),
    )
    expect((third as { user: object }).user).toBe((first as { user: object }).user)
  })

  test('wait for objects that the cache has not seen', async () => {
    const { ask } = cluster({ unseen: ['serviceaccounts', 'pods'] })
    expect(await ask(await signed(claimsFor(POD)))).toHaveProperty('user')
  })

  test('are good for their audiences', async () => {
    const { ask } = cluster()
    const token = await signed(claimsFor())
    expect(await ask(token, ['other', 'third'])).toMatchObject({ audiences: ['other'] })
    expect(await ask(token, ['third'])).toBe(
      'token audiences ["api" "other"] is invalid for the target audiences ["third"]',
    )
    expect(await ask(await signed(claimsFor({}, { aud: [] })))).toMatchObject({ audiences: ['api'] })
  })

  test('begin and end, with a minute for clocks that differ', async () => {
    const { ask, pass } = cluster()
    const token = await signed(claimsFor())
    pass(-61_000)
    expect(await ask(token)).toBe('service account token is not valid yet')
    expect(await ask(await signed(claimsFor({}, { nbf: 0 })))).toBe(
      'service account token is issued in the future',
    )
    pass(61_000 + 3600_000 + 59_000)
    expect(await ask(token)).toHaveProperty('user')
    pass(2_000)
    expect(await ask(token)).toBe('service account token has expired')
  })

  test('are remarked on when they were to be replaced', async () => {
    const { ask, pass } = cluster()
    const token = await signed(claimsFor({ ...POD, warnafter: SECONDS + 10 }))
    expect(await ask(token)).not.toHaveProperty('annotations')
    pass(25_000)
    expect(await ask(token)).toMatchObject({
      annotations: {
        'authentication.k8s.io/stale-token':
          'subject: system:serviceaccount:ns:sa, seconds after warning threshold: 15',
      },
    })
  })
})

describe('tokens end with', () => {
  const bound: [string, string, JsonObject, string][] = [
    ['the account', 'serviceaccounts/ns/sa', {}, 'serviceaccounts "sa" not found'],
    ['the pod', 'pods/ns/p', POD, 'service account token has been invalidated'],
    [
      'the secret',
      'secrets/ns/s',
      { secret: { name: 's', uid: 'uid-of-s' } },
      'service account token has been invalidated',
    ],
    ['the node', 'nodes//n', { node: POD.node }, 'service account token has been invalidated'],
  ]
  test.each(bound)('%s', async (_, key, claims, refusal) => {
    const { ask, objects } = cluster()
    const token = await signed(claimsFor(claims))
    expect(await ask(token)).toHaveProperty('user')
    objects.delete(key)
    expect(await ask(token)).toBe(refusal)
  })

  test.each([
    ['serviceaccounts/ns/sa', {}, 'service account UID (new) does not match claim (uid-of-sa)'],
    ['pods/ns/p', POD, 'pod UID (new) does not match service account pod ref claim (uid-of-p)'],
    [
      'nodes//n',
      { node: POD.node },
      'node UID (new) does not match service account node ref claim (uid-of-n)',
    ],
  ])('another object in the place of %s', async (key, claims, refusal) => {
    const { ask, objects } = cluster()
    objects.set(key, { metadata: { uid: 'new' } })
    expect(await ask(await signed(claimsFor(claims)))).toBe(refusal)
  })

  test('a deletion, after a minute', async () => {
    const { ask, objects, pass } = cluster()
    const token = await signed(claimsFor(POD))
    const deletionTimestamp = new Date(START).toISOString()
    objects.set('pods/ns/p', { metadata: { uid: 'uid-of-p', deletionTimestamp } })
    pass(59_000)
    expect(await ask(token)).toHaveProperty('user')
    pass(2_000)
    expect(await ask(token)).toBe('service account token has been invalidated')
    objects.set('pods/ns/p', { metadata: { uid: 'uid-of-p' } })
    objects.set('serviceaccounts/ns/sa', { metadata: { uid: 'uid-of-sa', deletionTimestamp } })
    expect(await ask(token)).toBe('service account ns/sa has been deleted')
  })
})

describe('forgeries', () => {
  const BAD = 'go-jose/go-jose: error in cryptographic primitive'

  test('other keys, changed claims', async () => {
    const { ask } = cluster()
    expect(await ask(await signed(claimsFor(), ecKey()))).toBe('invalid signature, no keys found')
    const [header, , signature] = (await signed(claimsFor())).split('.')
    const payload = Buffer.from(JSON.stringify({ ...claimsFor(), iss: ISSUER, exp: SECONDS * 2 })).toString(
      'base64url',
    )
    expect(await ask(`${header}.${payload}.${signature}`)).toBe(BAD)
  })

  test('no algorithm, and a public key taken for a secret', async () => {
    const { ask } = cluster({ keys: [RSA] })
    const part = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const body = part({ ...claimsFor(), iss: ISSUER })
    expect(await ask(`${part({ alg: 'none' })}.${body}.`)).toBe(BAD)
    const text = `${part({ alg: 'HS256' })}.${body}`
    const publicKey = verifyingKeys(RSA)[0]?.key.export({ type: 'spki', format: 'pem' }) as string
    expect(await ask(`${text}.${createHmac('sha256', publicKey).update(text).digest('base64url')}`)).toBe(BAD)
  })

  test.each(['', 'a.b', 'a.b.c', 'e30.e30.e30', '..', 'a.b.c.d', `e30.${'A'.repeat(20_000)}.e30`])(
    '%j is no token of this issuer',
    async (token) => {
      expect(await cluster().ask(token)).toBeUndefined()
    },
  )

  test('tokens of other issuers are for others', async () => {
    expect(await cluster().ask(await signed(claimsFor(), OWN, 'https://other.test'))).toBeUndefined()
  })
})

describe('tokens in secrets', () => {
  const claims = (more: JsonObject = {}): JsonObject => ({
    sub: 'system:serviceaccount:ns:sa',
    'kubernetes.io/serviceaccount/namespace': 'ns',
    'kubernetes.io/serviceaccount/secret.name': 's',
    'kubernetes.io/serviceaccount/service-account.name': 'sa',
    'kubernetes.io/serviceaccount/service-account.uid': 'uid-of-sa',
    ...more,
  })

  async function kept(more: JsonObject = {}, metadata: JsonObject = {}) {
    const { objects, ...rest } = cluster()
    const token = await signed(claims(more), OWN, LEGACY_ISSUER)
    const data = { token: Buffer.from(token).toString('base64') }
    objects.set('secrets/ns/s', { metadata: { name: 's', namespace: 'ns', ...metadata }, data })
    return { objects, token, ...rest }
  }

  test('are good while the secret holds them, and the day of use is noted', async () => {
    const { ask, token, objects, marked } = await kept()
    expect(await ask(token)).toMatchObject({
      user: { name: 'system:serviceaccount:ns:sa' },
      audiences: ['api'],
      annotations: { 'authentication.k8s.io/legacy-token-manual-secret': 's' },
    })
    expect(marked).toEqual([['s', { 'kubernetes.io/legacy-token-last-used': '2026-05-01' }]])
    objects.set('secrets/ns/s', { metadata: { name: 's' }, data: { token: 'eA==' } })
    expect(await ask(token)).toBe("Token does not match server's copy")
    objects.delete('secrets/ns/s')
    expect(await ask(token)).toBe('Token has been invalidated')
  })

  test('are warned of when the account lists the secret', async () => {
    const { ask, token, objects } = await kept()
    objects.set('serviceaccounts/ns/sa', { metadata: { uid: 'uid-of-sa' }, secrets: [{ name: 's' }] })
    expect(await ask(token)).toMatchObject({
      warnings: [expect.stringMatching(/^Use tokens from the TokenRequest API/)],
    })
  })

  test('may be marked invalid', async () => {
    const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-04-01' }
    const { ask, token } = await kept({}, { labels })
    expect(await ask(token)).toMatch(
      /^the token in secret ns\/s for service account ns\/sa has been marked invalid/,
    )
  })

  test.each([
    [{ sub: '' }, 'sub claim is missing'],
    [{ sub: 'system:serviceaccount:ns:other' }, 'sub claim is invalid'],
    [{ 'kubernetes.io/serviceaccount/namespace': '' }, 'namespace claim is missing'],
    [{ 'kubernetes.io/serviceaccount/secret.name': '' }, 'secretName claim is missing'],
    [
      { 'kubernetes.io/serviceaccount/secret.name': 7 },
      'json: cannot unmarshal number into Go value of type string',
    ],
  ])('need their claims: %j', async (more, refusal) => {
    const { ask, token } = await kept(more)
    expect(await ask(token)).toBe(refusal)
  })
})

describe('keys', () => {
  test('several of a file, parameters of curves between them', () => {
    const pem = `${OWN}\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${RSA}`
    expect(verifyingKeys(pem).map(({ algorithms }) => algorithms[0])).toEqual(['ES256', 'RS256'])
    expect(signingKey(pem)).toMatchObject({ algorithm: 'ES256', id: verifyingKeys(OWN)[0]?.id })
  })

  test('what is none, too short, or of another kind', () => {
    const ed = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    expect(() => verifyingKeys('nothing')).toThrow('does not contain any valid RSA or ECDSA public keys')
    expect(() =>
      signingKey(verifyingKeys(OWN)[0]?.key.export({ type: 'spki', format: 'pem' }) as string),
    ).toThrow('does not contain a valid RSA or ECDSA private key')
    expect(() => verifyingKeys(ed)).toThrow('ed25519')
    expect(() => verifyingKeys(short.export({ type: 'spki', format: 'pem' }) as string)).toThrow('1024 bits')
  })
})
