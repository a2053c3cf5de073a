// Made by `make generate` out of api/openapi; do not edit.
import type { Json } from '../../machinery/json.ts'

export type APIGroup = {
  kind?: string | undefined
  apiVersion?: string | undefined
  name: string
  versions: GroupVersionForDiscovery[]
  preferredVersion: GroupVersionForDiscovery
  serverAddressByClientCIDRs?: ServerAddressByClientCIDR[] | undefined
}

export type APIGroupList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  groups: APIGroup[]
}

export type APIResource = {
  name: string
  singularName: string
  namespaced: boolean
  group?: string | undefined
  version?: string | undefined
  kind: string
  verbs: string[]
  shortNames?: string[] | undefined
  categories?: string[] | undefined
  storageVersionHash?: string | undefined
}

export type APIResourceList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  groupVersion: string
  resources: APIResource[]
}

export type APIVersions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  versions: string[]
  serverAddressByClientCIDRs: ServerAddressByClientCIDR[]
}

export type ApplyOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  dryRun?: string[] | undefined
  force: boolean
  fieldManager: string
}

export type Condition = {
  type: string
  status: string
  observedGeneration?: number | undefined
  lastTransitionTime: string
  reason: string
  message: string
}

export type CreateOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  dryRun?: string[] | undefined
  fieldManager?: string | undefined
  fieldValidation?: string | undefined
}

export type DeleteOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  gracePeriodSeconds?: number | undefined
  preconditions?: Preconditions | undefined
  orphanDependents?: boolean | undefined
  propagationPolicy?: string | undefined
  dryRun?: string[] | undefined
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean | undefined
}

export type FieldSelectorRequirement = {
  key: string
  operator: string
  values?: string[] | undefined
}

export type GetOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  resourceVersion?: string | undefined
}

export type GroupKind = {
  group: string
  kind: string
}

export type GroupResource = {
  group: string
  resource: string
}

export type GroupVersion = {
  group: string
  version: string
}

export type GroupVersionForDiscovery = {
  groupVersion: string
  version: string
}

export type GroupVersionKind = {
  group: string
  version: string
  kind: string
}

export type GroupVersionResource = {
  group: string
  version: string
  resource: string
}

export type LabelSelector = {
  matchLabels?: Record<string, string> | undefined
  matchExpressions?: LabelSelectorRequirement[] | undefined
}

export type LabelSelectorRequirement = {
  key: string
  operator: string
  values?: string[] | undefined
}

export type List = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Json[]
}

export type ListMeta = {
  selfLink?: string | undefined
  resourceVersion?: string | undefined
  continue?: string | undefined
  remainingItemCount?: number | undefined
  shardInfo?: ShardInfo | undefined
}

export type ListOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  watch?: boolean | undefined
  allowWatchBookmarks?: boolean | undefined
  resourceVersion?: string | undefined
  resourceVersionMatch?: string | undefined
  timeoutSeconds?: number | undefined
  limit?: number | undefined
  continue?: string | undefined
  sendInitialEvents?: boolean | undefined
  shardSelector?: string | undefined
}

export type ManagedFieldsEntry = {
  manager?: string | undefined
  operation?: string | undefined
  apiVersion?: string | undefined
  time?: string | undefined
  fieldsType?: string | undefined
  fieldsV1?: Json | undefined
  subresource?: string | undefined
}

export type ObjectMeta = {
  name?: string | undefined
  generateName?: string | undefined
  namespace?: string | undefined
  selfLink?: string | undefined
  uid?: string | undefined
  resourceVersion?: string | undefined
  generation?: number | undefined
  creationTimestamp?: string | undefined
  deletionTimestamp?: string | undefined
  deletionGracePeriodSeconds?: number | undefined
  labels?: Record<string, string> | undefined
  annotations?: Record<string, string> | undefined
  ownerReferences?: OwnerReference[] | undefined
  finalizers?: string[] | undefined
  managedFields?: ManagedFieldsEntry[] | undefined
}

export type OwnerReference = {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean | undefined
  blockOwnerDeletion?: boolean | undefined
}

export type PartialObjectMetadata = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
}

export type PartialObjectMetadataList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PartialObjectMetadata[]
}

export type Patch = {

}

export type PatchOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  dryRun?: string[] | undefined
  force?: boolean | undefined
  fieldManager?: string | undefined
  fieldValidation?: string | undefined
}

export type Preconditions = {
  uid?: string | undefined
  resourceVersion?: string | undefined
}

export type RootPaths = {
  paths: string[]
}

export type ServerAddressByClientCIDR = {
  clientCIDR: string
  serverAddress: string
}

export type ShardInfo = {
  selector: string
}

export type Status = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  status?: string | undefined
  message?: string | undefined
  reason?: string | undefined
  details?: StatusDetails | undefined
  code?: number | undefined
}

export type StatusCause = {
  reason?: string | undefined
  message?: string | undefined
  field?: string | undefined
}

export type StatusDetails = {
  name?: string | undefined
  group?: string | undefined
  kind?: string | undefined
  uid?: string | undefined
  causes?: StatusCause[] | undefined
  retryAfterSeconds?: number | undefined
}

export type Table = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  columnDefinitions: Json[]
  rows: Json[]
}

export type TableOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  includeObject?: string | undefined
}

export type Timestamp = {
  seconds: number
  nanos: number
}

export type TypeMeta = {
  kind?: string | undefined
  apiVersion?: string | undefined
}

export type UpdateOptions = {
  kind?: string | undefined
  apiVersion?: string | undefined
  dryRun?: string[] | undefined
  fieldManager?: string | undefined
  fieldValidation?: string | undefined
}

export type WatchEvent = {
  type: string
  object: Json
}
