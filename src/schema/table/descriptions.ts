// Where the description of a table's column comes from: the field that it shows, or a line of our own where upstream
// states none of a field's. The fields' prose is not in this repository; the caller of tableOf brings it.
// The fields are those that kubernetes/pkg/printers/internalversion/printers.go names for its columns.

/** The prose of a field ("io.k8s.api.core.v1.PodStatus", "podIP"); undefined where there is none. */
export type Describe = (definition: string, field: string) => string | undefined

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Columns that mean the same in every table. */
const COMMON: Readonly<Record<string, string>> = {
  Name: `${META}.name`,
  Age: `${META}.creationTimestamp`,
  'Created At': `${META}.creationTimestamp`,
}

/** Column → field (below io.k8s.api, with a dot in front) or our own words. By "resource.group". */
type Sources = Readonly<Record<string, string>>

const TEMPLATE: Sources = {
  Containers: 'The containers of the template.',
  Images: 'The images of the containers.',
}

const BINDING: Sources = {
  Users: 'The users that are bound.',
  Groups: 'The groups that are bound.',
  ServiceAccounts: 'The service accounts that are bound.',
}

const POLICY_BINDING: Sources = {
  PolicyName: 'The policy that is bound.',
  ParamRef: 'The object with the parameters of the policy.',
}

const WEBHOOKS: Sources = { Webhooks: 'How many webhooks there are.' }

const EVENT: Sources = {
  'Last Seen': '.core.v1.Event.lastTimestamp',
  Type: '.core.v1.Event.type',
  Reason: '.core.v1.Event.reason',
  Object: '.core.v1.Event.involvedObject',
  Subobject: '.core.v1.ObjectReference.fieldPath',
  Source: '.core.v1.Event.source',
  Message: '.core.v1.Event.message',
  'First Seen': '.core.v1.Event.firstTimestamp',
  Count: '.core.v1.Event.count',
}

const CORE: Readonly<Record<string, Sources>> = {
  componentstatuses: {
    Status: 'Healthy or not.',
    Message: 'What the component says.',
    Error: 'What went wrong.',
  },
  configmaps: { Data: '.core.v1.ConfigMap.data' },
  endpoints: { Endpoints: '.core.v1.Endpoints.subsets' },
  events: EVENT,
  namespaces: { Status: 'The phase of the namespace.' },
  nodes: {
    Status: 'Ready or not, and whether pods are scheduled here.',
    Roles: 'The roles by the labels of the node.',
    Version: '.core.v1.NodeSystemInfo.kubeletVersion',
    'Internal-IP': '.core.v1.NodeStatus.addresses',
    'External-IP': '.core.v1.NodeStatus.addresses',
    'OS-Image': '.core.v1.NodeSystemInfo.osImage',
    'Kernel-Version': '.core.v1.NodeSystemInfo.kernelVersion',
    'Container-Runtime': '.core.v1.NodeSystemInfo.containerRuntimeVersion',
  },
  persistentvolumeclaims: {
    Status: '.core.v1.PersistentVolumeClaimStatus.phase',
    Volume: '.core.v1.PersistentVolumeClaimSpec.volumeName',
    Capacity: '.core.v1.PersistentVolumeClaimStatus.capacity',
    'Access Modes': '.core.v1.PersistentVolumeClaimStatus.accessModes',
    StorageClass: 'The storage class of the claim.',
    VolumeAttributesClass: 'The volume attributes class of the claim.',
    VolumeMode: '.core.v1.PersistentVolumeClaimSpec.volumeMode',
  },
  persistentvolumes: {
    Capacity: '.core.v1.PersistentVolumeSpec.capacity',
    'Access Modes': '.core.v1.PersistentVolumeSpec.accessModes',
    'Reclaim Policy': '.core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy',
    Status: '.core.v1.PersistentVolumeStatus.phase',
    Claim: '.core.v1.PersistentVolumeSpec.claimRef',
    StorageClass: 'The storage class of the volume.',
    VolumeAttributesClass: 'The volume attributes class of the volume.',
    Reason: '.core.v1.PersistentVolumeStatus.reason',
    VolumeMode: '.core.v1.PersistentVolumeSpec.volumeMode',
  },
  pods: {
    Ready: 'How many containers are ready, of how many.',
    Status: 'What the states of the containers add up to.',
    Restarts: 'How often containers were restarted, and how long ago the last was.',
    IP: '.core.v1.PodStatus.podIP',
    Node: '.core.v1.PodSpec.nodeName',
    'Nominated Node': '.core.v1.PodStatus.nominatedNodeName',
    'Readiness Gates': '.core.v1.PodSpec.readinessGates',
  },
  podtemplates: { ...TEMPLATE, 'Pod Labels': 'The labels that the pods get.' },
  replicationcontrollers: {
    ...TEMPLATE,
    Desired: '.core.v1.ReplicationControllerSpec.replicas',
    Current: '.core.v1.ReplicationControllerStatus.replicas',
    Ready: '.core.v1.ReplicationControllerStatus.readyReplicas',
    Selector: '.core.v1.ReplicationControllerSpec.selector',
  },
  resourcequotas: { Request: 'Used and allowed requests.', Limit: 'Used and allowed limits.' },
  secrets: { Type: '.core.v1.Secret.type', Data: '.core.v1.Secret.data' },
  services: {
    Type: '.core.v1.ServiceSpec.type',
    'Cluster-IP': '.core.v1.ServiceSpec.clusterIP',
    'External-IP': '.core.v1.ServiceSpec.externalIPs',
    'Port(s)': '.core.v1.ServiceSpec.ports',
    Selector: '.core.v1.ServiceSpec.selector',
  },
}

