// Subresources that are not the object itself: projections (scale), actions (binding, eviction, token) and connections
// (log, exec, proxy). What each does is told in registry/; here it is carried out.
// Follows k8s.io/apiserver/pkg/endpoints/handlers and kubernetes/pkg/registry.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../machinery/object.ts'
import {
  badRequest,
  conflict,
  notAcceptable,
  notFound,
  OBJECT_MODIFIED,
  StatusError,
} from '../machinery/status.ts'
import type {
  Action,
  ActionContext,
  ActionPlan,
  Connection,
  PlannedWrite,
  Projection,
} from '../registry/subresource.ts'
import { ensureNamespace } from '../registry/generic.ts'
import { decoderFor } from '../schema/decode.ts'
import { managerFromUserAgent, trackUpdate } from '../schema/ownership/managedfields.ts'
import { parentOwners, scaleOwners } from '../schema/ownership/managedfields-scale.ts'
import type { Subresource } from '../schema/resource.ts'
import type { StructType } from '../schema/type.ts'
import { parseIncludeObject, tableOf } from '../schema/table.ts'
import { typeOf } from '../schema/types.ts'
import type { Entry } from '../storage/cache/entry.ts'
import { admitted, connectOptions } from './admitted.ts'
import { APPLY_PATCH, Applier, applyOptions, readConfiguration } from './apply.ts'
import { readObject } from './body.ts'
import { remove } from './delete.ts'
import { read } from './get.ts'
import { writeOptions } from './options.ts'
import { patched, patchOptions, patchReader } from './patch.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Expected, Scope } from './scope.ts'
import { checkName } from './update.ts'
import { tableOptions } from './view-table.ts'
import { statusBody } from './views.ts'
import { KindVersions } from './versions.ts'
import { catchUp, replicasPath, write, type WriteRequest, type Written } from './write.ts'

type Handler = (scope: Scope, request: ApiRequest) => Promise<Answer>
export type Handlers = Readonly<Record<string, Handler>>

/** Plans made anew when a swap was lost. */
const MAX_ATTEMPTS = 100

function expectedOf(row: Subresource): Expected & { readonly type: StructType } {
  const type = typeOf(row.definition)
  if (!type) throw new Error(`the facts have no type for ${row.definition}`)
  const { group, version, kind } = row
  return { group, version, kind, type, decode: decoderFor(type) }
}

/** get, update and patch of a part of the parent. */
export function projectionHandlers(projection: Projection, row: Subresource): Handlers {
  const answer = (scope: Scope, request: ApiRequest, entry: Entry): Answer =>
    partAnswer(scope, request, projection.get(scope.toServed(entry.object())))
  const writing = (
    scope: Scope,
    request: ApiRequest,
    change: WriteRequest['change'],
    options: ReturnType<typeof writeOptions>,
  ) =>
    write({
      scope,
      request,
      name: request.info.name,
      subresource: row.name,
      dryRun: options.dryRun,
      fieldManager: options.fieldManager,
      allow: 'update',
      projected: true,
      change,
    })
  return {
    get: async (scope, request) => answer(scope, request, await read(scope, request)),
    async update(scope, request) {
      const options = writeOptions(request.query, 'UpdateOptions')
      const expected = { ...expectedOf(row), ...(scope.resource.custom && { alone: true as const }) }
      const fresh = await readObject(request, expected, options.fieldValidation)
      const part = fresh()
      checkName(part, request.info.name)
      const change = (parent: KubeObject | undefined) =>
        projection.update(existing(scope, request, parent), part)
      return answer(scope, request, (await writing(scope, request, change, options)).entry)
    },
    async patch(scope, request) {
      if ((await request.body()).mediaType === APPLY_PATCH) {
        const written = await applyPart(scope, request, projection, expectedOf(row))
        return answer(scope, request, written.entry)
      }
      const options = await patchOptions(scope, request)
      const expected = expectedOf(row)
      const change = patchReader(await request.body(), expected.type)
      const apply = (stored: KubeObject | undefined): KubeObject => {
        const parent = existing(scope, request, stored)
        const part = patched(
          { request, expected, change: change(), validation: options.fieldValidation },
          projection.get(parent),
        )
        return projection.update(parent, part)
      }
      return answer(scope, request, (await writing(scope, request, apply, options)).entry)
    },
  }
}

