// Sets of fields that were written before their schema changed: what was granular then and is atomic now is owned as a
// whole. Follows sigs.k8s.io/structured-merge-diff/v6/typed (reconcile_schema.go).
import type { JsonObject } from '../../machinery/json.ts'
import { type FieldSet, isEmptySet, LEAF } from '../ownership/fieldset.ts'
import { structElements } from '../ownership/fieldset-struct.ts'
import type { Managed } from '../ownership/managedfields-entries.ts'
import type { Type } from '../type.ts'
import type { Versions } from '../versions.ts'

/**
 * Every entry as the schema of its version is today. Changes `managed`.
 * @throws FieldSetError where `live` does not fit a version in which it has an owner; ConversionNeeded
 */
export function reconcileOwners(
  versions: Versions,
  apiVersion: string,
  live: JsonObject,
  managed: Managed,
): void {
  for (const [id, entry] of managed) {
    const set = reconcileSet(versions.convert(apiVersion, live, entry.apiVersion)?.type, entry.set)
    if (set !== entry.set) managed.set(id, { ...entry, set, encoded: undefined })
  }
}

/** `set` as `type` has it today; the very same set where nothing is atomic that was not. */
export function reconcileSet(type: Type | undefined, set: FieldSet): FieldSet {
  if (type === undefined || isEmptySet(set)) return set
  switch (type.kind) {
    case 'struct':
    case 'map':
      return type.atomic ? LEAF : reconcileBelow(type, set)
    case 'list':
      return type.listType === 'atomic' ? LEAF : reconcileBelow(type, set)
    default:
      return set
  }
}

function reconcileBelow(type: Type, set: FieldSet): FieldSet {
  let out: FieldSet | undefined
  for (const element in set) {
    if (element === '.') continue
    const node = set[element] as FieldSet
    const reconciled = reconcileSet(typeBelow(type, element), node)
    if (reconciled !== node) (out ??= { ...set })[element] = reconciled
  }
  return out ?? set
}

function typeBelow(type: Type, element: string): Type | undefined {
  if (type.kind === 'struct') return structElements(type).get(element.slice(2))?.type ?? type.rest
  if (type.kind === 'map') return type.value
  return type.kind === 'list' ? type.item : undefined
}
