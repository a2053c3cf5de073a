// get and list of objects that lie in no store: they are worked out when they are asked for.
// Follows k8s.io/kubernetes/pkg/registry/core/componentstatus.
import { notFound, StatusError } from '../machinery/status.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { Entry } from '../storage/cache/entry.ts'
import { listOptions } from './options.ts'
import type { ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { selectionOf } from './selection.ts'
import type { Handlers } from './subresource.ts'
import { viewOf } from './views.ts'

/** The objects of a cluster-scoped resource. */
export interface Computed {
  /** What answers for names that are none of these call the resource. */
  readonly calledWhenMissing: GroupResource
  readonly names: readonly string[]
  make(name: string): Promise<KubeObject>
}

export function computedHandlers({ calledWhenMissing, names, make }: Computed): Handlers {
  return {
    async get(scope, request) {
      const view = viewOf(scope, request, 'object')
      const { name } = request.info
      if (!names.includes(name)) throw notFound(calledWhenMissing, name)
      return {
        status: 200,
        contentType: view.contentType,
        body: view.object(entryOf(scope, await make(name))),
      }
    },
    async list(scope, request) {
      const view = viewOf(scope, request, 'list')
      const selection = selectionOf(scope, request.info, listOptions(request.query))
      const all = await Promise.all(names.map(async (name) => entryOf(scope, await make(name))))
      const entries = all.filter((entry) => selection.everything || selection.matches(entry))
      return { status: 200, contentType: view.contentType, body: view.list(entries, {}) }
    },
    async watch(scope) {
      const { resource: kind } = scope.groupResource
      throw new StatusError({
        code: 405,
        reason: 'MethodNotAllowed',
        message: `watch is not supported on resources of kind "${kind}"`,
        details: { kind },
      })
    },
  }
}

/** Objects that somebody in this process measures when they are asked for. */
export interface Measured {
  /** Of one namespace, or of all where it is "". */
  list(namespace: string): KubeObject[]
}

/** get and list of them. */
export function measuredHandlers({ list }: Measured): Handlers {
  return {
    async get(scope, asked) {
      const request = inJson(asked)
      const view = viewOf(scope, request, 'object')
      const { name, namespace } = request.info
      const found = list(namespace).find(({ metadata }) => metadata.name === name)
      if (!found) throw notFound(scope.groupResource, name)
      return { status: 200, contentType: view.contentType, body: view.object(entryOf(scope, found)) }
    },
    async list(scope, asked) {
      const request = inJson(asked)
      const view = viewOf(scope, request, 'list')
      const selection = selectionOf(scope, request.info, listOptions(request.query))
      const entries = list(request.info.namespace).map((object) => entryOf(scope, object))
      const chosen = entries.filter((entry) => selection.everything || selection.matches(entry))
      return { status: 200, contentType: view.contentType, body: view.list(chosen, {}) }
    },
  }
}

/** Their clients ask for protobuf alone, which these kinds do not have here, and read what the answer says it is. */
const inJson = (request: ApiRequest): ApiRequest =>
  request.accept.encoding === 'protobuf'
    ? { ...request, accept: { ...request.accept, encoding: 'json' } }
    : request

/** As if it came from the store, but of no revision. */
function entryOf(scope: Scope, object: KubeObject): Entry {
  const { name = '', namespace = '' } = object.metadata
  return new Entry({ key: scope.cache.keyFor(namespace, name), namespace, name }, 0, scope.storedJson(object))
}
