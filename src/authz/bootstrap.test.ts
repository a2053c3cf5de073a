// The policy at start: the aggregated roles are filled, and what stands in the store is brought up to date.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import { bootstrapPolicyObjects, reconcileBootstrapPolicy } from './bootstrap.ts'
import { binding, MemoryLister, request, role, rule, user } from './policy.fixture.ts'
import type { RoleObject } from './policy.ts'
import { RbacAuthorizer } from './rbac.ts'

const released = JSON.parse(
  readFileSync(new URL('../../api/openapi/policy.json', import.meta.url), 'utf8'),
) as KubeObject[]
const objects = bootstrapPolicyObjects(released)

describe("the release's policy", () => {
  const find = (name: string): RoleObject =>
    objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name) as RoleObject

  test('aggregated roles have the rules of what they take in, nothing twice', () => {
    expect(find('view').rules).toEqual(find('system:aggregate-to-view').rules)
    for (const rules of [find('edit').rules, find('admin').rules]) {
      expect(rules).toEqual(expect.arrayContaining(find('system:aggregate-to-view').rules as []))
      expect(new Set(rules?.map((r) => JSON.stringify(r))).size).toBe(rules?.length)
    }
    expect(find('admin').rules?.length).toBeGreaterThan(find('edit').rules?.length as number)
  })

  test('lets each do its work', () => {
    const rbac = new RbacAuthorizer(
      new MemoryLister().put(...objects, binding('n', 'b', 'ClusterRole/view', 'User/viewer')),
    )
    const may = (...[who, verb, resource, more]: Parameters<typeof request>): boolean =>
      rbac.authorize(request(who, verb, resource, more)).decision === 'allow'
    expect(
      may(user('system:kube-scheduler'), 'create', 'pods', {
        namespace: 'n',
        name: 'p',
        subresource: 'binding',
      }),
    ).toBe(true)
    expect(may(user('system:kube-scheduler'), 'create', 'pods', { namespace: 'n' })).toBe(false)
    expect(may(user('viewer'), 'list', 'pods', { namespace: 'n' })).toBe(true)
    expect(may(user('viewer'), 'get', 'secrets', { namespace: 'n', name: 's' })).toBe(false)
    expect(
      may(user('x', 'system:authenticated'), 'create', 'selfsubjectreviews', {
        group: 'authentication.k8s.io',
      }),
    ).toBe(true)
    const paths = { isResourceRequest: false, path: '/healthz' }
    expect(may(user('system:anonymous', 'system:unauthenticated'), 'get', '', paths)).toBe(true)
    expect(
      may(user('system:anonymous', 'system:unauthenticated'), 'get', '', { ...paths, path: '/api' }),
    ).toBe(false)
  })
})

describe('reconciliation', () => {
  const over = (
    stored: KubeObject[],
    wanted: KubeObject[] = objects,
  ): ReturnType<typeof reconcileBootstrapPolicy> => {
    const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.namespace}/${metadata.name}`
    const byKey = new Map(stored.map((object) => [key(object), object]))
    return reconcileBootstrapPolicy(wanted, (object) => byKey.get(key(object)))
  }

  test('an empty store gets all, a complete one nothing', () => {
    expect(over([])).toEqual({ create: objects, update: [], recreate: [] })
    expect(over(objects)).toEqual({ create: [], update: [], recreate: [] })
  })

  test('a role gets the verbs it lacks and keeps what it has beyond', () => {
    const wanted = role('', 'r', rule('get,list', 'pods'))
    const stored = {
      ...role('', 'r', rule('get', 'pods,nodes')),
      metadata: { name: 'r', resourceVersion: '7' },
    }
    expect(over([stored], [wanted]).update).toEqual([
      {
        ...stored,
        rules: [rule('get', 'pods,nodes'), { apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
      },
    ])
  })

  test('more than the policy grants is left alone', () => {
    expect(over([role('', 'r', rule('*', '*'))], [role('', 'r', rule('get', 'pods'))]).update).toEqual([])
  })

  test('a binding gets the subjects it lacks; labels are added, own values win', () => {
    const wanted = {
      ...binding('', 'b', 'ClusterRole/r', 'Group/g', 'User/u'),
      metadata: { name: 'b', labels: { a: '1', b: '1' } },
    }
    const stored = {
      ...binding('', 'b', 'ClusterRole/r', 'User/mine', 'User/u'),
      metadata: { name: 'b', labels: { a: '2' } },
    }
    const [updated] = over([stored], [wanted]).update
    expect(updated).toMatchObject({ metadata: { name: 'b', labels: { a: '2', b: '1' } } })
    expect(updated?.['subjects']).toMatchObject([{ name: 'mine' }, { name: 'u' }, { name: 'g' }])
  })

  test('a binding to another role is made anew', () => {
    const wanted = binding('', 'b', 'ClusterRole/r', 'User/u')
    expect(over([binding('', 'b', 'ClusterRole/other', 'User/u')], [wanted])).toEqual({
      create: [],
      update: [],
      recreate: [wanted],
    })
  })

  test('autoupdate "false" is left alone', () => {
    const metadata = { name: 'r', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }
    expect(over([{ ...role('', 'r'), metadata }], [role('', 'r', rule('get', 'pods'))]).update).toEqual([])
  })

  test('an aggregation rule is added, and taken from a role that has none in the policy', () => {
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }
    const plain = role('', 'r', rule('get', 'pods'))
    expect(over([plain], [{ ...plain, aggregationRule }]).update).toEqual([{ ...plain, aggregationRule }])
    expect(over([{ ...plain, aggregationRule }], [plain]).update).toEqual([plain])
  })
})
