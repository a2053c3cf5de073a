// The file of --authentication-config: what is read out of it, and how its faults are told.
import { expect, test } from 'vitest'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../pki/certificate.ts'
import type { JsonObject } from '../machinery/json.ts'
import { readAuthenticationConfig } from './authenticationconfig.ts'

const subject = { commonName: 'idp', organizations: [] }
const CA = await makeCertificate(
  {
    subject,
    isCa: true,
    usages: ['server'],
    hosts: [],
    notBefore: new Date(),
    notAfter: new Date(Date.now() + 60_000),
  },
  readPrivateKey(makePrivateKey()),
)
const JWT: JsonObject = {
  issuer: { url: 'https://idp.test', audiences: ['me'] },
  claimMappings: { username: { claim: 'sub', prefix: '' } },
}
const config = (more: JsonObject): JsonObject => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  ...more,
})
const read = (more: JsonObject) => readAuthenticationConfig(config(more), ['https://own.test'])

test('issuers with all that may be said of them', async () => {
  const jwt = {
    issuer: {
      url: 'https://idp.test',
      discoveryURL: 'https://other.test/configuration',
      certificateAuthority: CA,
      audiences: ['a', 'b'],
      audienceMatchPolicy: 'MatchAny',
    },
    claimMappings: {
      username: { claim: 'email', prefix: 'x:' },
      groups: { claim: 'roles', prefix: '' },
      uid: { claim: 'oid' },
    },
    claimValidationRules: [{ claim: 'tenant', requiredValue: 'a' }],
  }
  expect(
    await read({
      jwt: [jwt, JWT].map((entry, i) =>
        i === 0 ? entry : { ...entry, issuer: { url: 'https://two.test', audiences: ['c'] } },
      ),
    }),
  ).toEqual({
    issuers: [
      {
        url: 'https://idp.test',
        discoveryUrl: 'https://other.test/configuration',
        certificateAuthority: CA,
        audiences: ['a', 'b'],
        username: { claim: 'email', prefix: 'x:' },
        groups: { claim: 'roles', prefix: '' },
        uid: { claim: 'oid' },
        requiredClaims: new Map([['tenant', 'a']]),
      },
      {
        url: 'https://two.test',
        audiences: ['c'],
        username: { claim: 'sub', prefix: '' },
        requiredClaims: new Map(),
      },
    ],
  })
})

test('paths for anonymous requests', async () => {
  expect(await read({ anonymous: { enabled: true, conditions: [{ path: '/livez' }] } })).toEqual({
    issuers: [],
    anonymous: { enabled: true, paths: ['/livez'] },
  })
})

const issuer = (given: JsonObject): JsonObject => ({
  jwt: [{ ...JWT, issuer: { url: 'https://idp.test', audiences: ['me'], ...given } }],
})
const mappings = (given: JsonObject): JsonObject => ({
  jwt: [{ ...JWT, claimMappings: { username: { claim: 'sub', prefix: '' }, ...given } }],
})

const rules = (...given: JsonObject[]): JsonObject => ({ jwt: [{ ...JWT, claimValidationRules: given }] })

test.each([
  [{ kind: 'Pod' }, 'no kind "AuthenticationConfiguration" of apiserver.config.k8s.io'],
  [{ odd: 1 }, 'strict decoding error: unknown field "odd"'],
  [issuer({ url: 'http://x' }), 'jwt[0].issuer.url: Invalid value: "http://x": URL scheme must be https'],
  [
    issuer({ url: 'https://own.test' }),
    'jwt[0].issuer.url: Invalid value: "https://own.test": URL must not overlap with disallowed issuers: [https://own.test]',
  ],
  [issuer({ url: 'https://a:b@x/?q' }), 'URL must not contain a username or password'],
  [
    issuer({ discoveryURL: 'https://idp.test/' }),
    'jwt[0].issuer.discoveryURL: Invalid value: "https://idp.test/": discoveryURL must be different from URL',
  ],
  [
    issuer({ audiences: [] }),
    'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
  ],
  [
    issuer({ audiences: ['a', 'a'], audienceMatchPolicy: 'MatchAny' }),
    'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
  ],
  [
    issuer({ audiences: ['a', 'b'] }),
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
  ],
  [{ jwt: [JWT, JWT] }, 'jwt[1].issuer.url: Duplicate value: "https://idp.test"'],
  [
    mappings({ username: {} }),
    'jwt[0].claimMappings.username: Required value: claim or expression is required',
  ],
  [
    mappings({ groups: { claim: 'g' } }),
    'jwt[0].claimMappings.groups.prefix: Required value: prefix is required',
  ],
  [issuer({ url: '' }), 'jwt[0].issuer.url: Required value'],
  [
    issuer({ certificateAuthority: 'x' }),
    'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
  ],
  [
    issuer({ egressSelectorType: 'etcd' }),
    'jwt[0].issuer.egressSelectorType: Invalid value: "etcd": egress selector must be either controlplane or cluster',
  ],
  [
    mappings({ username: { claim: 'a', expression: 'b' } }),
    'jwt[0].claimMappings.username: Invalid value: "": claim and expression can\'t both be set',
  ],
  [
    mappings({ username: { expression: 'claims.sub', prefix: 'x' } }),
    'jwt[0].claimMappings.username.prefix: Invalid value: "x": may not be specified when expression is set',
  ],
  [
    mappings({ groups: { expression: 'user.groups' } }),
    'jwt[0].claimMappings.groups.expression: Invalid value: "user.groups": compilation failed: ERROR: <input>:1:1: undeclared reference to \'user\'',
  ],
  [
    mappings({ username: { expression: 'claims.email' } }),
    'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in',
  ],
  [
    mappings({ uid: { claim: 'a', expression: 'b' } }),
    'jwt[0].claimMappings.uid: Invalid value: "": claim and expression can\'t both be set',
  ],
  [
    mappings({ extra: [{ key: 'Foo', valueExpression: '' }] }),
    '[jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be a domain-prefixed path (such as "acme.io/foo"), jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be lowercase, jwt[0].claimMappings.extra[0].valueExpression: Required value]',
  ],
  [
    mappings({ extra: [{ key: 'a.k8s.io/foo', valueExpression: "'x'" }] }),
    'jwt[0].claimMappings.extra[0].key: Invalid value: "a.k8s.io/foo": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
  ],
  [rules({}), 'jwt[0].claimValidationRules[0]: Required value: claim or expression is required'],
  [
    rules({ claim: 'a', message: 'm' }),
    'jwt[0].claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set',
  ],
  [
    rules({ expression: 'true', requiredValue: 'm' }),
    'jwt[0].claimValidationRules[0].requiredValue: Invalid value: "m": may not be specified when expression is set',
  ],
  [
    rules({ expression: 'true' }, { expression: 'true' }),
    'jwt[0].claimValidationRules[1].expression: Duplicate value: "true"',
  ],
  [
    rules({ expression: 'claims.a' }),
    'jwt[0].claimValidationRules[0].expression: Invalid value: "claims.a": must evaluate to bool',
  ],
  [
    { jwt: [{ ...JWT, userValidationRules: [{}, { expression: 'user.name' }] }] },
    '[jwt[0].userValidationRules[0].expression: Required value, jwt[0].userValidationRules[1].expression: Invalid value: "user.name": compilation failed: ERROR: <input>:1:5: undefined field \'name\'',
  ],
  [
    { anonymous: { enabled: false, conditions: [{ path: '/x' }] } },
    'enabled should be set to true when conditions are defined',
  ],
])('%j: %s', async (more, fault) => {
  await expect(read(more)).rejects.toThrow(fault)
})
