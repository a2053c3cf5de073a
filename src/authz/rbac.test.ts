// Decisions of RBAC and the sentences around them; the expected texts are those recorded from upstream.
import { describe, expect, test } from 'vitest'
import { authorizerChain, builtinAuthorizer, type BuiltinMode, parseModes, union } from './chain.ts'
import { NodeAuthorizer } from './node.ts'
import { forbiddenFor, requireAllowed } from './forbidden.ts'
import { binding, MemoryLister, pathRequest, request, role, rule, user } from './policy.fixture.ts'
import { RbacAuthorizer } from './rbac.ts'

const jane = user('jane')
const allowed = { decision: 'allow' }
const nothing = { decision: 'noOpinion', reason: '' }

describe('a role in a namespace', () => {
  const rbac = new RbacAuthorizer(
    new MemoryLister().put(
      role(
        'n',
        'r',
        rule('get,list', 'configmaps'),
        rule('get', 'pods/log,*/scale', { apiGroups: ['', 'apps'] }),
      ),
      role('n', 'named', rule('get,create,list', 'secrets', { resourceNames: ['a'] })),
      binding('n', 'b', 'Role/r', 'User/jane'),
      binding('n', 'c', 'Role/named', 'User/jane', 'ServiceAccount//default'),
    ),
  )
  const inN = { namespace: 'n' }

  test('allows what it says, and says why', () => {
    expect(rbac.authorize(request(jane, 'get', 'configmaps', inN)).reason).toBe(
      'RBAC: allowed by RoleBinding "b/n" of Role "r" to User "jane"',
    )
    expect(
      rbac.authorize(
        request(user('system:serviceaccount:n:default'), 'get', 'secrets', { ...inN, name: 'a' }),
      ).reason,
    ).toBe('RBAC: allowed by RoleBinding "c/n" of Role "named" to ServiceAccount "default/n"')
  })
  test.each([
    ['another verb', request(jane, 'delete', 'configmaps', inN)],
    ['another namespace', request(jane, 'get', 'configmaps', { namespace: 'm' })],
    ['the cluster', request(jane, 'list', 'configmaps')],
    ['another group', request(jane, 'get', 'configmaps', { ...inN, group: 'apps' })],
    ['another resource', request(jane, 'get', 'pods', inN)],
    ['a subresource of it', request(jane, 'get', 'configmaps', { ...inN, subresource: 'status' })],
    ['the resource of a subresource', request(jane, 'get', 'pods', { ...inN, name: 'p' })],
    ['another user', request(user('bob', 'jane'), 'get', 'configmaps', inN)],
    ['another name', request(jane, 'get', 'secrets', { ...inN, name: 'b' })],
    ['no name where one is wanted', request(jane, 'create', 'secrets', inN)],
    ['a path', pathRequest(jane, 'get', '/configmaps')],
    [
      'a service account of another namespace',
      request(user('system:serviceaccount:m:default'), 'get', 'secrets', { ...inN, name: 'a' }),
    ],
  ])('is silent about %s', (_, attributes) => {
    expect(rbac.authorize(attributes)).toEqual(nothing)
  })
  test.each([
    request(jane, 'get', 'pods', { ...inN, subresource: 'log', name: 'p' }),
    request(jane, 'get', 'deployments', { ...inN, group: 'apps', subresource: 'scale', name: 'd' }),
    request(jane, 'list', 'secrets', { ...inN, name: 'a' }),
  ])('allows subresources and names: $resource $subresource', (attributes) => {
    expect(rbac.authorize(attributes)).toMatchObject(allowed)
  })
})

