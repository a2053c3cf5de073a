// Attacks by giving: roles and bindings that would give more than their author has.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Random } from '../fuzz/random.ts'
import type { Knock } from './door.ts'
import type { User } from './world.ts'

export type Family = (random: Random) => Knock

/** The attack as this user. */
export const as = (token: User, knock: Omit<Knock, 'token'>): Knock => ({ ...knock, token })

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

/** What none of the attackers holds. */
const RULES: readonly JsonObject[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
  { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['*'] },
  { apiGroups: [''], resources: ['users', 'groups'], verbs: ['impersonate'] },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['escalate', 'bind'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: ['*'], verbs: ['approve'] },
  { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', '*'] },
  { apiGroups: ['', '*'], resources: ['secrets'], verbs: ['deletecollection', 'sneak'] },
  { apiGroups: ['*'], resources: ['*/status'], verbs: ['update'] },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['create'] },
]
const URLS: JsonObject = { nonResourceURLs: ['/metrics', '/logs/*'], verbs: ['get'] }

const ROLE_PATCH = 'application/merge-patch+json'

/** Roles that would give more than their author has. */
export const escalation: Family = (random) => {
  const user = random.pick<User>(['dave', 'carol'])
  const wide = user === 'dave' && random.chance(0.5)
  const extra: Json[] = [random.pick(RULES), ...(random.chance(0.3) ? [random.pick(RULES)] : [])]
  if (wide && random.chance(0.2)) extra.push(URLS)
  const namespace = user === 'carol' ? 'red' : random.pick(['red', 'blue', 'default'])
  const folder = wide ? `${RBAC}/clusterroles` : `${RBAC}/namespaces/${namespace}/roles`
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  const kind = wide ? 'ClusterRole' : 'Role'
  const existing = wide ? 'dave-role' : namespace === 'red' ? 'alice-role' : undefined
  const name = existing !== undefined && random.chance(0.5) ? existing : `r-${random.text('abcd', 5)}`
  const body = {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind },
    metadata: { name, ...(wide && random.chance(0.4) ? { labels } : {}) },
    rules: extra,
  }
  if (name !== existing) {
    // A PUT or an apply that would create is a create.
    if (random.chance(0.3)) return as(user, { method: 'PUT', path: `${folder}/${name}`, body })
    if (random.chance(0.4)) return as(user, applied(`${folder}/${name}`, body))
    return as(user, { method: 'POST', path: folder + random.pick(['', '?dryRun=All']), body })
  }
  if (random.chance(0.3)) return as(user, { method: 'PUT', path: `${folder}/${name}`, body })
  if (random.chance(0.4)) return as(user, applied(`${folder}/${name}`, body))
  return as(user, { method: 'PATCH', path: `${folder}/${name}`, body: { rules: extra }, type: ROLE_PATCH })
}

const applied = (path: string, body: JsonObject): Omit<Knock, 'token'> => ({
  method: 'PATCH',
  path: `${path}?fieldManager=m&force=true`,
  body,
  type: 'application/apply-patch+yaml',
})

/** Roles that gather the rules of others: only who may everything may make one. */
export const aggregation: Family = (random) => {
  const name = random.chance(0.5) ? 'dave-role' : `a-${random.text('abcd', 5)}`
  const label = random.pick(['rbac.authorization.k8s.io/aggregate-to-admin', 'kubernetes.io/bootstrapping'])
  const aggregationRule = {
    clusterRoleSelectors: [
      random.chance(0.5)
        ? { matchLabels: { [label]: 'true' } }
        : { matchExpressions: [{ key: label, operator: 'Exists' }] },
    ],
  }
  const path = `${RBAC}/clusterroles`
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [],
    aggregationRule,
  }
  if (name === 'dave-role')
    return as('dave', {
      method: 'PATCH',
      path: `${path}/${name}`,
      body: { aggregationRule },
      type: ROLE_PATCH,
    })
  return as('dave', random.chance(0.5) ? { method: 'POST', path, body } : applied(`${path}/${name}`, body))
}

const CHIEFS = [
  'cluster-admin',
  'admin',
  'edit',
  'system:node',
  'system:kube-controller-manager',
  'system:auth-delegator',
]

/** Bindings that would give somebody a role that their author does not hold. */
export const binding: Family = (random) => {
  const user = random.pick<User>(['eve', 'carol'])
  const wide = user === 'eve' && random.chance(0.5)
  const namespace = user === 'carol' ? 'red' : random.pick(['red', 'blue', 'kube-system'])
  const folder = wide ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${namespace}/rolebindings`
  const chiefs = user === 'carol' ? CHIEFS.filter((name) => name !== 'admin' && name !== 'edit') : CHIEFS
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: random.pick(chiefs) }
  const subjects = [
    random.pick<JsonObject>([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user },
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' },
      { kind: 'ServiceAccount', name: 'app', namespace: 'blue' },
    ]),
  ]
  const name = `b-${random.text('abcd', 5)}`
  const kind = wide ? 'ClusterRoleBinding' : 'RoleBinding'
  const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, roleRef, subjects }
  if (wide && random.chance(0.2))
    return as(user, {
      method: 'PATCH',
      path: `${folder}/cluster-admin`,
      body: { subjects },
      type: ROLE_PATCH,
    })
  if (random.chance(0.3)) return as(user, applied(`${folder}/${name}`, body))
  return as(user, { method: 'POST', path: folder + random.pick(['', '?dryRun=All']), body })
}
