// Made by `make generate` out of api/openapi; do not edit.
import type { Json } from '../../machinery/json.ts'
import type { PersistentVolumeClaim, PodTemplateSpec } from './core.v1.gen.ts'
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type ControllerRevision = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  data?: Json | undefined
  revision: number
}

export type ControllerRevisionList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ControllerRevision[]
}

export type DaemonSet = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: DaemonSetSpec
  status: DaemonSetStatus
}

export type DaemonSetCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type DaemonSetList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: DaemonSet[]
}

export type DaemonSetSpec = {
  selector: LabelSelector
  template: PodTemplateSpec
  updateStrategy: DaemonSetUpdateStrategy
  minReadySeconds?: number | undefined
  revisionHistoryLimit?: number | undefined
}

export type DaemonSetStatus = {
  currentNumberScheduled: number
  numberMisscheduled: number
  desiredNumberScheduled: number
  numberReady: number
  observedGeneration?: number | undefined
  updatedNumberScheduled?: number | undefined
  numberAvailable?: number | undefined
  numberUnavailable?: number | undefined
  collisionCount?: number | undefined
  conditions?: DaemonSetCondition[] | undefined
}

export type DaemonSetUpdateStrategy = {
  type?: string | undefined
  rollingUpdate?: RollingUpdateDaemonSet | undefined
}

export type Deployment = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: DeploymentSpec
  status: DeploymentStatus
}

export type DeploymentCondition = {
  type: string
  status: string
  lastUpdateTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type DeploymentList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Deployment[]
}

export type DeploymentSpec = {
  replicas?: number | undefined
  selector: LabelSelector
  template: PodTemplateSpec
  strategy: DeploymentStrategy
  minReadySeconds?: number | undefined
  revisionHistoryLimit?: number | undefined
  paused?: boolean | undefined
  progressDeadlineSeconds?: number | undefined
}

export type DeploymentStatus = {
  observedGeneration?: number | undefined
  replicas?: number | undefined
  updatedReplicas?: number | undefined
  readyReplicas?: number | undefined
  availableReplicas?: number | undefined
  unavailableReplicas?: number | undefined
  terminatingReplicas?: number | undefined
  conditions?: DeploymentCondition[] | undefined
  collisionCount?: number | undefined
}

export type DeploymentStrategy = {
  type?: string | undefined
  rollingUpdate?: RollingUpdateDeployment | undefined
}

export type ReplicaSet = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ReplicaSetSpec
  status: ReplicaSetStatus
}

export type ReplicaSetCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type ReplicaSetList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ReplicaSet[]
}

export type ReplicaSetSpec = {
  replicas?: number | undefined
  minReadySeconds?: number | undefined
  selector: LabelSelector
  template: PodTemplateSpec
}

export type ReplicaSetStatus = {
  replicas: number
  fullyLabeledReplicas?: number | undefined
  readyReplicas?: number | undefined
  availableReplicas?: number | undefined
  terminatingReplicas?: number | undefined
  observedGeneration?: number | undefined
  conditions?: ReplicaSetCondition[] | undefined
}

export type RollingUpdateDaemonSet = {
  maxUnavailable?: number | string | undefined
  maxSurge?: number | string | undefined
}

export type RollingUpdateDeployment = {
  maxUnavailable?: number | string | undefined
  maxSurge?: number | string | undefined
}

export type RollingUpdateStatefulSetStrategy = {
  partition?: number | undefined
  maxUnavailable?: number | string | undefined
}

export type StatefulSet = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: StatefulSetSpec
  status: StatefulSetStatus
}

export type StatefulSetCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type StatefulSetList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: StatefulSet[]
}

export type StatefulSetOrdinals = {
  start: number
}

export type StatefulSetPersistentVolumeClaimRetentionPolicy = {
  whenDeleted?: string | undefined
  whenScaled?: string | undefined
}

export type StatefulSetSpec = {
  replicas?: number | undefined
  selector: LabelSelector
  template: PodTemplateSpec
  volumeClaimTemplates?: PersistentVolumeClaim[] | undefined
  serviceName: string
  podManagementPolicy?: string | undefined
  updateStrategy: StatefulSetUpdateStrategy
  revisionHistoryLimit?: number | undefined
  minReadySeconds?: number | undefined
  persistentVolumeClaimRetentionPolicy?: StatefulSetPersistentVolumeClaimRetentionPolicy | undefined
  ordinals?: StatefulSetOrdinals | undefined
}

export type StatefulSetStatus = {
  observedGeneration?: number | undefined
  replicas: number
  readyReplicas?: number | undefined
  currentReplicas?: number | undefined
  updatedReplicas?: number | undefined
  currentRevision?: string | undefined
  updateRevision?: string | undefined
  collisionCount?: number | undefined
  conditions?: StatefulSetCondition[] | undefined
  availableReplicas: number
}

export type StatefulSetUpdateStrategy = {
  type?: string | undefined
  rollingUpdate?: RollingUpdateStatefulSetStrategy | undefined
}
