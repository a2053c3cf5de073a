// The objects beside nodes and pods that decisions read.
// Follows the listers of k8s.io/kubernetes/pkg/scheduler/framework (Handle.SharedInformerFactory).
import type { ReplicaSet, StatefulSet } from '../client/kinds/apps.v1.gen.ts'
import type {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  Service,
} from '../client/kinds/core.v1.gen.ts'
import type { PodDisruptionBudget } from '../client/kinds/policy.v1.gen.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../client/kinds/resource.v1.gen.ts'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '../client/kinds/storage.v1.gen.ts'

export interface ObjectSources {
  namespace(name: string): Namespace | undefined
  servicesIn(namespace: string): readonly Service[]
  replicaSet(namespace: string, name: string): ReplicaSet | undefined
  statefulSet(namespace: string, name: string): StatefulSet | undefined
  replicationController(namespace: string, name: string): ReplicationController | undefined
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumes(): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  capacities(): readonly CSIStorageCapacity[]
  resourceClaim(namespace: string, name: string): ResourceClaim | undefined
  resourceClaims(): Iterable<ResourceClaim>
  deviceClass(name: string): DeviceClass | undefined
  /** The class whose devices stand for this extended resource. */
  classForResource(name: string): DeviceClass | undefined
  resourceSlices(): readonly ResourceSlice[]
  /** Another one after each change of slices. */
  slicesVersion(): number
  budgetsIn(namespace: string): readonly PodDisruptionBudget[]
}
