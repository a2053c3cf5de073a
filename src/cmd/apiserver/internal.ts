// Writes of the server itself: through the same loop as everybody's, as the user system:apiserver.
// Used at start (bootstrap.ts) and for claims (claims.ts). Follows k8s.io/apiserver's loopback client.
import { Applier, applyTarget } from '../../handlers/apply.ts'
import { remove } from '../../handlers/delete.ts'
import type { ApiRequest } from '../../handlers/request.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { write } from '../../handlers/write.ts'
import { parseGroupVersion, type GroupResource } from '../../machinery/gvk.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { notFound, StatusError } from '../../machinery/status.ts'
import { MASTERS_GROUP } from '../../machinery/user.ts'
import { builtinResources } from '../../schema/resources.ts'
import type { Resource } from '../../schema/resource.ts'

const USER = { name: 'system:apiserver', groups: [MASTERS_GROUP, 'system:authenticated'] }
const MANAGER = 'kube-apiserver'

/** Writes the object; false where another server (or client) has written it in the same moment. */
export async function writeInternal(
  scopes: Scopes,
  object: KubeObject,
  how: 'create' | 'update',
  fieldManager = MANAGER,
): Promise<boolean> {
  const scope = scopeOf(scopes, object)
  const { namespace = '', name = '' } = object.metadata
  try {
    await write({
      scope,
      request: internalRequest(scope, namespace, name, how),
      name,
      subresource: '',
      dryRun: false,
      fieldManager,
      allow: how,
      change: () => scope.decode(structuredClone(object)).object,
    })
    return true
  } catch (error) {
    if (isReason(error, 'AlreadyExists', 'Conflict')) return false
    throw error
  }
}

/** Adds labels to the object if it is there, and still of this uid. */
export async function labelInternal(
  scopes: Scopes,
  { apiVersion = '', kind = '', metadata }: KubeObject,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const scope = scopes.of(resourceOf({ apiVersion, kind, metadata }))
  const { namespace = '', name = '', uid } = metadata
  await write({
    scope,
    request: internalRequest(scope, namespace, name, 'patch'),
    name,
    subresource: '',
    dryRun: false,
    fieldManager: MANAGER,
    allow: 'update',
    change(stored) {
      if (stored?.metadata.uid !== uid) throw notFound(scope.groupResource, name)
      const copy = structuredClone(stored) as KubeObject
      copy.metadata.labels = { ...copy.metadata.labels, ...labels }
      return copy
    },
  })
}

/**
 * Writes the object's status by compare-and-swap on its resourceVersion. Rejects with the StatusError of an update: a
 * Conflict where others were faster, NotFound where it is gone.
 */
export async function writeStatusInternal(scopes: Scopes, object: KubeObject): Promise<KubeObject> {
  const scope = scopeOf(scopes, object)
  const { namespace = '', name = '' } = object.metadata
  const asked = internalRequest(scope, namespace, name, 'update')
  const { entry } = await write({
    scope,
    request: { ...asked, info: { ...asked.info, subresource: 'status' } },
    name,
    subresource: 'status',
    dryRun: false,
    fieldManager: MANAGER,
    allow: 'update',
    change(stored) {
      if (!stored) throw notFound(scope.groupResource, name)
      return structuredClone(object) as KubeObject
    },
  })
  return entry.object()
}

/** A condition, less the time since when it holds. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** Whether the object says just that, since whenever. */
export function hasCondition({ status }: KubeObject, condition: Condition): boolean {
  const conditions = isObject(status) ? status['conditions'] : undefined
  if (!Array.isArray(conditions)) return false
  return conditions.some(
    (one) => isObject(one) && Object.entries(condition).every(([key, value]) => (one[key] ?? '') === value),
  )
}

