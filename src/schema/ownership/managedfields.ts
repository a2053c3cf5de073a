// Who owns which field: metadata.managedFields kept up to date on every create, update and patch.
// Stands in the write loop after the change was made and before admission.
// Follows k8s.io/apimachinery/pkg/util/managedfields (FieldManager.Update and the managers that it chains) and
// sigs.k8s.io/structured-merge-diff/v6/merge (Updater.Update).
import type { Json } from '../../machinery/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../../machinery/object.ts'
import { zeroOf } from '../decode.ts'
import { compareObjects, type Comparison, isSame } from './fieldset-compare.ts'
import { FieldSetError } from './fieldset-items.ts'
import {
  difference,
  type FieldSet,
  intersection,
  isEmptySet,
  LEAF,
  recursiveDifference,
  setOfPaths,
  union,
} from './fieldset.ts'
import { oncePerSet } from './fieldset-shape.ts'
import {
  capUpdateManagers,
  encodeManaged,
  identify,
  type Managed,
  type ManagedEntry,
  readManaged,
  trustManaged,
} from './managedfields-entries.ts'
import type { StructType } from '../type.ts'
import type { InVersion, Versions } from '../versions.ts'

export interface UpdateToTrack {
  readonly type: StructType
  /** Absent on create. */
  readonly old?: KubeObject | undefined
  /** As the client or its patch made it, with defaults; not changed here. */
  readonly next: KubeObject
  /** "" counts as "unknown". */
  readonly manager: string
  readonly apiVersion: string
  /** "" for the object itself. */
  readonly subresource: string
  readonly now: Date
  /** JSON paths that a write to this (sub)resource never changes, hence never owns: "status", "metadata.labels". */
  readonly resetFields?: readonly string[] | undefined
  /** For entries of other versions. Absent: all entries are compared in `type`. */
  readonly versions?: Versions
}

/**
 * The managedFields that `next` must carry; undefined for none. Entries that did not change are the very same objects.
 * What the client sent in `next.metadata.managedFields` counts as upstream has it: `[]` and `[{}]` reset, invalid ones
 * are ignored, valid ones replace the stored.
 */
export function trackUpdate(update: UpdateToTrack): ManagedFieldsEntry[] | undefined {
  const managed = startFrom(update)
  if (managed.size === 0 && update.old?.metadata.uid) return undefined
  try {
    reconcile(update, managed)
    const set = own(update, managed)
    if (!isEmptySet(set)) record(update, managed, set)
    return encodeManaged(capUpdateManagers(managed))
  } catch (error) {
    // Upstream drops the field where it cannot tell the owners, rather than keep what may be wrong.
    if (error instanceof FieldSetError) return undefined
    throw error
  }
}

/** Who owns the fields of an object that was stored without owners, when the first apply comes. */
export function trackBefore(update: UpdateToTrack): Managed {
  const managed: Managed = new Map()
  const set = own(update, managed)
  if (!isEmptySet(set)) record(update, managed, set)
  return managed
}

/**
 * Whether the owners are those of the stored object, and only their times differ: such a write may be one that changes
 * nothing, which must not become a new revision.
 */
export function sameButTimes(old: KubeObject, next: KubeObject): boolean {
  const before = old.metadata.managedFields
  const after = next.metadata.managedFields
  if (!before || !after || before === after || before.length !== after.length) return false
  return after.every(
    (entry, i) => entry === before[i] || isSame({ ...entry, time: '' }, { ...before[i], time: '' }),
  )
}

/** As long as upstream lets the name of a manager be, in bytes. */
const MAX_MANAGER_BYTES = 128
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/** The manager of a request that names none: what its User-Agent has before the first slash, printable and not too long. */
export function managerFromUserAgent(userAgent: string): string {
  const name = userAgent.split('/', 1)[0] as string
  if (name.length <= MAX_MANAGER_BYTES && PRINTABLE_ASCII.test(name)) return name
  let out = ''
  let size = 0
  for (const character of name) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) continue
    size += Buffer.byteLength(character)
    if (size > MAX_MANAGER_BYTES) break
    out += character
  }
  return out
}

function startFrom(update: UpdateToTrack): Managed {
  const stored = update.old?.metadata.managedFields
  const sent = update.next.metadata.managedFields
  if (update.subresource !== '' || !sent || sent === stored || isSame(sent as Json, stored as Json)) {
    return isReset(sent) && update.subresource === '' ? new Map() : trustManaged(stored)
  }
  if (isReset(sent)) return new Map()
  const managed = readManaged(sent, update.type)
  return managed && managed.size > 0 ? managed : trustManaged(stored)
}

function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (!entries || entries.length > 1) return false
  return entries.length === 0 || Object.keys(entries[0] as ManagedFieldsEntry).length === 0
}

