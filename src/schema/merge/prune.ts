// What an applier does not say any more: it goes from the object, unless somebody else owns it.
// Follows sigs.k8s.io/structured-merge-diff/v6/merge (Updater.prune and the two that add back).
import type { JsonObject } from '../../machinery/json.ts'
import { isSame } from '../ownership/fieldset-compare.ts'
import { difference, type FieldSet, intersection, isSubset, union } from '../ownership/fieldset.ts'
import { during } from '../ownership/fieldset-items.ts'
import type { Managed, ManagedEntry } from '../ownership/managedfields-entries.ts'
import type { InVersion, Versions } from '../versions.ts'
import { fieldsOf } from './fieldsof.ts'
import { removeFields, withNamedFields } from './remove.ts'

export interface Pruning {
  /** Stored and applied together. */
  readonly merged: JsonObject
  /** What the applier owned before. */
  readonly last: ManagedEntry | undefined
  /** Who owns what now: the applier has its new set. */
  readonly managed: Managed
  /** What the applier owns now. */
  readonly current: ManagedEntry
  readonly versions: Versions
}

/** `merged` without what only `last` owned; `merged` itself where nothing goes. */
export function prune(pruning: Pruning): JsonObject {
  const { merged, last, current, managed, versions } = pruning
  if (!last) return merged
  // All that was said is said again, so nothing can go; but what a conversion loses can.
  if (isOneVersion(managed, last.apiVersion) && isSubset(last.set, current.set)) return merged
  const base = during('failed to convert merged object to last applied version', () =>
    versions.convert(current.apiVersion, merged, last.apiVersion),
  )
  if (!base) return merged
  const said = namedFields(base)
  const lastSet = withNamedFields(base.type, last.set)
  const added = during('failed add back owned items', () =>
    addBackOwned(pruning, { ...base, said, lastSet }, last),
  )
  const owned = during(
    'failed add back dangling items: failed to convert pruned object to last applied version',
    () => versions.convert(added.at, added.object, last.apiVersion),
  )
  if (!owned) return merged
  const gone = difference(said, namedFields(owned))
  const pruned = removeFields(base.type, base.object, intersection(gone, lastSet)) as JsonObject
  const left = versions.convert(last.apiVersion, pruned, current.apiVersion)?.object
  return left && !isSame(left, merged) ? left : merged
}

function isOneVersion(managed: Managed, apiVersion: string): boolean {
  for (const entry of managed.values()) if (entry.apiVersion !== apiVersion) return false
  return true
}

const namedFields = ({ type, object }: InVersion): FieldSet => withNamedFields(type, fieldsOf(type, object))

/** What was merged, in the version that the applier used before. */
interface Base extends InVersion {
  /** All its fields. */
  readonly said: FieldSet
  /** What the applier owned of it. */
  readonly lastSet: FieldSet
}

interface Added {
  /** The version it is in. */
  readonly at: string
  readonly object: JsonObject
}

/** The object without all of `last`, but with what any manager owns. */
function addBackOwned(pruning: Pruning, base: Base, last: ManagedEntry): Added {
  const { versions } = pruning
  let at = last.apiVersion
  let merged: InVersion = base
  let pruned: InVersion = {
    type: base.type,
    object: (removeFields(base.type, base.object, base.lastSet) ?? {}) as JsonObject,
  }
  for (const [version, owned] of ownedByVersion(pruning.managed, last.apiVersion)) {
    const there = (which: string, object: JsonObject): InVersion | undefined =>
      during(`failed to convert ${which} object at version ${version}`, () =>
        versions.convert(at, object, version),
      )
    const mergedThere = there('merged', merged.object)
    const prunedThere = mergedThere && there('pruned', pruned.object)
    if (!mergedThere || !prunedThere) continue
    const kept = union(namedFields(prunedThere), withNamedFields(mergedThere.type, owned))
    const said = mergedThere.object === base.object ? base.said : namedFields(mergedThere)
    const gone = difference(said, kept)
    merged = mergedThere
    pruned = {
      type: merged.type,
      object: (removeFields(merged.type, merged.object, gone) ?? {}) as JsonObject,
    }
    at = version
  }
  return { at, object: pruned.object }
}

/** All that is owned in each version; `first` comes first, for its fields may be needed to convert the others. */
function ownedByVersion(managed: Managed, first: string): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>()
  for (const { apiVersion, set } of managed.values()) {
    const known = owned.get(apiVersion)
    owned.set(apiVersion, known ? union(known, set) : set)
  }
  const set = owned.get(first)
  if (!set) return owned
  owned.delete(first)
  return new Map([[first, set], ...owned])
}
