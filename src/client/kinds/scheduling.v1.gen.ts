// Made by `make generate` out of api/openapi; do not edit.
import type { ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type PriorityClass = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  value: number
  globalDefault?: boolean | undefined
  description?: string | undefined
  preemptionPolicy?: string | undefined
}

export type PriorityClassList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PriorityClass[]
}
