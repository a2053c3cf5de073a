// The shape every API object shares: type and metadata. Follows k8s.io/apimachinery/pkg/apis/meta/v1.
import type { JsonObject } from './json.ts'

export interface OwnerReference extends JsonObject {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry extends JsonObject {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: JsonObject
  subresource?: string
}

/** Times are RFC 3339 strings in UTC, seconds only ("2026-01-02T03:04:05Z"). */
export interface ObjectMeta extends JsonObject {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

export interface KubeObject extends JsonObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}
