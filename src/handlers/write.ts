// The write loop: change → admission (mutate) → registry (prepare) → schema and registry (validate) → admission
// (validate) → storage. All of it runs inside the compare-and-swap: when the swap loses, all of it runs again on the
// newer object. Each stage returns a branded type, and storage takes only the last, so no stage can be skipped.
// Follows k8s.io/apiserver/pkg/registry/generic/registry/store.go and pkg/endpoints/handlers.
import type { Operation } from '../admission/plugin.ts'
import { isObject, type Json } from '../machinery/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../machinery/object.ts'
import {
  alreadyExists,
  conflict,
  invalid,
  OBJECT_MODIFIED,
  type StatusCause,
  StatusError,
} from '../machinery/status.ts'
import { goesWithUpdate } from '../registry/deletion.ts'
import {
  beforeCreate,
  beforeUpdate,
  checkResourceVersion,
  checkVersionOfNew,
  dropRepeatedOwners,
  kindOfFaults,
  setOwners,
  validateCreate,
  validateUpdate,
} from '../registry/generic.ts'
import { requirePathSegment } from '../registry/metadata.ts'
import type { WriteContext } from '../registry/strategy.ts'
import { managerFromUserAgent, sameButTimes, trackUpdate } from '../schema/ownership/managedfields.ts'
import { trackScale } from '../schema/ownership/managedfields-scale.ts'
import { inTurns } from '../schema/turns.ts'
import { withConversions } from '../schema/versions.ts'
import { Entry } from '../storage/cache/entry.ts'
import { shownOptions } from './options.ts'
import { type ApiRequest, stillAsked } from './request.ts'
import type { Scope } from './scope.ts'

/** Lost swaps after which a write gives up: far beyond what fair contention needs. */
const MAX_ATTEMPTS = 1000
/** The revision of what a dry run would have created: its answer carries no resourceVersion. */
const NEVER_STORED = 0

declare const stage: unique symbol
type Stage<Name extends string> = { readonly object: KubeObject; readonly [stage]: Name }
/** In the stored version, after mutating admission. */
export type Mutated = Stage<'mutated'>
/** With everything filled in that the server owns. */
export type Prepared = Stage<'prepared'>
/** Valid, and allowed by validating admission: may be stored. */
export type Admitted = Stage<'admitted'>

const as = <S extends Stage<string>>(object: KubeObject): S => ({ object }) as S

/** One write as its verb describes it. */
export interface WriteRequest {
  readonly scope: Scope
  readonly request: ApiRequest
  readonly name: string
  readonly subresource: string
  readonly dryRun: boolean
  readonly fieldManager: string
  /**
   * The new state, fresh, in the served version, decoded and with defaults. `current` is the stored object in the
   * served version (never to be changed), or undefined where there is none. May throw a StatusError.
   */
  change(current: KubeObject | undefined): KubeObject | Promise<KubeObject>
  /** `create` never looks at what stands there; `update` may also create where its change() says so. */
  readonly allow: 'create' | 'update'
  /** The name was left to the server: a taken one is drawn again. */
  readonly drawsName?: boolean
  /** change() has worked out who owns which field. */
  readonly tracked?: boolean
  /** Nobody is to own anything. */
  readonly ownerless?: boolean
  /** The client wrote another kind that shows part of the object (Scale). */
  readonly projected?: boolean
}

export interface Written {
  readonly entry: Entry
  readonly created: boolean
}

/** Where the store finds an object too large, it is stored without its owners, which may be half of it. */
export async function write(w: WriteRequest): Promise<Written> {
  try {
    return await writeInTurns(w)
  } catch (error) {
    if (w.tracked || !isTooLarge(error)) throw error
    return writeInTurns({ ...w, ownerless: true })
  }
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof StatusError &&
  /etcdserver: request is too large|trying to send message larger than max/.test(error.message)

async function writeInTurns(w: WriteRequest): Promise<Written> {
  const { scope } = w
  if (w.allow === 'update') requirePathSegment(w.name)
  await scope.cache.fresh()
  if (scope.cache.isBroken) await scope.cache.mend()
  if (scope.strategy.load) await scope.strategy.load()
  if (scope.strategy.reads) await scope.environment.lister.ready(...scope.strategy.reads)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    stillAsked(w.request)
    // A create runs through all its stages before it hears that the name is taken, as upstream's does.
    const current = w.allow === 'create' ? undefined : scope.cache.index.get(w.request.info.namespace, w.name)
    const context = contextOf(w)
    const mutated = await mutate(w, current)
    const prepared = prepare(w, mutated, current, context)
    try {
      const admitted = await admit(w, prepared, current, context)
      const done = await commit(w, admitted, current, context)
      if (done) return done
    } catch (error) {
      // Anything else may have stored it after all: what it took stays taken.
      if (error instanceof StatusError) await scope.strategy.abandon?.(prepared.object, context)
      throw error
    }
    await scope.strategy.abandon?.(prepared.object, context)
  }
  throw conflict(scope.groupResource, w.name, OBJECT_MODIFIED)
}