const WORKLOADS: Readonly<Record<string, Sources>> = {
  'controllerrevisions.apps': {
    Controller: 'The object whose revision it is.',
    Revision: '.apps.v1.ControllerRevision.revision',
  },
  'daemonsets.apps': {
    ...TEMPLATE,
    Desired: '.apps.v1.DaemonSetStatus.desiredNumberScheduled',
    Current: '.apps.v1.DaemonSetStatus.currentNumberScheduled',
    Ready: '.apps.v1.DaemonSetStatus.numberReady',
    'Up-to-date': '.apps.v1.DaemonSetStatus.updatedNumberScheduled',
    Available: '.apps.v1.DaemonSetStatus.numberAvailable',
    'Node Selector': '.core.v1.PodSpec.nodeSelector',
    Selector: '.apps.v1.DaemonSetSpec.selector',
  },
  'deployments.apps': {
    ...TEMPLATE,
    Ready: 'How many pods are ready, of how many.',
    'Up-to-date': '.apps.v1.DeploymentStatus.updatedReplicas',
    Available: '.apps.v1.DeploymentStatus.availableReplicas',
    Selector: '.apps.v1.DeploymentSpec.selector',
  },
  'replicasets.apps': {
    ...TEMPLATE,
    Desired: '.apps.v1.ReplicaSetSpec.replicas',
    Current: '.apps.v1.ReplicaSetStatus.replicas',
    Ready: '.apps.v1.ReplicaSetStatus.readyReplicas',
    Selector: '.apps.v1.ReplicaSetSpec.selector',
  },
  'statefulsets.apps': { ...TEMPLATE, Ready: 'How many pods are ready, of how many.' },
  'horizontalpodautoscalers.autoscaling': {
    Reference: '.autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef',
    Targets: '.autoscaling.v2.HorizontalPodAutoscalerSpec.metrics',
    MinPods: '.autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas',
    MaxPods: '.autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas',
    Replicas: '.autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas',
  },
  // The subresource, of whatever it is.
  scale: { Desired: '.autoscaling.v1.ScaleSpec.replicas', Available: '.autoscaling.v1.ScaleStatus.replicas' },
  'cronjobs.batch': {
    ...TEMPLATE,
    Schedule: '.batch.v1.CronJobSpec.schedule',
    Timezone: '.batch.v1.CronJobSpec.timeZone',
    Suspend: '.batch.v1.CronJobSpec.suspend',
    Active: '.batch.v1.CronJobStatus.active',
    'Last Schedule': '.batch.v1.CronJobStatus.lastScheduleTime',
    Selector: '.batch.v1.JobSpec.selector',
  },
  'jobs.batch': {
    ...TEMPLATE,
    Status: 'How far the job is.',
    Completions: '.batch.v1.JobStatus.succeeded',
    Duration: 'How long the job has run, or took.',
    Selector: '.batch.v1.JobSpec.selector',
  },
  'poddisruptionbudgets.policy': {
    'Min Available': 'How many pods must stay.',
    'Max Unavailable': 'How many pods may go.',
    'Allowed Disruptions': 'How many pods may go now.',
  },
  'priorityclasses.scheduling.k8s.io': {
    Value: '.scheduling.v1.PriorityClass.value',
    'Global-Default': '.scheduling.v1.PriorityClass.globalDefault',
    PreemptionPolicy: '.scheduling.v1.PriorityClass.preemptionPolicy',
  },
}

