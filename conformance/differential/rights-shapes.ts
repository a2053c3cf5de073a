// Random RBAC objects, users, and questions about them: words are few, so that rules and questions meet, and odd forms
// are among them. Used by rights.ts and escalations.ts.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { perhaps, several } from './both.ts'

export const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const GROUP = 'rbac.authorization.k8s.io'

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']
const ODD_VERBS = ['*', 'bind', 'escalate', 'impersonate', 'use', 'approve', 'sign', 'GET', 'attest']
const GROUPS = ['', 'apps', 'batch', GROUP, 'example.com']
const RESOURCES = [
  'pods',
  'secrets',
  'deployments',
  'jobs',
  'roles',
  'clusterroles',
  'rolebindings',
  'users',
  'groups',
]
const ODD_RESOURCES = [
  '*',
  'pods/*',
  '*/scale',
  'pods/log',
  'deployments/scale',
  'pods/exec',
  '*/*',
  '/',
  'userextras/scopes',
  'Pods',
]
const OBJECTS = ['a', 'b', 'view', 'a*', '*']
const URLS = ['/healthz', '/healthz/*', '*', '/*', '/metrics', '/apis/*', '/api', '/logs*', '/version/']

export interface Who extends JsonObject {
  user: string
  groups: string[]
}

const words = (draw: Draw, plain: readonly string[], odd: readonly string[]): string[] => [
  ...several(draw, plain, draw.chance(0.15) ? 0 : 1, 3),
  ...(draw.chance(0.25) ? [draw.of(odd)] : []),
]

/** A rule; now and then one that no server takes. URLs are for the cluster alone. */
export function ruleOf(draw: Draw, cluster: boolean): JsonObject {
  const verbs = words(draw, VERBS, ODD_VERBS)
  if (draw.chance(cluster ? 0.25 : 0.04)) {
    const nonResourceURLs = several(draw, URLS, 1, 2)
    return { verbs, nonResourceURLs, ...perhaps(draw, 0.05, () => ({ resources: ['pods'] })) }
  }
  return {
    verbs,
    apiGroups: draw.chance(0.15) ? ['*'] : several(draw, GROUPS, draw.chance(0.05) ? 0 : 1, 2),
    resources: words(draw, RESOURCES, ODD_RESOURCES),
    ...perhaps(draw, 0.3, () => ({ resourceNames: several(draw, OBJECTS, 1, 2) })),
  }
}

export const rulesOf = (draw: Draw, cluster: boolean): JsonObject[] =>
  draw.of([[0], [0, 1], [0, 1, 2], []]).map(() => ruleOf(draw, cluster))

/** Names of one round, so that rounds do not meet. */
export interface World {
  readonly tag: string
  readonly namespaces: readonly string[]
}

const USERS = ['ann', 'bob', 'cy']
const GROUPS_OF_USERS = ['red', 'blue', 'a,b', 'system:authenticated', 'system:unauthenticated']

export function whoOf(draw: Draw, { tag, namespaces }: World): Who {
  const namespace = draw.of(namespaces)
  const account = `system:serviceaccount:${namespace}:${draw.of(['x', 'y'])}`
  const user = draw.chance(0.7) ? `${draw.of(USERS)}-${tag}` : draw.of([account, 'system:anonymous', account])
  const accounts = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  const groups = several(draw, GROUPS_OF_USERS, 0, 2).map((name) =>
    name.startsWith('system:') ? name : `${name}-${tag}`,
  )
  return { user, groups: [...groups, ...(draw.chance(0.2) ? accounts : [])] }
}

/** One whom a binding names; also in forms that no server takes. */
export function subjectOf(draw: Draw, world: World): JsonObject {
  const { user, groups } = whoOf(draw, world)
  const apiGroup = draw.chance(0.9) ? GROUP : draw.of(['', 'x', 'rbac.authorization.k8s.io/v1'])
  if (draw.chance(0.3))
    return {
      kind: 'ServiceAccount',
      name: draw.of(['x', 'y', 'y', 'X']),
      ...perhaps(draw, 0.92, () => ({ namespace: draw.of(world.namespaces) })),
      ...perhaps(draw, 0.05, () => ({ apiGroup })),
    }
  if (draw.chance(0.4))
    return {
      kind: 'Group',
      apiGroup,
      name: groups[0] ?? draw.of(['system:serviceaccounts', 'system:authenticated']),
    }
  if (draw.chance(0.04)) return { kind: draw.of(['Robot', '', 'user']), apiGroup, name: user }
  return { kind: 'User', apiGroup, name: draw.chance(0.03) ? draw.of(['*', '']) : user }
}

const ROLES = ['r0', 'r1', 'r2']

/** A reference; of clusters' roles too, or to none. */
export function refOf(draw: Draw, { tag }: World, cluster: boolean): JsonObject {
  const kind = cluster || draw.chance(0.4) ? 'ClusterRole' : 'Role'
  const name = draw.chance(0.85)
    ? `${draw.of(ROLES)}-${tag}`
    : draw.of(['view', 'absent', 'edit', 'cluster-admin'])
  return {
    apiGroup: draw.chance(0.97) ? GROUP : draw.of(['', 'x']),
    kind: draw.chance(0.96) ? kind : draw.of(['Role', 'Other', '']),
    name: draw.chance(0.97) ? name : draw.of(['', 'a/b', '..', 'x%y']),
  }
}