/** Applies this one condition to the object's status, as of now; one that has it keeps it. */
export async function applyCondition(
  scopes: Scopes,
  object: KubeObject,
  fieldManager: string,
  condition: Condition,
): Promise<void> {
  const scope = scopeOf(scopes, object)
  const { namespace = '', name = '' } = object.metadata
  const asked = internalRequest(scope, namespace, name, 'patch')
  const request = { ...asked, info: { ...asked.info, subresource: 'status' } }
  const options = { dryRun: false, fieldManager, fieldValidation: 'Ignore', force: true } as const
  const said = Object.entries(condition).filter(([, text]) => text !== '')
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`
  const value: JsonObject = {
    apiVersion: scope.apiVersion,
    kind: scope.gvk.kind,
    metadata: { name },
    status: { conditions: [{ ...Object.fromEntries(said), lastTransitionTime }] },
  }
  const applying = { request, options, configuration: { value, duplicates: [] } }
  const applier = new Applier(applyTarget(scope, 'status'), applying)
  await write({
    scope,
    request,
    name,
    subresource: 'status',
    dryRun: false,
    fieldManager,
    allow: 'update',
    tracked: true,
    change(stored) {
      if (!stored) throw notFound(scope.groupResource, name)
      if (hasCondition(stored, condition)) return structuredClone(stored) as KubeObject
      return applier.apply(stored, new Date())
    },
  })
}

/**
 * Updates the object, or a part of it: `change` is given what is stored and answers a fresh copy; undefined leaves it.
 * False where it is gone, or is left.
 */
export async function updateInternal(
  scope: Scope,
  { namespace = '', name, subresource = '' }: { namespace?: string; name: string; subresource?: string },
  change: (stored: KubeObject) => KubeObject | undefined,
): Promise<boolean> {
  const asked = internalRequest(scope, namespace, name, 'update')
  let left = false
  try {
    await write({
      scope,
      request: { ...asked, info: { ...asked.info, subresource } },
      name,
      subresource,
      dryRun: false,
      fieldManager: MANAGER,
      allow: 'update',
      change(stored) {
        const changed = stored && change(stored)
        left = changed === undefined
        if (!stored) throw notFound(scope.groupResource, name)
        return changed ?? (structuredClone(stored) as KubeObject)
      },
    })
    return !left
  } catch (error) {
    if (isReason(error, 'NotFound')) return false
    throw error
  }
}

/** Deletes the object if it is there, and still of this uid. */
export async function removeInternal(
  scope: Scope,
  namespace: string,
  name: string,
  uid: string,
): Promise<void> {
  try {
    const request = internalRequest(scope, namespace, name, 'delete')
    await remove(scope, { request, name, options: { preconditions: { uid } } })
  } catch (error) {
    if (!isReason(error, 'NotFound', 'Conflict')) throw error
  }
}

const isReason = (error: unknown, ...reasons: string[]): boolean =>
  error instanceof StatusError && reasons.includes(error.reason)

function internalRequest(scope: Scope, namespace: string, name: string, verb: string): ApiRequest {
  const { group, version, name: resource } = scope.resource
  return {
    info: {
      isResourceRequest: true,
      path: '',
      verb,
      group,
      version,
      resource,
      subresource: '',
      namespace,
      name,
    },
    user: USER,
    query: new URLSearchParams(),
    userAgent: MANAGER,
    accept: { encoding: 'json', as: undefined, asVersion: '', pretty: false },
    body: () => Promise.resolve({ mediaType: '', bytes: Buffer.alloc(0) }),
    warn: () => undefined,
  }
}

export const scopeOf = (scopes: Scopes, object: KubeObject): Scope => scopes.of(resourceOf(object))

export const groupResourceOf = (object: KubeObject): GroupResource => {
  const { group, name } = resourceOf(object)
  return { group, resource: name }
}

const byKind = new Map<string, Resource>()

function resourceOf(object: KubeObject): Resource {
  const key = `${object.apiVersion} ${object.kind}`
  let resource = byKind.get(key)
  if (!resource) {
    const gv = parseGroupVersion(object.apiVersion ?? '')
    resource = builtinResources().find(
      (r) => r.kind === object.kind && r.group === gv?.group && r.version === gv.version,
    )
    if (!resource) throw new Error(`nothing serves ${key}`)
    byKind.set(key, resource)
  }
  return resource
}
