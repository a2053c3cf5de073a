// What there is to be attacked, and by whom: the same on every server, made by its administrator.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { certificateRequest } from '../kinds/signing.ts'
import type { Door } from './door.ts'

/** What no attacker may ever be shown. */
export const TREASURE = 'treasure-of-the-blue-namespace'

/** Each user's token is their name. */
export const USERS = {
  /** May nothing but what everybody may. */
  mallory: [],
  /** Reads pods and configmaps of red, and its secret "open" as such. */
  alice: ['readers'],
  /** edit in red. */
  bob: [],
  /** admin in red. */
  carol: [],
  /** Writes roles of every kind, and holds nothing that they could give. */
  dave: [],
  /** Writes bindings of every kind. */
  eve: [],
  /** Impersonates alice. */
  ivan: [],
  /** Asks for certificates and writes approvals and statuses, for no signer. */
  frank: [],
  /** Makes tokens of red's account "app". */
  tom: [],
  'system:node:node1': ['system:nodes'],
} as const satisfies Readonly<Record<string, readonly string[]>>
export type User = keyof typeof USERS

export const ADMIN_TOKEN = 'secret'

/** The file of --token-auth-file. */
export const tokensCsv = (): string =>
  [
    `${ADMIN_TOKEN},admin,admin,"system:masters"`,
    ...Object.entries(USERS).map(([name, groups]) => `${name},${name},${name},"${groups.join(',')}"`),
    '',
  ].join('\n')

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const rule = (resources: string, verbs: string, more: JsonObject = {}): JsonObject => ({
  apiGroups: ['', 'rbac.authorization.k8s.io', 'certificates.k8s.io'],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
  ...more,
})

const WRITES = 'get list watch create update patch delete deletecollection'

interface Grant {
  readonly user: User
  /** Of red; absent: of the cluster. */
  readonly namespace?: string
  readonly rules?: Json[]
  /** An existing ClusterRole instead. */
  readonly role?: string
}

const GRANTS: readonly Grant[] = [
  {
    user: 'alice',
    namespace: 'red',
    rules: [
      rule('pods configmaps', 'get list watch'),
      rule('secrets', 'get list watch deletecollection', { resourceNames: ['open'] }),
    ],
  },
  { user: 'bob', namespace: 'red', role: 'edit' },
  { user: 'carol', namespace: 'red', role: 'admin' },
  { user: 'dave', rules: [rule('roles clusterroles', WRITES)] },
  { user: 'eve', rules: [rule('rolebindings clusterrolebindings', WRITES)] },
  { user: 'ivan', rules: [rule('users', 'impersonate', { resourceNames: ['alice'] })] },
  {
    user: 'frank',
    rules: [
      rule('certificatesigningrequests', 'get list watch create'),
      rule('certificatesigningrequests/approval certificatesigningrequests/status', 'update patch'),
    ],
  },
  {
    user: 'tom',
    namespace: 'red',
    rules: [rule('serviceaccounts/token', 'create', { resourceNames: ['app'] })],
  },
]

const pod = (name: string, nodeName: string, secretName: string): JsonObject => ({
  metadata: { name },
  spec: {
    nodeName,
    serviceAccountName: 'app',
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'v', secret: { secretName } }],
  },
})

type Made = readonly [collection: string, object: JsonObject]

function objects(): readonly Made[] {
  const request = certificateRequest()
  const csr = {
    request,
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  }
  const inRed = (plural: string): string => `/api/v1/namespaces/red/${plural}`
  const inBlue = (plural: string): string => `/api/v1/namespaces/blue/${plural}`
  const named = (name: string, more: JsonObject = {}): JsonObject => ({ metadata: { name }, ...more })
  return [
    ['/api/v1/namespaces', named('red')],
    ['/api/v1/namespaces', named('blue')],
    ['/api/v1/nodes', named('node1')],
    ['/api/v1/nodes', named('node2')],
    ...['red', 'blue'].flatMap((namespace): Made[] =>
      ['default', 'app'].map((name) => [`/api/v1/namespaces/${namespace}/serviceaccounts`, named(name)]),
    ),
    [inRed('secrets'), named('open', { stringData: { k: 'v' } })],
    [inRed('secrets'), named('hidden', { stringData: { k: TREASURE } })],
    [inBlue('secrets'), named('treasure', { stringData: { k: TREASURE } })],
    ['/api/v1/namespaces/kube-system/secrets', named('key', { stringData: { k: TREASURE } })],
    [inRed('configmaps'), named('c', { data: { k: 'v' } })],
    [inBlue('configmaps'), named('c', { data: { k: TREASURE } })],
    [inRed('services'), named('s', { spec: { ports: [{ port: 80 }] } })],
    [inBlue('services'), named('s', { spec: { ports: [{ port: 80 }] } })],
    [inRed('pods'), pod('p1', 'node1', 'open')],
    [inBlue('pods'), pod('p2', 'node2', 'treasure')],
    ['/apis/certificates.k8s.io/v1/certificatesigningrequests', named('csr1', { spec: csr })],
    ['/apis/apps/v1/namespaces/blue/deployments', named('d', { spec: deployment() })],
    [`${RBAC}/namespaces/blue/roles`, named('owner', { rules: [rule('*', '*')] })],
    ...GRANTS.flatMap(grant),
  ]
}

