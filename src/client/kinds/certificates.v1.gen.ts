// Made by `make generate` out of api/openapi; do not edit.
import type { ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type CertificateSigningRequest = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: CertificateSigningRequestSpec
  status: CertificateSigningRequestStatus
}

export type CertificateSigningRequestCondition = {
  type: string
  status: string
  reason?: string | undefined
  message?: string | undefined
  lastUpdateTime?: string | undefined
  lastTransitionTime?: string | undefined
}

export type CertificateSigningRequestList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: CertificateSigningRequest[]
}

export type CertificateSigningRequestSpec = {
  request: string
  signerName: string
  expirationSeconds?: number | undefined
  usages?: string[] | undefined
  username?: string | undefined
  uid?: string | undefined
  groups?: string[] | undefined
  extra?: Record<string, string[]> | undefined
}

export type CertificateSigningRequestStatus = {
  conditions?: CertificateSigningRequestCondition[] | undefined
  certificate?: string | undefined
}
