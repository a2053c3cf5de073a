import { describe, expect, it } from 'vitest'
import type { RequestInfo } from '../machinery/attributes.ts'
import type { UserInfo } from '../machinery/user.ts'
import { flowControlObjects } from './bootstrap.ts'
import { Classifier } from './classifier.ts'
import { infoOf, userOf } from './room.fixture.ts'
import {
  type NonResourceRule,
  type ResourceRule,
  type SchemaSpec,
  schemaSpecOf,
  type Subject,
} from './spec.ts'

const classifierOf = (schemas: readonly SchemaSpec[]) => {
  const flows = schemas.map((schema) => ({ schema }))
  return new Classifier(flows, { schema: { ...(schemas[0] as SchemaSpec), name: 'none' } })
}

const flowName = (classifier: ReturnType<typeof classifierOf>, info: Partial<RequestInfo>, user: UserInfo) =>
  classifier.flowOf(infoOf(info), user).schema.name

describe('the schemas of the start', () => {
  const schemas = flowControlObjects().filter(({ kind }) => kind === 'FlowSchema')
  const classifier = classifierOf(schemas.map(schemaSpecOf))
  const node = userOf('system:node:n1', 'system:nodes')
  const account = (namespace: string, name: string): UserInfo =>
    userOf(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts')
  const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-system' }
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
  const path = (name: string, verb = 'get') => ({ isResourceRequest: false, path: name, verb, resource: '' })

  it.each<[string, Partial<RequestInfo>, UserInfo, string]>([
    ['an administrator', {}, userOf('admin', 'system:masters'), 'exempt'],
    ['a probe', path('/readyz'), anonymous, 'probes'],
    ['a probe of one check', path('/readyz/etcd'), anonymous, 'probes'],
    ['what only sounds like a probe', path('/readyzz'), anonymous, 'global-default'],
    ['a POST to a probe', path('/readyz', 'post'), anonymous, 'global-default'],
    [
      'a node’s status',
      { resource: 'nodes', subresource: 'status', verb: 'patch' },
      node,
      'system-node-high',
    ],
    ['a node’s lease', { ...lease, verb: 'update' }, node, 'system-node-high'],
    ['a node’s pods', { namespace: 'a' }, node, 'system-nodes'],
    [
      'the scheduler’s lease',
      { ...lease, verb: 'update' },
      userOf('system:kube-scheduler'),
      'system-leader-election',
    ],
    [
      'the scheduler’s list of leases',
      { ...lease, verb: 'list' },
      userOf('system:kube-scheduler'),
      'kube-scheduler',
    ],
    ['the scheduler', {}, userOf('system:kube-scheduler'), 'kube-scheduler'],
    ['the controller manager', {}, userOf('system:kube-controller-manager'), 'kube-controller-manager'],
    ['a controller', {}, account('kube-system', 'job-controller'), 'kube-system-service-accounts'],
    ['an account of the like', {}, account('kube-systems', 'x'), 'service-accounts'],
    ['a pod', {}, account('a', 'b'), 'service-accounts'],
    ['a user', {}, userOf('alice'), 'global-default'],
    ['nobody of them', {}, { name: 'x', groups: [] }, 'none'],
  ])('%s', (_, info, user, name) => {
    expect(flowName(classifier, info, user)).toBe(name)
    // Once more, by what is known of the user now.
    expect(flowName(classifier, info, user)).toBe(name)
  })
})

const ALICE: Subject = { kind: 'User', namespace: '', name: 'alice' }
const ANY_RESOURCE: ResourceRule = {
  verbs: ['*'],
  groups: ['*'],
  resources: ['*'],
  namespaces: ['*'],
  clusterScope: true,
}
const ANY_PATH: NonResourceRule = { verbs: ['*'], urls: ['*'] }
const schema = (
  name: string,
  precedence: number,
  rule: Partial<SchemaSpec['rules'][number]>,
): SchemaSpec => ({
  name,
  uid: '',
  level: 'l',
  precedence,
  distinguisher: '',
  rules: [{ subjects: [ALICE], resources: [ANY_RESOURCE], nonResources: [ANY_PATH], ...rule }],
})

describe('a classifier', () => {
  const alice = userOf('alice', 'devs')

  it('takes the first by precedence, then by name', () => {
    const classifier = classifierOf([
      schema('b', 7, {}),
      schema('c', 5, {}),
      schema('a', 7, {}),
      schema('bb', 5, {}),
    ])
    expect(classifier.flows.map((flow) => flow.schema.name)).toEqual(['bb', 'c', 'a', 'b'])
    expect(flowName(classifier, {}, alice)).toBe('bb')
  })

  it.each<[string, Partial<ResourceRule>, Partial<RequestInfo>, boolean]>([
    ['its verb', { verbs: ['get', 'list'] }, { verb: 'list' }, true],
    ['another verb', { verbs: ['get'] }, { verb: 'list' }, false],
    ['its group', { groups: ['', 'apps'] }, { group: 'apps' }, true],
    ['another group', { groups: ['apps'] }, {}, false],
    ['its resource', { resources: ['pods'] }, {}, true],
    ['a subresource that is not named', { resources: ['pods'] }, { subresource: 'status' }, false],
    ['a subresource that is', { resources: ['pods/status'] }, { subresource: 'status' }, true],
    ['its namespace', { namespaces: ['a'] }, { namespace: 'a' }, true],
    ['another namespace', { namespaces: ['a'] }, { namespace: 'b' }, false],
    ['all namespaces at once', { clusterScope: false }, {}, false],
    ['the cluster', { namespaces: [] }, {}, true],
    ['a namespace that no rule names', { namespaces: [] }, { namespace: 'a' }, false],
  ])('asked about %s', (_, rule, info, matches) => {
    const classifier = classifierOf([schema('s', 1, { resources: [{ ...ANY_RESOURCE, ...rule }] })])
    expect(flowName(classifier, info, alice)).toBe(matches ? 's' : 'none')
  })

  it.each([
    ['/a', '/a', true],
    ['/a', '/a/b', true],
    ['/a/*', '/a/b', true],
    ['/a/*', '/a', false],
    ['/a*', '/ab', false],
    ['/a', '/ab', false],
    ['*', '/x', true],
  ])('asked by the rule %s about the path %s', (url, path, matches) => {
    const rule = { nonResources: [{ verbs: ['get'], urls: [url] }] }
    const classifier = classifierOf([schema('s', 1, rule)])
    expect(flowName(classifier, { isResourceRequest: false, path }, alice)).toBe(matches ? 's' : 'none')
  })

  it.each<[string, Subject, boolean]>([
    ['another user', { kind: 'User', namespace: '', name: 'bob' }, false],
    ['anybody', { kind: 'User', namespace: '', name: '*' }, true],
    ['a group of theirs', { kind: 'Group', namespace: '', name: 'devs' }, true],
    ['another group', { kind: 'Group', namespace: '', name: 'ops' }, false],
    ['an account', { kind: 'ServiceAccount', namespace: 'a', name: 'alice' }, false],
  ])('speaks of %s', (_, subject, matches) => {
    const classifier = classifierOf([schema('s', 1, { subjects: [subject] })])
    expect(flowName(classifier, {}, alice)).toBe(matches ? 's' : 'none')
  })
})