describe('cluster roles', () => {
  const lister = new MemoryLister().put(
    role('', 'paths', { verbs: ['get'], nonResourceURLs: ['/metrics', '/debug/*'] }),
    role('', 'all', rule('*', '*', { apiGroups: ['*'] }), { verbs: ['*'], nonResourceURLs: ['*'] }),
    role('', 'secrets', rule('list', 'secrets,nodes')),
    binding('', 'p', 'ClusterRole/paths', 'Group/devs', 'User/jane'),
    binding('', 'root', 'ClusterRole/all', 'Group/admins'),
    binding('n', 's', 'ClusterRole/secrets', 'User/jane', 'ServiceAccount/n/default'),
    binding('', 'sa', 'ClusterRole/secrets', 'ServiceAccount/n/default', 'ServiceAccount//nowhere'),
  )
  const rbac = new RbacAuthorizer(lister)

  test.each([
    ['get', '/metrics', true],
    ['get', '/debug/x/y', true],
    ['get', '/debug/', true],
    ['get', '/debug', false],
    ['get', '/metrics/slis', false],
    ['post', '/metrics', false],
  ])('%s %s: %s', (verb, path, yes) => {
    expect(rbac.authorize(pathRequest(jane, verb, path)).decision).toBe(yes ? 'allow' : 'noOpinion')
  })
  test('stars cover everything, paths too', () => {
    const admin = user('a', 'x', 'admins')
    expect(rbac.authorize(request(admin, 'impersonate', 'users', { group: 'any', name: 'x' }))).toMatchObject(
      allowed,
    )
    expect(rbac.authorize(pathRequest(admin, 'post', '/anything')).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "root" of ClusterRole "all" to Group "admins"',
    )
  })
  test('of several subjects that are the user, the first of the binding is named', () => {
    const both = new RbacAuthorizer(
      new MemoryLister().put(
        role('', 'r', rule('get', 'pods')),
        binding('', 'b', 'ClusterRole/r', 'Group/g', 'User/jane'),
      ),
    )
    expect(both.authorize(request(user('jane', 'g'), 'get', 'pods')).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to Group "g"',
    )
  })
  test('bound in a namespace, they hold there only', () => {
    expect(rbac.authorize(request(jane, 'list', 'secrets', { namespace: 'n' })).reason).toBe(
      'RBAC: allowed by RoleBinding "s/n" of ClusterRole "secrets" to User "jane"',
    )
    expect(rbac.authorize(request(jane, 'list', 'secrets'))).toEqual(nothing)
    expect(rbac.authorize(request(jane, 'list', 'nodes'))).toEqual(nothing)
  })
  test('service accounts need their namespace in cluster role bindings', () => {
    expect(rbac.authorize(request(user('system:serviceaccount:n:default'), 'list', 'secrets')).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "sa" of ClusterRole "secrets" to ServiceAccount "default/n"',
    )
    expect(rbac.authorize(request(user('system:serviceaccount::nowhere'), 'list', 'secrets'))).toEqual(
      nothing,
    )
  })
  test('names of prototypes are ordinary names', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(rbac.authorize(request(user(name, name), 'list', name, { namespace: name }))).toEqual(nothing)
    }
  })
})

test('a missing role is the reason, once, also beside a binding that allows', () => {
  const lister = new MemoryLister().put(
    binding('n', 'a', 'Role/none', 'User/jane', 'Group/g'),
    binding('n', 'b', 'ClusterRole/gone', 'Group/g'),
  )
  const rbac = new RbacAuthorizer(lister)
  const list = (who: typeof jane): ReturnType<RbacAuthorizer['authorize']> =>
    rbac.authorize(request(who, 'list', 'pods', { namespace: 'n' }))
  expect(list(jane).reason).toBe('RBAC: role.rbac.authorization.k8s.io "none" not found')
  expect(list(user('jane', 'g')).reason).toBe(
    'RBAC: [role.rbac.authorization.k8s.io "none" not found, clusterrole.rbac.authorization.k8s.io "gone" not found]',
  )
  lister.put(role('', 'gone', rule('list', 'pods')))
  expect(list(user('jane', 'g'))).toMatchObject(allowed)
})

test('changes count at once; without a change nothing is read again', () => {
  const lister = new MemoryLister()
  const rbac = new RbacAuthorizer(lister)
  const list = (): string => rbac.authorize(request(jane, 'list', 'pods', { namespace: 'n' })).decision
  expect(list()).toBe('noOpinion')
  const bound = binding('n', 'b', 'Role/r', 'User/jane')
  lister.put(role('n', 'r', rule('list', 'pods')), bound)
  expect(list()).toBe('allow')
  const before = lister.lists
  for (let i = 0; i < 10; i++) list()
  expect(lister.lists).toBe(before)
  lister.remove(bound)
  expect(list()).toBe('noOpinion')
})

test('the rules of a user: of the cluster first, each binding once', () => {
  const rbac = new RbacAuthorizer(
    new MemoryLister().put(
      role('', 'c', rule('get', 'nodes')),
      role('n', 'r', rule('get', 'pods')),
      binding('', 'one', 'ClusterRole/c', 'User/jane', 'Group/g'),
      binding('n', 'two', 'Role/r', 'Group/g', 'User/jane'),
      binding('n', 'three', 'Role/none', 'Group/g'),
    ),
  )
  const { rules, errors } = rbac.rulesFor(user('jane', 'g'), 'n')
  expect(rules).toEqual([rule('get', 'nodes'), rule('get', 'pods')])
  expect(errors).toEqual(['role.rbac.authorization.k8s.io "none" not found'])
  expect(rbac.rulesFor(jane, '').rules).toEqual([rule('get', 'nodes')])
})

