// Where a request goes, as labels of what is counted: few, whatever clients make up.
// Follows k8s.io/apiserver/pkg/endpoints/metrics, whose paths of requests that are no resource's are as clients send them.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Labels } from '../machinery/exposition.ts'

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  connect: 'CONNECT',
}
const CONNECTIONS: ReadonlySet<string> = new Set(['log', 'exec', 'portforward', 'attach', 'proxy'])
const APPLY = 'application/apply-patch+yaml'
const COLLECTION_VERBS: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection'])

export function verbOf({ verb, isResourceRequest, subresource }: RequestInfo, contentType?: string): string {
  if (isResourceRequest && subresource !== '' && CONNECTIONS.has(subresource)) return 'CONNECT'
  if (verb === 'patch' && contentType === APPLY) return 'APPLY'
  return VERBS[verb] ?? 'other'
}

/** A collection's scope does not depend on what a selector names. */
export function routeScope({ verb, name, namespace }: RequestInfo): string {
  if (verb === 'create' || (name !== '' && !COLLECTION_VERBS.has(verb))) return 'resource'
  return namespace === '' ? 'cluster' : 'namespace'
}

/** For what is counted before it has a route. A resource and its subresource must be known to be served. */
export function placeOf(info: RequestInfo): Labels {
  const { isResourceRequest, verb, path, name, namespace } = info
  const scope =
    name !== '' || verb === 'create'
      ? 'resource'
      : namespace !== ''
        ? 'namespace'
        : isResourceRequest
          ? 'cluster'
          : ''
  const component = 'apiserver'
  if (!isResourceRequest) {
    const shown = verb.toUpperCase()
    const known = shown === 'GET' || shown === 'HEAD' ? 'GET' : (NON_RESOURCE_VERBS.get(shown) ?? 'other')
    const subresource = pathLabel(path)
    return { verb: known, group: '', version: '', resource: '', subresource, scope, component }
  }
  const { group, version, resource, subresource } = info
  return { verb: verbOf(info), group, version, resource, subresource, scope, component }
}

const NON_RESOURCE_VERBS = new Map(['POST', 'PUT', 'PATCH', 'DELETE'].map((verb) => [verb, verb]))

/** Below which everything lies that is no resource; the longer before the shorter. */
const ROOTS: readonly string[] = [
  ...['/.well-known/openid-configuration', '/openid/v1/jwks', '/openapi/v2', '/openapi/v3'],
  ...['/debug/api_priority_and_fairness', '/healthz', '/livez', '/readyz', '/metrics', '/version'],
  ...['/apis', '/api'],
]

/**
 * DEVIATION: upstream tells the whole path, which the client chooses: a sender of ever other paths would fill memory, and
 * crowd out what there is to count. Here it is the known path that it lies below, or "other".
 */
function pathLabel(path: string): string {
  if (path === '/') return path
  return ROOTS.find((root) => path.startsWith(root) && (path[root.length] ?? '/') === '/') ?? 'other'
}

/** Of documents that are counted as resources are; others are not, as upstream. */
export const documentLabels = (path: string): Labels | undefined => DOCUMENTS.get(path)

const documentAt = (subresource: string, component: string): Labels => ({
  ...{ verb: 'GET', group: '', version: '', resource: '', subresource, scope: '', component },
})

const DOCUMENTS: ReadonlyMap<string, Labels> = new Map([
  ...['/healthz', '/livez', '/readyz'].map((path) => [path, documentAt(path, '')] as const),
  ...['/api', '/apis'].map((path) => [path, documentAt(path, 'apiserver')] as const),
  ...['openapi/v3', 'openapi/v3/'].map((path) => [`/${path}`, documentAt(path, '')] as const),
])

/** What `dryRun` says, once each and in order; it may be anything that a client sends. */
export function dryRunOf(query: URLSearchParams): string {
  const values = query.getAll('dryRun')
  if (values.some((value) => value !== 'All')) return 'invalid'
  return values.length > 0 ? 'All' : ''
}

const SHOWN_USERS: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
])

/** Requests are counted by the sort of their user: names would be too many. */
export const sortOf = (name: string): string =>
  SHOWN_USERS.has(name) ? name : name.includes('@') ? 'email_id' : 'other'
