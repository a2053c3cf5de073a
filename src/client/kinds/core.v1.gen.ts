// Made by `make generate` out of api/openapi; do not edit.
import type { Condition, LabelSelector, ListMeta, ObjectMeta, OwnerReference } from './meta.v1.gen.ts'

export type AWSElasticBlockStoreVolumeSource = {
  volumeID: string
  fsType?: string | undefined
  partition?: number | undefined
  readOnly?: boolean | undefined
}

export type Affinity = {
  nodeAffinity?: NodeAffinity | undefined
  podAffinity?: PodAffinity | undefined
  podAntiAffinity?: PodAntiAffinity | undefined
}

export type AppArmorProfile = {
  type: string
  localhostProfile?: string | undefined
}

export type AttachedVolume = {
  name: string
  devicePath: string
}

export type AvoidPods = {
  preferAvoidPods?: PreferAvoidPodsEntry[] | undefined
}

export type AzureDiskVolumeSource = {
  diskName: string
  diskURI: string
  cachingMode?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  kind?: string | undefined
}

export type AzureFilePersistentVolumeSource = {
  secretName: string
  shareName: string
  readOnly?: boolean | undefined
  secretNamespace: string
}

export type AzureFileVolumeSource = {
  secretName: string
  shareName: string
  readOnly?: boolean | undefined
}

export type Binding = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  target: ObjectReference
}

export type CSIPersistentVolumeSource = {
  driver: string
  volumeHandle: string
  readOnly?: boolean | undefined
  fsType?: string | undefined
  volumeAttributes?: Record<string, string> | undefined
  controllerPublishSecretRef?: SecretReference | undefined
  nodeStageSecretRef?: SecretReference | undefined
  nodePublishSecretRef?: SecretReference | undefined
  controllerExpandSecretRef?: SecretReference | undefined
  nodeExpandSecretRef?: SecretReference | undefined
}

export type CSIVolumeSource = {
  driver: string
  readOnly?: boolean | undefined
  fsType?: string | undefined
  volumeAttributes?: Record<string, string> | undefined
  nodePublishSecretRef?: LocalObjectReference | undefined
}

export type Capabilities = {
  add?: string[] | undefined
  drop?: string[] | undefined
}

export type CephFSPersistentVolumeSource = {
  monitors: string[]
  path?: string | undefined
  user?: string | undefined
  secretFile?: string | undefined
  secretRef?: SecretReference | undefined
  readOnly?: boolean | undefined
}

export type CephFSVolumeSource = {
  monitors: string[]
  path?: string | undefined
  user?: string | undefined
  secretFile?: string | undefined
  secretRef?: LocalObjectReference | undefined
  readOnly?: boolean | undefined
}

export type CinderPersistentVolumeSource = {
  volumeID: string
  fsType?: string | undefined
  readOnly?: boolean | undefined
  secretRef?: SecretReference | undefined
}

export type CinderVolumeSource = {
  volumeID: string
  fsType?: string | undefined
  readOnly?: boolean | undefined
  secretRef?: LocalObjectReference | undefined
}

export type ClientIPConfig = {
  timeoutSeconds?: number | undefined
}

export type ClusterTrustBundleProjection = {
  name?: string | undefined
  signerName?: string | undefined
  labelSelector?: LabelSelector | undefined
  optional?: boolean | undefined
  path: string
}

export type ComponentCondition = {
  type: string
  status: string
  message?: string | undefined
  error?: string | undefined
}

export type ComponentStatus = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  conditions?: ComponentCondition[] | undefined
}

export type ComponentStatusList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ComponentStatus[]
}

export type ConfigMap = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  immutable?: boolean | undefined
  data?: Record<string, string> | undefined
  binaryData?: Record<string, string> | undefined
}

export type ConfigMapEnvSource = {
  name?: string | undefined
  optional?: boolean | undefined
}

export type ConfigMapKeySelector = {
  name?: string | undefined
  key: string
  optional?: boolean | undefined
}

export type ConfigMapList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ConfigMap[]
}

export type ConfigMapNodeConfigSource = {
  namespace: string
  name: string
  uid?: string | undefined
  resourceVersion?: string | undefined
  kubeletConfigKey: string
}

export type ConfigMapProjection = {
  name?: string | undefined
  items?: KeyToPath[] | undefined
  optional?: boolean | undefined
}

export type ConfigMapVolumeSource = {
  name?: string | undefined
  items?: KeyToPath[] | undefined
  defaultMode?: number | undefined
  optional?: boolean | undefined
}

export type Container = {
  name: string
  image?: string | undefined
  command?: string[] | undefined
  args?: string[] | undefined
  workingDir?: string | undefined
  ports?: ContainerPort[] | undefined
  envFrom?: EnvFromSource[] | undefined
  env?: EnvVar[] | undefined
  resources: ResourceRequirements
  resizePolicy?: ContainerResizePolicy[] | undefined
  restartPolicy?: string | undefined
  restartPolicyRules?: ContainerRestartRule[] | undefined
  volumeMounts?: VolumeMount[] | undefined
  volumeDevices?: VolumeDevice[] | undefined
  livenessProbe?: Probe | undefined
  readinessProbe?: Probe | undefined
  startupProbe?: Probe | undefined
  lifecycle?: Lifecycle | undefined
  terminationMessagePath?: string | undefined
  terminationMessagePolicy?: string | undefined
  imagePullPolicy?: string | undefined
  securityContext?: SecurityContext | undefined
  stdin?: boolean | undefined
  stdinOnce?: boolean | undefined
  tty?: boolean | undefined
}

export type ContainerExtendedResourceRequest = {
  containerName: string
  resourceName: string
  requestName: string
}

export type ContainerImage = {
  names: string[]
  sizeBytes?: number | undefined
}

export type ContainerPort = {
  name?: string | undefined
  hostPort?: number | undefined
  containerPort: number
  protocol?: string | undefined
  hostIP?: string | undefined
}

