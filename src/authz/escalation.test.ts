// Who may grant what; the expected texts are those recorded from upstream.
import { describe, expect, test } from 'vitest'
import type { StatusError } from '../machinery/status.ts'
import { authorizerChain } from './chain.ts'
import { escalationCheck, guardsResource, type RbacWrite } from './escalation.ts'
import { binding, MemoryLister, role, rule, user } from './policy.fixture.ts'
import type { RoleObject } from './policy.ts'
import { RbacAuthorizer } from './rbac.ts'

const GROUP = 'rbac.authorization.k8s.io'
const jane = user('jane', 'system:authenticated')

function authority(...rules: Parameters<typeof rule>[2][]): Parameters<typeof escalationCheck>[1] {
  const lister = new MemoryLister().put(
    role('', 'own', ...(rules as [])),
    role('', 'cluster-admin', rule('*', '*', { apiGroups: ['*'] }), { verbs: ['*'], nonResourceURLs: ['*'] }),
    role('', 'view', rule('get', 'pods')),
    binding('', 'own', 'ClusterRole/own', 'User/jane'),
  )
  const rbac = new RbacAuthorizer(lister)
  return { rbac, authorizer: authorizerChain([rbac]) }
}

const write = (resource: string, object: RbacWrite['object'], more: Partial<RbacWrite> = {}): RbacWrite => ({
  user: jane,
  resource,
  namespace: object.metadata.namespace ?? '',
  name: '',
  object,
  old: undefined,
  ...more,
})

const holding = authority(rule('get', 'configmaps'))