const deployment = (): JsonObject => ({
  selector: { matchLabels: { app: 'd' } },
  template: {
    metadata: { labels: { app: 'd' } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  },
})

function grant({ user, namespace, rules, role }: Grant): Made[] {
  const roleName = role ?? `${user}-role`
  const isLocal = namespace !== undefined && role === undefined
  const folder = namespace === undefined ? RBAC : `${RBAC}/namespaces/${namespace}`
  const roleRef = {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: isLocal ? 'Role' : 'ClusterRole',
    name: roleName,
  }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]
  const binding: Made = [
    `${folder}/${namespace === undefined ? 'clusterrolebindings' : 'rolebindings'}`,
    { metadata: { name: `${user}-binding` }, roleRef, subjects },
  ]
  if (!rules) return [binding]
  const made: Made = [
    isLocal ? `${folder}/roles` : `${RBAC}/clusterroles`,
    { metadata: { name: roleName }, rules },
  ]
  return [made, binding]
}

/** Makes all of it as the administrator. */
export async function furnish(door: Door): Promise<void> {
  for (const [path, body] of objects()) {
    const { status, text } = await door.knock({ method: 'POST', path, body, token: ADMIN_TOKEN })
    // Namespaces' default accounts may have been made by whoever makes them.
    if (status !== 201 && !(status === 409 && path.endsWith('serviceaccounts')))
      throw new Error(`${path}: ${status} ${text}`)
  }
  await allowedOnce(door)
}

/**
 * Ivan is alice for a request: of whom one way to impersonate was allowed, later refusals tell of that way first. On
 * kube-apiserver roles take effect a moment after they are written.
 */
async function allowedOnce(door: Door): Promise<void> {
  const knock = { method: 'GET', path: '/version', token: 'ivan', headers: { 'impersonate-user': 'alice' } }
  for (let turn = 0; turn < 1_000; turn++) {
    if ((await door.knock(knock)).status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('ivan may not be alice')
}

/** Upstream gathers the rules of these roles by a controller, which runs beside it and not here. */
export async function copyAggregated(from: Door, to: Door): Promise<void> {
  for (const name of ['admin', 'edit', 'view']) {
    const path = `${RBAC}/clusterroles/${name}`
    const { text } = await from.knock({ method: 'GET', path, token: ADMIN_TOKEN })
    const { rules } = JSON.parse(text) as { rules: Json }
    const type = 'application/merge-patch+json'
    const { status } = await to.knock({ method: 'PATCH', path, body: { rules }, type, token: ADMIN_TOKEN })
    if (status !== 200) throw new Error(`${path}: ${status}`)
  }
}

const WATCHED = [
  '/api/v1/namespaces',
  '/api/v1/nodes',
  '/api/v1/pods',
  '/api/v1/services',
  '/api/v1/secrets',
  '/api/v1/configmaps',
  '/api/v1/serviceaccounts',
  '/apis/apps/v1/deployments',
  '/apis/batch/v1/jobs',
  '/apis/certificates.k8s.io/v1/certificatesigningrequests',
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map((plural) => `${RBAC}/${plural}`),
]

/** Everything that an attack could have changed, as texts to compare. */
export async function census(door: Door): Promise<readonly string[]> {
  const lists = WATCHED.map(async (path) => {
    const { status, text } = await door.knock({ method: 'GET', path, token: ADMIN_TOKEN })
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    const { items } = JSON.parse(text) as { items: JsonObject[] }
    return items.map((item) => `${path} ${JSON.stringify(item)}`)
  })
  return (await Promise.all(lists)).flat()
}
