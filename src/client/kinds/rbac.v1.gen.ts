// Made by `make generate` out of api/openapi; do not edit.
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type AggregationRule = {
  clusterRoleSelectors?: LabelSelector[] | undefined
}

export type ClusterRole = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  rules: PolicyRule[]
  aggregationRule?: AggregationRule | undefined
}

export type ClusterRoleBinding = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  subjects?: Subject[] | undefined
  roleRef: RoleRef
}

export type ClusterRoleBindingList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ClusterRoleBinding[]
}

export type ClusterRoleList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: ClusterRole[]
}

export type PolicyRule = {
  verbs: string[]
  apiGroups?: string[] | undefined
  resources?: string[] | undefined
  resourceNames?: string[] | undefined
  nonResourceURLs?: string[] | undefined
}

export type Role = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  rules: PolicyRule[]
}

export type RoleBinding = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  subjects?: Subject[] | undefined
  roleRef: RoleRef
}

export type RoleBindingList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: RoleBinding[]
}

export type RoleList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Role[]
}

export type RoleRef = {
  apiGroup: string
  kind: string
  name: string
}

export type Subject = {
  kind: string
  apiGroup?: string | undefined
  name: string
  namespace?: string | undefined
}
