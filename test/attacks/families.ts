// Attacks by their kind: each exceeds, by its making, what the attacker may. Whoever lets one in has a hole.
import type { JsonObject } from '../../src/machinery/json.ts'
import { certificateRequest } from '../kinds/signing.ts'
import type { Random } from '../fuzz/random.ts'
import type { Knock } from './door.ts'
import { aggregation, as, binding, escalation, type Family } from './grants.ts'
import { LOCAL, requestOf, VERBS, WIDE } from './targets.ts'
import type { User } from './world.ts'

const MERGE = 'application/merge-patch+json'

/** Those who may nothing in blue, in kube-system or in all namespaces at once. */
const STRANGERS: readonly User[] = ['mallory', 'alice', 'bob', 'carol', 'tom', 'ivan', 'frank']

/** Rights that end at a namespace's border. */
const otherNamespace: Family = (random) => {
  const namespace = random.pick(['blue', 'blue', 'kube-system', 'default', '', 'none'])
  // All namespaces at once can only be read.
  const verb = namespace === '' ? random.pick(['list', 'watch']) : random.pick(VERBS)
  const targets = namespace === '' ? LOCAL.filter(({ name }) => name !== '') : LOCAL
  return as(random.pick(STRANGERS), requestOf(random, verb, random.pick(targets), namespace))
}

/** Rights within a namespace that are taken for the cluster's. */
const clusterScoped: Family = (random) => {
  // Frank does read and ask for certificates.
  const strangers = STRANGERS.filter((user) => user !== 'frank')
  return as(random.pick(strangers), requestOf(random, random.pick(VERBS), random.pick(WIDE), ''))
}

/** Whoever may read may not write, in his own namespace too; nor read what he was not given. */
const readerWrites: Family = (random) => {
  const writes = ['create', 'update', 'patch', 'delete', 'deletecollection']
  if (random.chance(0.5))
    return as('alice', requestOf(random, random.pick(writes), random.pick(LOCAL), 'red'))
  const others = LOCAL.filter(({ plural }) => plural !== 'pods' && plural !== 'configmaps')
  return as('alice', requestOf(random, random.pick(VERBS), random.pick(others), 'red'))
}

/** Who may read an object may not what is below it. */
const subresources: Family = (random) => {
  const [target, namespace] = random.chance(0.6)
    ? ([
        random.pick(LOCAL.filter((one) => one.subresources.length > 0)),
        random.pick(['red', 'blue']),
      ] as const)
    : ([random.pick(WIDE.filter((one) => one.subresources.length > 0)), ''] as const)
  const verb = random.pick(['get', 'create', 'update', 'patch', 'delete'])
  const { path, ...rest } = requestOf(random, verb, target, namespace)
  const whole = verb === 'create' ? `${path}/${target.name}` : path
  const below = random.pick(target.subresources)
  const rests = ['proxy'].includes(below) ? random.pick(['', '/', '/metrics', '/../x', '/%2e%2e/x']) : ''
  return as(random.pick(['mallory', 'alice']), { ...rest, path: `${whole}/${below}${rests}` })
}

const names = (random: Random): string => random.pick(['open2', 'hidden', 'treasure', 'open ', 'OPEN', '*'])

/** A name that was given is no other name, and no list. */
const resourceNames: Family = (random) => {
  const secrets = '/api/v1/namespaces/red/secrets'
  const open = 'fieldSelector=metadata.name%3Dopen'
  // What a rule for one name allows may be narrowed by a selector, but a deletion is none of it.
  if (random.chance(0.3)) return as('alice', { method: 'DELETE', path: `${secrets}?${open}` })
  const path = random.pick([
    `${secrets}?fieldSelector=metadata.name%3D${random.pick(['hidden', '%3Dhidden', 'open%5C,hidden'])}`,
    `${secrets}?${open},metadata.name%3Dhidden`,
    `${secrets}?fieldSelector=metadata.namespace%21%3Dx%5C,metadata.name%3Dopen`,
    `${secrets}?watch=true&fieldSelector=metadata.name%3Dhidden`,
    `/api/v1/watch/namespaces/red/secrets?${open}`,
    `/api/v1/secrets?${open}`,
    `${secrets}/${encodeURIComponent(names(random))}`,
    `${secrets}?labelSelector=name%3Dopen`,
    '/api/v1/watch/namespaces/red/secrets/hidden',
    '/api/v1/watch/namespaces/red/secrets',
  ])
  return as('alice', { method: 'GET', path })
}

