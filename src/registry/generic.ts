// The rules of writing that every kind shares: system metadata, generation, reset of fields, metadata validation, and
// what a delete does. The write loop calls them in its prepare and validate steps; a kind adds its own by a Strategy.
// Follows k8s.io/apiserver/pkg/registry/rest (BeforeCreate, BeforeUpdate) and pkg/registry/generic/registry.
import type { GroupVersionKind } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import { generateName, nameIsDnsSubdomain, nameIsPathSegment, newUid } from '../machinery/names.ts'
import type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../machinery/object.ts'
import {
  badRequest,
  cause,
  conflict,
  invalid,
  OBJECT_MODIFIED,
  type StatusCause,
  StatusError,
} from '../machinery/status.ts'
import { sameAt } from './equality.ts'
import { kubeFinalizerCauses, metadataCauses, metadataUpdateCauses } from './metadata.ts'
import { textAt } from './reading.ts'
import type { Strategy, WriteContext } from './strategy.ts'

/** How often a create with generateName draws another name when the first is taken. */
export const MAX_NAME_DRAWS = 8

/** The instant as metav1.Time writes it: UTC, whole seconds. */
export function timeText(date: Date): string {
  const second = Math.floor(date.getTime() / 1000)
  if (second !== lastTime.second) lastTime = { second, text: `${date.toISOString().slice(0, 19)}Z` }
  return lastTime.text
}

let lastTime = { second: Number.NaN, text: '' }

/** Puts the request's namespace into the object. Throws badRequest where the object names another. */
export function ensureNamespace(
  object: KubeObject,
  context: Pick<WriteContext, 'resource' | 'namespace'>,
): void {
  const wanted = context.resource.namespaced ? context.namespace : ''
  const meta = object.metadata
  const given = meta.namespace ?? ''
  if (given === wanted) return
  if (given && wanted) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (wanted) meta.namespace = wanted
  else delete meta.namespace
}

/** What only the server may say is dropped; mutating admission sees the object so. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.creationTimestamp
  delete meta.uid
  delete meta.deletionTimestamp
  delete meta.deletionGracePeriodSeconds
  delete meta['selfLink']
}

function setAt(object: JsonObject, path: readonly string[], from: JsonObject): void {
  const [key, ...rest] = path as [string, ...string[]]
  const source = Object.hasOwn(from, key) ? from[key] : undefined
  if (!rest.length) {
    if (source === undefined) delete object[key]
    else object[key] = source
    return
  }
  const target = object[key]
  const isMap = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null
  if (isMap(target)) setAt(target, rest, isMap(source) ? source : {})
  else if (isMap(source)) {
    const made: JsonObject = {}
    setAt(made, rest, source)
    if (Object.keys(made).length) object[key] = made
  }
}

/** What a status write keeps of the stored metadata. */
const STATUS_KEEPS = [
  'deletionTimestamp',
  'generation',
  'selfLink',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
] as const

/** Takes the metadata of `old` but for managedFields and resourceVersion. */
export function resetMetadataForStatus(object: KubeObject, old: KubeObject): void {
  for (const key of STATUS_KEEPS) setAt(object.metadata, [key], old.metadata)
}

function resetFields(object: KubeObject, old: KubeObject, paths: readonly string[]): void {
  for (const path of paths) {
    if (path === 'metadata') resetMetadataForStatus(object, old)
    else setAt(object, path.split('.'), old)
  }
}

/** Says who owns the fields of an object; undefined: nobody. */
export function setOwners({ metadata }: KubeObject, owners: ManagedFieldsEntry[] | undefined): void {
  if (owners) metadata.managedFields = owners
  else delete metadata.managedFields
}

const ownerKey = (owner: OwnerReference): string =>
  JSON.stringify([
    owner.apiVersion,
    owner.kind,
    owner.name,
    owner.uid,
    owner.controller,
    owner.blockOwnerDeletion,
  ])

/** Where what the client sent was looked at before, and where it is a patch, of which only the outcome is. */
const AFTER_ADMISSION = ' after mutating admission happens'

