// Made by `make generate` out of api/openapi; do not edit.
import type { ObjectReference, PodTemplateSpec } from './core.v1.gen.ts'
import type { LabelSelector, ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type CronJob = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: CronJobSpec
  status: CronJobStatus
}

export type CronJobList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: CronJob[]
}

export type CronJobSpec = {
  schedule: string
  timeZone?: string | undefined
  startingDeadlineSeconds?: number | undefined
  concurrencyPolicy?: string | undefined
  suspend?: boolean | undefined
  jobTemplate: JobTemplateSpec
  successfulJobsHistoryLimit?: number | undefined
  failedJobsHistoryLimit?: number | undefined
}

export type CronJobStatus = {
  active?: ObjectReference[] | undefined
  lastScheduleTime?: string | undefined
  lastSuccessfulTime?: string | undefined
}

export type Job = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  spec: JobSpec
  status: JobStatus
}

export type JobCondition = {
  type: string
  status: string
  lastProbeTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

export type JobList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Job[]
}

export type JobSpec = {
  parallelism?: number | undefined
  completions?: number | undefined
  activeDeadlineSeconds?: number | undefined
  podFailurePolicy?: PodFailurePolicy | undefined
  successPolicy?: SuccessPolicy | undefined
  backoffLimit?: number | undefined
  backoffLimitPerIndex?: number | undefined
  maxFailedIndexes?: number | undefined
  selector?: LabelSelector | undefined
  manualSelector?: boolean | undefined
  template: PodTemplateSpec
  ttlSecondsAfterFinished?: number | undefined
  completionMode?: string | undefined
  suspend?: boolean | undefined
  podReplacementPolicy?: string | undefined
  managedBy?: string | undefined
}

export type JobStatus = {
  conditions?: JobCondition[] | undefined
  startTime?: string | undefined
  completionTime?: string | undefined
  active?: number | undefined
  succeeded?: number | undefined
  failed?: number | undefined
  terminating?: number | undefined
  completedIndexes?: string | undefined
  failedIndexes?: string | undefined
  uncountedTerminatedPods?: UncountedTerminatedPods | undefined
  ready?: number | undefined
}

export type JobTemplateSpec = {
  metadata: ObjectMeta
  spec: JobSpec
}

export type PodFailurePolicy = {
  rules: PodFailurePolicyRule[]
}

export type PodFailurePolicyOnExitCodesRequirement = {
  containerName?: string | undefined
  operator: string
  values: number[]
}

export type PodFailurePolicyOnPodConditionsPattern = {
  type: string
  status: string
}

export type PodFailurePolicyRule = {
  action: string
  onExitCodes?: PodFailurePolicyOnExitCodesRequirement | undefined
  onPodConditions?: PodFailurePolicyOnPodConditionsPattern[] | undefined
}

export type SuccessPolicy = {
  rules: SuccessPolicyRule[]
}

export type SuccessPolicyRule = {
  succeededIndexes?: string | undefined
  succeededCount?: number | undefined
}

export type UncountedTerminatedPods = {
  succeeded?: string[] | undefined
  failed?: string[] | undefined
}