/** Applies a configuration of a part, whose fields' owners are those of the parent's. */
async function applyPart(
  scope: Scope,
  request: ApiRequest,
  projection: Projection,
  expected: ReturnType<typeof expectedOf>,
): Promise<Written> {
  const options = applyOptions(request)
  const { name, namespace, subresource } = request.info
  const target = {
    ...expected,
    decodeOnly: expected.decode,
    versions: new KindVersions(expected, expected.type),
  }
  const applier = new Applier(target, {
    request,
    options,
    configuration: await readConfiguration(request, options),
  })
  return write({
    scope,
    request,
    name,
    subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    allow: 'update',
    tracked: true,
    change(stored) {
      const parent = existing(scope, request, stored)
      const scaled = {
        entries: parent.metadata.managedFields,
        apiVersion: scope.apiVersion,
        replicasPath: replicasPath(scope),
      }
      const live = withOwners(projection.get(parent), scaleOwners(scaled))
      const part = applier.apply(live, scope.environment.now())
      ensureNamespace(part, { resource: scope.resource, namespace })
      checkName(part, name)
      return withOwners(projection.update(parent, part), parentOwners(scaled, part.metadata.managedFields))
    },
  })
}

function withOwners(object: KubeObject, managedFields: ManagedFieldsEntry[] | undefined): KubeObject {
  const { managedFields: _before, ...metadata } = object.metadata
  return { ...object, metadata: managedFields ? { ...metadata, managedFields } : metadata }
}

/** The part as it was asked for; a table has one row. */
function partAnswer(scope: Scope, request: ApiRequest, part: KubeObject): Answer {
  const { accept, query } = request
  if (accept.as !== 'Table') return statusBody(request, 200, part)
  const include = parseIncludeObject(query.get('includeObject') ?? '')
  const options = tableOptions(scope, include, accept.asVersion === 'v1beta1' ? 'v1beta1' : 'v1')
  const { resourceVersion = '' } = part.metadata
  return statusBody(request, 200, tableOf(scope.resource, [part], { resourceVersion }, options))
}

function existing(scope: Scope, request: ApiRequest, parent: KubeObject | undefined): KubeObject {
  if (!parent) throw notFound(scope.groupResource, request.info.name)
  return parent
}

/** What actions need that the server alone has. */
export interface ActionServices extends Pick<ActionContext, 'tokenIssuer'> {
  scopeOf(resource: GroupResource): Scope
}

/** A POST that does something to the parent. */
export function actionHandlers(action: Action, row: Subresource, services: ActionServices): Handlers {
  return {
    async create(scope, request) {
      refuseViews(request)
      const options = writeOptions(request.query, 'CreateOptions')
      const expected = {
        ...expectedOf(row),
        ...(action.alsoAccepts ? { alsoAccepts: action.alsoAccepts } : {}),
      }
      const fresh = await readObject(request, expected, options.fieldValidation)
      let body = fresh()
      ensureNamespace(body, { resource: scope.resource, namespace: request.info.namespace })
      action.complete?.(body)
      ownFields(body, expected, { request, options, now: scope.environment.now() })
      const { dryRun } = options
      body = await admitted(scope, request, {
        operation: 'CREATE',
        subresource: row.name,
        object: body,
        dryRun,
        check: (admittedBody) => action.check?.(request.info.name, admittedBody),
      })
      if (action.reads) await scope.environment.lister.ready(...action.reads)
      const { environment } = scope
      const context: ActionContext = {
        resource: scope.resource,
        subresource: row.name,
        user: request.user,
        namespace: request.info.namespace,
        dryRun: options.dryRun,
        now: environment.now(),
        lister: environment.lister,
        warn: (message) => request.warn(message),
        annotate: (key, value) => request.annotate?.(key, value),
        ...services,
      }
      const plan = await act({ action, scope, request, body, context, services })
      return statusBody(request, 201, withCode(plan.result))
    },
  }
}

interface Acting {
  readonly action: Action
  readonly scope: Scope
  readonly request: ApiRequest
  readonly body: KubeObject
  readonly context: ActionContext
  readonly services: ActionServices
}

async function act({ action, scope, request, body, context, services }: Acting): Promise<ActionPlan> {
  let lost: Error | undefined
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await scope.cache.fresh()
    const entry = scope.cache.index.get(request.info.namespace, request.info.name)
    if (!entry) throw notFound(scope.groupResource, request.info.name)
    const plan = await action.plan(entry.object(), body, context)
    if (context.dryRun) return plan
    lost = plan.onConflict
    if (!(await carryOut(plan.writes, services))) continue
    if (plan.remove) await removeParent(scope, request, plan)
    return plan
  }
  throw lost ?? conflict(scope.groupResource, request.info.name, OBJECT_MODIFIED)
}

