// Flags about who decides on requests: what they become, and which contradict each other.
import { expect, test } from 'vitest'
import { AUTHORIZATION_FLAGS, authorizationOptions } from './authorization-flags.ts'
import { commandLine } from '../flags.ts'

function options(...argv: string[]) {
  const flags = commandLine('test', '', AUTHORIZATION_FLAGS, argv)
  if (!flags) throw new Error('help was asked for')
  return authorizationOptions(flags)
}

test('modes and what they need', () => {
  expect(options()).toEqual({ authorizationModes: ['AlwaysAllow'] })
  expect(
    options(
      '--authorization-mode=Node,Webhook,ABAC',
      '--authorization-policy-file=p',
      '--authorization-webhook-config-file=w',
      '--authorization-webhook-cache-authorized-ttl=0',
    ),
  ).toEqual({
    authorizationModes: ['Node', 'Webhook', 'ABAC'],
    authorizationPolicyFile: 'p',
    authorizationWebhook: {
      configFile: 'w',
      version: 'v1beta1',
      authorizedTtlMs: 0,
      unauthorizedTtlMs: 30_000,
    },
  })
  expect(options('--authorization-config=f')).toEqual({
    authorizationModes: [],
    authorizationConfigFile: 'f',
  })
})

test.each([
  [['--authorization-mode=ABAC'], "authorization-mode ABAC's authorization policy file not passed"],
  [['--authorization-mode=Webhook'], "authorization-mode Webhook's authorization config file not passed"],
  [['--authorization-policy-file=p'], 'cannot specify --authorization-policy-file without mode ABAC'],
  [
    ['--authorization-webhook-config-file=w'],
    'cannot specify --authorization-webhook-config-file without mode Webhook',
  ],
  [['--authorization-mode=Foo'], '--authorization-mode: authorization-mode "Foo" is not a valid mode'],
  [
    [
      '--authorization-mode=Webhook',
      '--authorization-webhook-config-file=w',
      '--authorization-webhook-version=v2',
    ],
    'unsupported webhook authorizer version "v2", supported versions are "v1", "v1beta1"',
  ],
  [
    ['--authorization-config=f', '--authorization-mode=RBAC'],
    '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
  ],
])('%j is refused', (argv, message) => {
  expect(() => options(...argv)).toThrow(message)
})
