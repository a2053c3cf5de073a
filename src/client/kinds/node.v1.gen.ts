// Made by `make generate` out of api/openapi; do not edit.
import type { Toleration } from './core.v1.gen.ts'
import type { ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type Overhead = {
  podFixed?: Record<string, string> | undefined
}

export type RuntimeClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  handler: string
  overhead?: Overhead | undefined
  scheduling?: Scheduling | undefined
}

export type RuntimeClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: RuntimeClass[]
}

export type Scheduling = {
  nodeSelector?: Record<string, string> | undefined
  tolerations?: Toleration[] | undefined
}