const SELECTORS: readonly Json[] = [
  { matchLabels: { part: 'a' } },
  { matchLabels: { part: 'b' } },
  {},
  { matchExpressions: [{ key: 'part', operator: 'In', values: ['a', 'b'] }] },
  { matchExpressions: [{ key: 'part', operator: 'Equals', values: ['a'] }] },
]

/** Where an object of a kind lies, and what it is. */
export interface Made {
  readonly path: string
  readonly name: string
  readonly object: JsonObject
}

/** A random object of RBAC's four kinds. `aggregated`: roles that take in others are among them. */
export function objectOf(draw: Draw, world: World, aggregated: boolean): Made {
  const cluster = draw.chance(0.5)
  const namespace = draw.of(world.namespaces)
  const place = cluster ? RBAC : `${RBAC}/namespaces/${namespace}`
  const prefix = cluster ? 'Cluster' : ''
  const labels = perhaps(draw, 0.2, () => ({ labels: { part: draw.of(['a', 'b']) } }))
  if (draw.chance(0.5)) {
    const name = `${draw.of(ROLES)}-${world.tag}`
    const object = {
      apiVersion: `${GROUP}/v1`,
      kind: `${prefix}Role`,
      metadata: { name, ...labels },
      rules: rulesOf(draw, cluster),
      ...perhaps(draw, aggregated && cluster ? 0.15 : 0, () => ({
        aggregationRule: { clusterRoleSelectors: several(draw, SELECTORS, 0, 2) },
      })),
    }
    return { path: `${place}/${cluster ? 'clusterroles' : 'roles'}`, name, object }
  }
  const name = `${draw.of(['b0', 'b1', 'b2', 'b3'])}-${world.tag}`
  const object = {
    apiVersion: `${GROUP}/v1`,
    kind: `${prefix}RoleBinding`,
    metadata: { name, ...labels },
    subjects: draw.of([[0], [0, 1], []]).map(() => subjectOf(draw, world)),
    roleRef: refOf(draw, world, cluster),
  }
  return { path: `${place}/${cluster ? 'clusterrolebindings' : 'rolebindings'}`, name, object }
}

const FIELD_SELECTORS: readonly Json[] = [
  { rawSelector: 'metadata.name=a' },
  { requirements: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
  { requirements: [{ key: 'spec.x', operator: 'NotIn', values: ['a', 'b'] }] },
  {
    requirements: [
      { key: 'x', operator: 'Gt', values: ['1'] },
      { key: 'y', operator: 'Exists' },
    ],
  },
  { requirements: [{ key: '', operator: 'In', values: [] }] },
  { rawSelector: 'a==', requirements: [{ key: 'x', operator: 'Exists', values: ['v'] }] },
  { rawSelector: 'a=b=c,,' },
  { rawSelector: 'a in (b' },
  { requirements: [{ key: '-bad/-', operator: 'In', values: ['-bad-'] }] },
  {
    requirements: [
      { key: 'a', operator: 'DoesNotExist' },
      { key: 'b', operator: 'In', values: ['v', 'v'] },
    ],
  },
  {},
]

/** What a review asks; selectors and forms that no server takes are among them. */
export function questionOf(draw: Draw, world: World): JsonObject {
  const paths = {
    nonResourceAttributes: {
      path: draw.of([
        '/healthz',
        '/healthz/ping',
        '/healthzx',
        '/',
        '/metrics',
        '/apis/apps',
        '*',
        '/api',
        '/logs/x',
        '/version',
        '',
      ]),
      verb: draw.of(['get', 'post', '*', '', 'list']),
    },
  }
  if (draw.chance(0.2)) return paths
  const resourceAttributes: JsonObject = {
    ...perhaps(draw, 0.7, () => ({
      namespace: draw.of([...world.namespaces, ...world.namespaces, '*', 'absent']),
    })),
    verb: draw.chance(0.8) ? draw.of(VERBS) : draw.of([...ODD_VERBS, '']),
    ...perhaps(draw, 0.8, () => ({ group: draw.chance(0.95) ? draw.of(GROUPS) : '*' })),
    ...perhaps(draw, 0.2, () => ({ version: draw.of(['v1', '*', 'v9']) })),
    resource: draw.chance(0.85) ? draw.of(RESOURCES) : draw.of(ODD_RESOURCES),
    ...perhaps(draw, 0.3, () => ({ subresource: draw.of(['scale', 'log', 'exec', '*', 'status', '']) })),
    ...perhaps(draw, 0.4, () => ({ name: draw.of(OBJECTS) })),
    ...perhaps(draw, 0.08, () => ({ fieldSelector: draw.of(FIELD_SELECTORS) })),
    ...perhaps(draw, 0.08, () => ({ labelSelector: draw.of(FIELD_SELECTORS) })),
  }
  return { resourceAttributes, ...perhaps(draw, 0.02, () => paths) }
}
