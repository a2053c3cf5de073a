// Made by `make generate` out of api/openapi; do not edit.
import type { Condition, DeleteOptions, LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type Eviction = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  deleteOptions?: DeleteOptions | undefined
}

export type PodDisruptionBudget = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: PodDisruptionBudgetSpec
  status: PodDisruptionBudgetStatus
}

export type PodDisruptionBudgetList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: PodDisruptionBudget[]
}

export type PodDisruptionBudgetSpec = {
  minAvailable?: number | string | undefined
  selector?: LabelSelector | undefined
  maxUnavailable?: number | string | undefined
  unhealthyPodEvictionPolicy?: string | undefined
}

export type PodDisruptionBudgetStatus = {
  observedGeneration?: number | undefined
  disruptedPods?: Record<string, string> | undefined
  disruptionsAllowed: number
  currentHealthy: number
  desiredHealthy: number
  expectedPods: number
  conditions?: Condition[] | undefined
}
