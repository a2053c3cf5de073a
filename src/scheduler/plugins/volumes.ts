// Volumes that a node can reach and has room for.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/{volumebinding,volumezone,nodevolumelimits}.
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { ClusterEvent, FilterWork, ObjectKind, Plugin, Rejection } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'
import { nodeLabelsChanged } from './hints.ts'
import { claimNames, planFor, podVolumes, type PodVolumes, reaches } from './podvolumes.ts'

const rejected = (plugin: string, reason: string, isFinal = true): Rejection => ({
  plugin,
  reasons: [reason],
  isFinal,
})
const NOT_THERE = rejected(
  'VolumeBinding',
  'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
)
const OUT_OF_REACH = rejected('VolumeBinding', "node(s) didn't match PersistentVolume's node affinity")
const NONE_TO_BIND = rejected('VolumeBinding', "node(s) didn't find available persistent volumes to bind")
const TOO_LITTLE = rejected('VolumeBinding', 'node(s) did not have enough free storage')
const OTHER_ZONE = rejected('VolumeZone', 'node(s) had no available volume zone')
const TOO_MANY = rejected('NodeVolumeLimits', 'node(s) exceed max volume count', false)
const ZONE_LABELS = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]

/** A claim of the pod's, or one of the kinds that its claims hang on. */
function isObject(event: ClusterEvent, pod: PodInfo, kinds: readonly ObjectKind[]): boolean {
  if (event.kind !== 'object' || !kinds.includes(event.of)) return false
  if (event.of === 'VolumeAttachment') return event.isGone
  if (event.isGone) return false
  if (event.of !== 'PersistentVolumeClaim') return true
  const { namespace, name = '' } = event.object.metadata
  return namespace === pod.namespace && claimNames(pod.pod).includes(name)
}

/** What the pod's claims are, where all is well with them so far. */
function volumesOf({ pod }: PodInfo, { sources }: ClusterView): PodVolumes | undefined {
  if (claimNames(pod).length === 0) return undefined
  const found = podVolumes(pod, sources)
  return typeof found === 'string' ? undefined : found
}

export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  filter: ({ pod }, { sources }): FilterWork | Rejection | undefined => {
    if (claimNames(pod).length === 0) return undefined
    const found = podVolumes(pod, sources)
    if (typeof found === 'string') return rejected('VolumeBinding', found)
    const { bound, waiting } = found
    return {
      filter: (node) => {
        if (bound.some(({ volume }) => volume === undefined)) return NOT_THERE
        if (bound.some(({ volume }) => volume && !reaches(volume, node))) return OUT_OF_REACH
        if (waiting.length === 0) return undefined
        const plan = planFor(waiting, node, sources)
        if (typeof plan !== 'string') return undefined
        return plan === 'too little' ? TOO_LITTLE : NONE_TO_BIND
      },
    }
  },
  mayHelp: (event, pod) =>
    nodeLabelsChanged(event) ||
    isObject(event, pod, [
      ...['PersistentVolumeClaim', 'PersistentVolume', 'StorageClass', 'CSINode'],
      ...['CSIDriver', 'CSIStorageCapacity'],
    ] as readonly ObjectKind[]),
}

export const volumeZone: Plugin = {
  name: 'VolumeZone',
  filter: (pod, cluster) => {
    const zones = (volumesOf(pod, cluster)?.bound ?? []).flatMap(({ volume }) =>
      ZONE_LABELS.flatMap((key) => {
        const value = volume?.metadata.labels?.[key]
        return value === undefined ? [] : [{ key, values: new Set(value.split('__')) }]
      }),
    )
    if (zones.length === 0) return undefined
    return {
      filter: ({ labels }) =>
        zones.every(({ key, values }) => values.has(labels[key] ?? '')) ? undefined : OTHER_ZONE,
    }
  },
  mayHelp: (event, pod) =>
    nodeLabelsChanged(event) ||
    isObject(event, pod, ['PersistentVolumeClaim', 'PersistentVolume', 'StorageClass']),
}

export const nodeVolumeLimits: Plugin = {
  name: 'NodeVolumeLimits',
  filter: (pod, cluster) => {
    const own = handlesOf(pod, cluster)
    if (own.length === 0) return undefined
    return { filter: (node) => (hasRoom(node, own, cluster) ? undefined : TOO_MANY) }
  },
  mayHelp: (event, pod) => {
    if (event.kind === 'pod-gone') return claimNames(event.pod.pod).length > 0
    if (event.kind === 'node') return event.before === undefined
    return isObject(event, pod, ['PersistentVolumeClaim', 'CSINode', 'VolumeAttachment'])
  },
}

/** The volumes of drivers that the pod has attached, or will have: driver and handle. */
function handlesOf(pod: PodInfo, cluster: ClusterView): (readonly [driver: string, handle: string])[] {
  const { bound = [], waiting = [] } = volumesOf(pod, cluster) ?? {}
  const known = bound.flatMap(({ volume }) => {
    const csi = volume?.spec.csi
    return csi ? [[csi.driver, csi.volumeHandle] as const] : []
  })
  const toCome = waiting.map(({ claim: { metadata }, storageClass }) => {
    // No driver has such a handle.
    const handle = `claim ${metadata.namespace}/${metadata.name}`
    return [storageClass.provisioner, handle] as const
  })
  return [...known, ...toCome]
}

function hasRoom(node: NodeInfo, own: readonly (readonly [string, string])[], cluster: ClusterView): boolean {
  for (const { name, allocatable } of cluster.sources.csiNode(node.name)?.spec.drivers ?? []) {
    const limit = allocatable?.count
    if (limit === undefined || !own.some(([driver]) => driver === name)) continue
    const all = [...own, ...[...node.pods.values()].flatMap((other) => handlesOf(other, cluster))]
    const attached = new Set(all.filter(([driver]) => driver === name).map(([, handle]) => handle))
    if (attached.size > limit) return false
  }
  return true
}
