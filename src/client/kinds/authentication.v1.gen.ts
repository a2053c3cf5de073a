// Made by `make generate` out of api/openapi; do not edit.
import type { ObjectMeta } from './meta.v1.gen.ts'

export type BoundObjectReference = {
  kind?: string | undefined
  apiVersion?: string | undefined
  name?: string | undefined
  uid?: string | undefined
}

export type SelfSubjectReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  status: SelfSubjectReviewStatus
}

export type SelfSubjectReviewStatus = {
  userInfo: UserInfo
}

export type TokenRequest = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: TokenRequestSpec
  status: TokenRequestStatus
}

export type TokenRequestSpec = {
  audiences: string[]
  expirationSeconds: number
  boundObjectRef?: BoundObjectReference | undefined
}

export type TokenRequestStatus = {
  token: string
  expirationTimestamp: string
}

export type TokenReview = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: TokenReviewSpec
  status: TokenReviewStatus
}

export type TokenReviewSpec = {
  token: string
  audiences?: string[] | undefined
}

export type TokenReviewStatus = {
  authenticated?: boolean | undefined
  user: UserInfo
  audiences?: string[] | undefined
  error?: string | undefined
}

export type UserInfo = {
  username?: string | undefined
  uid?: string | undefined
  groups?: string[] | undefined
  extra?: Record<string, string[]> | undefined
}
