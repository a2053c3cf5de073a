// GET of one object. Follows k8s.io/apiserver/pkg/endpoints/handlers/get.go and pkg/registry/generic/registry/store.go.
import { badRequest, notFound, plainError, tooLargeResourceVersion } from '../machinery/status.ts'
import { requirePathSegment } from '../registry/metadata.ts'
import type { Entry } from '../storage/cache/entry.ts'
import { BrokenEntry } from '../storage/cache/reader.ts'
import { UnreadableValue } from '../storage/interface.ts'
import { boolParameter, resourceVersionFault } from './options.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { viewOf } from './views.ts'

const EXPORT_GONE = 'the export parameter, deprecated since v1.14, is no longer supported'

/** Seconds after which a client may ask again for a version that has not come yet. */
const RETRY_SECONDS = 1

export async function get(scope: Scope, request: ApiRequest): Promise<Answer> {
  if (request.query.size && boolParameter(request.query, 'export')) throw badRequest(EXPORT_GONE)
  const view = viewOf(scope, request, 'object')
  const entry = await read(scope, request)
  return { status: 200, contentType: view.contentType, body: view.object(entry) }
}

/** The object that the URL names, as fresh as the query's resourceVersion asks; throws 404. */
export async function read(scope: Scope, request: ApiRequest): Promise<Entry> {
  const version = request.query.size ? (request.query.get('resourceVersion') ?? '') : ''
  const { cache } = scope
  const { namespace, name } = request.info
  try {
    if (version === '') await cache.fresh()
    else await atLeast(scope, version)
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error
    return await alone(scope, request)
  }
  requirePathSegment(name)
  if (cache.isBroken && cache.index.get(namespace, name) instanceof BrokenEntry) await cache.mend()
  const entry = cache.index.get(namespace, name)
  if (!entry) throw notFound(scope.groupResource, name)
  return entry
}

/** What lies beside the object cannot be read, and with it the cache: that is no reason not to show the object. */
async function alone({ cache, groupResource }: Scope, { info }: ApiRequest): Promise<Entry> {
  requirePathSegment(info.name)
  const entry = await cache.alone(info.namespace, info.name)
  if (!entry) throw notFound(groupResource, info.name)
  return entry
}

/** Waits until the cache is no older than `version`; upstream answers 500 for a malformed one. */
export async function atLeast(scope: Scope, version: string): Promise<void> {
  const fault = resourceVersionFault(version)
  if (fault) throw plainError(fault)
  const revision = Number(version)
  if (revision === 0) return scope.cache.ready()
  if (!(await scope.cache.waitFor(revision))) {
    throw tooLargeResourceVersion(version, scope.cache.revision, RETRY_SECONDS)
  }
}
