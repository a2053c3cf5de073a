// From a request's verb to its handler: one verb a file in handlers/. Stands behind authorization.
// Follows k8s.io/apiserver/pkg/endpoints/installer.go, without an installer: the resource's row says what it can do.
import { create } from '../handlers/create.ts'
import { deleteOne } from '../handlers/delete.ts'
import { deleteCollection } from '../handlers/deletecollection.ts'
import { get } from '../handlers/get.ts'
import { list } from '../handlers/list.ts'
import { patch } from '../handlers/patch.ts'
import type { Answer, ApiRequest } from '../handlers/request.ts'
import type { Scope, Scopes } from '../handlers/scope.ts'
import { update } from '../handlers/update.ts'
import { watch } from '../handlers/watch.ts'
import type { RequestInfo } from '../machinery/attributes.ts'
import { badRequest, methodNotSupported, notFound, pathNotFound, StatusError } from '../machinery/status.ts'
import type { Resource, Subresource } from '../schema/resource.ts'
import { segments } from './requestinfo.ts'

type Handler = (scope: Scope, request: ApiRequest) => Promise<Answer>

const VERBS: Readonly<Record<string, Handler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
}

/** Subresources that are another view of the same object: written by the same verbs. */
const SAME_SHAPE: Readonly<Record<string, Handler>> = { get, update, patch }

/** Answers for resources and subresources that are no plain stored object. */
export interface SpecialHandlers {
  resource(resource: Resource): Readonly<Record<string, Handler>> | undefined
  subresource(resource: Resource, subresource: Subresource): Readonly<Record<string, Handler>> | undefined
}

/** Kinds that clients should leave behind: said with every answer about them. Follows the life cycle marks of k8s.io/api. */
const DEPRECATED: Readonly<Record<string, string>> = {
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
}

/** The warning that goes with every answer about the resource. */
export const deprecationOf = ({ group, name }: Resource): string | undefined =>
  group === '' && Object.hasOwn(DEPRECATED, name) ? DEPRECATED[name] : undefined

export interface Route {
  readonly resource: Resource
  readonly handler: Handler
}

/** 405; custom resources, which have no routes, say which verb of which resource. */
const notAllowedOn = (resource: Resource, { verb }: RequestInfo): StatusError =>
  resource.custom
    ? methodNotSupported({ group: resource.group, resource: resource.name }, verb)
    : notAllowed()

/** 405, as go-restful words it. */
export const notAllowed = (): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })

/** Finds the handler. Throws 404 for places that are none, 405 for verbs that the place does not have. */
export function route(
  resource: Resource | undefined,
  info: RequestInfo,
  method: string,
  special: SpecialHandlers,
): Route {
  if (!resource) throw pathNotFound()
  const namespaced = info.namespace !== '' && !(resource.name === 'namespaces' && resource.group === '')
  if (namespaced && !resource.namespaced) throw pathNotFound()
  if (!isRouted(resource, info)) throw pathNotFound()
  if (method === 'HEAD' && !(resource.custom && info.verb === 'list')) throw notAllowedOn(resource, info)
  return { resource, handler: handlerFor(resource, info, special) }
}

/** Whether the path has the parts that its place takes: odd ones have too many, an empty one, or a name alone. */
function isRouted(resource: Resource, info: RequestInfo): boolean {
  if (resource.custom)
    return !resource.namespaced || info.namespace !== '' || !(info.subresource !== '' || hasNameInPath(info))
  if (info.subresource === 'proxy') return true
  const parts = segments(info.path)
  const roots = info.group === '' ? ROOTS_OF_CORE : ROOTS_OF_GROUPS
  const isForced = parts[roots] === 'watch'
  const isInside = resource.namespaced && info.namespace !== ''
  const own = parts.slice(roots + (isForced ? 1 : 0) + (isInside ? NAMESPACE_PARTS : 0))
  if (own.length > 1 && resource.namespaced && !isInside) {
    if (own[0] !== 'namespaces' || own[1] !== '') return false
    if (own.length > NAMESPACE_PARTS + 1 || !COLLECTION_VERBS.has(info.verb)) throw badRequest(NO_NAMESPACE)
    return true
  }
  if (isForced && !resource.verbs.includes('watch')) return false
  if (own.length === 2 && !resource.verbs.some((verb) => ITEM_VERBS.has(verb))) return false
  return own.length <= (info.subresource === '' ? 2 : 3) && !own.includes('')
}

/** A resource without any of them has no place for single objects: reviews, bindings. */
const ITEM_VERBS: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete'])

/** /api/VERSION, /apis/GROUP/VERSION, /namespaces/NAMESPACE. */
const ROOTS_OF_CORE = 2
const ROOTS_OF_GROUPS = 3
const NAMESPACE_PARTS = 2
const NO_NAMESPACE = 'Namespace parameter required.'

const COLLECTION_VERBS = new Set(['list', 'watch', 'deletecollection'])

/** list, watch and deletecollection may have a name from a selector. */
const hasNameInPath = (info: RequestInfo): boolean => info.name !== '' && !COLLECTION_VERBS.has(info.verb)

function handlerFor(resource: Resource, info: RequestInfo, special: SpecialHandlers): Handler {
  const { verb, subresource } = info
  if (subresource !== '') return subresourceHandler(resource, info, special)
  const everywhere = resource.namespaced && info.namespace === ''
  if (everywhere && verb !== 'list' && verb !== 'watch') throw notAllowedOn(resource, info)
  if (verb === 'create' && info.name !== '') throw notAllowedOn(resource, info)
  if ((verb === 'update' || verb === 'patch') && info.name === '') throw notAllowedOn(resource, info)
  const own = special.resource(resource)?.[verb]
  if (own) return own
  // Discovery shows fewer verbs of custom resources that are being taken away, but answers to them all the same.
  if (!resource.verbs.includes(verb) && !resource.custom) throw notAllowedOn(resource, info)
  const handler = VERBS[verb]
  if (!handler) throw notAllowedOn(resource, info)
  return handler
}

function subresourceHandler(resource: Resource, info: RequestInfo, special: SpecialHandlers): Handler {
  const row = resource.subresources.find((s) => s.name === info.subresource)
  if (!row) {
    const { group, name } = resource
    throw resource.custom ? notFound({ group, resource: name }, info.name) : pathNotFound()
  }
  const handlers = special.subresource(resource, row) ?? (row.kind === resource.kind ? SAME_SHAPE : undefined)
  const handler = row.verbs.includes(info.verb) ? handlers?.[info.verb] : undefined
  if (!handler) throw notAllowedOn(resource, info)
  return handler
}

/** The scope of a route, and the request as its handler sees it: cluster-scoped objects have no namespace. */
export function scoped(
  scopes: Scopes,
  { resource }: Route,
  info: RequestInfo,
): { scope: Scope; info: RequestInfo } {
  const scope = scopes.of(resource)
  return { scope, info: resource.namespaced || info.namespace === '' ? info : { ...info, namespace: '' } }
}
