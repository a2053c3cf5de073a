// PUT of one object. Follows k8s.io/apiserver/pkg/endpoints/handlers/update.go.
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, conflict, notFound, OBJECT_MODIFIED } from '../machinery/status.ts'
import { ensureNamespace } from '../registry/generic.ts'
import { readObject } from './body.ts'
import { writeOptions } from './options.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { viewOf } from './views.ts'
import { write } from './write.ts'

/** The object itself, or its status and other parts that share its shape. */
export async function update(scope: Scope, request: ApiRequest): Promise<Answer> {
  const view = viewOf(scope, request, 'object')
  const options = writeOptions(request.query, 'UpdateOptions')
  const { name, namespace, subresource } = request.info
  const received = (given: KubeObject): KubeObject => {
    checkName(given, name)
    ensureNamespace(given, { resource: scope.resource, namespace })
    return given
  }
  const fresh = await readObject(request, scope.expected, options.fieldValidation)
  let object: KubeObject | undefined = received(fresh())
  const { entry, created } = await write({
    scope,
    request,
    name,
    subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    allow: 'update',
    change(current) {
      const next = object ?? received(fresh())
      object = undefined
      if (!current) refuseMissing(scope, next, name, subresource)
      else checkUid(scope, next, current)
      return next
    },
  })
  return { status: created ? 201 : 200, contentType: view.contentType, body: view.object(entry) }
}

/** The body may leave out its name, but not say another than the URL. Fills it in. */
export function checkName(object: KubeObject, name: string): void {
  const given = object.metadata.name ?? ''
  if (given === '')
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    )
  if (given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
}

/** A PUT of what is not there: 404, unless the kind lets a PUT create. */
function refuseMissing(scope: Scope, object: KubeObject, name: string, subresource: string): void {
  if (!scope.strategy.allowCreateOnUpdate || subresource) throw notFound(scope.groupResource, name)
  const version = object.metadata.resourceVersion
  if (version && version !== '0') throw conflict(scope.groupResource, name, OBJECT_MODIFIED)
}

/** A uid in the body is a precondition: another object of this name is not the one that was meant. */
function checkUid(scope: Scope, object: KubeObject, current: KubeObject): void {
  const { uid, resourceVersion } = current.metadata
  const wanted = object.metadata.uid
  if (!wanted || wanted === uid) return
  const { namespace = '', name = '' } = current.metadata
  const where = `Code: 4, Key: ${scope.cache.keyFor(namespace, name)}, ResourceVersion: ${resourceVersion}`
  const what = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`
  throw conflict(
    scope.groupResource,
    name,
    `StorageError: invalid object, ${where}, AdditionalErrorMsg: ${what}`,
  )
}