export type ContainerResizePolicy = {
  resourceName: string
  restartPolicy: string
}

export type ContainerRestartRule = {
  action: string
  exitCodes?: ContainerRestartRuleOnExitCodes | undefined
}

export type ContainerRestartRuleOnExitCodes = {
  operator: string
  values?: number[] | undefined
}

export type ContainerState = {
  waiting?: ContainerStateWaiting | undefined
  running?: ContainerStateRunning | undefined
  terminated?: ContainerStateTerminated | undefined
}

export type ContainerStateRunning = {
  startedAt?: string | undefined
}

export type ContainerStateTerminated = {
  exitCode: number
  signal?: number | undefined
  reason?: string | undefined
  message?: string | undefined
  startedAt?: string | undefined
  finishedAt?: string | undefined
  containerID?: string | undefined
}

export type ContainerStateWaiting = {
  reason?: string | undefined
  message?: string | undefined
}

export type ContainerStatus = {
  name: string
  state: ContainerState
  lastState: ContainerState
  ready: boolean
  restartCount: number
  image: string
  imageID: string
  containerID?: string | undefined
  started?: boolean | undefined
  allocatedResources?: Record<string, string> | undefined
  resources?: ResourceRequirements | undefined
  volumeMounts?: VolumeMountStatus[] | undefined
  user?: ContainerUser | undefined
  allocatedResourcesStatus?: ResourceStatus[] | undefined
  stopSignal?: string | undefined
}

export type ContainerUser = {
  linux?: LinuxContainerUser | undefined
}

export type DaemonEndpoint = {
  Port: number
}

export type DownwardAPIProjection = {
  items?: DownwardAPIVolumeFile[] | undefined
}

export type DownwardAPIVolumeFile = {
  path: string
  fieldRef?: ObjectFieldSelector | undefined
  resourceFieldRef?: ResourceFieldSelector | undefined
  mode?: number | undefined
}

export type DownwardAPIVolumeSource = {
  items?: DownwardAPIVolumeFile[] | undefined
  defaultMode?: number | undefined
}

export type EmptyDirVolumeSource = {
  medium?: string | undefined
  sizeLimit?: string | undefined
}

export type EndpointAddress = {
  ip: string
  hostname?: string | undefined
  nodeName?: string | undefined
  targetRef?: ObjectReference | undefined
}

export type EndpointPort = {
  name?: string | undefined
  port: number
  protocol?: string | undefined
  appProtocol?: string | undefined
}

export type EndpointSubset = {
  addresses?: EndpointAddress[] | undefined
  notReadyAddresses?: EndpointAddress[] | undefined
  ports?: EndpointPort[] | undefined
}

export type Endpoints = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  subsets?: EndpointSubset[] | undefined
}

export type EndpointsList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Endpoints[]
}

export type EnvFromSource = {
  prefix?: string | undefined
  configMapRef?: ConfigMapEnvSource | undefined
  secretRef?: SecretEnvSource | undefined
}

export type EnvVar = {
  name: string
  value?: string | undefined
  valueFrom?: EnvVarSource | undefined
}

export type EnvVarSource = {
  fieldRef?: ObjectFieldSelector | undefined
  resourceFieldRef?: ResourceFieldSelector | undefined
  configMapKeyRef?: ConfigMapKeySelector | undefined
  secretKeyRef?: SecretKeySelector | undefined
  fileKeyRef?: FileKeySelector | undefined
}

export type EphemeralContainer = {
  name: string
  image?: string | undefined
  command?: string[] | undefined
  args?: string[] | undefined
  workingDir?: string | undefined
  ports?: ContainerPort[] | undefined
  envFrom?: EnvFromSource[] | undefined
  env?: EnvVar[] | undefined
  resources: ResourceRequirements
  resizePolicy?: ContainerResizePolicy[] | undefined
  restartPolicy?: string | undefined
  restartPolicyRules?: ContainerRestartRule[] | undefined
  volumeMounts?: VolumeMount[] | undefined
  volumeDevices?: VolumeDevice[] | undefined
  livenessProbe?: Probe | undefined
  readinessProbe?: Probe | undefined
  startupProbe?: Probe | undefined
  lifecycle?: Lifecycle | undefined
  terminationMessagePath?: string | undefined
  terminationMessagePolicy?: string | undefined
  imagePullPolicy?: string | undefined
  securityContext?: SecurityContext | undefined
  stdin?: boolean | undefined
  stdinOnce?: boolean | undefined
  tty?: boolean | undefined
  targetContainerName?: string | undefined
}

export type EphemeralContainerCommon = {
  name: string
  image?: string | undefined
  command?: string[] | undefined
  args?: string[] | undefined
  workingDir?: string | undefined
  ports?: ContainerPort[] | undefined
  envFrom?: EnvFromSource[] | undefined
  env?: EnvVar[] | undefined
  resources: ResourceRequirements
  resizePolicy?: ContainerResizePolicy[] | undefined
  restartPolicy?: string | undefined
  restartPolicyRules?: ContainerRestartRule[] | undefined
  volumeMounts?: VolumeMount[] | undefined
  volumeDevices?: VolumeDevice[] | undefined
  livenessProbe?: Probe | undefined
  readinessProbe?: Probe | undefined
  startupProbe?: Probe | undefined
  lifecycle?: Lifecycle | undefined
  terminationMessagePath?: string | undefined
  terminationMessagePolicy?: string | undefined
  imagePullPolicy?: string | undefined
  securityContext?: SecurityContext | undefined
  stdin?: boolean | undefined
  stdinOnce?: boolean | undefined
  tty?: boolean | undefined
}

export type EphemeralVolumeSource = {
  volumeClaimTemplate?: PersistentVolumeClaimTemplate | undefined
}

export type Event = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  involvedObject: ObjectReference
  reason?: string | undefined
  message?: string | undefined
  source: EventSource
  firstTimestamp?: string | undefined
  lastTimestamp?: string | undefined
  count?: number | undefined
  type?: string | undefined
  eventTime?: string | undefined
  series?: EventSeries | undefined
  action?: string | undefined
  related?: ObjectReference | undefined
  reportingComponent: string
  reportingInstance: string
}

