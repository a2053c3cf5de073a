// Server-side apply of one configuration: merged with the stored object, what the applier dropped taken out, conflicts
// with other owners found, and metadata.managedFields kept up to date. Pure: the handler decodes and stores.
// Follows k8s.io/apimachinery/pkg/util/managedfields (FieldManager.Apply and the managers that it chains) and
// sigs.k8s.io/structured-merge-diff/v6/merge (Updater.Apply).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../../machinery/object.ts'
import type { Comparison } from './fieldset-compare.ts'
import { during, FieldSetError } from './fieldset-items.ts'
import { difference, intersection, isEmptySet, pathsOf } from './fieldset.ts'
import {
  encodeManaged,
  identify,
  type Managed,
  type ManagedEntry,
  sameEntry,
  trustManaged,
} from './managedfields-entries.ts'
import {
  compareKept,
  emptyObject,
  NEVER_OWNED,
  takeChanged,
  timeOf,
  trackBefore,
  withoutReset,
} from './managedfields.ts'
import type { Conflict } from '../merge/conflicts.ts'
import { fieldsOf } from '../merge/fieldsof.ts'
import { mergeApplied } from '../merge/merge.ts'
import { prune } from '../merge/prune.ts'
import { describeObject } from '../merge/words.ts'
import type { StructType } from '../type.ts'
import type { InVersion, Versions } from '../versions.ts'

export interface ApplyToTrack {
  readonly type: StructType
  /** The stored object in the version of this request; absent where there is none. Never changed. */
  readonly live: KubeObject | undefined
  /** As the client sent it, found to fit `type` (faultsOf). */
  readonly applied: JsonObject
  readonly manager: string
  /** Takes fields that others own. */
  readonly force: boolean
  readonly apiVersion: string
  /** "" for the object itself. */
  readonly subresource: string
  readonly now: Date
  /** See UpdateToTrack. */
  readonly resetFields?: readonly string[] | undefined
  readonly versions: Versions
}

export interface Applied {
  /** None where the apply may go on. */
  readonly conflicts: readonly Conflict[]
  /** The new object as JSON, neither decoded nor defaulted; without managedFields. */
  readonly object: JsonObject
  /** False: `object` is the stored one. */
  readonly changed: boolean
  /** What metadata.managedFields must be; undefined for none. */
  readonly managedFields: ManagedFieldsEntry[] | undefined
}

/** @throws FieldSetError where owners cannot be told of the stored object, or of the new one, in a version of theirs */
export function applyFields(apply: ApplyToTrack): Applied {
  const { type, applied, versions } = apply
  const live = withoutOwners(apply.live ?? emptyObject(type))
  const managed = ownersBefore(apply, live)
  const { id, last, current } = enter(apply, managed)
  const merged = mergeApplied(type, live, applied)
  const object = during('failed to prune fields', () => prune({ merged, last, current, managed, versions }))
  const changed = object !== live
  const conflicts = changed ? settle(apply, managed, id, { live, object }) : []
  finish(managed, id, { last, current: changed ? { ...current, time: timeOf(apply.now) } : current })
  return { conflicts, object, changed, managedFields: encodeManaged(managed) }
}

function withoutOwners(live: KubeObject): JsonObject {
  if (live.metadata.managedFields === undefined) return live
  const { managedFields: _owners, ...metadata } = live.metadata
  return { ...live, metadata }
}

/** Owns what was there before anything was applied to an object without owners. */
const BEFORE_FIRST_APPLY = 'before-first-apply'

function ownersBefore(apply: ApplyToTrack, live: JsonObject): Managed {
  if (!apply.live) return new Map()
  const managed = trustManaged(apply.live.metadata.managedFields)
  if (managed.size === 0) {
    const why = faultBeforeApply({ ...apply, live })
    if (why !== undefined) throw new FieldSetError(why)
    return trackBefore({ ...apply, old: undefined, next: live as KubeObject, manager: BEFORE_FIRST_APPLY })
  }
  const fault = apply.versions.changing?.faultOf(apply.apiVersion, live)
  if (fault !== undefined)
    throw new FieldSetError(`failed to create typed live object (${describeObject(live)}): ${fault}`)
  for (const [id, { apiVersion }] of managed) {
    if (apiVersion !== apply.apiVersion && !apply.versions.serves(apiVersion)) managed.delete(id)
  }
  apply.versions.changing?.reconcile(apply.apiVersion, live, managed)
  return managed
}