/** Others' names, taken with headers. */
const impersonation: Family = (random) => {
  const user = random.pick<User>(['mallory', 'alice', 'carol', 'ivan', 'dave'])
  const wanted = random.pick([
    'admin',
    'carol',
    'system:admin',
    'system:serviceaccount:kube-system:default',
    'system:node:node2',
  ])
  const headers: Record<string, string> =
    user === 'ivan' && random.chance(0.5)
      ? { 'impersonate-user': 'alice', ...random.pick(MORE) }
      : random.pick<Record<string, string>>([
          { 'impersonate-user': wanted },
          { 'impersonate-user': wanted, 'impersonate-group': 'system:masters' },
          { 'Impersonate-User': 'bob', 'Impersonate-Extra-Scopes': 'x' },
          { 'impersonate-group': 'system:masters' },
          { 'impersonate-uid': '1' },
        ])
  const path = random.pick(['/api/v1/namespaces/blue/secrets/treasure', '/api/v1/secrets', '/api/v1/nodes'])
  return as(user, { method: 'GET', path, headers })
}
const MORE: readonly Record<string, string>[] = [
  {},
  { 'impersonate-group': 'system:masters' },
  { 'impersonate-uid': 'admin' },
  { 'impersonate-extra-a': 'b' },
]

const NODE: User = 'system:node:node1'

/** A node and what lies on others. */
const node: Family = (random) => {
  const podBody = (name: string, spec: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: { 'kubernetes.io/config.mirror': 'x' } },
    spec: { nodeName: 'node1', containers: [{ name: 'c', image: 'i' }], ...spec },
  })
  const pods = '/api/v1/namespaces/red/pods'
  const labels = { metadata: { labels: { [random.pick(RESTRICTED)]: 'x' } } }
  return as(
    NODE,
    random.pick<Omit<Knock, 'token'>>([
      { method: 'GET', path: '/api/v1/namespaces/blue/secrets/treasure' },
      { method: 'GET', path: '/api/v1/namespaces/red/secrets/hidden' },
      { method: 'GET', path: `/api/v1/namespaces/${random.pick(['red', 'blue'])}/secrets` },
      { method: 'GET', path: '/api/v1/namespaces/blue/configmaps/c' },
      { method: 'GET', path: '/api/v1/namespaces/blue/secrets?fieldSelector=metadata.name%3Dtreasure' },
      { method: 'PUT', path: '/api/v1/nodes/node2', body: { metadata: { name: 'node2' } } },
      { method: 'PATCH', path: '/api/v1/nodes/node2/status', body: labels, type: MERGE },
      { method: 'PATCH', path: '/api/v1/nodes/node1', body: labels, type: MERGE },
      { method: 'DELETE', path: `/api/v1/nodes/${random.pick(['node1', 'node2'])}` },
      { method: 'POST', path: '/api/v1/nodes', body: { metadata: { name: `n${random.int(99)}` } } },
      { method: 'DELETE', path: '/api/v1/namespaces/blue/pods/p2' },
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/blue/pods/p2/status',
        body: { status: {} },
        type: MERGE,
      },
      { method: 'POST', path: pods, body: { ...podBody('m1'), metadata: { name: 'm1' } } },
      { method: 'POST', path: pods, body: podBody('m2', { nodeName: 'node2' }) },
      { method: 'POST', path: pods, body: podBody('m3', { serviceAccountName: 'app' }) },
      {
        method: 'POST',
        path: pods,
        body: podBody('m4', { volumes: [{ name: 'v', secret: { secretName: 'hidden' } }] }),
      },
      {
        method: 'POST',
        path: `/api/v1/namespaces/${random.pick(['red', 'blue'])}/serviceaccounts/app/token`,
        body: tokenRequest(random.pick([{}, { boundObjectRef: boundTo('p2') }])),
      },
      { method: 'POST', path: '/apis/policy/v1/namespaces/red/poddisruptionbudgets', body: {} },
      {
        method: 'PUT',
        path: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node2',
        body: { metadata: { name: 'node2' }, spec: {} },
      },
      { method: 'GET', path: '/api/v1/nodes/node2/proxy/' },
      { method: 'GET', path: '/apis/rbac.authorization.k8s.io/v1/clusterroles' },
    ]),
  )
}
const RESTRICTED = [
  'node-restriction.kubernetes.io/x',
  'node-role.kubernetes.io/control-plane',
  'foo.kubernetes.io/x',
  'kubernetes.io/evil',
]