export type EventList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Event[]
}

export type EventSeries = {
  count?: number | undefined
  lastObservedTime?: string | undefined
}

export type EventSource = {
  component?: string | undefined
  host?: string | undefined
}

export type ExecAction = {
  command?: string[] | undefined
}

export type FCVolumeSource = {
  targetWWNs?: string[] | undefined
  lun?: number | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  wwids?: string[] | undefined
}

export type FileKeySelector = {
  volumeName: string
  path: string
  key: string
  optional?: boolean | undefined
}

export type FlexPersistentVolumeSource = {
  driver: string
  fsType?: string | undefined
  secretRef?: SecretReference | undefined
  readOnly?: boolean | undefined
  options?: Record<string, string> | undefined
}

export type FlexVolumeSource = {
  driver: string
  fsType?: string | undefined
  secretRef?: LocalObjectReference | undefined
  readOnly?: boolean | undefined
  options?: Record<string, string> | undefined
}

export type FlockerVolumeSource = {
  datasetName?: string | undefined
  datasetUUID?: string | undefined
}

export type GCEPersistentDiskVolumeSource = {
  pdName: string
  fsType?: string | undefined
  partition?: number | undefined
  readOnly?: boolean | undefined
}

export type GRPCAction = {
  port: number
  service: string
}

export type GitRepoVolumeSource = {
  repository: string
  revision?: string | undefined
  directory?: string | undefined
}

export type GlusterfsPersistentVolumeSource = {
  endpoints: string
  path: string
  readOnly?: boolean | undefined
  endpointsNamespace?: string | undefined
}

export type GlusterfsVolumeSource = {
  endpoints: string
  path: string
  readOnly?: boolean | undefined
}

export type HTTPGetAction = {
  path?: string | undefined
  port: number | string
  host?: string | undefined
  scheme?: string | undefined
  httpHeaders?: HTTPHeader[] | undefined
}

export type HTTPHeader = {
  name: string
  value: string
}

export type HostAlias = {
  ip: string
  hostnames?: string[] | undefined
}

export type HostIP = {
  ip: string
}

export type HostPathVolumeSource = {
  path: string
  type?: string | undefined
}

export type ISCSIPersistentVolumeSource = {
  targetPortal: string
  iqn: string
  lun: number
  iscsiInterface?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  portals?: string[] | undefined
  chapAuthDiscovery?: boolean | undefined
  chapAuthSession?: boolean | undefined
  secretRef?: SecretReference | undefined
  initiatorName?: string | undefined
}

export type ISCSIVolumeSource = {
  targetPortal: string
  iqn: string
  lun: number
  iscsiInterface?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  portals?: string[] | undefined
  chapAuthDiscovery?: boolean | undefined
  chapAuthSession?: boolean | undefined
  secretRef?: LocalObjectReference | undefined
  initiatorName?: string | undefined
}

export type ImageVolumeSource = {
  reference?: string | undefined
  pullPolicy?: string | undefined
}

export type ImageVolumeStatus = {
  imageRef: string
}

export type KeyToPath = {
  key: string
  path: string
  mode?: number | undefined
}

export type Lifecycle = {
  postStart?: LifecycleHandler | undefined
  preStop?: LifecycleHandler | undefined
  stopSignal?: string | undefined
}

export type LifecycleHandler = {
  exec?: ExecAction | undefined
  httpGet?: HTTPGetAction | undefined
  tcpSocket?: TCPSocketAction | undefined
  sleep?: SleepAction | undefined
}

export type LimitRange = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: LimitRangeSpec
}

export type LimitRangeItem = {
  type: string
  max?: Record<string, string> | undefined
  min?: Record<string, string> | undefined
  default?: Record<string, string> | undefined
  defaultRequest?: Record<string, string> | undefined
  maxLimitRequestRatio?: Record<string, string> | undefined
}

export type LimitRangeList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: LimitRange[]
}

export type LimitRangeSpec = {
  limits: LimitRangeItem[]
}

export type LinuxContainerUser = {
  uid: number
  gid: number
  supplementalGroups?: number[] | undefined
}

export type LoadBalancerIngress = {
  ip?: string | undefined
  hostname?: string | undefined
  ipMode?: string | undefined
  ports?: PortStatus[] | undefined
}

export type LoadBalancerStatus = {
  ingress?: LoadBalancerIngress[] | undefined
}

export type LocalObjectReference = {
  name?: string | undefined
}

export type LocalVolumeSource = {
  path: string
  fsType?: string | undefined
}

export type ModifyVolumeStatus = {
  targetVolumeAttributesClassName?: string | undefined
  status: string
}

export type NFSVolumeSource = {
  server: string
  path: string
  readOnly?: boolean | undefined
}

export type Namespace = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: NamespaceSpec
  status: NamespaceStatus
}

export type NamespaceCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type NamespaceList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Namespace[]
}

export type NamespaceSpec = {
  finalizers?: string[] | undefined
}

export type NamespaceStatus = {
  phase?: string | undefined
  conditions?: NamespaceCondition[] | undefined
}

export type Node = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: NodeSpec
  status: NodeStatus
}

export type NodeAddress = {
  type: string
  address: string
}

export type NodeAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector | undefined
  preferredDuringSchedulingIgnoredDuringExecution?: PreferredSchedulingTerm[] | undefined
}

export type NodeAllocatableResourceClaimStatus = {
  resourceClaimName: string
  containers?: string[] | undefined
  resources: Record<string, string>
}