/** A name that is taken: 409 for a name the client chose; a generated one is drawn again, what was to be updated is. */
function taken(w: WriteRequest, existing: Entry): void {
  if (w.drawsName || w.allow === 'update') return
  const error = alreadyExists(w.scope.groupResource, existing.name)
  if (existing.object().metadata.deletionTimestamp)
    error.status.message = `object is being deleted: ${error.message}`
  throw error
}

/** What registries and admission plugins are told. */
export function contextOf(w: WriteRequest): WriteContext {
  const { scope, request } = w
  return {
    resource: scope.resource,
    subresource: w.subresource,
    user: request.user,
    namespace: request.info.namespace,
    dryRun: w.dryRun,
    now: scope.environment.now(),
    lister: scope.environment.lister,
    warn: (message) => request.warn(message),
    ...(scope.environment.settings ? { settings: scope.environment.settings } : {}),
    ...(scope.environment.claims ? { claims: scope.environment.claims } : {}),
  }
}

async function mutate(w: WriteRequest, current: Entry | undefined): Promise<Mutated> {
  const { scope } = w
  const served = current && scope.toServed(current.object())
  // What works out owners may need the object in versions that only a webhook can make.
  const changed = w.tracked ? await withConversions(() => w.change(served)) : await w.change(served)
  const stored = w.tracked || scope.sameVersion ? undefined : scope.toStorage(changed)
  // What a conversion says in a place of its own (an annotation, for autoscaling/v1) has an owner there.
  const next = stored ? scope.toServed(stored) : changed
  if (!w.tracked) {
    if (scope.kind.cacheVersion === undefined) trackManagedFields(w, next, served)
    else await withConversions(() => trackManagedFields(w, next, served))
  }
  const object = stored ?? scope.toStorage(next)
  setOwners(object, next.metadata.managedFields)
  if (w.request.info.verb !== 'patch') dropRepeatedOwners(object.metadata, (text) => w.request.warn(text))
  const attributes = attributesOf(w, object, current)
  const waiting = scope.environment.admission.admit(attributes)
  if (waiting) await waiting
  const guarding = scope.environment.authorizeWrite?.(attributes, w.request.info.verb)
  if (guarding) await guarding
  return as<Mutated>(attributes.object)
}

function trackManagedFields(w: WriteRequest, next: KubeObject, old: KubeObject | undefined): void {
  const managedFields = w.ownerless
    ? undefined
    : w.projected && old
      ? ownersOfReplicas(w, next, old)
      : owners(w, next, old)
  setOwners(next, managedFields)
}

const managerOf = (w: WriteRequest): string => w.fieldManager || managerFromUserAgent(w.request.userAgent)

function owners(
  w: WriteRequest,
  next: KubeObject,
  old: KubeObject | undefined,
): ManagedFieldsEntry[] | undefined {
  const { scope } = w
  return trackUpdate({
    type: scope.type,
    old,
    next,
    manager: managerOf(w),
    apiVersion: scope.apiVersion,
    subresource: w.subresource,
    now: scope.environment.now(),
    resetFields: scope.strategy.resetFields?.[w.subresource],
    versions: scope.versions,
  })
}

/** Where all kinds of the release that have a Scale keep their replicas. */
const REPLICAS_PATH = 'spec.replicas'

/** Where the kind of a scope keeps them. */
export const replicasPath = (scope: Scope): string => scope.kind.custom?.replicasPath ?? REPLICAS_PATH

/** A Scale shows one field of its parent, and upstream tracks that one in a way of its own. */
function ownersOfReplicas(
  w: WriteRequest,
  next: KubeObject,
  old: KubeObject,
): ManagedFieldsEntry[] | undefined {
  return trackScale({
    entries: old.metadata.managedFields,
    apiVersion: w.scope.apiVersion,
    replicasPath: replicasPath(w.scope),
    changed: replicasOf(w.scope, old) !== replicasOf(w.scope, next),
    manager: managerOf(w),
  })
}

function replicasOf(scope: Scope, object: KubeObject): Json | undefined {
  let value: Json | undefined = object
  for (const key of replicasPath(scope).split('.')) value = isObject(value) ? value[key] : undefined
  return value
}

function attributesOf(w: WriteRequest, object: KubeObject, current: Entry | undefined) {
  const operation: Operation = current ? 'UPDATE' : 'CREATE'
  return {
    operation,
    resource: w.scope.resource,
    subresource: w.subresource,
    namespace: w.request.info.namespace,
    // A name that the server drew is known by now, or not yet.
    name: w.name || (object.metadata.name ?? ''),
    user: w.request.user,
    dryRun: w.dryRun,
    object,
    old: current?.object(),
    options: shownOptions(w.request.query, operation),
    warn: (message: string) => w.request.warn(message),
    annotate: w.request.annotate,
    waited: w.request.waited,
  }
}

function prepare(
  w: WriteRequest,
  mutated: Mutated,
  current: Entry | undefined,
  context: WriteContext,
): Prepared {
  const { object } = mutated
  const { strategy } = w.scope
  if (current) {
    object.metadata.resourceVersion = checkResourceVersion(
      object,
      String(current.revision),
      strategy,
      context,
    )
    beforeUpdate(object, current.object(), strategy, context)
  } else {
    beforeCreate(object, strategy, context)
  }
  return as<Prepared>(object)
}