const boundTo = (name: string): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', name, uid: 'u' })
const tokenRequest = (spec: JsonObject): JsonObject => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: { audiences: ['https://kubernetes.default.svc'], ...spec },
})

/** Tokens of accounts that are not one's own. */
const tokens: Family = (random) => {
  const user = random.pick<User>(['tom', 'alice', 'mallory', 'ivan'])
  const namespace = user === 'tom' ? random.pick(['blue', 'kube-system']) : random.pick(['red', 'blue'])
  const name = random.pick(['app', 'default'])
  const [where, which] = user === 'tom' && random.chance(0.4) ? ['red', 'default'] : [namespace, name]
  const path = `/api/v1/namespaces/${where}/serviceaccounts/${which}/token`
  return as(user, { method: 'POST', path, body: tokenRequest({}) })
}

let request: string | undefined

/** Certificates: approvals and signatures without a say over the signer, and groups that nobody is given so. */
const certificates: Family = (random) => {
  request ??= certificateRequest()
  const csr = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const condition = {
    type: random.pick(['Approved', 'Denied']),
    status: 'True',
    reason: 'r',
    message: 'm',
    lastUpdateTime: null,
  }
  const part = random.pick(['approval', 'status'])
  const status: JsonObject =
    part === 'approval' ? { conditions: [condition] } : { certificate: Buffer.from('x').toString('base64') }
  if (part === 'approval' || random.chance(0.7)) {
    const who = random.pick<User>(['frank', 'frank', 'mallory', 'carol'])
    return as(who, { method: 'PATCH', path: `${csr}/csr1/${part}`, body: { status }, type: MERGE })
  }
  return as(random.pick<User>(['mallory', 'alice']), {
    method: 'POST',
    path: csr,
    body: {
      ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'c' } },
      spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] },
    },
  })
}