/** Where the types of a kind may have changed. @throws FieldSetError where upstream cannot tell the owners any more */
function reconcile({ type, old, apiVersion, versions }: UpdateToTrack, managed: Managed): void {
  if (!versions?.changing) return
  const live = old ?? emptyObject(type)
  const fault = versions.changing.faultOf(apiVersion, live)
  if (fault !== undefined) throw new FieldSetError(fault)
  versions.changing.reconcile(apiVersion, live, managed)
}

const zeros = new WeakMap<StructType, KubeObject>()

/** What a new object is compared with: the zero value of the type. */
export function emptyObject(type: StructType): KubeObject {
  let zero = zeros.get(type)
  if (!zero) zeros.set(type, (zero = zeroOf(type) as KubeObject))
  return zero
}

const resets = new WeakMap<readonly string[], (set: FieldSet) => FieldSet>()

/** The set without what a write to this (sub)resource never changes. */
export function withoutReset(set: FieldSet, paths: readonly string[] | undefined): FieldSet {
  if (!paths || paths.length === 0) return set
  let without = resets.get(paths)
  if (!without) {
    const reset = setOfPaths(paths)
    resets.set(paths, (without = oncePerSet((given) => recursiveDifference(given, reset))))
  }
  return without(set)
}

/** Two objects of one type compared, without what is reset. */
export function compareKept(before: InVersion, after: InVersion, reset?: readonly string[]): Comparison {
  const comparison = compareObjects(after.type, before.object, after.object)
  if (!reset || reset.length === 0) return comparison
  return {
    changed: withoutReset(comparison.changed, reset),
    removed: withoutReset(comparison.removed, reset),
  }
}

/** Takes what changed away from all managers, and returns it, to be given to the one of this request. */
function own(update: UpdateToTrack, managed: Managed): FieldSet {
  const { type, next, resetFields, apiVersion } = update
  const old = update.old ?? emptyObject(type)
  const here = compareKept({ type, object: old }, { type, object: next }, resetFields)
  const comparisons = new Map<string, Comparison | undefined>([[apiVersion, here]])
  for (const [id, entry] of managed) {
    if (!comparisons.has(entry.apiVersion)) {
      comparisons.set(entry.apiVersion, update.versions ? compareIn(update, entry.apiVersion) : here)
    }
    const comparison = comparisons.get(entry.apiVersion)
    if (comparison) takeChanged(managed, id, entry, comparison)
    else managed.delete(id)
  }
  return ownable(here.changed)
}

/** Takes away from one manager what changed and what is gone; a manager who is left with nothing goes. */
export function takeChanged(managed: Managed, id: string, entry: ManagedEntry, comparison: Comparison): void {
  const taken = intersection(entry.set, comparison.changed)
  const kept = difference(difference(entry.set, taken), comparison.removed)
  if (isEmptySet(kept)) managed.delete(id)
  else if (kept !== entry.set) managed.set(id, { ...entry, set: kept, encoded: undefined })
}

/** The change as another version shows it; undefined where that version is not served any more. */
function compareIn(update: UpdateToTrack, apiVersion: string): Comparison | undefined {
  const { next, resetFields, versions } = update
  const after = versions?.convert(update.apiVersion, next, apiVersion)
  if (!after) return undefined
  const before = update.old && versions?.convert(update.apiVersion, update.old, apiVersion)
  return compareKept(before ?? { ...after, object: emptyObject(after.type) }, after, resetFields)
}

/** Set by the server alone, or the identity itself: nobody's field. */
export const NEVER_OWNED: FieldSet = {
  'f:apiVersion': LEAF,
  'f:kind': LEAF,
  'f:metadata': {
    '.': LEAF,
    'f:clusterName': LEAF,
    'f:creationTimestamp': LEAF,
    'f:generation': LEAF,
    'f:managedFields': LEAF,
    'f:name': LEAF,
    'f:namespace': LEAF,
    'f:resourceVersion': LEAF,
    'f:selfLink': LEAF,
    'f:uid': LEAF,
  },
}

const ownable = oncePerSet((set) => difference(set, NEVER_OWNED))

let lastSecond = NaN
let lastTime = ''

/** The time of an entry: RFC 3339. Formatting a date costs as much as a tenth of all the tracking, and many writes share a
 * second. */
export function timeOf(now: Date): string {
  const second = Math.floor(now.getTime() / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastTime = `${now.toISOString().slice(0, 19)}Z`
  }
  return lastTime
}

function record(update: UpdateToTrack, managed: Managed, set: FieldSet): void {
  const { apiVersion, subresource } = update
  const entry = { manager: update.manager || 'unknown', operation: 'Update', apiVersion, subresource }
  const id = identify(entry)
  const previous = managed.get(id)
  const time = timeOf(update.now)
  managed.set(id, { time, set: previous ? union(set, previous.set) : set, encoded: undefined, ...entry })
}