export type NodeCondition = {
  type: string
  status: string
  lastHeartbeatTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type NodeConfigSource = {
  configMap?: ConfigMapNodeConfigSource | undefined
}

export type NodeConfigStatus = {
  assigned?: NodeConfigSource | undefined
  active?: NodeConfigSource | undefined
  lastKnownGood?: NodeConfigSource | undefined
  error?: string | undefined
}

export type NodeDaemonEndpoints = {
  kubeletEndpoint: DaemonEndpoint
}

export type NodeFeatures = {
  supplementalGroupsPolicy?: boolean | undefined
}

export type NodeList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Node[]
}

export type NodeProxyOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  path?: string | undefined
}

export type NodeRuntimeHandler = {
  name: string
  features?: NodeRuntimeHandlerFeatures | undefined
}

export type NodeRuntimeHandlerFeatures = {
  recursiveReadOnlyMounts?: boolean | undefined
  userNamespaces?: boolean | undefined
}

export type NodeSelector = {
  nodeSelectorTerms: NodeSelectorTerm[]
}

export type NodeSelectorRequirement = {
  key: string
  operator: string
  values?: string[] | undefined
}

export type NodeSelectorTerm = {
  matchExpressions?: NodeSelectorRequirement[] | undefined
  matchFields?: NodeSelectorRequirement[] | undefined
}

export type NodeSpec = {
  podCIDR?: string | undefined
  podCIDRs?: string[] | undefined
  providerID?: string | undefined
  unschedulable?: boolean | undefined
  taints?: Taint[] | undefined
  configSource?: NodeConfigSource | undefined
  externalID?: string | undefined
}

export type NodeStatus = {
  capacity?: Record<string, string> | undefined
  allocatable?: Record<string, string> | undefined
  phase?: string | undefined
  conditions?: NodeCondition[] | undefined
  addresses?: NodeAddress[] | undefined
  daemonEndpoints: NodeDaemonEndpoints
  nodeInfo: NodeSystemInfo
  images?: ContainerImage[] | undefined
  volumesInUse?: string[] | undefined
  volumesAttached?: AttachedVolume[] | undefined
  config?: NodeConfigStatus | undefined
  runtimeHandlers?: NodeRuntimeHandler[] | undefined
  features?: NodeFeatures | undefined
  declaredFeatures?: string[] | undefined
}

export type NodeSwapStatus = {
  capacity?: number | undefined
}

export type NodeSystemInfo = {
  machineID: string
  systemUUID: string
  bootID: string
  kernelVersion: string
  osImage: string
  containerRuntimeVersion: string
  kubeletVersion: string
  kubeProxyVersion: string
  operatingSystem: string
  architecture: string
  swap?: NodeSwapStatus | undefined
}

export type ObjectFieldSelector = {
  apiVersion?: string | undefined
  fieldPath: string
}

export type ObjectReference = {
  kind?: string | undefined
  namespace?: string | undefined
  name?: string | undefined
  uid?: string | undefined
  apiVersion?: string | undefined
  resourceVersion?: string | undefined
  fieldPath?: string | undefined
}

export type PersistentVolume = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: PersistentVolumeSpec
  status: PersistentVolumeStatus
}

export type PersistentVolumeClaim = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: PersistentVolumeClaimSpec
  status: PersistentVolumeClaimStatus
}

export type PersistentVolumeClaimCondition = {
  type: string
  status: string
  lastProbeTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type PersistentVolumeClaimList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PersistentVolumeClaim[]
}

export type PersistentVolumeClaimSpec = {
  accessModes?: string[] | undefined
  selector?: LabelSelector | undefined
  resources: VolumeResourceRequirements
  volumeName?: string | undefined
  storageClassName?: string | undefined
  volumeMode?: string | undefined
  dataSource?: TypedLocalObjectReference | undefined
  dataSourceRef?: TypedObjectReference | undefined
  volumeAttributesClassName?: string | undefined
}

export type PersistentVolumeClaimStatus = {
  phase?: string | undefined
  accessModes?: string[] | undefined
  capacity?: Record<string, string> | undefined
  conditions?: PersistentVolumeClaimCondition[] | undefined
  allocatedResources?: Record<string, string> | undefined
  allocatedResourceStatuses?: Record<string, string> | undefined
  currentVolumeAttributesClassName?: string | undefined
  modifyVolumeStatus?: ModifyVolumeStatus | undefined
}

export type PersistentVolumeClaimTemplate = {
  metadata: ObjectMeta
  spec: PersistentVolumeClaimSpec
}

export type PersistentVolumeClaimVolumeSource = {
  claimName: string
  readOnly?: boolean | undefined
}

export type PersistentVolumeList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PersistentVolume[]
}

export type PersistentVolumeSource = {
  gcePersistentDisk?: GCEPersistentDiskVolumeSource | undefined
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource | undefined
  hostPath?: HostPathVolumeSource | undefined
  glusterfs?: GlusterfsPersistentVolumeSource | undefined
  nfs?: NFSVolumeSource | undefined
  rbd?: RBDPersistentVolumeSource | undefined
  iscsi?: ISCSIPersistentVolumeSource | undefined
  cinder?: CinderPersistentVolumeSource | undefined
  cephfs?: CephFSPersistentVolumeSource | undefined
  fc?: FCVolumeSource | undefined
  flocker?: FlockerVolumeSource | undefined
  flexVolume?: FlexPersistentVolumeSource | undefined
  azureFile?: AzureFilePersistentVolumeSource | undefined
  vsphereVolume?: VsphereVirtualDiskVolumeSource | undefined
  quobyte?: QuobyteVolumeSource | undefined
  azureDisk?: AzureDiskVolumeSource | undefined
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource | undefined
  portworxVolume?: PortworxVolumeSource | undefined
  scaleIO?: ScaleIOPersistentVolumeSource | undefined
  local?: LocalVolumeSource | undefined
  storageos?: StorageOSPersistentVolumeSource | undefined
  csi?: CSIPersistentVolumeSource | undefined
}

