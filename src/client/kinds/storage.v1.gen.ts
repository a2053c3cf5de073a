// Made by `make generate` out of api/openapi; do not edit.
import type { PersistentVolumeSpec, TopologySelectorTerm } from './core.v1.gen.ts'
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type CSIDriver = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: CSIDriverSpec
}

export type CSIDriverList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: CSIDriver[]
}

export type CSIDriverSpec = {
  attachRequired?: boolean | undefined
  podInfoOnMount?: boolean | undefined
  volumeLifecycleModes?: string[] | undefined
  storageCapacity?: boolean | undefined
  fsGroupPolicy?: string | undefined
  tokenRequests?: TokenRequest[] | undefined
  requiresRepublish?: boolean | undefined
  seLinuxMount?: boolean | undefined
  nodeAllocatableUpdatePeriodSeconds?: number | undefined
  serviceAccountTokenInSecrets?: boolean | undefined
  preventPodSchedulingIfMissing?: boolean | undefined
}

export type CSINode = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: CSINodeSpec
}

export type CSINodeDriver = {
  name: string
  nodeID: string
  topologyKeys: string[]
  allocatable?: VolumeNodeResources | undefined
}

export type CSINodeList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: CSINode[]
}

export type CSINodeSpec = {
  drivers: CSINodeDriver[]
}

export type CSIStorageCapacity = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  nodeTopology?: LabelSelector | undefined
  storageClassName: string
  capacity?: string | undefined
  maximumVolumeSize?: string | undefined
}

export type CSIStorageCapacityList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: CSIStorageCapacity[]
}

export type StorageClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  provisioner: string
  parameters?: Record<string, string> | undefined
  reclaimPolicy?: string | undefined
  mountOptions?: string[] | undefined
  allowVolumeExpansion?: boolean | undefined
  volumeBindingMode?: string | undefined
  allowedTopologies?: TopologySelectorTerm[] | undefined
}

export type StorageClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: StorageClass[]
}

export type TokenRequest = {
  audience: string
  expirationSeconds?: number | undefined
}

export type VolumeAttachment = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: VolumeAttachmentSpec
  status: VolumeAttachmentStatus
}

export type VolumeAttachmentList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: VolumeAttachment[]
}

export type VolumeAttachmentSource = {
  persistentVolumeName?: string | undefined
  inlineVolumeSpec?: PersistentVolumeSpec | undefined
}

export type VolumeAttachmentSpec = {
  attacher: string
  source: VolumeAttachmentSource
  nodeName: string
}

export type VolumeAttachmentStatus = {
  attached: boolean
  attachmentMetadata?: Record<string, string> | undefined
  attachError?: VolumeError | undefined
  detachError?: VolumeError | undefined
}

export type VolumeAttributesClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  driverName: string
  parameters?: Record<string, string> | undefined
}

export type VolumeAttributesClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: VolumeAttributesClass[]
}

export type VolumeError = {
  time?: string | undefined
  message?: string | undefined
  errorCode?: number | undefined
}

export type VolumeNodeResources = {
  count?: number | undefined
}
