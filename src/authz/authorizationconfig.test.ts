// The file that names who decides: what it becomes, and what upstream says of its faults.
import { expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { readAuthorizationConfig } from './authorizationconfig.ts'
import type { AuthorizationMode } from './chain.ts'

const WEBHOOK = {
  timeout: '3s',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'Deny',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/there' },
}
const webhook = (more: JsonObject = {}, name = 'a'): JsonObject => ({
  type: 'Webhook',
  name,
  webhook: { ...WEBHOOK, ...more },
})

const read = (authorizers: JsonObject[], required: AuthorizationMode[] = []) =>
  readAuthorizationConfig(
    { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers },
    { fileFault: (path) => (path === '/there' ? undefined : 'gone'), required: new Set(required) },
  )
const faultsOf = (...authorizers: JsonObject[]): Promise<unknown> =>
  read(authorizers).then(
    () => undefined,
    (error: Error) => error.message,
  )

test('several webhooks and modes, in order, with their defaults', async () => {
  const choices = await read([
    webhook({ authorizedTTL: '1m', cacheUnauthorizedRequests: false }, 'first'),
    { type: 'Node', name: 'node' },
    webhook(
      {
        failurePolicy: 'NoOpinion',
        subjectAccessReviewVersion: 'v1beta1',
        matchConditionSubjectAccessReviewVersion: 'v1',
        matchConditions: [{ expression: "request.user == 'jane'" }],
      },
      'second.example.com',
    ),
    { type: 'RBAC', name: 'rbac' },
  ])
  const common = { timeoutSeconds: 3, kubeConfigFile: '/there' }
  expect(choices).toEqual([
    {
      type: 'Webhook',
      name: 'first',
      webhook: {
        ...common,
        authorizedTtlMs: 60_000,
        unauthorizedTtlMs: 0,
        version: 'v1',
        failurePolicy: 'Deny',
        conditions: [],
      },
    },
    { type: 'Node', name: 'node' },
    {
      type: 'Webhook',
      name: 'second.example.com',
      webhook: {
        ...common,
        authorizedTtlMs: 300_000,
        unauthorizedTtlMs: 30_000,
        version: 'v1beta1',
        failurePolicy: 'NoOpinion',
        conditions: [expect.objectContaining({ source: "request.user == 'jane'" })],
      },
    },
    { type: 'RBAC', name: 'rbac' },
  ])
})

const AT = 'authorizers[0]'
test.each<[string, JsonObject[], string]>([
  ['nothing', [], 'authorizers: Required value: at least one authorization mode must be defined'],
  ['no type', [{ name: 'x' }], `${AT}.type: Required value`],
  [
    'another type',
    [{ type: 'Foo', name: 'foo' }],
    `${AT}.type: Unsupported value: "Foo": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"`,
  ],
  [
    'a mode twice',
    [
      { type: 'RBAC', name: 'rbac' },
      { type: 'RBAC', name: 'rbac' },
    ],
    'authorizers[1].type: Duplicate value: "RBAC"',
  ],
  ['a name twice', [webhook(), webhook()], 'authorizers[1].name: Duplicate value: "a"'],
  ['no name', [webhook({}, '')], `${AT}.name: Required value`],
  [
    'another name',
    [{ type: 'RBAC', name: 'mine' }],
    'expected name rbac for authorizer RBAC instead of mine',
  ],
  [
    'no webhook',
    [{ type: 'Webhook', name: 'a' }],
    `${AT}.webhook: Required value: required when type=Webhook`,
  ],
  [
    'a webhook of a mode',
    [{ type: 'RBAC', name: 'rbac', webhook: {} }],
    `${AT}.webhook: Invalid value: "non-null": may only be specified when type=Webhook`,
  ],
  ['no timeout', [webhook({ timeout: null })], `${AT}.timeout: Required value`],
  [
    'a long timeout',
    [webhook({ timeout: '1m' })],
    `${AT}.timeout: Invalid value: "1m0s": must be > 0s and <= 30s`,
  ],
  [
    'a negative time',
    [webhook({ authorizedTTL: '-1s' })],
    `${AT}.authorizedTTL: Invalid value: "-1s": must be > 0s`,
  ],
  [
    'another version',
    [webhook({ subjectAccessReviewVersion: 'v2' })],
    `${AT}.subjectAccessReviewVersion: Unsupported value: "v2": supported values: "v1", "v1beta1"`,
  ],
  [
    'another policy',
    [webhook({ failurePolicy: 'Allow' })],
    `${AT}.failurePolicy: Unsupported value: "Allow": supported values: "NoOpinion", "Deny"`,
  ],
  [
    'a file that is gone',
    [webhook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/gone' } })],
    `${AT}.connectionInfo.kubeConfigFile: Invalid value: "/gone": gone`,
  ],
  [
    'a relative file',
    [webhook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'x' } })],
    `${AT}.connectionInfo.kubeConfigFile: Invalid value: "x": must be an absolute path`,
  ],
  [
    'this server itself',
    [webhook({ connectionInfo: { type: 'InClusterConfig' } })],
    `${AT}.connectionInfo.type: Forbidden: InClusterConfig is not allowed for kube-apiserver`,
  ],
  [
    'conditions of no version',
    [webhook({ matchConditions: [{ expression: 'true' }] })],
    `${AT}.matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified`,
  ],
  [
    'conditions that are none',
    [
      webhook({
        matchConditionSubjectAccessReviewVersion: 'v1',
        matchConditions: [{ expression: ' ' }, { expression: '1' }, { expression: '1' }],
      }),
    ],
    `[${AT}.matchConditions[0].expression: Required value, ${AT}.matchConditions[1].expression: Invalid value: "1": must evaluate to bool but got int, ${AT}.matchConditions[2].expression: Duplicate value: "1"]`,
  ],
  [
    'fields that nobody knows, and of other types',
    [{ type: 'RBAC', name: 7, x: 1 }],
    'strict decoding error: unknown field "authorizers[0].x", field "authorizers[0].name" must be a string',
  ],
])('%s is a fault', async (_, authorizers, message) => {
  expect(await faultsOf(...authorizers)).toBe(message)
})

test('a reload keeps what the server began with', async () => {
  await expect(read([webhook()], ['RBAC', 'Node'])).rejects.toThrow('missing required types: [Node RBAC]')
})

test('another kind is none', async () => {
  const other = { apiVersion: 'v1', kind: 'Pod' }
  await expect(readAuthorizationConfig(other, { fileFault: () => undefined })).rejects.toThrow(
    /^failed to load/,
  )
})