describe('the chain', () => {
  const rbac = new RbacAuthorizer(new MemoryLister())
  const node = new NodeAuthorizer(new MemoryLister())
  const chain = (mode: BuiltinMode) => authorizerChain([builtinAuthorizer(mode, { rbac, node })])
  const get = request(user('x', 'system:masters'), 'get', 'pods')

  test('members of system:masters may do everything', () => {
    expect(chain('RBAC').authorize(get)).toEqual({
      decision: 'allow',
      reason: '',
    })
    expect(chain('RBAC').authorize(request(jane, 'get', 'pods'))).toMatchObject(nothing)
    expect(chain('AlwaysAllow').authorize(request(jane, 'get', 'pods'))).toMatchObject(allowed)
    expect(chain('AlwaysDeny').authorize(request(jane, 'get', 'pods'))).toMatchObject({
      decision: 'noOpinion',
      reason: 'Everything is forbidden.',
    })
  })
  test('goes on after authorizers that take their time, and collects what they say', async () => {
    const slow = (decision: 'allow' | 'deny' | 'noOpinion', reason: string, error?: string) => ({
      authorize: () => Promise.resolve({ decision, reason, ...(error === undefined ? {} : { error }) }),
    })
    expect(
      await union([
        slow('noOpinion', 'a'),
        slow('noOpinion', ''),
        rbac,
        slow('noOpinion', 'b', 'broken'),
      ]).authorize(request(jane, 'get', 'pods')),
    ).toEqual({
      decision: 'noOpinion',
      reason: 'a\nb',
      error: 'broken',
    })
    expect(
      await union([slow('noOpinion', 'a'), slow('deny', 'no'), slow('allow', '')]).authorize(get),
    ).toMatchObject({ decision: 'deny', reason: 'no' })
  })
  test('modes of the flag', () => {
    expect(parseModes('RBAC, AlwaysAllow')).toEqual(['RBAC', 'AlwaysAllow'])
    expect(() => parseModes('ABC')).toThrow('authorization-mode "ABC" is not a valid mode')
    expect(() => parseModes('RBAC,RBAC')).toThrow(
      'authorization-mode ["RBAC" "RBAC"] has mode specified more than once',
    )
    expect(() => parseModes('')).toThrow('at least one authorization-mode must be passed')
  })
})

describe('refusals', () => {
  const message = (attributes: Parameters<typeof forbiddenFor>[0], reason = ''): string =>
    forbiddenFor(attributes, reason).message

  test('by place', () => {
    expect(message(request(jane, 'list', 'pods', { namespace: 'n' }))).toBe(
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "n"',
    )
    expect(
      message(
        request(jane, 'get', 'deployments', {
          namespace: 'n',
          group: 'apps',
          subresource: 'scale',
          name: 'd',
        }),
      ),
    ).toBe(
      'deployments.apps "d" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "n"',
    )
    expect(message(request(jane, 'get', 'nodes', { name: 'n' }), 'RBAC: x')).toBe(
      'nodes "n" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope: RBAC: x',
    )
    expect(message(pathRequest(jane, 'get', '/metrics'))).toBe(
      'forbidden: User "jane" cannot get path "/metrics"',
    )
  })
  test('details as upstream gives them', () => {
    expect(forbiddenFor(pathRequest(jane, 'get', '/logs'), '').status).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      details: {},
    })
    expect(
      forbiddenFor(request(jane, 'get', 'deployments', { group: 'apps', name: 'd' }), '').status.details,
    ).toEqual({
      name: 'd',
      group: 'apps',
      kind: 'deployments',
    })
  })
  test('markup is made harmless, quotes are escaped', () => {
    expect(message(pathRequest(user('a"b'), 'get', '/<b>&'))).toBe(
      'forbidden: User "a\\"b" cannot get path "/&lt;b&gt;&amp;"',
    )
  })
  test('only an allowing decision passes; a fault is a 500', () => {
    const list = request(jane, 'list', 'pods')
    expect(() => requireAllowed(list, { decision: 'allow', reason: '' })).not.toThrow()
    expect(() => requireAllowed(list, { decision: 'deny', reason: 'no' })).toThrow(/: no$/)
    expect(() => requireAllowed(list, { decision: 'noOpinion', reason: '', error: 'broken' })).toThrow(
      expect.objectContaining({ code: 500 }),
    )
  })
})

test('what the modes grant a user', () => {
  const rbac = new RbacAuthorizer(
    new MemoryLister().put(role('n', 'r', rule('get', 'pods')), binding('n', 'b', 'Role/r', 'User/jane')),
  )
  const node = new NodeAuthorizer(new MemoryLister())
  const rulesOf = (...modes: BuiltinMode[]) =>
    authorizerChain(modes.map((mode) => builtinAuthorizer(mode, { rbac, node }))).rulesFor(jane, 'n')
  expect(rulesOf('RBAC')).toEqual({ rules: [rule('get', 'pods')], errors: [] })
  expect(rulesOf('AlwaysDeny', 'AlwaysAllow').rules).toEqual([
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ])
})