export type PersistentVolumeSpec = {
  capacity?: Record<string, string> | undefined
  gcePersistentDisk?: GCEPersistentDiskVolumeSource | undefined
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource | undefined
  hostPath?: HostPathVolumeSource | undefined
  glusterfs?: GlusterfsPersistentVolumeSource | undefined
  nfs?: NFSVolumeSource | undefined
  rbd?: RBDPersistentVolumeSource | undefined
  iscsi?: ISCSIPersistentVolumeSource | undefined
  cinder?: CinderPersistentVolumeSource | undefined
  cephfs?: CephFSPersistentVolumeSource | undefined
  fc?: FCVolumeSource | undefined
  flocker?: FlockerVolumeSource | undefined
  flexVolume?: FlexPersistentVolumeSource | undefined
  azureFile?: AzureFilePersistentVolumeSource | undefined
  vsphereVolume?: VsphereVirtualDiskVolumeSource | undefined
  quobyte?: QuobyteVolumeSource | undefined
  azureDisk?: AzureDiskVolumeSource | undefined
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource | undefined
  portworxVolume?: PortworxVolumeSource | undefined
  scaleIO?: ScaleIOPersistentVolumeSource | undefined
  local?: LocalVolumeSource | undefined
  storageos?: StorageOSPersistentVolumeSource | undefined
  csi?: CSIPersistentVolumeSource | undefined
  accessModes?: string[] | undefined
  claimRef?: ObjectReference | undefined
  persistentVolumeReclaimPolicy?: string | undefined
  storageClassName?: string | undefined
  mountOptions?: string[] | undefined
  volumeMode?: string | undefined
  nodeAffinity?: VolumeNodeAffinity | undefined
  volumeAttributesClassName?: string | undefined
}

export type PersistentVolumeStatus = {
  phase?: string | undefined
  message?: string | undefined
  reason?: string | undefined
  lastPhaseTransitionTime?: string | undefined
}

export type PhotonPersistentDiskVolumeSource = {
  pdID: string
  fsType?: string | undefined
}

export type Pod = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: PodSpec
  status: PodStatus
}

export type PodAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[] | undefined
  preferredDuringSchedulingIgnoredDuringExecution?: WeightedPodAffinityTerm[] | undefined
}

export type PodAffinityTerm = {
  labelSelector?: LabelSelector | undefined
  namespaces?: string[] | undefined
  topologyKey: string
  namespaceSelector?: LabelSelector | undefined
  matchLabelKeys?: string[] | undefined
  mismatchLabelKeys?: string[] | undefined
}

export type PodAntiAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[] | undefined
  preferredDuringSchedulingIgnoredDuringExecution?: WeightedPodAffinityTerm[] | undefined
}

export type PodAttachOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  stdin?: boolean | undefined
  stdout?: boolean | undefined
  stderr?: boolean | undefined
  tty?: boolean | undefined
  container?: string | undefined
}

export type PodCertificateProjection = {
  signerName: string
  keyType: string
  maxExpirationSeconds?: number | undefined
  credentialBundlePath?: string | undefined
  keyPath?: string | undefined
  certificateChainPath?: string | undefined
  userAnnotations?: Record<string, string> | undefined
}

export type PodCondition = {
  type: string
  observedGeneration?: number | undefined
  status: string
  lastProbeTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type PodDNSConfig = {
  nameservers?: string[] | undefined
  searches?: string[] | undefined
  options?: PodDNSConfigOption[] | undefined
}

export type PodDNSConfigOption = {
  name?: string | undefined
  value?: string | undefined
}

export type PodExecOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  stdin?: boolean | undefined
  stdout?: boolean | undefined
  stderr?: boolean | undefined
  tty?: boolean | undefined
  container?: string | undefined
  command: string[]
}

export type PodExtendedResourceClaimStatus = {
  requestMappings: ContainerExtendedResourceRequest[]
  resourceClaimName: string
}

export type PodIP = {
  ip: string
}

export type PodList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Pod[]
}

export type PodLogOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  container?: string | undefined
  follow?: boolean | undefined
  previous?: boolean | undefined
  sinceSeconds?: number | undefined
  sinceTime?: string | undefined
  timestamps?: boolean | undefined
  tailLines?: number | undefined
  limitBytes?: number | undefined
  insecureSkipTLSVerifyBackend?: boolean | undefined
  stream?: string | undefined
}

export type PodOS = {
  name: string
}

export type PodPortForwardOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  ports?: number[] | undefined
}

export type PodProxyOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  path?: string | undefined
}

export type PodReadinessGate = {
  conditionType: string
}

export type PodResourceClaim = {
  name: string
  resourceClaimName?: string | undefined
  resourceClaimTemplateName?: string | undefined
}

export type PodResourceClaimStatus = {
  name: string
  resourceClaimName?: string | undefined
}

export type PodSchedulingGate = {
  name: string
}

export type PodSchedulingGroup = {
  podGroupName?: string | undefined
}

export type PodSecurityContext = {
  seLinuxOptions?: SELinuxOptions | undefined
  windowsOptions?: WindowsSecurityContextOptions | undefined
  runAsUser?: number | undefined
  runAsGroup?: number | undefined
  runAsNonRoot?: boolean | undefined
  supplementalGroups?: number[] | undefined
  supplementalGroupsPolicy?: string | undefined
  fsGroup?: number | undefined
  sysctls?: Sysctl[] | undefined
  fsGroupChangePolicy?: string | undefined
  seccompProfile?: SeccompProfile | undefined
  appArmorProfile?: AppArmorProfile | undefined
  seLinuxChangePolicy?: string | undefined
}

export type PodSignature = {
  podController?: OwnerReference | undefined
}

