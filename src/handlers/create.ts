// POST to a collection. Follows k8s.io/apiserver/pkg/endpoints/handlers/create.go.
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import { ensureNamespace, MAX_NAME_DRAWS, wipeSystemFields } from '../registry/generic.ts'
import { readObject, requireReadable } from './body.ts'
import { writeOptions } from './options.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { viewOf } from './views.ts'
import { write } from './write.ts'

export async function create(scope: Scope, request: ApiRequest): Promise<Answer> {
  const view = viewOf(scope, request, 'object')
  requireReadable(await request.body())
  const options = writeOptions(request.query, 'CreateOptions')
  const fresh = await readObject(request, scope.expected, options.fieldValidation)
  const object = received(scope, request, fresh())
  const drawsName = !object.metadata.name && object.metadata.generateName !== undefined
  const { entry } = await write({
    scope,
    request,
    name: object.metadata.name ?? '',
    subresource: '',
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    allow: 'create',
    drawsName,
    change: turning(object, drawsName, () => received(scope, request, fresh())),
  })
  return { status: 201, contentType: view.contentType, body: view.object(entry) }
}

/** The object as the client may have it: in the request's namespace, without what only the server says. */
function received(scope: Scope, request: ApiRequest, object: KubeObject): KubeObject {
  ensureNamespace(object, { resource: scope.resource, namespace: request.info.namespace })
  wipeSystemFields(object.metadata)
  return object
}

/** The loop turns again when a generated name was taken, a bounded number of times, or when a claim was lost. */
function turning(object: KubeObject, drawsName: boolean, again: () => KubeObject): () => KubeObject {
  let turns = 0
  return () => {
    turns++
    if (drawsName && turns > MAX_NAME_DRAWS) throw alreadyDrawn()
    return turns === 1 ? object : again()
  }
}

/** As upstream: the client should ask again. */
const alreadyDrawn = (): StatusError =>
  new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: 'the server was not able to generate a unique name for the object',
    details: { retryAfterSeconds: 1 },
  })
