// Flags about who a request is from: what they become, and which contradict each other.
import { describe, expect, test } from 'vitest'
import { AUTHENTICATION_FLAGS, authenticationOptions } from './authentication-flags.ts'
import { commandLine } from '../flags.ts'

function options(...argv: string[]) {
  const flags = commandLine('test', '', AUTHENTICATION_FLAGS, argv)
  if (!flags) throw new Error('help was asked for')
  return authenticationOptions(flags)
}

test('issuers and keys of service accounts, several of each', () => {
  const given = options(
    ...['--service-account-issuer', 'https://a,b', '--service-account-issuer=https://c'],
    ...['--service-account-key-file=x', '--service-account-key-file=y', '--api-audiences=one,two'],
    ...['--service-account-max-token-expiration=2h', '--service-account-extend-token-expiration=false'],
  )
  expect(given).toMatchObject({
    serviceAccountIssuers: ['https://a,b', 'https://c'],
    serviceAccountKeyFiles: ['x', 'y'],
    apiAudiences: ['one', 'two'],
    serviceAccountMaxTokenExpiration: 7200,
    serviceAccountExtendTokenExpiration: false,
  })
  expect(options()).toMatchObject({ serviceAccountIssuers: ['https://kubernetes.default.svc'] })
  expect(options()).not.toHaveProperty('serviceAccountMaxTokenExpiration')
})

test('an OpenID issuer', () => {
  const oidc = ['--oidc-issuer-url=https://idp', '--oidc-client-id=me', '--oidc-groups-claim=g']
  expect(options(...oidc, '--oidc-required-claim=tenant=a=b').oidc).toEqual({
    issuer: {
      url: 'https://idp',
      audiences: ['me'],
      username: { claim: 'sub', prefix: 'https://idp#' },
      groups: { claim: 'g', prefix: '' },
      requiredClaims: new Map([['tenant', 'a=b']]),
    },
    signingAlgorithms: ['RS256'],
  })
  const name = (...more: string[]) => options(...oidc, ...more).oidc?.issuer.username
  expect(name('--oidc-username-prefix=-')).toEqual({ claim: 'sub', prefix: '' })
  expect(name('--oidc-username-claim=email')).toEqual({ claim: 'email', prefix: '' })
  expect(name('--oidc-username-prefix=x:')).toEqual({ claim: 'sub', prefix: 'x:' })
})

test('a webhook and proxies', () => {
  expect(options('--authentication-token-webhook-config-file=f').tokenWebhook).toEqual({
    configFile: 'f',
    version: 'v1beta1',
    cacheMs: 120_000,
  })
  const proxies = options('--requestheader-client-ca-file=ca', '--requestheader-username-headers=X-A,X-B')
  expect(proxies.requestHeader).toMatchObject({ caFile: 'ca', usernameHeaders: ['X-A', 'X-B'] })
  expect(options()).not.toHaveProperty('requestHeader')
})

describe('refused', () => {
  test.each([
    [['--service-account-issuer='], 'service-account-issuer should not be an empty string'],
    [['--service-account-issuer=a', '--service-account-issuer=a'], '"a" is already specified'],
    [['--service-account-max-token-expiration=59m'], 'must be between 1 hour and 2^32 seconds'],
    [['--service-account-max-token-expiration=soon'], 'soon is no duration'],
    [['--oidc-username-claim=sub'], 'oidc-issuer-url and oidc-client-id must be specified together'],
    [['--oidc-client-id=me'], 'oidc-issuer-url and oidc-client-id must be specified together'],
    [['--oidc-issuer-url=http://x', '--oidc-client-id=me'], 'URL scheme must be https'],
    [
      ['--oidc-issuer-url=https://kubernetes.default.svc', '--oidc-client-id=me'],
      'URL must not overlap with disallowed issuers',
    ],
    [
      ['--oidc-issuer-url=https://x', '--oidc-client-id=me', '--oidc-signing-algs=HS256'],
      'unsupported signing alg: "HS256"',
    ],
    [
      ['--oidc-issuer-url=https://x', '--oidc-client-id=me', '--authentication-config=f'],
      'authentication-config file and oidc-* flags are mutually exclusive',
    ],
  ])('%j', (argv, why) => {
    expect(() => options(...argv)).toThrow(why)
  })
})