export type PodSpec = {
  volumes?: Volume[] | undefined
  initContainers?: Container[] | undefined
  containers: Container[]
  ephemeralContainers?: EphemeralContainer[] | undefined
  restartPolicy?: string | undefined
  terminationGracePeriodSeconds?: number | undefined
  activeDeadlineSeconds?: number | undefined
  dnsPolicy?: string | undefined
  nodeSelector?: Record<string, string> | undefined
  serviceAccountName?: string | undefined
  serviceAccount?: string | undefined
  automountServiceAccountToken?: boolean | undefined
  nodeName?: string | undefined
  hostNetwork?: boolean | undefined
  hostPID?: boolean | undefined
  hostIPC?: boolean | undefined
  shareProcessNamespace?: boolean | undefined
  securityContext?: PodSecurityContext | undefined
  imagePullSecrets?: LocalObjectReference[] | undefined
  hostname?: string | undefined
  subdomain?: string | undefined
  affinity?: Affinity | undefined
  schedulerName?: string | undefined
  tolerations?: Toleration[] | undefined
  hostAliases?: HostAlias[] | undefined
  priorityClassName?: string | undefined
  priority?: number | undefined
  dnsConfig?: PodDNSConfig | undefined
  readinessGates?: PodReadinessGate[] | undefined
  runtimeClassName?: string | undefined
  enableServiceLinks?: boolean | undefined
  preemptionPolicy?: string | undefined
  overhead?: Record<string, string> | undefined
  topologySpreadConstraints?: TopologySpreadConstraint[] | undefined
  setHostnameAsFQDN?: boolean | undefined
  os?: PodOS | undefined
  hostUsers?: boolean | undefined
  schedulingGates?: PodSchedulingGate[] | undefined
  resourceClaims?: PodResourceClaim[] | undefined
  resources?: ResourceRequirements | undefined
  hostnameOverride?: string | undefined
  schedulingGroup?: PodSchedulingGroup | undefined
}

export type PodStatus = {
  observedGeneration?: number | undefined
  phase?: string | undefined
  conditions?: PodCondition[] | undefined
  message?: string | undefined
  reason?: string | undefined
  nominatedNodeName?: string | undefined
  hostIP?: string | undefined
  hostIPs?: HostIP[] | undefined
  podIP?: string | undefined
  podIPs?: PodIP[] | undefined
  startTime?: string | undefined
  initContainerStatuses?: ContainerStatus[] | undefined
  containerStatuses?: ContainerStatus[] | undefined
  qosClass?: string | undefined
  ephemeralContainerStatuses?: ContainerStatus[] | undefined
  resize?: string | undefined
  resourceClaimStatuses?: PodResourceClaimStatus[] | undefined
  extendedResourceClaimStatus?: PodExtendedResourceClaimStatus | undefined
  allocatedResources?: Record<string, string> | undefined
  resources?: ResourceRequirements | undefined
  nodeAllocatableResourceClaimStatuses?: NodeAllocatableResourceClaimStatus[] | undefined
}

export type PodStatusResult = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  status: PodStatus
}

export type PodTemplate = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  template: PodTemplateSpec
}

export type PodTemplateList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PodTemplate[]
}

export type PodTemplateSpec = {
  metadata: ObjectMeta
  spec: PodSpec
}

export type PortStatus = {
  port: number
  protocol: string
  error?: string | undefined
}

export type PortworxVolumeSource = {
  volumeID: string
  fsType?: string | undefined
  readOnly?: boolean | undefined
}

export type Preconditions = {
  uid?: string | undefined
}

export type PreferAvoidPodsEntry = {
  podSignature: PodSignature
  evictionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type PreferredSchedulingTerm = {
  weight: number
  preference: NodeSelectorTerm
}

export type Probe = {
  exec?: ExecAction | undefined
  httpGet?: HTTPGetAction | undefined
  tcpSocket?: TCPSocketAction | undefined
  grpc?: GRPCAction | undefined
  initialDelaySeconds?: number | undefined
  timeoutSeconds?: number | undefined
  periodSeconds?: number | undefined
  successThreshold?: number | undefined
  failureThreshold?: number | undefined
  terminationGracePeriodSeconds?: number | undefined
}

export type ProbeHandler = {
  exec?: ExecAction | undefined
  httpGet?: HTTPGetAction | undefined
  tcpSocket?: TCPSocketAction | undefined
  grpc?: GRPCAction | undefined
}

export type ProjectedVolumeSource = {
  sources: VolumeProjection[]
  defaultMode?: number | undefined
}

export type QuobyteVolumeSource = {
  registry: string
  volume: string
  readOnly?: boolean | undefined
  user?: string | undefined
  group?: string | undefined
  tenant?: string | undefined
}

export type RBDPersistentVolumeSource = {
  monitors: string[]
  image: string
  fsType?: string | undefined
  pool?: string | undefined
  user?: string | undefined
  keyring?: string | undefined
  secretRef?: SecretReference | undefined
  readOnly?: boolean | undefined
}

export type RBDVolumeSource = {
  monitors: string[]
  image: string
  fsType?: string | undefined
  pool?: string | undefined
  user?: string | undefined
  keyring?: string | undefined
  secretRef?: LocalObjectReference | undefined
  readOnly?: boolean | undefined
}

export type RangeAllocation = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  range: string
  data: string
}

export type ReplicationController = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ReplicationControllerSpec
  status: ReplicationControllerStatus
}

export type ReplicationControllerCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type ReplicationControllerList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ReplicationController[]
}

export type ReplicationControllerSpec = {
  replicas?: number | undefined
  minReadySeconds?: number | undefined
  selector?: Record<string, string> | undefined
  template?: PodTemplateSpec | undefined
}

export type ReplicationControllerStatus = {
  replicas: number
  fullyLabeledReplicas?: number | undefined
  readyReplicas?: number | undefined
  availableReplicas?: number | undefined
  observedGeneration?: number | undefined
  conditions?: ReplicationControllerCondition[] | undefined
}

export type ResourceClaim = {
  name: string
  request?: string | undefined
}

export type ResourceFieldSelector = {
  containerName?: string | undefined
  resource: string
  divisor?: string | undefined
}

export type ResourceHealth = {
  resourceID: string
  health?: string | undefined
  message?: string | undefined
}

export type ResourceQuota = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ResourceQuotaSpec
  status: ResourceQuotaStatus
}