async function admit(
  w: WriteRequest,
  prepared: Prepared,
  current: Entry | undefined,
  context: WriteContext,
): Promise<Admitted> {
  const { object } = prepared
  const { scope } = w
  const validate = (): StatusCause[] =>
    current
      ? validateUpdate(object, current.object(), scope.strategy, context)
      : validateCreate(object, scope.strategy, context)
  const causes = scope.strategy.takesTurns ? await inTurns(validate) : validate()
  if (causes.length) throw invalid(kindOfFaults(scope.gvk), object.metadata.name ?? '', causes)
  if (!current && w.allow === 'update') await scope.environment.authorizeCreate?.(w.request)
  const waiting = scope.environment.admission.validate(attributesOf(w, object, current))
  if (waiting) await waiting
  return as<Admitted>(object)
}

/** Stores; undefined where the swap was lost and the loop must turn again. */
async function commit(
  w: WriteRequest,
  admitted: Admitted,
  current: Entry | undefined,
  context: WriteContext,
): Promise<Written | undefined> {
  const { scope } = w
  const { cache } = scope
  const { object } = admitted
  if (!current) checkVersionOfNew(object, context)
  const { key, namespace, name } = cache.keyOf(
    cache.keyFor(w.request.info.namespace, object.metadata.name as string),
  )
  const existing = current ?? cache.index.get(namespace, name)
  if (!current && existing) {
    taken(w, existing)
    return undefined
  }
  const shown = scope.storedJson(object)
  const created = current === undefined
  if (current && !cache.isStale(current) && changesNothing(scope, current, object, shown)) {
    // What was encrypted by an older key is written again, though nothing else changes: so keys go out of use.
    if (!(await scope.environment.caches.storage.isStale?.(key))) return { entry: current, created }
  }
  const leaves = current !== undefined && goesWithUpdate(object, current.object(), scope.strategy)
  const { stored } = scope.kind
  const value = stored ? await stored.write(object) : shown
  if (w.dryRun) {
    await scope.strategy.abandon?.(object, context)
    const said = stored ? await stored.read(value) : value
    return { entry: new Entry({ key, namespace, name }, current?.revision ?? claimed(object), said), created }
  }
  if (leaves) return removeWithUpdate(w, { current, value: shown, context })
  if (scope.strategy.claim && !(await scope.strategy.claim(object, context))) return undefined
  const ttlSeconds = scope.strategy.ttlSeconds?.(object, context.settings)
  if (!stored) cache.offer(value, object.metadata.labels)
  // Engines tell of a write before they acknowledge it: nobody asks for the labels any more, or ever.
  const result = await scope.environment.caches.storage
    .write({
      key,
      expected: current?.revision ?? 0,
      value,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    })
    .finally(() => cache.withdraw(value))
  if (!result.ok) {
    await catchUp(scope, result.current?.modRevision)
    return undefined
  }
  if (scope.strategy.afterStore) await scope.strategy.afterStore(object, current?.object(), context)
  // The cache makes of it what this version shows.
  if (stored) await cache.waitFor(result.revision)
  const live = cache.index.get(namespace, name)
  if (live?.revision === result.revision) return { entry: live, created }
  const said = stored ? await stored.read(value) : value
  return {
    entry: new Entry({ key, namespace, name }, result.revision, said, object.metadata.labels),
    created,
  }
}

/** The version that a client gave what was not stored, as its answer shows it. */
function claimed({ metadata: { resourceVersion } }: KubeObject): number {
  return /^[0-9]{1,15}$/.test(resourceVersion ?? '') ? Number(resourceVersion) : NEVER_STORED
}

/** The bytes are the same, or would be if new owners' entries had not just got the time of this write. */
function changesNothing(scope: Scope, current: Entry, object: KubeObject, value: Buffer): boolean {
  if (current.holds(value)) return true
  const stored = current.object()
  if (!sameButTimes(stored, object)) return false
  const timed = {
    ...object,
    metadata: { ...object.metadata, managedFields: stored.metadata.managedFields ?? [] },
  }
  return current.holds(scope.storedJson(timed))
}

/** Waits until the cache has what the swap was lost to. */
export async function catchUp(scope: Scope, revision: number | undefined): Promise<void> {
  if (revision === undefined) await scope.cache.fresh()
  else await scope.cache.waitFor(revision)
}

interface Leaving {
  readonly current: Entry
  readonly value: Buffer
  readonly context: WriteContext
}

/** The update let go the last finalizer: the object leaves the store, and the client sees what it wrote. */
async function removeWithUpdate(
  w: WriteRequest,
  { current, value, context }: Leaving,
): Promise<Written | undefined> {
  const { storage } = w.scope.environment.caches
  const result = await storage.write({ key: current.key, expected: current.revision, value: null })
  if (!result.ok) {
    await catchUp(w.scope, result.current?.modRevision)
    return undefined
  }
  await w.scope.strategy.afterDelete?.(current.object(), context)
  return { entry: new Entry(current, current.revision, value), created: false }
}
