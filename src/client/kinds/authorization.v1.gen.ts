// Made by `make generate` out of api/openapi; do not edit.
import type { FieldSelectorRequirement, LabelSelectorRequirement, ObjectMeta } from './meta.v1.gen.ts'

export type FieldSelectorAttributes = {
  rawSelector?: string | undefined
  requirements?: FieldSelectorRequirement[] | undefined
}

export type LabelSelectorAttributes = {
  rawSelector?: string | undefined
  requirements?: LabelSelectorRequirement[] | undefined
}

export type LocalSubjectAccessReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: SubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export type NonResourceAttributes = {
  path?: string | undefined
  verb?: string | undefined
}

export type NonResourceRule = {
  verbs: string[]
  nonResourceURLs?: string[] | undefined
}

export type ResourceAttributes = {
  namespace?: string | undefined
  verb?: string | undefined
  group?: string | undefined
  version?: string | undefined
  resource?: string | undefined
  subresource?: string | undefined
  name?: string | undefined
  fieldSelector?: FieldSelectorAttributes | undefined
  labelSelector?: LabelSelectorAttributes | undefined
}

export type ResourceRule = {
  verbs: string[]
  apiGroups?: string[] | undefined
  resources?: string[] | undefined
  resourceNames?: string[] | undefined
}

export type SelfSubjectAccessReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: SelfSubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export type SelfSubjectAccessReviewSpec = {
  resourceAttributes?: ResourceAttributes | undefined
  nonResourceAttributes?: NonResourceAttributes | undefined
}

export type SelfSubjectRulesReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: SelfSubjectRulesReviewSpec
  status: SubjectRulesReviewStatus
}

export type SelfSubjectRulesReviewSpec = {
  namespace?: string | undefined
}

export type SubjectAccessReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: SubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export type SubjectAccessReviewSpec = {
  resourceAttributes?: ResourceAttributes | undefined
  nonResourceAttributes?: NonResourceAttributes | undefined
  user?: string | undefined
  groups?: string[] | undefined
  extra?: Record<string, string[]> | undefined
  uid?: string | undefined
}

export type SubjectAccessReviewStatus = {
  allowed: boolean
  denied?: boolean | undefined
  reason?: string | undefined
  evaluationError?: string | undefined
}

export type SubjectRulesReviewStatus = {
  resourceRules: ResourceRule[]
  nonResourceRules: NonResourceRule[]
  incomplete: boolean
  evaluationError?: string | undefined
}