async function removeParent(scope: Scope, request: ApiRequest, plan: ActionPlan): Promise<void> {
  try {
    await remove(scope, { request, name: request.info.name, options: plan.remove ?? {}, admitted: true })
  } catch (error) {
    if (plan.onConflict && error instanceof StatusError && error.reason === 'Conflict') throw plan.onConflict
    throw error
  }
}

/** False where one of the swaps was lost. */
async function carryOut(writes: readonly PlannedWrite[], services: ActionServices): Promise<boolean> {
  for (const planned of writes) {
    const scope = services.scopeOf(planned.resource)
    const { namespace = '', name = '', resourceVersion } = planned.old.metadata
    const key = scope.cache.keyFor(namespace, name)
    const value = scope.storedJson(planned.object)
    const result = await scope.environment.caches.storage.write({
      key,
      expected: Number(resourceVersion),
      value,
    })
    if (result.ok) continue
    await catchUp(scope, result.current?.modRevision)
    return false
  }
  return true
}

/** Passes a request on to where a connection leads; handed in by the server. */
export type Connect = (scope: Scope, request: ApiRequest, connection: Connection) => Promise<Answer>

/** GET and POST that lead to a node or an address. */
export function connectionHandlers(connection: Connection, row: Subresource, connect: Connect): Handlers {
  const handler: Handler = async (scope, request) => {
    if (row.name !== 'log') {
      if (request.query.has('dryRun')) throw badRequest('dryRun is not supported')
      const object = connectOptions(request, row)
      await admitted(scope, request, { operation: 'CONNECT', subresource: row.name, object, dryRun: false })
    }
    return connect(scope, request, connection)
  }
  return Object.fromEntries(
    ['get', 'create', 'update', 'patch', 'delete', 'connect'].map((verb) => [verb, handler]),
  )
}

const ANSWER_TYPES = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'

/** What is answered and not stored is no table. */
function refuseViews({ accept }: ApiRequest): void {
  if (accept.as) throw notAcceptable(`only the following media types are accepted: ${ANSWER_TYPES}`)
}

/** A POST whose answer is worked out and never stored: reviews. */
export function reviewHandlers(
  review: (object: KubeObject, request: ApiRequest) => Promise<JsonObject>,
): Handlers {
  return {
    async create(scope, request) {
      const options = writeOptions(request.query, 'CreateOptions')
      const fresh = await readObject(request, scope.expected, options.fieldValidation)
      // Upstream's reviews take part in field ownership though nothing is kept of it.
      refuseViews(request)
      const object = fresh()
      ownFields(
        object,
        { ...scope.gvk, type: scope.type },
        { request, options, now: scope.environment.now() },
      )
      const { dryRun } = options
      const reviewed = await admitted(scope, request, {
        operation: 'CREATE',
        subresource: '',
        object,
        dryRun,
      })
      return statusBody(request, 201, withCode(await review(reviewed, request)))
    },
  }
}

type Typed = Pick<Expected, 'group' | 'version'> & { readonly type: StructType }

interface Owning {
  readonly request: ApiRequest
  readonly options: ReturnType<typeof writeOptions>
  readonly now: Date
}

/** The client owns every field of an object that is answered and not kept. */
function ownFields(object: KubeObject, expected: Typed, { request, options, now }: Owning): void {
  const managedFields = trackUpdate({
    type: expected.type,
    next: object,
    manager: options.fieldManager || managerFromUserAgent(request.userAgent),
    apiVersion: expected.group ? `${expected.group}/${expected.version}` : expected.version,
    subresource: request.info.subresource,
    now,
  })
  if (managedFields) object.metadata.managedFields = managedFields
}

/** A Status that answers a create says so in its code. */
const withCode = (result: JsonObject): JsonObject =>
  result['kind'] === 'Status' && result['code'] === undefined ? { ...result, code: 201 } : result

/** POST of a Binding to its own collection: the older way to bind a pod, whose name stands in the body. */
export function bindingsHandlers(row: Subresource, binding: Handlers, podsOf: () => Scope): Handlers {
  return {
    async create(_scope, request) {
      const fresh = await readObject(request, expectedOf(row), 'Ignore')
      const info = {
        ...request.info,
        resource: 'pods',
        subresource: row.name,
        name: fresh().metadata.name ?? '',
      }
      const create = binding['create'] as Handler
      return create(podsOf(), { ...request, info, body: request.body, warn: request.warn })
    },
  }
}
