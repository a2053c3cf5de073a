// Made by `make generate` out of api/openapi; do not edit.
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type ContainerResourceMetricSource = {
  name: string
  target: MetricTarget
  container: string
}

export type ContainerResourceMetricStatus = {
  name: string
  current: MetricValueStatus
  container: string
}

export type CrossVersionObjectReference = {
  kind: string
  name: string
  apiVersion?: string | undefined
}

export type ExternalMetricSource = {
  metric: MetricIdentifier
  target: MetricTarget
}

export type ExternalMetricStatus = {
  metric: MetricIdentifier
  current: MetricValueStatus
}

export type HPAScalingPolicy = {
  type: string
  value: number
  periodSeconds: number
}

export type HPAScalingRules = {
  stabilizationWindowSeconds?: number | undefined
  selectPolicy?: string | undefined
  policies?: HPAScalingPolicy[] | undefined
  tolerance?: string | undefined
}

export type HorizontalPodAutoscaler = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: HorizontalPodAutoscalerSpec
  status: HorizontalPodAutoscalerStatus
}

export type HorizontalPodAutoscalerBehavior = {
  scaleUp?: HPAScalingRules | undefined
  scaleDown?: HPAScalingRules | undefined
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
  metrics?: MetricSpec[] | undefined
  behavior?: HorizontalPodAutoscalerBehavior | undefined
}

export type HorizontalPodAutoscalerStatus = {
  observedGeneration?: number | undefined
  lastScaleTime?: string | undefined
  currentReplicas?: number | undefined
  desiredReplicas: number
  currentMetrics: MetricStatus[]
  conditions?: HorizontalPodAutoscalerCondition[] | undefined
}

export type MetricIdentifier = {
  name: string
  selector?: LabelSelector | undefined
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

export type MetricTarget = {
  type: string
  value?: string | undefined
  averageValue?: string | undefined
  averageUtilization?: number | undefined
}

export type MetricValueStatus = {
  value?: string | undefined
  averageValue?: string | undefined
  averageUtilization?: number | undefined
}

export type ObjectMetricSource = {
  describedObject: CrossVersionObjectReference
  target: MetricTarget
  metric: MetricIdentifier
}

export type ObjectMetricStatus = {
  metric: MetricIdentifier
  current: MetricValueStatus
  describedObject: CrossVersionObjectReference
}

export type PodsMetricSource = {
  metric: MetricIdentifier
  target: MetricTarget
}

export type PodsMetricStatus = {
  metric: MetricIdentifier
  current: MetricValueStatus
}

export type ResourceMetricSource = {
  name: string
  target: MetricTarget
}

export type ResourceMetricStatus = {
  name: string
  current: MetricValueStatus
}