export type ResourceQuotaList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ResourceQuota[]
}

export type ResourceQuotaSpec = {
  hard?: Record<string, string> | undefined
  scopes?: string[] | undefined
  scopeSelector?: ScopeSelector | undefined
}

export type ResourceQuotaStatus = {
  hard?: Record<string, string> | undefined
  used?: Record<string, string> | undefined
}

export type ResourceRequirements = {
  limits?: Record<string, string> | undefined
  requests?: Record<string, string> | undefined
  claims?: ResourceClaim[] | undefined
}

export type ResourceStatus = {
  name: string
  resources?: ResourceHealth[] | undefined
}

export type SELinuxOptions = {
  user?: string | undefined
  role?: string | undefined
  type?: string | undefined
  level?: string | undefined
}

export type ScaleIOPersistentVolumeSource = {
  gateway: string
  system: string
  secretRef: SecretReference
  sslEnabled?: boolean | undefined
  protectionDomain?: string | undefined
  storagePool?: string | undefined
  storageMode?: string | undefined
  volumeName?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
}

export type ScaleIOVolumeSource = {
  gateway: string
  system: string
  secretRef: LocalObjectReference
  sslEnabled?: boolean | undefined
  protectionDomain?: string | undefined
  storagePool?: string | undefined
  storageMode?: string | undefined
  volumeName?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
}

export type ScopeSelector = {
  matchExpressions?: ScopedResourceSelectorRequirement[] | undefined
}

export type ScopedResourceSelectorRequirement = {
  scopeName: string
  operator: string
  values?: string[] | undefined
}

export type SeccompProfile = {
  type: string
  localhostProfile?: string | undefined
}

export type Secret = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  immutable?: boolean | undefined
  data?: Record<string, string> | undefined
  stringData?: Record<string, string> | undefined
  type?: string | undefined
}

export type SecretEnvSource = {
  name?: string | undefined
  optional?: boolean | undefined
}

export type SecretKeySelector = {
  name?: string | undefined
  key: string
  optional?: boolean | undefined
}

export type SecretList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Secret[]
}

export type SecretProjection = {
  name?: string | undefined
  items?: KeyToPath[] | undefined
  optional?: boolean | undefined
}

export type SecretReference = {
  name?: string | undefined
  namespace?: string | undefined
}

export type SecretVolumeSource = {
  secretName?: string | undefined
  items?: KeyToPath[] | undefined
  defaultMode?: number | undefined
  optional?: boolean | undefined
}

export type SecurityContext = {
  capabilities?: Capabilities | undefined
  privileged?: boolean | undefined
  seLinuxOptions?: SELinuxOptions | undefined
  windowsOptions?: WindowsSecurityContextOptions | undefined
  runAsUser?: number | undefined
  runAsGroup?: number | undefined
  runAsNonRoot?: boolean | undefined
  readOnlyRootFilesystem?: boolean | undefined
  allowPrivilegeEscalation?: boolean | undefined
  procMount?: string | undefined
  seccompProfile?: SeccompProfile | undefined
  appArmorProfile?: AppArmorProfile | undefined
}

export type SerializedReference = {
  kind?: string | undefined
  apiVersion?: string | undefined
  reference: ObjectReference
}

export type Service = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ServiceSpec
  status: ServiceStatus
}

export type ServiceAccount = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  secrets?: ObjectReference[] | undefined
  imagePullSecrets?: LocalObjectReference[] | undefined
  automountServiceAccountToken?: boolean | undefined
}

export type ServiceAccountList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ServiceAccount[]
}

export type ServiceAccountTokenProjection = {
  audience?: string | undefined
  expirationSeconds?: number | undefined
  path: string
}

export type ServiceList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Service[]
}

export type ServicePort = {
  name?: string | undefined
  protocol?: string | undefined
  appProtocol?: string | undefined
  port: number
  targetPort?: number | string | undefined
  nodePort?: number | undefined
}

export type ServiceProxyOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  path?: string | undefined
}

export type ServiceSpec = {
  ports?: ServicePort[] | undefined
  selector?: Record<string, string> | undefined
  clusterIP?: string | undefined
  clusterIPs?: string[] | undefined
  type?: string | undefined
  externalIPs?: string[] | undefined
  sessionAffinity?: string | undefined
  loadBalancerIP?: string | undefined
  loadBalancerSourceRanges?: string[] | undefined
  externalName?: string | undefined
  externalTrafficPolicy?: string | undefined
  healthCheckNodePort?: number | undefined
  publishNotReadyAddresses?: boolean | undefined
  sessionAffinityConfig?: SessionAffinityConfig | undefined
  ipFamilies?: string[] | undefined
  ipFamilyPolicy?: string | undefined
  allocateLoadBalancerNodePorts?: boolean | undefined
  loadBalancerClass?: string | undefined
  internalTrafficPolicy?: string | undefined
  trafficDistribution?: string | undefined
}

export type ServiceStatus = {
  loadBalancer: LoadBalancerStatus
  conditions?: Condition[] | undefined
}

export type SessionAffinityConfig = {
  clientIP?: ClientIPConfig | undefined
}

export type SleepAction = {
  seconds: number
}

export type StorageOSPersistentVolumeSource = {
  volumeName?: string | undefined
  volumeNamespace?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  secretRef?: ObjectReference | undefined
}

export type StorageOSVolumeSource = {
  volumeName?: string | undefined
  volumeNamespace?: string | undefined
  fsType?: string | undefined
  readOnly?: boolean | undefined
  secretRef?: LocalObjectReference | undefined
}

export type Sysctl = {
  name: string
  value: string
}

export type TCPSocketAction = {
  port: number | string
  host?: string | undefined
}

export type Taint = {
  key: string
  value?: string | undefined
  effect: string
  timeAdded?: string | undefined
}

export type Toleration = {
  key?: string | undefined
  operator?: string | undefined
  value?: string | undefined
  effect?: string | undefined
  tolerationSeconds?: number | undefined
}

