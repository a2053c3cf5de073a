// Made by `make generate` out of api/openapi; do not edit.
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type ContainerResourceMetricSource = {
  name: string
  targetAverageUtilization?: number | undefined
  targetAverageValue?: string | undefined
  container: string
}

export type ContainerResourceMetricStatus = {
  name: string
  currentAverageUtilization?: number | undefined
  currentAverageValue: string
  container: string
}

export type CrossVersionObjectReference = {
  kind: string
  name: string
  apiVersion?: string | undefined
}

export type ExternalMetricSource = {
  metricName: string
  metricSelector?: LabelSelector | undefined
  targetValue?: string | undefined
  targetAverageValue?: string | undefined
}

export type ExternalMetricStatus = {
  metricName: string
  metricSelector?: LabelSelector | undefined
  currentValue: string
  currentAverageValue?: string | undefined
}

export type HorizontalPodAutoscaler = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: HorizontalPodAutoscalerSpec
  status: HorizontalPodAutoscalerStatus
}

export type HorizontalPodAutoscalerCondition = {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type HorizontalPodAutoscalerList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: HorizontalPodAutoscaler[]
}

export type HorizontalPodAutoscalerSpec = {
  scaleTargetRef: CrossVersionObjectReference
  minReplicas?: number | undefined
  maxReplicas: number
  targetCPUUtilizationPercentage?: number | undefined
}

export type HorizontalPodAutoscalerStatus = {
  observedGeneration?: number | undefined
  lastScaleTime?: string | undefined
  currentReplicas: number
  desiredReplicas: number
  currentCPUUtilizationPercentage?: number | undefined
}

export type MetricSpec = {
  type: string
  object?: ObjectMetricSource | undefined
  pods?: PodsMetricSource | undefined
  resource?: ResourceMetricSource | undefined
  containerResource?: ContainerResourceMetricSource | undefined
  external?: ExternalMetricSource | undefined
}

export type MetricStatus = {
  type: string
  object?: ObjectMetricStatus | undefined
  pods?: PodsMetricStatus | undefined
  resource?: ResourceMetricStatus | undefined
  containerResource?: ContainerResourceMetricStatus | undefined
  external?: ExternalMetricStatus | undefined
}

export type ObjectMetricSource = {
  target: CrossVersionObjectReference
  metricName: string
  targetValue: string
  selector?: LabelSelector | undefined
  averageValue?: string | undefined
}

export type ObjectMetricStatus = {
  target: CrossVersionObjectReference
  metricName: string
  currentValue: string
  selector?: LabelSelector | undefined
  averageValue?: string | undefined
}

export type PodsMetricSource = {
  metricName: string
  targetAverageValue: string
  selector?: LabelSelector | undefined
}

export type PodsMetricStatus = {
  metricName: string
  currentAverageValue: string
  selector?: LabelSelector | undefined
}

export type ResourceMetricSource = {
  name: string
  targetAverageUtilization?: number | undefined
  targetAverageValue?: string | undefined
}

export type ResourceMetricStatus = {
  name: string
  currentAverageUtilization?: number | undefined
  currentAverageValue: string
}

export type Scale = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: ScaleSpec
  status: ScaleStatus
}

export type ScaleSpec = {
  replicas?: number | undefined
}

export type ScaleStatus = {
  replicas: number
  selector?: string | undefined
}
