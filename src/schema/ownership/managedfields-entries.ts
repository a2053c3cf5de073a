// The entries of metadata.managedFields, from and to their JSON form. Follows
// k8s.io/apimachinery/pkg/util/managedfields/internal (managedfields.go, capmanagers.go).
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { ManagedFieldsEntry } from '../../machinery/object.ts'
import { isSame } from './fieldset-compare.ts'
import { canonicalElement, comparePathElements, type FieldSet, LEAF, union } from './fieldset.ts'
import type { StructType, Type } from '../type.ts'

export interface ManagedEntry {
  readonly manager: string
  /** Update or Apply. */
  readonly operation: string
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly set: FieldSet
  /** The entry in its JSON form, where nothing changed. */
  readonly encoded: ManagedFieldsEntry | undefined
}

/** By identity: see identify. */
export type Managed = Map<string, ManagedEntry>

/** The identity of an entry; upstream also sorts by this text, so it is spelled the same. */
export function identify(
  entry: Pick<ManagedEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>,
): string {
  const { manager, operation, apiVersion, subresource } = entry
  return JSON.stringify({
    manager: manager || undefined,
    operation,
    // One applier has one entry, whatever version it last used.
    apiVersion: operation === 'Apply' ? undefined : apiVersion,
    subresource: subresource || undefined,
  })
}

/** Whether two entries of one identity say the same, of the same time and version. */
export function sameEntry(a: ManagedEntry, b: ManagedEntry): boolean {
  return a.time === b.time && a.apiVersion === b.apiVersion && isSame(a.set, b.set)
}

/** Entries of a stored object, which were checked when they were written. */
export function trustManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  const managed: Managed = new Map()
  for (const encoded of entries ?? []) {
    if (!encoded.operation || !encoded.apiVersion) continue
    const entry = entryOf(encoded, encoded.fieldsV1 ?? LEAF, encoded)
    managed.set(identify(entry), entry)
  }
  return managed
}

function entryOf(raw: ManagedFieldsEntry, set: FieldSet, encoded?: ManagedFieldsEntry): ManagedEntry {
  return {
    manager: raw.manager ?? '',
    operation: raw.operation ?? '',
    apiVersion: raw.apiVersion ?? '',
    subresource: raw.subresource ?? '',
    time: raw.time,
    set,
    encoded,
  }
}

/** Entries that a client sent; undefined where any of them is invalid, by which upstream ignores them all. */
export function readManaged(entries: readonly ManagedFieldsEntry[], type: StructType): Managed | undefined {
  const managed: Managed = new Map()
  for (const raw of entries) {
    if (raw.operation !== 'Apply' && raw.operation !== 'Update') return undefined
    if (!raw.apiVersion || raw.fieldsType !== 'FieldsV1') return undefined
    let set: FieldSet
    try {
      set = readSet(raw.fieldsV1 ?? {}, type)
    } catch (error) {
      if (error instanceof SyntaxError) return undefined
      throw error
    }
    const entry = entryOf(raw, set)
    managed.set(identify(entry), entry)
  }
  return managed
}

/**
 * A FieldsV1 as this room writes it: elements in order and canonical, those of unknown kinds dropped, and no parts
 * of what the type has as one.
 * @throws SyntaxError where upstream refuses it
 */
export function readSet(raw: Json, type: Type | undefined): FieldSet {
  const node = readNode(raw, type)
  if (node['.'] === undefined) return node
  const { '.': _self, ...root } = node
  return root
}

function readNode(raw: Json, type: Type | undefined): FieldSet {
  if (raw === null) return LEAF
  if (typeof raw !== 'object' || Array.isArray(raw)) throw new SyntaxError('a field set is an object')
  const nodes = new Map<string, FieldSet>()
  for (const key of Object.keys(raw)) {
    if (key === '.') continue
    const element = canonicalElement(key)
    if (element === undefined) continue
    nodes.set(element, readNode(raw[key] as Json, typeBelow(type, element)))
  }
  if (nodes.size === 0) return LEAF
  // Ownership of a part of something atomic is ownership of the whole.
  if (type && 'atomic' in type && type.atomic) return LEAF
  if (type?.kind === 'list' && type.listType === 'atomic') return LEAF
  const out: FieldSet = {}
  if (raw['.'] !== undefined) out['.'] = LEAF
  for (const element of [...nodes.keys()].sort(comparePathElements)) out[element] = nodes.get(element)
  return out
}

function typeBelow(type: Type | undefined, element: string): Type | undefined {
  if (type?.kind === 'struct') return type.byName.get(element.slice(2))?.type
  if (type?.kind === 'map') return type.value
  return type?.kind === 'list' ? type.item : undefined
}

/** As many update entries as upstream keeps apart; the oldest beyond are merged into one. */
const MAX_UPDATE_MANAGERS = 10
const OLD_UPDATES = 'ancient-changes'

const secondsOf = (time: string | undefined): number => (time ? Date.parse(time) : 0)

/** Merges the oldest update entries of each version where there are too many. Changes and returns `managed`. */
export function capUpdateManagers(managed: Managed): Managed {
  if (managed.size <= MAX_UPDATE_MANAGERS) return managed
  const updaters = [...managed].filter(([, entry]) => entry.operation === 'Update')
  updaters.sort(([a, x], [b, y]) => secondsOf(x.time) - secondsOf(y.time) || (a < b ? -1 : 1))
  let count = updaters.length
  const firstOf = new Map<string, string>()
  for (const [id, entry] of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) break
    const first = firstOf.get(entry.apiVersion)
    if (first === undefined) {
      firstOf.set(entry.apiVersion, id)
      continue
    }
    const { apiVersion } = entry
    const bucketEntry = { manager: OLD_UPDATES, operation: 'Update', apiVersion, subresource: '' }
    const bucket = identify(bucketEntry)
    const merged = managed.get(bucket) ?? (managed.get(first) as ManagedEntry)
    if (!managed.has(bucket)) managed.delete(first)
    managed.delete(id)
    const set = union(entry.set, merged.set)
    managed.set(bucket, { time: entry.time, set, encoded: undefined, ...bucketEntry })
    count--
  }
  return managed
}

/** The JSON form, in upstream's order: applied first, then by time, name, version and subresource. */
export function encodeManaged(managed: Managed): ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined
  const entries = [...managed.values()]
  if (entries.length > 1) entries.sort(compareEntries)
  return entries.map((entry) => entry.encoded ?? encode(entry))
}

function compareEntries(a: ManagedEntry, b: ManagedEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a.time) - secondsOf(b.time) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  )
}

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

function encode(entry: ManagedEntry): ManagedFieldsEntry {
  const out: JsonObject = {}
  if (entry.manager) out.manager = entry.manager
  out.operation = entry.operation
  out.apiVersion = entry.apiVersion
  if (entry.time) out.time = entry.time
  out.fieldsType = 'FieldsV1'
  out.fieldsV1 = entry.set
  if (entry.subresource) out.subresource = entry.subresource
  return out as ManagedFieldsEntry
}
