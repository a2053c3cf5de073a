// Ownership of the replicas that a write to the scale subresource changed: the one field of the parent that a Scale
// shows. Follows k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go, whose new entries carry no time.
import type { ManagedFieldsEntry } from '../../machinery/object.ts'
import { difference, type FieldSet, isEmptySet, isSubset, LEAF, setOfPaths } from './fieldset.ts'
import {
  encodeManaged,
  identify,
  type Managed,
  type ManagedEntry,
  trustManaged,
} from './managedfields-entries.ts'

/** The object whose replicas a Scale shows. */
export interface ScaledParent {
  /** Its managedFields before the write. */
  readonly entries: readonly ManagedFieldsEntry[] | undefined
  /** "apps/v1". */
  readonly apiVersion: string
  /** Where it has its replicas: "spec.replicas". */
  readonly replicasPath: string
}

export interface ScaleToTrack extends ScaledParent {
  /** Whether the write changes the replicas. */
  readonly changed: boolean
  /** "" counts as "unknown". */
  readonly manager: string
}

const SCALE_VERSION = 'autoscaling/v1'
const IN_SCALE: FieldSet = { 'f:spec': { 'f:replicas': LEAF } }

/** The managedFields that the parent must carry after an update of its Scale; undefined for none. */
export function trackScale(scale: ScaleToTrack): ManagedFieldsEntry[] | undefined {
  return toParent(scale, ownersAfter(scale, replicasOwners(scale)))
}

/** The managedFields of the Scale of a parent; undefined for none. */
export function scaleOwners(parent: ScaledParent): ManagedFieldsEntry[] | undefined {
  return encodeManaged(replicasOwners(parent))
}

/** The managedFields of the parent, after an apply left its Scale with these. */
export function parentOwners(
  parent: ScaledParent,
  scale: readonly ManagedFieldsEntry[] | undefined,
): ManagedFieldsEntry[] | undefined {
  return toParent(parent, trustManaged(scale))
}

/** Who owns the replicas. Update entries are known to a Scale by the Scale's version. */
function replicasOwners({ entries, replicasPath }: ScaledParent): Managed {
  const owners: Managed = new Map()
  for (const entry of trustManaged(entries).values()) {
    if (!owns(entry, setOfPaths([replicasPath]))) continue
    const owner = { ...entry, apiVersion: SCALE_VERSION, set: IN_SCALE, encoded: undefined }
    owners.set(identify(owner), owner)
  }
  return owners
}

const owns = (entry: ManagedEntry, replicas: FieldSet): boolean => isSubset(replicas, entry.set)

function ownersAfter(scale: ScaleToTrack, owners: Managed): Managed {
  // What nobody owned before is not tracked, as for every object that was made without tracking.
  if (!scale.changed || owners.size === 0) return owners
  const self = {
    manager: scale.manager || 'unknown',
    operation: 'Update',
    apiVersion: SCALE_VERSION,
    subresource: 'scale',
    time: undefined,
    set: IN_SCALE,
    encoded: undefined,
  }
  return new Map([[identify(self), self]])
}

/** Takes the replicas from those who do not own them any more, and gives them to those who do. */
function toParent(scaled: ScaledParent, owners: Managed): ManagedFieldsEntry[] | undefined {
  const { apiVersion, replicasPath } = scaled
  const parent = trustManaged(scaled.entries)
  const replicas = setOfPaths([replicasPath])
  const out: Managed = new Map()
  for (const [id, entry] of parent) {
    if (!owns(entry, replicas) || owners.delete(id)) {
      out.set(id, entry)
      continue
    }
    const set = difference(entry.set, replicas)
    if (!isEmptySet(set)) out.set(id, { ...entry, set, encoded: undefined })
  }
  for (const [id, entry] of owners) {
    if (!owns(entry, IN_SCALE)) continue
    out.set(id, { ...entry, apiVersion, time: parent.get(id)?.time, set: replicas, encoded: undefined })
  }
  return encodeManaged(out)
}
