// What attacks are aimed at: resources with their paths, and bodies that would be taken if the attacker might write them.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Random } from '../fuzz/random.ts'

export interface Target {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Of one that is there, in the namespaces where it is. */
  readonly name: string
  readonly subresources: readonly string[]
  /** Beside metadata. */
  readonly content: JsonObject
}

const RBAC = 'rbac.authorization.k8s.io'
const CONTAINERS = { containers: [{ name: 'c', image: 'i' }] }
const MASTER = { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' }

type Row = readonly [plural: string, kind: string, name: string, subresources: string, content: JsonObject]

const rows = (group: string, version: string, namespaced: boolean, list: readonly Row[]): Target[] =>
  list.map(([plural, kind, name, subresources, content]) => ({
    ...{ group, version, plural, kind, namespaced, name, content },
    subresources: subresources === '' ? [] : subresources.split(' '),
  }))

const PODS: Row = [
  'pods',
  'Pod',
  'p1',
  'log exec attach portforward proxy status binding eviction ephemeralcontainers resize',
  { spec: CONTAINERS },
]

export const LOCAL: readonly Target[] = [
  ...rows('', 'v1', true, [
    PODS,
    ['secrets', 'Secret', 'treasure', '', { stringData: { k: 'v' } }],
    ['configmaps', 'ConfigMap', 'c', '', { data: { k: 'w' } }],
    ['services', 'Service', 's', 'status proxy', { spec: { ports: [{ port: 81 }] } }],
    ['serviceaccounts', 'ServiceAccount', 'app', 'token', {}],
    ['endpoints', 'Endpoints', 's', '', {}],
    ['events', 'Event', 'e', '', {}],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', 'c', 'status', {}],
    ['resourcequotas', 'ResourceQuota', 'q', 'status', {}],
    ['limitranges', 'LimitRange', 'l', '', {}],
    ['replicationcontrollers', 'ReplicationController', 'r', 'scale status', {}],
  ]),
  ...rows('apps', 'v1', true, [
    ['deployments', 'Deployment', 'd', 'scale status', {}],
    ['statefulsets', 'StatefulSet', 's', 'scale status', {}],
    ['daemonsets', 'DaemonSet', 'd', 'status', {}],
  ]),
  ...rows('batch', 'v1', true, [['jobs', 'Job', 'j', 'status', {}]]),
  ...rows('networking.k8s.io', 'v1', true, [['networkpolicies', 'NetworkPolicy', 'n', '', { spec: {} }]]),
  ...rows('coordination.k8s.io', 'v1', true, [['leases', 'Lease', 'l', '', { spec: {} }]]),
  ...rows(RBAC, 'v1', true, [
    ['roles', 'Role', 'owner', '', { rules: [] }],
    ['rolebindings', 'RoleBinding', 'b', '', { roleRef: MASTER, subjects: [] }],
  ]),
  ...rows('authorization.k8s.io', 'v1', true, [
    ['localsubjectaccessreviews', 'LocalSubjectAccessReview', '', '', { spec: { user: 'admin' } }],
  ]),
]

export const WIDE: readonly Target[] = [
  ...rows('', 'v1', false, [
    ['nodes', 'Node', 'node2', 'status proxy', {}],
    ['namespaces', 'Namespace', 'blue', 'status finalize', {}],
    ['persistentvolumes', 'PersistentVolume', 'v', 'status', {}],
  ]),
  ...rows(RBAC, 'v1', false, [
    ['clusterroles', 'ClusterRole', 'cluster-admin', '', { rules: [] }],
    ['clusterrolebindings', 'ClusterRoleBinding', 'cluster-admin', '', { roleRef: MASTER, subjects: [] }],
  ]),
  ...rows('apiextensions.k8s.io', 'v1', false, [
    ['customresourcedefinitions', 'CustomResourceDefinition', 'a.example.com', 'status', {}],
  ]),
  ...rows('admissionregistration.k8s.io', 'v1', false, [
    ['validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', 'v', '', { webhooks: [] }],
    ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', 'm', '', { webhooks: [] }],
  ]),
  ...rows('apiregistration.k8s.io', 'v1', false, [['apiservices', 'APIService', 'v1.apps', 'status', {}]]),
  ...rows('certificates.k8s.io', 'v1', false, [
    ['certificatesigningrequests', 'CertificateSigningRequest', 'csr1', 'approval status', {}],
  ]),
  ...rows('storage.k8s.io', 'v1', false, [['storageclasses', 'StorageClass', 's', '', {}]]),
  ...rows('scheduling.k8s.io', 'v1', false, [['priorityclasses', 'PriorityClass', 'p', '', { value: 1 }]]),
  ...rows('authentication.k8s.io', 'v1', false, [
    ['tokenreviews', 'TokenReview', '', '', { spec: { token: 'secret' } }],
  ]),
  ...rows('authorization.k8s.io', 'v1', false, [
    ['subjectaccessreviews', 'SubjectAccessReview', '', '', { spec: { user: 'admin' } }],
  ]),
]

export const apiVersionOf = ({ group, version }: Target): string =>
  group === '' ? version : `${group}/${version}`

/** "" as a namespace: all of them. */
export function collectionOf(target: Target, namespace: string): string {
  const root = target.group === '' ? `/api/${target.version}` : `/apis/${target.group}/${target.version}`
  const folder = target.namespaced && namespace !== '' ? `/namespaces/${namespace}` : ''
  return `${root}${folder}/${target.plural}`
}

export function bodyOf(target: Target, namespace: string, name: string): JsonObject {
  const metadata = target.namespaced && namespace !== '' ? { name, namespace } : { name }
  return { apiVersion: apiVersionOf(target), kind: target.kind, metadata, ...target.content }
}

export interface Request {
  readonly method: string
  readonly path: string
  readonly body?: JsonObject
  readonly type?: string
}

/** What a verb asks of a target; in a namespace where that may be. */
export function requestOf(random: Random, verb: string, target: Target, namespace: string): Request {
  const collection = collectionOf(target, namespace)
  const isReview = target.name === ''
  const name = random.chance(0.7) ? target.name || 'x' : `new-${random.text('abcdef', 4)}`
  const one = `${collection}/${name}`
  const body = bodyOf(target, namespace, name)
  if (isReview) return { method: 'POST', path: collection, body: { ...body, metadata: {} } }
  switch (verb) {
    case 'get':
      return { method: 'GET', path: one }
    case 'list':
      return { method: 'GET', path: collection + random.pick(['', '?limit=1', '?resourceVersion=0']) }
    case 'watch':
      return { method: 'GET', path: `${collection}?watch=1&timeoutSeconds=1` }
    case 'create':
      return { method: 'POST', path: collection, body }
    case 'update':
      return { method: 'PUT', path: one, body }
    case 'delete':
      return { method: 'DELETE', path: one }
    case 'deletecollection':
      return { method: 'DELETE', path: collection }
    default:
      return { method: 'PATCH', path: one, body, type: random.pick(PATCH_TYPES) }
  }
}

/** An apply needs the name of its manager. */
const PATCH_TYPES = ['application/merge-patch+json', 'application/strategic-merge-patch+json'] as const

export const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']
