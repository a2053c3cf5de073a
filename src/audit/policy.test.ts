// Which rule of a policy fits a request, and which policies are refused.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { type Audited, readPolicy } from './policy.ts'

const policy = (...rules: JsonObject[]) =>
  readPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules })

const request = (given: Partial<Audited> = {}): Audited => ({
  isResourceRequest: true,
  path: '/api/v1/namespaces/ns/pods/p',
  verb: 'get',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'ns',
  name: 'p',
  user: { name: 'jane', groups: ['dev'] },
  ...given,
})
const path = (value: string): Audited =>
  request({ isResourceRequest: false, path: value, resource: '', namespace: '' })

describe('a rule fits', () => {
  const fits = (rule: JsonObject, given: Audited): boolean =>
    policy({ level: 'Metadata', ...rule })(given).level === 'Metadata'
  const resources = (...names: string[]): JsonObject => ({ resources: [{ group: '', resources: names }] })

  test.each<[JsonObject, Audited, boolean]>([
    [{}, request(), true],
    [{ users: ['jane'] }, request(), true],
    [{ users: ['joe'] }, request(), false],
    [{ userGroups: ['ops', 'dev'] }, request(), true],
    [{ userGroups: ['ops'] }, request(), false],
    [{ verbs: ['list'] }, request(), false],
    [{ namespaces: ['ns'] }, request(), true],
    [{ namespaces: [''] }, request(), false],
    [{ namespaces: ['ns'] }, path('/x'), false],
    [resources('pods'), request(), true],
    [resources('pods'), request({ subresource: 'log' }), false],
    [resources('pods/log'), request({ subresource: 'log' }), true],
    [resources('pods/*'), request({ subresource: 'log' }), true],
    [resources('pods/*'), request(), true],
    [resources('*/log'), request({ subresource: 'log' }), true],
    [resources('*'), request({ subresource: 'log' }), true],
    [{ resources: [{ group: 'apps' }] }, request(), false],
    [{ resources: [{ group: '*' }] }, request(), true],
    [{ resources: [{ group: '', resources: ['pods'], resourceNames: ['q'] }] }, request(), false],
    [{ nonResourceURLs: ['/healthz*'] }, path('/healthz/etcd'), true],
    [{ nonResourceURLs: ['/healthz'] }, path('/healthz/etcd'), false],
    [{ nonResourceURLs: ['*'] }, request(), false],
  ])('%j', (rule, given, expected) => {
    expect(fits(rule, given)).toBe(expected)
  })

  test('for nobody, unless it names users', () => {
    const { user: _, ...nobody } = request()
    expect([
      fits({}, nobody),
      fits({ users: ['jane'] }, nobody),
      fits({ userGroups: ['dev'] }, nobody),
    ]).toEqual([true, false, false])
  })
})

test('the first rule that fits decides; without one, nothing is recorded', () => {
  const decide = policy({ level: 'None', verbs: ['get'] }, { level: 'Request', resources: [{ group: '' }] })
  expect(decide(request()).level).toBe('None')
  expect(decide(request({ verb: 'list' })).level).toBe('Request')
  expect(decide(path('/x')).level).toBe('None')
})

test('what the policy omits, its rules omit, and more', () => {
  const decide = readPolicy({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
    rules: [
      { level: 'Request', verbs: ['get'], omitStages: ['ResponseStarted'], omitManagedFields: false },
      { level: 'Metadata' },
    ],
  })
  expect(decide(request())).toMatchObject({
    omitStages: new Set(['RequestReceived', 'ResponseStarted']),
    omitManagedFields: false,
  })
  expect(decide(request({ verb: 'list' }))).toMatchObject({
    omitStages: new Set(['RequestReceived']),
    omitManagedFields: true,
  })
})

test.each<[JsonObject[], string]>([
  [[], 'loaded illegal policy with 0 rules'],
  [[{}], 'rules[0].level: Required value'],
  [[{ level: 'All' }], 'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata"'],
  [
    [{ level: 'None', omitStages: ['Late'] }],
    'rules[0].omitStages[0]: Invalid value: "Late": allowed stages are RequestReceived',
  ],
  [
    [{ level: 'None', nonResourceURLs: ['x', '/a*b'] }],
    "non-resource URL wildcards '*' must be the final character of the rule",
  ],
  [
    [{ level: 'None', nonResourceURLs: ['/x'], namespaces: ['a'] }],
    'rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    [{ level: 'None', resources: [{ group: 'apps/v1' }] }],
    'rules[0].resources.group: Invalid value: "apps/v1"',
  ],
  [
    [{ level: 'None', resources: [{ group: '', resourceNames: ['a'] }] }],
    'using resourceNames requires at least one resource',
  ],
])('refused: %j', (rules, fault) => {
  expect(() => policy(...rules)).toThrow(fault)
})

test('another kind is refused', () => {
  expect(() => readPolicy({ apiVersion: 'v1', kind: 'Pod' })).toThrow('it is no Policy of audit.k8s.io/v1')
})
