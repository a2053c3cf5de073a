// Volumes that one pod at a time may have, or one node. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumerestrictions.
import type { Volume } from '../../client/kinds/core.v1.gen.ts'
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { FilterWork, Plugin, Rejection } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'
import { claimNames } from './podvolumes.ts'

const NAME = 'VolumeRestrictions'
const IN_USE: Rejection = {
  plugin: NAME,
  reasons: [
    'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
  ],
  isFinal: false,
}
const CONFLICT: Rejection = { plugin: NAME, reasons: ['node(s) had no available disk'], isFinal: false }

export const volumeRestrictions: Plugin = {
  name: NAME,
  filter: (pod, cluster) => {
    const disks = disksOf(pod)
    const uses = userOf(pod, cluster)
    if (disks.length === 0 && !uses) return undefined
    return new Restrictions(disks, uses, uses ? countUsers(uses, cluster) : 0)
  },
  mayHelp: (event, pod) => {
    if (event.kind === 'node') return event.before === undefined
    const own = claimNames(pod.pod)
    if (event.kind === 'object') {
      if (event.of !== 'PersistentVolumeClaim' || event.isGone) return false
      const { namespace, name = '' } = event.object.metadata
      return namespace === pod.namespace && own.includes(name)
    }
    if (event.kind !== 'pod-gone' || event.pod.namespace !== pod.namespace) return false
    const isShared = claimNames(event.pod.pod).some((name) => own.includes(name))
    return isShared || isInConflict(disksOf(pod), event.pod)
  },
}

class Restrictions implements FilterWork {
  readonly #disks: readonly Volume[]
  readonly #uses: ((other: PodInfo) => boolean) | undefined
  /** Pods anywhere that have what this one would have for itself. */
  #users: number

  constructor(disks: readonly Volume[], uses: ((other: PodInfo) => boolean) | undefined, users: number) {
    this.#disks = disks
    this.#uses = uses
    this.#users = users
  }

  filter({ pods }: NodeInfo): Rejection | undefined {
    if (this.#disks.length > 0)
      for (const other of pods.values()) if (isInConflict(this.#disks, other)) return CONFLICT
    return this.#users > 0 ? IN_USE : undefined
  }

  changed(_: NodeInfo, other: PodInfo, sign: 1 | -1): void {
    if (this.#uses?.(other)) this.#users += sign
  }
}

/** Whether another pod has a claim that only one may have; undefined: the pod has no such claim. */
function userOf(
  { pod, namespace, uid }: PodInfo,
  { sources }: ClusterView,
): ((other: PodInfo) => boolean) | undefined {
  const alone = claimNames(pod).filter((name) =>
    sources.claim(namespace, name)?.spec.accessModes?.includes('ReadWriteOncePod'),
  )
  if (alone.length === 0) return undefined
  return (other) =>
    other.uid !== uid &&
    other.namespace === namespace &&
    claimNames(other.pod).some((name) => alone.includes(name))
}

function countUsers(uses: (other: PodInfo) => boolean, { nodes }: ClusterView): number {
  let users = 0
  for (const { pods } of nodes) for (const other of pods.values()) if (uses(other)) users++
  return users
}

/** Volumes of the kinds that can be on one node only, or only to be read. */
const disksOf = ({ pod }: PodInfo): readonly Volume[] =>
  (pod.spec.volumes ?? []).filter(
    ({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }) =>
      gcePersistentDisk ?? awsElasticBlockStore ?? rbd ?? iscsi,
  )

const isInConflict = (disks: readonly Volume[], other: PodInfo): boolean =>
  disks.length > 0 && disksOf(other).some((theirs) => disks.some((own) => isSameDisk(own, theirs)))

interface Readable {
  readonly readOnly?: boolean | undefined
}

function isSameDisk(one: Volume, other: Volume): boolean {
  const isWritten = (a: Readable, b: Readable): boolean => !(a.readOnly && b.readOnly)
  const [disk, theirDisk] = [one.gcePersistentDisk, other.gcePersistentDisk]
  if (disk && theirDisk && disk.pdName === theirDisk.pdName && isWritten(disk, theirDisk)) return true
  const [store, theirStore] = [one.awsElasticBlockStore, other.awsElasticBlockStore]
  if (store && store.volumeID === theirStore?.volumeID) return true
  const [target, theirTarget] = [one.iscsi, other.iscsi]
  if (target && theirTarget && target.iqn === theirTarget.iqn && isWritten(target, theirTarget)) return true
  const [image, theirs] = [one.rbd, other.rbd]
  return (
    image !== undefined &&
    theirs !== undefined &&
    image.image === theirs.image &&
    image.pool === theirs.pool &&
    image.monitors.some((monitor) => theirs.monitors.includes(monitor)) &&
    isWritten(image, theirs)
  )
}