/** Headers of a proxy that the sender is not. */
const forgedHeaders: Family = (random) => {
  const headers = random.pick<Record<string, string>>([
    { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
    { 'X-Remote-User': 'admin', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-A': 'b' },
    { 'x-remote-user': 'system:admin', 'x-remote-uid': '1' },
    { 'x-remote_user': 'admin', x_remote_group: 'system:masters' },
    { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' },
    { 'x-forwarded-client-cert': 'Subject="CN=admin,O=system:masters"', 'x-ssl-client-s-dn': 'CN=admin' },
    { 'x-http-method-override': 'GET', 'x-original-url': '/livez', 'x-rewrite-url': '/livez' },
    { 'x-kubernetes-user': 'admin', 'remote-user': 'admin', 'audit-id': 'x' },
  ])
  const path = random.pick([
    '/api/v1/namespaces/blue/secrets/treasure',
    '/api/v1/secrets',
    '/metrics',
    '/logs/',
  ])
  const knock = { method: 'GET', path, headers }
  return random.chance(0.4) ? knock : as(random.pick<User>(['mallory', 'alice']), knock)
}

/** Tokens that nobody gave out. */
const badTokens: Family = (random) => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: 'https://kubernetes.default.svc',
    aud: ['https://kubernetes.default.svc'],
    sub: 'system:serviceaccount:kube-system:default',
    exp: 4102444800,
    'kubernetes.io': { namespace: 'kube-system', serviceaccount: { name: 'default', uid: 'u' } },
  }
  const token = random.pick([
    'secre',
    'secret-',
    'SECRET',
    'secretsecret',
    random.text('abcdefghijklmnop', 20),
    'alice\u0000',
    `${part({ alg: 'none' })}.${part(claims)}.`,
    `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${random.text('abcd', 43)}`,
    `${part({ alg: 'RS256', kid: '../../x' })}.${part(claims)}.${random.text('abcd', 342)}`,
    `${part({ alg: 'RS256', jwk: {} })}.${part({ ...claims, iss: 'x' })}.aaaa`,
    'a.b.c',
    '..',
  ])
  const header = `${random.pick(['Bearer', 'bearer'])} ${token}`
  // Of node's own rules: no control characters.
  const authorization = header.replaceAll('\u0000', '%00')
  const path = random.pick(['/api/v1/secrets', '/api/v1/namespaces/red/pods', '/version'])
  return { method: 'GET', path, headers: { authorization } }
}

/** Paths that two readers could read as two things. */
const paths: Family = (random) => {
  const treasure = 'secrets/treasure'
  const path = random.pick([
    `/api/v1/namespaces/red/../blue/${treasure}`,
    `/api/v1/namespaces/red%2f..%2fblue/${treasure}`,
    `/api/v1/namespaces/red/pods/../../blue/${treasure}`,
    `/api/v1/namespaces/red/pods/%2e%2e/%2e%2e/blue/${treasure}`,
    `/api/v1/namespaces/blue%00/${treasure}`,
    `/api/v1/namespaces/blue/${treasure};x=y`,
    `/api/v1/namespaces/blue/secrets%2ftreasure`,
    `/api/v1/namespaces/BLUE/${treasure}`,
    `/api/v1/namespaces//${treasure}`,
    `/api/v1/watch/namespaces/blue/${treasure}`,
    `/api/v1/namespaces/blue/${treasure}/status`,
    `/api/v1/namespaces/blue/${treasure}/`,
    `/api/v1/namespaces/blue/secrets?namespace=red`,
    `/api/v1/secrets?namespace=red&fieldSelector=metadata.namespace%3Dred`,
    `/api/v1/namespaces/red/secrets?fieldSelector=metadata.namespace%3Dblue`,
    `/api/v1/namespaces/blue/configmaps/c?x=%2e%2e`,
    '/api/v1/namespaces/blue/pods/p2/proxy/../../../../red/pods/p1',
    '/api/v1/namespaces/red/services/s/proxy/../../../../../nodes',
    '/api/v1/nodes/node1:10250/proxy/exec',
    '/api/v1/nodes/https:node1:10250/proxy/run',
    '/metrics',
    '/metrics/',
    '/debug/pprof/profile',
    '/logs/../../etc/passwd',
    '/configz',
    '/flagz',
    '/api/v1/proxy/nodes/node1',
  ])
  return as(random.pick<User>(['mallory', 'alice']), { method: 'GET', path })
}

/** How often each kind is tried. */
export const FAMILIES: readonly (readonly [weight: number, name: string, family: Family])[] = [
  [20, 'another namespace', otherNamespace],
  [12, 'the cluster', clusterScoped],
  [10, 'writes by a reader', readerWrites],
  [12, 'subresources', subresources],
  [3, 'names that were not given', resourceNames],
  [12, 'escalation by roles', escalation],
  [4, 'aggregated roles', aggregation],
  [8, 'bindings', binding],
  [6, 'impersonation', impersonation],
  [8, 'a node and others', node],
  [4, 'tokens of accounts', tokens],
  [4, 'certificates', certificates],
  [3, 'forged headers', forgedHeaders],
  [3, 'forged tokens', badTokens],
  [6, 'paths', paths],
]

/** The attack of this number. */
export function attack(random: Random): { readonly name: string; readonly knock: Knock } {
  const family = random.weighted(FAMILIES.map((entry) => [entry[0], entry] as const))
  return { name: family[1], knock: family[2](random) }
}