/** An owner that is named twice in the same way is kept once, with a warning that says `when` it was seen. */
export function dropRepeatedOwners(meta: ObjectMeta, warn: (text: string) => void, when = ''): void {
  const owners = meta.ownerReferences ?? []
  if (owners.length < 2) return
  const kept = new Map<string, OwnerReference>()
  const repeated = new Set<string>()
  for (const owner of owners) {
    const key = ownerKey(owner)
    if (kept.has(key)) repeated.add(owner.uid)
    else kept.set(key, owner)
  }
  if (!repeated.size) return
  meta.ownerReferences = [...kept.values()]
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].sort().join(', ')}`,
  )
}

/**
 * Makes a new object what the server stores: namespace, uid, creationTimestamp, generated name, generation, empty
 * status, and the kind's own preparation. Throws badRequest for a foreign namespace, and what the kind throws.
 */
export function beforeCreate(object: KubeObject, strategy: Strategy, context: WriteContext): void {
  const meta = object.metadata
  dropRepeatedOwners(meta, context.warn, AFTER_ADMISSION)
  wipeSystemFields(meta)
  meta.creationTimestamp = timeText(context.now)
  meta.uid = newUid()
  if (meta.generateName && !meta.name) meta.name = generateName(meta.generateName)
  ensureNamespace(object, context)
  if (strategy.hasGeneration) meta.generation = 1
  if (strategy.initialStatus) object['status'] = strategy.initialStatus()
  else if (strategy.resetFields?.['']?.includes('status') && !strategy.takesStatus) delete object['status']
  strategy.prepareForCreate?.(object, context)
}

/**
 * Makes the new state of `old` what the server stores. Parts that are reset are shared with `old`, which is frozen.
 * Throws badRequest for a foreign namespace, and what the kind throws.
 */
export function beforeUpdate(
  object: KubeObject,
  old: KubeObject,
  strategy: Strategy,
  context: WriteContext,
): void {
  const meta = object.metadata
  const before = old.metadata
  dropRepeatedOwners(meta, context.warn, AFTER_ADMISSION)
  ensureNamespace(object, context)
  setAt(meta, ['generation'], before)
  const paths = strategy.resetFields?.[context.subresource] ?? strategy.resetFields?.['']
  if (paths) resetFields(object, old, paths)
  strategy.prepareForUpdate?.(object, old, context)
  // What a write to the status changes besides it (a deployment's annotations) is no new generation.
  const counts = strategy.hasGeneration && context.subresource !== 'status'
  if (counts && changed(object, old, strategy, context)) meta.generation = (before.generation ?? 0) + 1
  if (!meta.uid) setAt(meta, ['uid'], before)
  if (before.creationTimestamp) meta.creationTimestamp = before.creationTimestamp
  if (before.deletionTimestamp) meta.deletionTimestamp = before.deletionTimestamp
  if (before.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined) {
    meta.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds
  }
}

const changed = (
  object: KubeObject,
  old: KubeObject,
  { changesGeneration }: Strategy,
  context: WriteContext,
): boolean =>
  changesGeneration
    ? changesGeneration(object, old, context)
    : !sameAt(context.resource, ['spec'], [object, old])

/** The kind that a refusal names. Events of both groups are one kind of the core group to upstream. */
export const kindOfFaults = (gvk: GroupVersionKind): GroupVersionKind =>
  gvk.group === 'events.k8s.io' ? { ...gvk, group: '' } : gvk

/** Causes for which a new object is refused; none: it is good. */
export function validateCreate(object: KubeObject, strategy: Strategy, context: WriteContext): StatusCause[] {
  const namespaced = context.resource.namespaced
  const causes = strategy.validateFirst?.(object, context) ?? []
  if (!strategy.plainMetadata) {
    causes.push(...metadataCauses(object, namespaced, strategy.validateName ?? nameIsDnsSubdomain))
    if (!strategy.anyFinalizer) kubeFinalizerCauses(object.metadata, causes)
  }
  if (strategy.validateCreate) causes.push(...strategy.validateCreate(object, context))
  if (!causes.length) causes.push(...pathCauses(object, strategy, context))
  if (!causes.length) warn(object, undefined, strategy, context)
  return causes
}

/** After a kind's looser name rule: what no name may be, for it is a segment of a path. */
function pathCauses(object: KubeObject, strategy: Strategy, context: WriteContext): StatusCause[] {
  const { name = '', generateName: base = '' } = object.metadata
  const fits = !nameIsPathSegment(name, false).length && !(base && nameIsPathSegment(base, true).length)
  if (fits && !strategy.plainMetadata) return []
  return metadataCauses(object, context.resource.namespaced, nameIsPathSegment)
}

/** Causes for which a new state of `old` is refused; none: it is good. */
export function validateUpdate(
  object: KubeObject,
  old: KubeObject,
  strategy: Strategy,
  context: WriteContext,
): StatusCause[] {
  const namespaced = context.resource.namespaced
  const causes = metadataCauses(object, namespaced, nameIsPathSegment)
  causes.push(...metadataUpdateCauses(object, old))
  const faulty = causes.length > 0
  const partly = context.subresource === 'status' || context.subresource === 'finalize'
  const repeated = partly ? UPDATE_ONLY : (strategy.metadataOnUpdate ?? UPDATE_ONLY)
  const changes = (): unknown => causes.push(...(strategy.validateUpdate?.(object, old, context) ?? []))
  for (const rules of repeated) {
    if (rules === 'rules') causes.push(...(strategy.validateCreate?.(object, context) ?? []))
    else if (rules === 'changes') changes()
    else if (rules === 'first') causes.push(...(strategy.validateFirst?.(object, context) ?? []))
    else {
      // Sound metadata stays sound when it is checked again; only finalizer names have a rule of their own.
      if (faulty && rules === 'update') causes.push(...metadataUpdateCauses(object, old))
      // Names of some kinds follow from the rest of the object, which may have changed.
      if ((faulty || strategy.validateName) && rules === 'create') {
        causes.push(...metadataCauses(object, namespaced, strategy.validateName ?? nameIsDnsSubdomain))
      }
      if (!strategy.anyFinalizer) kubeFinalizerCauses(object.metadata, causes)
    }
  }
  if (!repeated.includes('changes')) changes()
  const whole = context.subresource === '' || context.subresource === 'scale'
  if (!causes.length && whole) warn(object, old, strategy, context)
  else if (!causes.length && context.subresource === 'status') {
    for (const text of strategy.statusWarnings?.(object) ?? []) context.warn(text)
  }
  return causes
}

function warn(
  object: KubeObject,
  old: KubeObject | undefined,
  strategy: Strategy,
  context: WriteContext,
): void {
  for (const text of strategy.warnings?.(object, old) ?? []) context.warn(text)
}

const UPDATE_ONLY: NonNullable<Strategy['metadataOnUpdate']> = ['update']

/** A 500 without a reason: what upstream makes of an error that is no Status. */
export function plainError(message: string): StatusError {
  const error = new StatusError({ code: 500, reason: '', message })
  delete error.status.reason
  return error
}

const VERSION = /^[0-9]+$/

/**
 * The optimistic lock of an update: `given` is the resourceVersion that the client sent, `current` the stored one.
 * Returns the version that the update goes on with. Throws a plain 500 for a version that is no number, conflict
 * for another than the stored one, invalid where the kind wants one and none was sent.
 */
export function checkResourceVersion(
  object: KubeObject,
  current: string,
  strategy: Strategy,
  context: WriteContext,
): string {
  const given = object.metadata.resourceVersion ?? ''
  const { group, name: resource } = context.resource
  if (given && !VERSION.test(given)) {
    throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`)
  }
  const unset = given === '' || Number(given) === 0
  const name = object.metadata.name ?? ''
  if (unset && strategy.allowUnconditionalUpdate !== false) return current
  if (unset) {
    const fault = cause.invalid('metadata.resourceVersion', 0, 'must be specified for an update')
    throw invalid({ group, kind: resource }, name, [fault])
  }
  if (given !== current) throw conflict({ group, resource }, name, OBJECT_MODIFIED)
  return current
}

const MAX_VERSION = 2n ** 64n - 1n

/**
 * A create that is stored must not carry a resourceVersion; upstream answers 500, and so do we. What is no version
 * at all counts as none there.
 */
export function checkVersionOfNew(object: KubeObject, { dryRun }: WriteContext): void {
  const given = textAt(object.metadata.resourceVersion)
  if (dryRun || !VERSION.test(given)) return
  const version = BigInt(given)
  if (version !== 0n && version <= MAX_VERSION)
    throw plainError('resourceVersion should not be set on objects to be created')
}