/** Why nobody can be told to own what was there before; undefined where it can, or where the owners are known. */
export function faultBeforeApply(
  apply: Pick<ApplyToTrack, 'versions' | 'apiVersion'> & { live: JsonObject },
): string | undefined {
  const { live, versions, apiVersion } = apply
  const fault = isOwned(live) ? undefined : versions.changing?.faultOf(apiVersion, live)
  const stage = 'failed to create manager for existing fields: failed to convert new object'
  return fault === undefined ? undefined : `${stage} (${describeObject(live)}) to smd typed: ${fault}`
}

const isOwned = ({ metadata }: JsonObject): boolean =>
  isObject(metadata) && Array.isArray(metadata['managedFields']) && metadata['managedFields'].length > 0

interface Applier {
  readonly id: string
  /** What the applier owned before. */
  readonly last: ManagedEntry | undefined
  readonly current: ManagedEntry
}

/** Notes what the applier says now. */
function enter(apply: ApplyToTrack, managed: Managed): Applier {
  const { manager, apiVersion, subresource } = apply
  const entry = { manager, operation: 'Apply', apiVersion, subresource }
  const id = identify(entry)
  const last = managed.get(id)
  const set = withoutReset(fieldsOf(apply.type, apply.applied), apply.resetFields)
  const current: ManagedEntry = { time: last?.time, set, encoded: undefined, ...entry }
  managed.set(id, current)
  return { id, last, current }
}

interface Change {
  readonly live: JsonObject
  readonly object: JsonObject
}

/** Finds what others own of what changes. Without conflicts, or with force, they lose it. */
function settle(apply: ApplyToTrack, managed: Managed, own: string, change: Change): readonly Conflict[] {
  const comparisons = new Map<string, Comparison | undefined>()
  const others = [...managed].filter(([id]) => id !== own)
  const comparisonFor = (apiVersion: string): Comparison | undefined => {
    if (!comparisons.has(apiVersion)) comparisons.set(apiVersion, compareIn(apply, change, apiVersion))
    return comparisons.get(apiVersion)
  }
  const conflicts: Conflict[] = []
  for (const [id, entry] of apply.force ? [] : others) {
    const comparison = comparisonFor(entry.apiVersion)
    if (!comparison) continue
    for (const path of pathsOf(intersection(entry.set, comparison.changed)))
      conflicts.push({ id, entry, path })
  }
  if (conflicts.length > 0) return conflicts
  for (const [id, entry] of others) {
    const comparison = comparisonFor(entry.apiVersion)
    if (comparison) takeChanged(managed, id, entry, comparison)
    else managed.delete(id)
  }
  return []
}

function compareIn(
  apply: ApplyToTrack,
  { live, object }: Change,
  apiVersion: string,
): Comparison | undefined {
  const { type, versions, resetFields } = apply
  const compare = (before: InVersion, after: InVersion): Comparison =>
    during('failed to compare objects', () => compareKept(before, after, resetFields))
  if (apiVersion === apply.apiVersion) return compare({ type, object: live }, { type, object })
  const inVersion = (which: string, value: JsonObject): InVersion | undefined =>
    during(`failed to convert ${which} object`, () => versions.convert(apply.apiVersion, value, apiVersion))
  const before = inVersion('old', live)
  const after = before && inVersion('new', object)
  return after && compare(before, after)
}

/** The applier's entry as it is stored; the very same as before where nothing changed. */
function finish(managed: Managed, id: string, { last, current }: Omit<Applier, 'id'>): void {
  const set = difference(current.set, NEVER_OWNED)
  if (isEmptySet(set)) managed.delete(id)
  else if (last && sameEntry(last, { ...current, set })) managed.set(id, last)
  else managed.set(id, { ...current, set })
}
