// The built-in resources that control loops, scheduler and nodes work with.
import type { ValidatingAdmissionPolicy } from './kinds/admissionregistration.v1.gen.ts'
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from './kinds/apps.v1.gen.ts'
import type { SubjectAccessReview } from './kinds/authorization.v1.gen.ts'
import type { HorizontalPodAutoscaler } from './kinds/autoscaling.v2.gen.ts'
import type { CronJob, Job } from './kinds/batch.v1.gen.ts'
import type { CertificateSigningRequest } from './kinds/certificates.v1.gen.ts'
import type { Lease } from './kinds/coordination.v1.gen.ts'
import type {
  ConfigMap,
  Endpoints,
  Event as CoreEvent,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from './kinds/core.v1.gen.ts'
import type { EndpointSlice } from './kinds/discovery.v1.gen.ts'
import type { Event } from './kinds/events.v1.gen.ts'
import type { IPAddress, ServiceCIDR } from './kinds/networking.v1.gen.ts'
import type { PodDisruptionBudget } from './kinds/policy.v1.gen.ts'
import type { ClusterRole } from './kinds/rbac.v1.gen.ts'
import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from './kinds/resource.v1.gen.ts'
import type { PriorityClass } from './kinds/scheduling.v1.gen.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from './kinds/storage.v1.gen.ts'
import type { ApiObject, Resource } from './resource.ts'

function inNamespaces<T extends ApiObject>(
  group: string,
  resource: string,
  kind: string,
  version = 'v1',
): Resource<T> {
  return { group, version, resource, kind, namespaced: true }
}

function inCluster<T extends ApiObject>(
  group: string,
  resource: string,
  kind: string,
  version = 'v1',
): Resource<T> {
  return { group, version, resource, kind, namespaced: false }
}

export const CONFIG_MAPS = inNamespaces<ConfigMap>('', 'configmaps', 'ConfigMap')
export const ENDPOINTS = inNamespaces<Endpoints>('', 'endpoints', 'Endpoints')
export const CORE_EVENTS = inNamespaces<CoreEvent>('', 'events', 'Event')
export const LIMIT_RANGES = inNamespaces<LimitRange>('', 'limitranges', 'LimitRange')
export const NAMESPACES = inCluster<Namespace>('', 'namespaces', 'Namespace')
export const NODES = inCluster<Node>('', 'nodes', 'Node')
export const PERSISTENT_VOLUMES = inCluster<PersistentVolume>('', 'persistentvolumes', 'PersistentVolume')
export const PERSISTENT_VOLUME_CLAIMS = inNamespaces<PersistentVolumeClaim>(
  '',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
)
export const PODS = inNamespaces<Pod>('', 'pods', 'Pod')
export const POD_TEMPLATES = inNamespaces<PodTemplate>('', 'podtemplates', 'PodTemplate')
export const REPLICATION_CONTROLLERS = inNamespaces<ReplicationController>(
  '',
  'replicationcontrollers',
  'ReplicationController',
)
export const RESOURCE_QUOTAS = inNamespaces<ResourceQuota>('', 'resourcequotas', 'ResourceQuota')
export const SECRETS = inNamespaces<Secret>('', 'secrets', 'Secret')
export const SERVICES = inNamespaces<Service>('', 'services', 'Service')
export const SERVICE_ACCOUNTS = inNamespaces<ServiceAccount>('', 'serviceaccounts', 'ServiceAccount')

export const VALIDATING_ADMISSION_POLICIES = inCluster<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
)
export const CONTROLLER_REVISIONS = inNamespaces<ControllerRevision>(
  'apps',
  'controllerrevisions',
  'ControllerRevision',
)
export const DAEMON_SETS = inNamespaces<DaemonSet>('apps', 'daemonsets', 'DaemonSet')
export const DEPLOYMENTS = inNamespaces<Deployment>('apps', 'deployments', 'Deployment')
export const REPLICA_SETS = inNamespaces<ReplicaSet>('apps', 'replicasets', 'ReplicaSet')
export const STATEFUL_SETS = inNamespaces<StatefulSet>('apps', 'statefulsets', 'StatefulSet')

export const SUBJECT_ACCESS_REVIEWS = inCluster<SubjectAccessReview>(
  'authorization.k8s.io',
  'subjectaccessreviews',
  'SubjectAccessReview',
)
export const AUTOSCALERS = inNamespaces<HorizontalPodAutoscaler>(
  'autoscaling',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
  'v2',
)
export const CRON_JOBS = inNamespaces<CronJob>('batch', 'cronjobs', 'CronJob')
export const JOBS = inNamespaces<Job>('batch', 'jobs', 'Job')
export const CERTIFICATE_SIGNING_REQUESTS = inCluster<CertificateSigningRequest>(
  'certificates.k8s.io',
  'certificatesigningrequests',
  'CertificateSigningRequest',
)
export const LEASES = inNamespaces<Lease>('coordination.k8s.io', 'leases', 'Lease')
export const ENDPOINT_SLICES = inNamespaces<EndpointSlice>(
  'discovery.k8s.io',
  'endpointslices',
  'EndpointSlice',
)
export const EVENTS = inNamespaces<Event>('events.k8s.io', 'events', 'Event')
export const IP_ADDRESSES = inCluster<IPAddress>('networking.k8s.io', 'ipaddresses', 'IPAddress')
export const SERVICE_CIDRS = inCluster<ServiceCIDR>('networking.k8s.io', 'servicecidrs', 'ServiceCIDR')
export const POD_DISRUPTION_BUDGETS = inNamespaces<PodDisruptionBudget>(
  'policy',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
)
export const CLUSTER_ROLES = inCluster<ClusterRole>(
  'rbac.authorization.k8s.io',
  'clusterroles',
  'ClusterRole',
)
export const RESOURCE_CLAIMS = inNamespaces<ResourceClaim>(
  'resource.k8s.io',
  'resourceclaims',
  'ResourceClaim',
)
export const RESOURCE_CLAIM_TEMPLATES = inNamespaces<ResourceClaimTemplate>(
  'resource.k8s.io',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
)
export const DEVICE_CLASSES = inCluster<DeviceClass>('resource.k8s.io', 'deviceclasses', 'DeviceClass')
export const RESOURCE_SLICES = inCluster<ResourceSlice>('resource.k8s.io', 'resourceslices', 'ResourceSlice')
export const PRIORITY_CLASSES = inCluster<PriorityClass>(
  'scheduling.k8s.io',
  'priorityclasses',
  'PriorityClass',
)
export const CSI_DRIVERS = inCluster<CSIDriver>('storage.k8s.io', 'csidrivers', 'CSIDriver')
export const CSI_STORAGE_CAPACITIES = inNamespaces<CSIStorageCapacity>(
  'storage.k8s.io',
  'csistoragecapacities',
  'CSIStorageCapacity',
)
export const CSI_NODES = inCluster<CSINode>('storage.k8s.io', 'csinodes', 'CSINode')
export const STORAGE_CLASSES = inCluster<StorageClass>('storage.k8s.io', 'storageclasses', 'StorageClass')
export const VOLUME_ATTACHMENTS = inCluster<VolumeAttachment>(
  'storage.k8s.io',
  'volumeattachments',
  'VolumeAttachment',
)
export const VOLUME_ATTRIBUTES_CLASSES = inCluster<VolumeAttributesClass>(
  'storage.k8s.io',
  'volumeattributesclasses',
  'VolumeAttributesClass',
)
