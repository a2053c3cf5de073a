// Made by `make generate` out of api/openapi; do not edit.
import type { ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type Lease = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: LeaseSpec
}

export type LeaseList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Lease[]
}

export type LeaseSpec = {
  holderIdentity?: string | undefined
  leaseDurationSeconds?: number | undefined
  acquireTime?: string | undefined
  renewTime?: string | undefined
  leaseTransitions?: number | undefined
  strategy?: string | undefined
  preferredHolder?: string | undefined
}