export type TopologySelectorLabelRequirement = {
  key: string
  values: string[]
}

export type TopologySelectorTerm = {
  matchLabelExpressions?: TopologySelectorLabelRequirement[] | undefined
}

export type TopologySpreadConstraint = {
  maxSkew: number
  topologyKey: string
  whenUnsatisfiable: string
  labelSelector?: LabelSelector | undefined
  minDomains?: number | undefined
  nodeAffinityPolicy?: string | undefined
  nodeTaintsPolicy?: string | undefined
  matchLabelKeys?: string[] | undefined
}

export type TypedLocalObjectReference = {
  apiGroup: string
  kind: string
  name: string
}

export type TypedObjectReference = {
  apiGroup: string
  kind: string
  name: string
  namespace?: string | undefined
}

export type Volume = {
  name: string
  hostPath?: HostPathVolumeSource | undefined
  emptyDir?: EmptyDirVolumeSource | undefined
  gcePersistentDisk?: GCEPersistentDiskVolumeSource | undefined
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource | undefined
  gitRepo?: GitRepoVolumeSource | undefined
  secret?: SecretVolumeSource | undefined
  nfs?: NFSVolumeSource | undefined
  iscsi?: ISCSIVolumeSource | undefined
  glusterfs?: GlusterfsVolumeSource | undefined
  persistentVolumeClaim?: PersistentVolumeClaimVolumeSource | undefined
  rbd?: RBDVolumeSource | undefined
  flexVolume?: FlexVolumeSource | undefined
  cinder?: CinderVolumeSource | undefined
  cephfs?: CephFSVolumeSource | undefined
  flocker?: FlockerVolumeSource | undefined
  downwardAPI?: DownwardAPIVolumeSource | undefined
  fc?: FCVolumeSource | undefined
  azureFile?: AzureFileVolumeSource | undefined
  configMap?: ConfigMapVolumeSource | undefined
  vsphereVolume?: VsphereVirtualDiskVolumeSource | undefined
  quobyte?: QuobyteVolumeSource | undefined
  azureDisk?: AzureDiskVolumeSource | undefined
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource | undefined
  projected?: ProjectedVolumeSource | undefined
  portworxVolume?: PortworxVolumeSource | undefined
  scaleIO?: ScaleIOVolumeSource | undefined
  storageos?: StorageOSVolumeSource | undefined
  csi?: CSIVolumeSource | undefined
  ephemeral?: EphemeralVolumeSource | undefined
  image?: ImageVolumeSource | undefined
}

export type VolumeDevice = {
  name: string
  devicePath: string
}

export type VolumeMount = {
  name: string
  readOnly?: boolean | undefined
  recursiveReadOnly?: string | undefined
  mountPath: string
  subPath?: string | undefined
  mountPropagation?: string | undefined
  subPathExpr?: string | undefined
}

export type VolumeMountStatus = {
  name: string
  mountPath: string
  readOnly?: boolean | undefined
  recursiveReadOnly?: string | undefined
  volumeStatus?: VolumeStatus | undefined
}

export type VolumeNodeAffinity = {
  required?: NodeSelector | undefined
}

export type VolumeProjection = {
  secret?: SecretProjection | undefined
  downwardAPI?: DownwardAPIProjection | undefined
  configMap?: ConfigMapProjection | undefined
  serviceAccountToken?: ServiceAccountTokenProjection | undefined
  clusterTrustBundle?: ClusterTrustBundleProjection | undefined
  podCertificate?: PodCertificateProjection | undefined
}

export type VolumeResourceRequirements = {
  limits?: Record<string, string> | undefined
  requests?: Record<string, string> | undefined
}

export type VolumeSource = {
  hostPath?: HostPathVolumeSource | undefined
  emptyDir?: EmptyDirVolumeSource | undefined
  gcePersistentDisk?: GCEPersistentDiskVolumeSource | undefined
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource | undefined
  gitRepo?: GitRepoVolumeSource | undefined
  secret?: SecretVolumeSource | undefined
  nfs?: NFSVolumeSource | undefined
  iscsi?: ISCSIVolumeSource | undefined
  glusterfs?: GlusterfsVolumeSource | undefined
  persistentVolumeClaim?: PersistentVolumeClaimVolumeSource | undefined
  rbd?: RBDVolumeSource | undefined
  flexVolume?: FlexVolumeSource | undefined
  cinder?: CinderVolumeSource | undefined
  cephfs?: CephFSVolumeSource | undefined
  flocker?: FlockerVolumeSource | undefined
  downwardAPI?: DownwardAPIVolumeSource | undefined
  fc?: FCVolumeSource | undefined
  azureFile?: AzureFileVolumeSource | undefined
  configMap?: ConfigMapVolumeSource | undefined
  vsphereVolume?: VsphereVirtualDiskVolumeSource | undefined
  quobyte?: QuobyteVolumeSource | undefined
  azureDisk?: AzureDiskVolumeSource | undefined
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource | undefined
  projected?: ProjectedVolumeSource | undefined
  portworxVolume?: PortworxVolumeSource | undefined
  scaleIO?: ScaleIOVolumeSource | undefined
  storageos?: StorageOSVolumeSource | undefined
  csi?: CSIVolumeSource | undefined
  ephemeral?: EphemeralVolumeSource | undefined
  image?: ImageVolumeSource | undefined
}

export type VolumeStatus = {
  image?: ImageVolumeStatus | undefined
}

export type VsphereVirtualDiskVolumeSource = {
  volumePath: string
  fsType?: string | undefined
  storagePolicyName?: string | undefined
  storagePolicyID?: string | undefined
}

export type WeightedPodAffinityTerm = {
  weight: number
  podAffinityTerm: PodAffinityTerm
}

export type WindowsSecurityContextOptions = {
  gmsaCredentialSpecName?: string | undefined
  gmsaCredentialSpec?: string | undefined
  runAsUserName?: string | undefined
  hostProcess?: boolean | undefined
}
