// DELETE of one object: at once, with grace, or when its finalizers are done.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/delete.go and pkg/registry/generic/registry/store.go.
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, conflict, notFound, OBJECT_MODIFIED, StatusError } from '../machinery/status.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import { checkDeleteOptions, graceOf, planDelete } from '../registry/deletion.ts'
import { requirePathSegment } from '../registry/metadata.ts'
import type { DeleteOptions, DeletePlan, WriteContext } from '../registry/strategy.ts'
import { decoderFor, DecodeError } from '../schema/decode.ts'
import type { NumberTokens } from '../schema/json/json.ts'
import { typeForKind } from '../schema/types.ts'
import { Entry } from '../storage/cache/entry.ts'
import { parseBody, syntaxFault } from './body.ts'
import { boolParameter, intParameter } from './options.ts'
import { type Answer, type ApiRequest, type Body, stillAsked } from './request.ts'
import type { Scope } from './scope.ts'
import { statusBody, viewOf } from './views.ts'
import { catchUp } from './write.ts'

/** Lost swaps after which a delete gives up. */
const MAX_ATTEMPTS = 1000

export async function deleteOne(scope: Scope, request: ApiRequest): Promise<Answer> {
  const view = viewOf(scope, request, 'object')
  const options = await readDeleteOptions(request)
  checkDeleteOptions(options)
  const { entry, gone } = await remove(scope, { request, name: request.info.name, options })
  if (gone && !scope.strategy.returnsDeleted) return statusBody(request, 200, deletedStatus(scope, entry))
  // 202 for those who asked that dependents go too, and whose object is still there.
  const status = !gone && options.orphanDependents === false ? 202 : 200
  return { status, contentType: view.contentType, body: view.object(entry) }
}

function deletedStatus(scope: Scope, entry: Entry): JsonObject {
  const { group, name: kind } = scope.resource
  const uid = entry.object().metadata.uid
  const details = { name: entry.name, ...(group ? { group } : {}), kind, ...(uid ? { uid } : {}) }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

export interface Removed {
  readonly entry: Entry
  /** It left the store; otherwise it is marked and waits. */
  readonly gone: boolean
}

export interface Removal {
  readonly request: ApiRequest
  readonly name: string
  readonly options: DeleteOptions
  /** It is part of a request that admission has seen. */
  readonly admitted?: true
}

/** Deletes inside the compare-and-swap. Throws 404, 409 for preconditions, and what admission throws. */
export async function remove(scope: Scope, removal: Removal): Promise<Removed> {
  const { request, name, options } = removal
  const { cache, environment } = scope
  const dryRun = (options.dryRun?.length ?? 0) > 0
  requirePathSegment(name)
  await cache.fresh()
  if (cache.isBroken) await cache.mend()
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    stillAsked(request)
    const current = cache.index.get(request.info.namespace, name)
    if (!current) throw notFound(scope.groupResource, name)
    const context: WriteContext = {
      resource: scope.resource,
      subresource: '',
      user: request.user,
      namespace: request.info.namespace,
      dryRun,
      now: environment.now(),
      inCollection: request.info.verb === 'deletecollection',
      lister: environment.lister,
      ...(environment.settings ? { settings: environment.settings } : {}),
      ...(environment.claims ? { claims: environment.claims } : {}),
      warn: (message) => request.warn(message),
    }
    // What the options or a deletion under way forbid is nothing to be admitted.
    const plan = planDelete(current.object(), scope.strategy, options, context)
    if (!removal.admitted && plan.step !== 'pending') await admitDelete(scope, removal, current)
    const done = await carryOut(scope, current, plan, context)
    if (done) return done
  }
  throw conflict(scope.groupResource, name, OBJECT_MODIFIED)
}

async function admitDelete(scope: Scope, { request, name, options }: Removal, current: Entry): Promise<void> {
  const old = current.object()
  const period = graceOf(scope.strategy, old, options)
  const attributes = {
    operation: 'DELETE' as const,
    resource: scope.resource,
    subresource: '',
    namespace: request.info.namespace,
    // Objects of a collection are told by `old` alone.
    name: request.info.verb === 'deletecollection' ? '' : name,
    user: request.user,
    dryRun: (options.dryRun?.length ?? 0) > 0,
    object: undefined,
    old,
    options: shownDeleteOptions(period === undefined ? options : { ...options, gracePeriodSeconds: period }),
    warn: (message: string) => request.warn(message),
    annotate: request.annotate,
    waited: request.waited,
  }
  await scope.environment.admission.admit(attributes)
  await scope.environment.admission.validate(attributes)
}

