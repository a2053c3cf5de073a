// Ownership of the replicas that a write to the scale subresource changed: the one field of the parent that a Scale
// shows. Follows k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go, whose entries carry no time.
import type { ManagedFieldsEntry } from '../machinery/object.ts'
import { difference, type FieldSet, intersection, isEmptySet, setOfPaths } from './fieldset.ts'
import {
  encodeManaged,
  identify,
  type Managed,
  type ManagedEntry,
  trustManaged,
} from './managedfields-entries.ts'

export interface ScaleToTrack {
  /** The parent's managedFields before the write. */
  readonly entries: readonly ManagedFieldsEntry[] | undefined
  /** The parent's: "apps/v1". */
  readonly apiVersion: string
  /** Where the parent has its replicas: "spec.replicas". */
  readonly replicasPath: string
  /** Whether the write changes the replicas. */
  readonly changed: boolean
  /** "" counts as "unknown". */
  readonly manager: string
}

const SCALE_VERSION = 'autoscaling/v1'

/** The managedFields that the parent must carry after the write; undefined for none. */
export function trackScale(scale: ScaleToTrack): ManagedFieldsEntry[] | undefined {
  const replicas = setOfPaths([scale.replicasPath])
  const parent = trustManaged(scale.entries)
  const owners = ownersAfter(scale, parent, replicas)
  const out: Managed = new Map()
  for (const [id, entry] of parent) {
    if (!owns(entry, replicas) || owners.delete(id)) {
      out.set(id, entry)
      continue
    }
    const set = difference(entry.set, replicas)
    if (!isEmptySet(set)) out.set(id, { ...entry, set, encoded: undefined })
  }
  for (const [id, entry] of owners) out.set(id, { ...entry, apiVersion: scale.apiVersion, set: replicas })
  return encodeManaged(out)
}

const owns = (entry: ManagedEntry, replicas: FieldSet): boolean =>
  !isEmptySet(intersection(entry.set, replicas))

/** Who owns the replicas of the Scale after the write. Update entries are known there by the Scale's version. */
function ownersAfter(scale: ScaleToTrack, parent: Managed, replicas: FieldSet): Managed {
  const owners: Managed = new Map()
  for (const entry of parent.values()) {
    if (!owns(entry, replicas)) continue
    const owner = { ...entry, apiVersion: SCALE_VERSION, time: undefined, encoded: undefined }
    owners.set(identify(owner), owner)
  }
  // What nobody owned before is not tracked, as for every object that was made without tracking.
  if (!scale.changed || owners.size === 0) return owners
  const self = {
    manager: scale.manager || 'unknown',
    operation: 'Update',
    apiVersion: SCALE_VERSION,
    subresource: 'scale',
    time: undefined,
    set: replicas,
    encoded: undefined,
  }
  return new Map([[identify(self), self]])
}
