// Made by `make generate` out of api/openapi; do not edit.
import type { Json } from '../../machinery/json.ts'
import type { NodeSelector } from './core.v1.gen.ts'
import type { Condition, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type AllocatedDeviceStatus = {
  driver: string
  pool: string
  device: string
  shareID?: string | undefined
  conditions: Condition[]
  data?: Json | undefined
  networkData?: NetworkDeviceData | undefined
}

export type AllocationResult = {
  devices: DeviceAllocationResult
  nodeSelector?: NodeSelector | undefined
  allocationTimestamp?: string | undefined
}

export type CELDeviceSelector = {
  expression: string
}

export type CapacityRequestPolicy = {
  default: string
  validValues?: string[] | undefined
  validRange?: CapacityRequestPolicyRange | undefined
}

export type CapacityRequestPolicyRange = {
  min: string
  max?: string | undefined
  step?: string | undefined
}

export type CapacityRequirements = {
  requests?: Record<string, string> | undefined
}

export type Counter = {
  value: string
}

export type CounterSet = {
  name: string
  counters: Record<string, Counter>
}

export type Device = {
  name: string
  attributes?: Record<string, DeviceAttribute> | undefined
  capacity?: Record<string, DeviceCapacity> | undefined
  consumesCounters?: DeviceCounterConsumption[] | undefined
  nodeName?: string | undefined
  nodeSelector?: NodeSelector | undefined
  allNodes?: boolean | undefined
  taints?: DeviceTaint[] | undefined
  bindsToNode?: boolean | undefined
  bindingConditions?: string[] | undefined
  bindingFailureConditions?: string[] | undefined
  allowMultipleAllocations?: boolean | undefined
  nodeAllocatableResourceMappings?: Record<string, NodeAllocatableResourceMapping> | undefined
}

export type DeviceAllocationConfiguration = {
  source: string
  requests?: string[] | undefined
  opaque?: OpaqueDeviceConfiguration | undefined
}

export type DeviceAllocationResult = {
  results?: DeviceRequestAllocationResult[] | undefined
  config?: DeviceAllocationConfiguration[] | undefined
}

export type DeviceAttribute = {
  int?: number | undefined
  bool?: boolean | undefined
  string?: string | undefined
  version?: string | undefined
  ints?: number[] | undefined
  bools?: boolean[] | undefined
  strings?: string[] | undefined
  versions?: string[] | undefined
}

export type DeviceCapacity = {
  value: string
  requestPolicy?: CapacityRequestPolicy | undefined
}

export type DeviceClaim = {
  requests: DeviceRequest[]
  constraints?: DeviceConstraint[] | undefined
  config?: DeviceClaimConfiguration[] | undefined
}

export type DeviceClaimConfiguration = {
  requests?: string[] | undefined
  opaque?: OpaqueDeviceConfiguration | undefined
}

export type DeviceClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: DeviceClassSpec
}

export type DeviceClassConfiguration = {
  opaque?: OpaqueDeviceConfiguration | undefined
}

export type DeviceClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: DeviceClass[]
}

export type DeviceClassSpec = {
  selectors?: DeviceSelector[] | undefined
  config?: DeviceClassConfiguration[] | undefined
  extendedResourceName?: string | undefined
}

export type DeviceConfiguration = {
  opaque?: OpaqueDeviceConfiguration | undefined
}

export type DeviceConstraint = {
  requests?: string[] | undefined
  matchAttribute?: string | undefined
  distinctAttribute?: string | undefined
}

export type DeviceCounterConsumption = {
  counterSet: string
  counters: Record<string, Counter>
}

export type DeviceRequest = {
  name: string
  exactly?: ExactDeviceRequest | undefined
  firstAvailable?: DeviceSubRequest[] | undefined
}

export type DeviceRequestAllocationResult = {
  request: string
  driver: string
  pool: string
  device: string
  adminAccess?: boolean | undefined
  tolerations?: DeviceToleration[] | undefined
  bindingConditions?: string[] | undefined
  bindingFailureConditions?: string[] | undefined
  shareID?: string | undefined
  consumedCapacity?: Record<string, string> | undefined
}

export type DeviceSelector = {
  cel?: CELDeviceSelector | undefined
}

export type DeviceSubRequest = {
  name: string
  deviceClassName: string
  selectors?: DeviceSelector[] | undefined
  allocationMode?: string | undefined
  count?: number | undefined
  tolerations?: DeviceToleration[] | undefined
  capacity?: CapacityRequirements | undefined
}

export type DeviceTaint = {
  key: string
  value?: string | undefined
  effect: string
  timeAdded?: string | undefined
}

export type DeviceToleration = {
  key?: string | undefined
  operator?: string | undefined
  value?: string | undefined
  effect?: string | undefined
  tolerationSeconds?: number | undefined
}

export type ExactDeviceRequest = {
  deviceClassName: string
  selectors?: DeviceSelector[] | undefined
  allocationMode?: string | undefined
  count?: number | undefined
  adminAccess?: boolean | undefined
  tolerations?: DeviceToleration[] | undefined
  capacity?: CapacityRequirements | undefined
}

export type NetworkDeviceData = {
  interfaceName?: string | undefined
  ips?: string[] | undefined
  hardwareAddress?: string | undefined
}

export type NodeAllocatableResourceMapping = {
  capacityKey?: string | undefined
  allocationMultiplier?: string | undefined
}

export type OpaqueDeviceConfiguration = {
  driver: string
  parameters: Json
}

export type ResourceClaim = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ResourceClaimSpec
  status: ResourceClaimStatus
}

export type ResourceClaimConsumerReference = {
  apiGroup?: string | undefined
  resource: string
  name: string
  uid: string
}

export type ResourceClaimList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ResourceClaim[]
}

export type ResourceClaimSpec = {
  devices: DeviceClaim
}

export type ResourceClaimStatus = {
  allocation?: AllocationResult | undefined
  reservedFor?: ResourceClaimConsumerReference[] | undefined
  devices?: AllocatedDeviceStatus[] | undefined
}

export type ResourceClaimTemplate = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ResourceClaimTemplateSpec
}

export type ResourceClaimTemplateList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ResourceClaimTemplate[]
}

export type ResourceClaimTemplateSpec = {
  metadata: ObjectMeta
  spec: ResourceClaimSpec
}

export type ResourcePool = {
  name: string
  generation: number
  resourceSliceCount: number
}

export type ResourceSlice = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ResourceSliceSpec
}

export type ResourceSliceList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ResourceSlice[]
}

export type ResourceSliceSpec = {
  driver: string
  pool: ResourcePool
  nodeName?: string | undefined
  nodeSelector?: NodeSelector | undefined
  allNodes?: boolean | undefined
  devices?: Device[] | undefined
  perDeviceNodeSelection?: boolean | undefined
  sharedCounters?: CounterSet[] | undefined
}
