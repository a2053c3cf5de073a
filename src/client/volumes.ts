// What claims and volumes say about each other, as all who deal with storage read it.
// Follows k8s.io/component-helpers/storage/volume/pv_helpers.go and k8s.io/csi-translation-lib.
import type {
  ContainerStatus,
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from './kinds/core.v1.gen.ts'
import type { StorageClass } from './kinds/storage.v1.gen.ts'
import { isPodTerminal } from './podstate.ts'

export const VOLUME_ANNOTATIONS = {
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  selectedNode: 'volume.kubernetes.io/selected-node',
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  migratedTo: 'pv.kubernetes.io/migrated-to',
  provisioner: 'volume.kubernetes.io/storage-provisioner',
  betaProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaClass: 'volume.beta.kubernetes.io/storage-class',
} as const
const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

/** CSI drivers by the plugins of old that they took the place of. */
const MIGRATED: ReadonlyMap<string, string> = new Map([
  ['kubernetes.io/aws-ebs', 'ebs.csi.aws.com'],
  ['kubernetes.io/azure-disk', 'disk.csi.azure.com'],
  ['kubernetes.io/azure-file', 'file.csi.azure.com'],
  ['kubernetes.io/cinder', 'cinder.csi.openstack.org'],
  ['kubernetes.io/gce-pd', 'pd.csi.storage.gke.io'],
  ['kubernetes.io/portworx-volume', 'pxd.portworx.com'],
  ['kubernetes.io/vsphere-volume', 'csi.vsphere.vmware.com'],
])

/** The CSI driver that stands for a plugin of this name now, if one does. */
export const migratedDriver = (plugin: string): string | undefined => MIGRATED.get(plugin)

/** The class that a claim asks for; empty for none. */
export const classOfClaim = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[VOLUME_ANNOTATIONS.betaClass] ?? spec.storageClassName ?? ''

/** Whether the claim says anything about its class, be it that it wants none. */
export const namesClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[VOLUME_ANNOTATIONS.betaClass] !== undefined || spec.storageClassName !== undefined

export const classOfVolume = ({ metadata, spec }: PersistentVolume): string =>
  metadata.annotations?.[VOLUME_ANNOTATIONS.betaClass] ?? spec.storageClassName ?? ''

/** The class of claims that name none: the newest of those that are marked; undefined where none is. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  const created = ({ metadata }: StorageClass): number => Date.parse(metadata.creationTimestamp ?? '')
  return classes
    .filter(({ metadata }) => DEFAULT_CLASS.some((key) => metadata.annotations?.[key] === 'true'))
    .sort(
      (a, b) => created(b) - created(a) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
    )[0]
}

/** Whether the volume is the claim's, or kept for it by name. */
export function isVolumeOf(
  { spec: { claimRef } }: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): boolean {
  if (claimRef === undefined) return false
  if (claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

/** "namespace/name" of the claim that a volume refers to. */
export const keyOfReference = ({ namespace = '', name = '' }: ObjectReference): string =>
  `${namespace}/${name}`

/** "namespace/name" of the claims that a pod uses, those of its own volumes among them. */
export const claimKeysOf = (pod: Pod): string[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => {
    const claim = claimOf(pod, volume)
    return claim === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${claim}`]
  })

/** The name of the claim that this volume of a pod is; undefined for volumes of other kinds. */
export const claimOf = (
  { metadata }: Pod,
  { persistentVolumeClaim, ephemeral, name }: Volume,
): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name ?? ''}-${name}` : undefined)

const isStill = (statuses: readonly ContainerStatus[] = []): boolean =>
  statuses.every(({ state }) => state?.terminated !== undefined || state?.waiting !== undefined)

/** Whether nothing of the pod uses its volumes any more: it is over, or goes and runs nothing. */
export function hasEnded(pod: Pod): boolean {
  if (isPodTerminal(pod)) return true
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = pod.status
  if (pod.metadata.deletionTimestamp === undefined) return false
  return [initContainerStatuses, containerStatuses, ephemeralContainerStatuses].every(isStill)
}