const NETWORK: Readonly<Record<string, Sources>> = {
  'events.events.k8s.io': EVENT,
  'endpointslices.discovery.k8s.io': {
    AddressType: '.discovery.v1.EndpointSlice.addressType',
    Ports: '.discovery.v1.EndpointSlice.ports',
    Endpoints: '.discovery.v1.EndpointSlice.endpoints',
  },
  'ingressclasses.networking.k8s.io': {
    Controller: 'Who serves the ingresses of the class.',
    Parameters: 'The object with more settings of the class.',
  },
  'ingresses.networking.k8s.io': {
    Class: 'The class that serves the ingress.',
    Hosts: 'The hosts of the rules.',
    Address: 'Where the load balancer takes traffic.',
    Ports: 'The ports that are open.',
  },
  'ipaddresses.networking.k8s.io': { ParentRef: '.networking.v1.IPAddressSpec.parentRef' },
  'networkpolicies.networking.k8s.io': { 'Pod-Selector': '.networking.v1.NetworkPolicySpec.podSelector' },
  'servicecidrs.networking.k8s.io': { CIDRs: '.networking.v1.ServiceCIDRSpec.cidrs' },
}

const CLUSTER: Readonly<Record<string, Sources>> = {
  'apiservices.apiregistration.k8s.io': {
    Service: 'The service that answers for the version.',
    Available: 'Whether it answers.',
  },
  'certificatesigningrequests.certificates.k8s.io': {
    SignerName: '.certificates.v1.CertificateSigningRequestSpec.signerName',
    Requestor: '.certificates.v1.CertificateSigningRequestSpec.request',
    RequestedDuration: '.certificates.v1.CertificateSigningRequestSpec.expirationSeconds',
    Condition: '.certificates.v1.CertificateSigningRequestStatus.conditions',
  },
  'clusterrolebindings.rbac.authorization.k8s.io': {
    ...BINDING,
    Role: '.rbac.v1.ClusterRoleBinding.roleRef',
  },
  'rolebindings.rbac.authorization.k8s.io': { ...BINDING, Role: '.rbac.v1.RoleBinding.roleRef' },
  'leases.coordination.k8s.io': { Holder: '.coordination.v1.LeaseSpec.holderIdentity' },
  'flowschemas.flowcontrol.apiserver.k8s.io': {
    PriorityLevel: '.flowcontrol.v1.PriorityLevelConfigurationReference.name',
    MatchingPrecedence: '.flowcontrol.v1.FlowSchemaSpec.matchingPrecedence',
    DistinguisherMethod: '.flowcontrol.v1.FlowSchemaSpec.distinguisherMethod',
    MissingPL: 'Whether the priority level is missing.',
  },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': {
    Type: '.flowcontrol.v1.PriorityLevelConfigurationSpec.type',
    NominalConcurrencyShares: '.flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares',
    Queues: '.flowcontrol.v1.QueuingConfiguration.queues',
    HandSize: '.flowcontrol.v1.QueuingConfiguration.handSize',
    QueueLengthLimit: '.flowcontrol.v1.QueuingConfiguration.queueLengthLimit',
  },
  'mutatingadmissionpolicies.admissionregistration.k8s.io': {
    Mutations: 'How many mutations there are.',
    ParamKind: 'The kind of the parameters.',
  },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': POLICY_BINDING,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'validatingadmissionpolicies.admissionregistration.k8s.io': {
    Validations: 'How many rules there are.',
    ParamKind: 'The kind of the parameters.',
  },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': POLICY_BINDING,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
}