/** In the order of the Go struct. */
function shownDeleteOptions(options: DeleteOptions): JsonObject {
  const { gracePeriodSeconds, preconditions, orphanDependents, propagationPolicy, dryRun } = options
  return {
    kind: 'DeleteOptions',
    apiVersion: 'meta.k8s.io/v1',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(dryRun === undefined ? {} : { dryRun: [...dryRun] }),
  }
}

/** undefined where the swap was lost. */
async function carryOut(
  scope: Scope,
  current: Entry,
  plan: DeletePlan,
  context: WriteContext,
): Promise<Removed | undefined> {
  if (plan.step === 'pending') return { entry: current, gone: false }
  if (plan.step === 'remove') return takeOut(scope, current, context)
  const marked = await mark(scope, current, plan.object, context.dryRun)
  if (!marked || plan.then === 'keep') return marked && { entry: marked, gone: false }
  if (context.dryRun) return { entry: marked, gone: true }
  return takeOut(scope, marked, context)
}

async function takeOut(scope: Scope, current: Entry, context: WriteContext): Promise<Removed | undefined> {
  if (context.dryRun) return { entry: current, gone: true }
  const { storage } = scope.environment.caches
  const result = await storage.write({ key: current.key, expected: current.revision, value: null })
  if (!result.ok) {
    await catchUp(scope, result.current?.modRevision)
    return undefined
  }
  await scope.strategy.afterDelete?.(current.object(), context)
  return { entry: current.at(result.revision), gone: true }
}

async function mark(
  scope: Scope,
  current: Entry,
  object: KubeObject,
  dryRun: boolean,
): Promise<Entry | undefined> {
  const { resourceVersion: _, ...metadata } = object.metadata
  const next: KubeObject = { ...object, metadata }
  const shown = scope.storedJson(next)
  if (current.holds(shown)) return current
  const { stored } = scope.kind
  const value = stored ? await stored.write(next) : shown
  if (dryRun) return new Entry(current, current.revision, shown)
  if (!stored) scope.cache.offer(value, next.metadata.labels)
  const result = await scope.environment.caches.storage.write({
    key: current.key,
    expected: current.revision,
    value,
  })
  if (!result.ok) {
    scope.cache.withdraw(value)
    await catchUp(scope, result.current?.modRevision)
    return undefined
  }
  return new Entry(current, result.revision, shown, next.metadata.labels)
}

/** DeleteOptions from the body, or from the query where there is no body. */
export async function readDeleteOptions(request: ApiRequest): Promise<DeleteOptions> {
  const body = await request.body()
  if (body.bytes.length > 0) return fromBody(body)
  const { query } = request
  if (query.size === 0) return {}
  const gracePeriodSeconds = intParameter(query, 'gracePeriodSeconds')
  const orphanDependents = boolParameter(query, 'orphanDependents')
  const propagationPolicy = query.get('propagationPolicy')
  const dryRun = query.getAll('dryRun')
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...(dryRun.length ? { dryRun } : {}),
  }
}

async function fromBody(body: Body): Promise<DeleteOptions> {
  try {
    const { value, tokens } = await parseBody(body, false)
    if (value === null) return {}
    if (!isObject(value)) {
      const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
      const target =
        'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
      throw badRequest(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${target}`,
      )
    }
    return decodeDeleteOptions(value, tokens)
  } catch (error) {
    if (error instanceof StatusError) throw error
    if (error instanceof DecodeError) throw badRequest(error.message)
    const why = syntaxFault(error)
    if (why === undefined) throw error
    throw badRequest(`couldn't get version/kind; json parse error: ${why}`)
  }
}

function decodeDeleteOptions(value: JsonObject, tokens?: () => NumberTokens): DeleteOptions {
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = value
  const type = typeForKind({ group: '', version: 'v1', kind: 'DeleteOptions' })
  if (!type) throw new Error('the facts have no type for DeleteOptions')
  if (kind !== 'DeleteOptions') {
    throw badRequest(
      `no kind ${jsonText(kind)} is registered for version ${jsonText(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  }
  return decoderFor(type)(value, tokens).object as unknown as DeleteOptions
}
