// The file of --authentication-config: what is read out of it, and how its faults are told.
import { expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { readAuthenticationConfig } from './authenticationconfig.ts'

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

test('issuers with all that may be said of them', () => {
  const jwt = {
    issuer: {
      url: 'https://idp.test',
      discoveryURL: 'https://other.test/configuration',
      certificateAuthority: 'pem',
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
    read({
      jwt: [jwt, JWT].map((entry, i) =>
        i === 0 ? entry : { ...entry, issuer: { url: 'https://two.test', audiences: ['c'] } },
      ),
    }),
  ).toEqual({
    issuers: [
      {
        url: 'https://idp.test',
        discoveryUrl: 'https://other.test/configuration',
        certificateAuthority: 'pem',
        audiences: ['a', 'b'],
        username: { claim: 'email', prefix: 'x:' },
        groups: { claim: 'roles', prefix: '' },
        uidClaim: 'oid',
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

test('paths for anonymous requests', () => {
  expect(read({ anonymous: { enabled: true, conditions: [{ path: '/livez' }] } })).toEqual({
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

test.each([
  [{ kind: 'Pod' }, 'no kind "AuthenticationConfiguration" of apiserver.config.k8s.io'],
  [{ odd: 1 }, 'odd: Forbidden: unknown field'],
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
  [mappings({ uid: { expression: 'claims.sub' } }), 'jwt[0].claimMappings.uid.expression: Forbidden'],
  [
    { anonymous: { enabled: false, conditions: [{ path: '/x' }] } },
    'enabled should be set to true when conditions are defined',
  ],
])('%j: %s', (more, fault) => {
  expect(() => read(more)).toThrow(fault)
})