const DEVICES: Readonly<Record<string, Sources>> = {
  'resourceclaims.resource.k8s.io': { State: 'Pending, allocated, reserved or deleted.' },
  'resourceslices.resource.k8s.io': {
    Node: '.resource.v1.ResourceSliceSpec.nodeName',
    Driver: '.resource.v1.ResourceSliceSpec.driver',
    Pool: '.resource.v1.ResourcePool.name',
  },
  'csidrivers.storage.k8s.io': {
    AttachRequired: '.storage.v1.CSIDriverSpec.attachRequired',
    PodInfoOnMount: '.storage.v1.CSIDriverSpec.podInfoOnMount',
    StorageCapacity: '.storage.v1.CSIDriverSpec.storageCapacity',
    TokenRequests: '.storage.v1.CSIDriverSpec.tokenRequests',
    RequiresRepublish: '.storage.v1.CSIDriverSpec.requiresRepublish',
    Modes: '.storage.v1.CSIDriverSpec.volumeLifecycleModes',
  },
  'csinodes.storage.k8s.io': { Drivers: 'How many drivers are on the node.' },
  'storageclasses.storage.k8s.io': {
    Provisioner: '.storage.v1.StorageClass.provisioner',
    ReclaimPolicy: '.storage.v1.StorageClass.reclaimPolicy',
    VolumeBindingMode: '.storage.v1.StorageClass.volumeBindingMode',
    AllowVolumeExpansion: '.storage.v1.StorageClass.allowVolumeExpansion',
  },
  'volumeattachments.storage.k8s.io': {
    Attacher: '.storage.v1.VolumeAttachmentSpec.attacher',
    PV: '.storage.v1.VolumeAttachmentSource.persistentVolumeName',
    Node: '.storage.v1.VolumeAttachmentSpec.nodeName',
    Attached: '.storage.v1.VolumeAttachmentStatus.attached',
  },
  'volumeattributesclasses.storage.k8s.io': { DriverName: '.storage.v1.VolumeAttributesClass.driverName' },
}

const SOURCES = new Map(Object.entries({ ...CORE, ...WORKLOADS, ...NETWORK, ...CLUSTER, ...DEVICES }))

/** The description of a column of "resource.group"; "" where neither a field nor we have one. */
export function columnDescription(resource: string, column: string, describe: Describe | undefined): string {
  const sources = SOURCES.get(resource)
  const own = sources !== undefined && Object.hasOwn(sources, column) ? sources[column] : undefined
  const source = own ?? (Object.hasOwn(COMMON, column) ? COMMON[column] : undefined) ?? ''
  const path = source.startsWith('.') ? `io.k8s.api${source}` : source
  if (!path.startsWith('io.k8s.')) return path
  const dot = path.lastIndexOf('.')
  return describe?.(path.slice(0, dot), path.slice(dot + 1)) ?? ''
}