describe('roles', () => {
  test('of permissions that are held', async () => {
    await escalationCheck(write('roles', role('n', 'ok', rule('get', 'configmaps'))), holding)
    await escalationCheck(
      write('roles', role('n', 'ok', rule('get', 'configmaps', { resourceNames: ['a'] }))),
      holding,
    )
  })
  test.each([
    [
      'verbs of one resource together, resources apart, sorted',
      rule('get,list', 'secrets,configmaps'),
      '{APIGroups:[""], Resources:["configmaps"], Verbs:["list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    ],
    ['stars', rule('*', '*', { apiGroups: ['*'] }), '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'],
    [
      'names',
      rule('delete', 'deployments', { apiGroups: ['apps'], resourceNames: ['x'] }),
      '{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["x"], Verbs:["delete"]}',
    ],
  ])('of others are refused: %s', async (_, wanted, lines) => {
    await expect(escalationCheck(write('roles', role('n', 'bad', wanted)), holding)).rejects.toMatchObject({
      message: `roles.${GROUP} "bad" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n${lines}`,
      status: { code: 403, details: { group: GROUP, kind: 'roles', name: 'bad' } },
    })
  })
  test('paths', async () => {
    const wanted = role('', 'c', { nonResourceURLs: ['/x'], verbs: ['get'] })
    await expect(escalationCheck(write('clusterroles', wanted), holding)).rejects.toThrow(
      /not currently held:\n\{NonResourceURLs:\["\/x"\], Verbs:\["get"\]\}$/,
    )
    await escalationCheck(write('clusterroles', wanted), authority({ nonResourceURLs: ['/*'], verbs: ['*'] }))
  })
  test('subresources are covered by the resource with a star before it', async () => {
    const scale = role('n', 'r', rule('get', 'deployments/scale'))
    await escalationCheck(write('roles', scale), authority(rule('get', '*/scale')))
    await expect(
      escalationCheck(write('roles', scale), authority(rule('get', 'deployments'))),
    ).rejects.toThrow()
  })
  test('an aggregation rule needs everything, also to be taken away', async () => {
    const aggregating: RoleObject = {
      ...role('', 'agg'),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    }
    const message = `clusterroles.${GROUP} "agg" is forbidden: must have cluster-admin privileges to use the aggregationRule`
    await expect(escalationCheck(write('clusterroles', aggregating), holding)).rejects.toThrow(message)
    const plain = role('', 'agg')
    await expect(
      escalationCheck(write('clusterroles', plain, { old: aggregating, name: 'agg' }), holding),
    ).rejects.toThrow(message)
    const all = authority(rule('*', '*', { apiGroups: ['*'] }), { verbs: ['*'], nonResourceURLs: ['*'] })
    await escalationCheck(write('clusterroles', aggregating), all)
  })
  test('the verb escalate, and system:masters, need no rules', async () => {
    const anything = role('n', 'a', rule('*', '*', { apiGroups: ['*'] }))
    await escalationCheck(
      write('roles', anything),
      authority(rule('escalate', 'roles', { apiGroups: [GROUP] })),
    )
    await escalationCheck(write('roles', anything, { user: user('x', 'system:masters') }), holding)
    const named = authority(rule('escalate', 'roles', { apiGroups: [GROUP], resourceNames: ['a'] }))
    await expect(escalationCheck(write('roles', anything), named)).rejects.toThrow()
    const old = role('n', 'a')
    await escalationCheck(write('roles', anything, { old, name: 'a' }), named)
  })
  test('an update of what the garbage collector changes is free, any other is not', async () => {
    const old = role('n', 'r', rule('delete', 'nodes'))
    const collected = {
      ...old,
      metadata: { ...old.metadata, finalizers: [], ownerReferences: [], managedFields: [] },
    }
    await escalationCheck(write('roles', collected, { old, name: 'r' }), holding)
    const labelled = { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }
    await expect(escalationCheck(write('roles', labelled, { old, name: 'r' }), holding)).rejects.toThrow(
      /not currently held/,
    )
  })
})

describe('bindings', () => {
  test('to more than is held are refused', async () => {
    await expect(
      escalationCheck(
        write('rolebindings', binding('n', 'a', 'ClusterRole/cluster-admin', 'User/jane')),
        holding,
      ),
    ).rejects.toThrow(
      `rolebindings.${GROUP} "a" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}`,
    )
  })
  test('the verb bind allows the role that it names', async () => {
    const binds = authority(rule('bind', 'clusterroles', { apiGroups: [GROUP], resourceNames: ['view'] }))
    await escalationCheck(write('rolebindings', binding('n', 'b', 'ClusterRole/view')), binds)
    await escalationCheck(write('clusterrolebindings', binding('', 'b', 'ClusterRole/view')), binds)
    await expect(
      escalationCheck(write('rolebindings', binding('n', 'b', 'ClusterRole/cluster-admin')), binds),
    ).rejects.toThrow(/not currently held/)
  })
  test('to what is held are free', async () => {
    await escalationCheck(write('rolebindings', binding('n', 'b', 'ClusterRole/own')), holding)
  })
  test.each([
    ['', 'Name parameter required.'],
    ['a%b', 'Name parameter invalid: "a%b": may not contain \'%\''],
  ])('to a role that nothing can be called (%j) are a 400', async (name, message) => {
    const check = escalationCheck(write('rolebindings', binding('n', 'b', `Role/${name}`)), holding)
    await expect(check).rejects.toMatchObject({ message, status: { code: 400 } })
  })
  test('to a role that is missing are a 404', async () => {
    await expect(
      escalationCheck(write('rolebindings', binding('n', 'c', 'Role/none')), holding),
    ).rejects.toMatchObject({
      message: `rolebindings.${GROUP} "none" not found`,
      status: { code: 404, details: { group: GROUP, kind: 'rolebindings', name: 'none' } },
    })
  })
  test('to a role of a namespace, by a binding of the cluster, are a 400', async () => {
    const check = escalationCheck(write('clusterrolebindings', binding('', 'x', 'Role/none')), holding)
    await expect(check).rejects.toMatchObject({ code: 400, message: 'Namespace parameter required.' })
  })
  test('to nothing are a 500 without a reason, as upstream has it', async () => {
    const check = escalationCheck(write('clusterrolebindings', binding('', 'x', '')), holding)
    const error = await check.catch((e: unknown) => e as StatusError)
    expect((error as StatusError).status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'unsupported role reference kind: ""',
      code: 500,
    })
  })
  test('roles that could not be found are told beside what is missing', async () => {
    const lister = new MemoryLister().put(
      role('', 'r', rule('get', 'pods')),
      binding('', 'x', 'ClusterRole/lost', 'User/jane'),
    )
    const rbac = new RbacAuthorizer(lister)
    const check = escalationCheck(write('rolebindings', binding('n', 'b', 'ClusterRole/r')), {
      rbac,
      authorizer: rbac,
    })
    await expect(check).rejects.toThrow(
      /; resolution errors: \[rolebindings\.rbac\.authorization\.k8s\.io "lost" not found\]$/,
    )
  })
})

test('guards the four kinds of RBAC and no others', () => {
  const guarded = (group: string, resource: string): boolean => guardsResource({ group, resource })
  for (const resource of ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings']) {
    expect(guarded(GROUP, resource)).toBe(true)
    expect(guarded('', resource)).toBe(false)
  }
  expect(guarded(GROUP, 'myroles')).toBe(false)
})
