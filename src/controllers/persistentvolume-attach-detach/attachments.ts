// Where a volume of a driver ought to be attached, where it is, and what follows from both.
// Follows the desired and the actual state of k8s.io/kubernetes/pkg/controller/volume/attachdetach and the names that
// pkg/volume/csi gives attachments.
import { createHash } from 'node:crypto'
import { type DriverVolume, driverVolumeOf, uniqueVolumeName } from '../../client/csivolumes.ts'
import type { Node, PersistentVolume, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { VolumeAttachment } from '../../client/kinds/storage.v1.gen.ts'

/** How long a node that is not ready may still have the volume mounted before it is detached all the same. As upstream. */
export const MAX_UNMOUNT_MS = 360_000
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
const MANAGED = 'volumes.kubernetes.io/controller-managed-attach-detach'
const SHARED_MODES = ['ReadWriteMany', 'ReadOnlyMany']

export const attachmentName = ({ driver, volumeHandle }: DriverVolume, node: string): string =>
  `csi-${createHash('sha256').update(`${volumeHandle}${driver}${node}`).digest('hex')}`

/** Whether this controller attaches for the node, or its kubelet does it itself. */
export const isManaged = ({ metadata }: Node): boolean => metadata.annotations?.[MANAGED] !== undefined

/** Whether several nodes may have it at once; one that says nothing may. */
export const mayBeShared = ({ spec: { accessModes = [] } }: PersistentVolume): boolean =>
  accessModes.length === 0 || accessModes.some((mode) => SHARED_MODES.includes(mode))

export interface VolumeState {
  readonly volume: PersistentVolume
  /** Pods that use it, by node. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>
  readonly attachments: readonly VolumeAttachment[]
  node(name: string): Node | undefined
  /** Whether it goes from a node that is silent for too long. */
  readonly isForced: boolean
  /** How long the attachment to this node has been unwanted, in ms. */
  unwantedMs(node: string): number
}

export interface Detach {
  readonly attachment: VolumeAttachment
  /** Undefined: now; else look again in so many ms, Infinity: when something changes. */
  readonly waitMs?: number
}

/** Attachments that no pod needs, and whether they can go. */
export function detaches({ volume, pods, attachments, node, unwantedMs, isForced }: VolumeState): Detach[] {
  const csi = driverVolumeOf(volume)
  return attachments
    .filter(({ spec, metadata }) => !pods.has(spec.nodeName) && metadata.deletionTimestamp === undefined)
    .map((attachment) => {
      const name = attachment.spec.nodeName
      const host = node(name)
      const mounted = host
        ? (host.status.volumesInUse ?? []).includes(csi ? uniqueVolumeName(csi) : '')
        : true
      if (!mounted || (host?.spec.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE))
        return { attachment }
      const isReady = host?.status.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      )
      if (isReady || !isForced) return { attachment, waitMs: Infinity }
      const left = MAX_UNMOUNT_MS - unwantedMs(name)
      return left > 0 ? { attachment, waitMs: left } : { attachment }
    })
}

export interface Attach {
  readonly node: string
  /** Why it cannot be attached: what the node's pods are told. */
  readonly refusal?: string
}

/** Nodes that need it and have no attachment. One that only one node may have waits until the other has let go. */
export function attaches({ volume, pods, attachments }: VolumeState): Attach[] {
  const has = new Set(attachments.map(({ spec }) => spec.nodeName))
  const wanted: Attach[] = []
  for (const [node, own] of pods) {
    if (has.has(node)) continue
    const isTaken = !mayBeShared(volume) && has.size > 0
    wanted.push(isTaken ? { node, refusal: multiAttachMessage(own[0], pods, node) } : { node })
    has.add(node)
  }
  return wanted
}

function multiAttachMessage(
  pod: Pod | undefined,
  pods: ReadonlyMap<string, readonly Pod[]>,
  node: string,
): string {
  const others = [...pods].filter(([name]) => name !== node).flatMap(([, some]) => some)
  if (others.length === 0)
    return "Volume is already exclusively attached to one node and can't be attached to another"
  const near = others.filter(({ metadata }) => metadata.namespace === pod?.metadata.namespace)
  const far = others.length - near.length
  if (near.length === 0) return `Volume is already used by ${far} pod(s) in different namespaces`
  const names = near.map(({ metadata }) => metadata.name).join(', ')
  const more = far > 0 ? ` and ${far} pod(s) in different namespaces` : ''
  return `Volume is already used by pod(s) ${names}${more}`
}

/** What is made for a volume that a node needs. */
export const newAttachment = (
  { metadata }: PersistentVolume,
  csi: DriverVolume,
  node: string,
): VolumeAttachment =>
  ({
    metadata: { name: attachmentName(csi, node) },
    spec: { attacher: csi.driver, nodeName: node, source: { persistentVolumeName: metadata.name } },
  }) as VolumeAttachment

/** How a driver fared, as pods are told; undefined where nothing new is known. */
export function outcome(
  { status }: VolumeAttachment,
  before: VolumeAttachment | undefined,
  volume: string,
): { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string } | undefined {
  const name = JSON.stringify(volume)
  if (status?.attached && !before?.status?.attached) {
    const message = `AttachVolume.Attach succeeded for volume ${name} `
    return { type: 'Normal', reason: 'SuccessfulAttachVolume', message }
  }
  const error = status?.attachError?.message
  if (error === undefined || error === before?.status?.attachError?.message) return undefined
  const message = `AttachVolume.Attach failed for volume ${name} : ${error}`
  return { type: 'Warning', reason: 'FailedAttachVolume', message }
}
