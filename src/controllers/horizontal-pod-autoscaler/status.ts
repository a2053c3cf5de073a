// The status of an autoscaler as it comes about in one round. Follows setCondition and setStatus of
// k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '../../client/kinds/autoscaling.v2.gen.ts'

export class StatusDraft {
  readonly #before: HorizontalPodAutoscalerStatus | undefined
  readonly #now: string
  #conditions: HorizontalPodAutoscalerCondition[]

  /** `now` as the API writes times. */
  constructor({ status }: HorizontalPodAutoscaler, now: string) {
    this.#before = status
    this.#now = now
    this.#conditions = [...(status?.conditions ?? [])]
  }

  /** In the place of the one of this type. */
  condition(type: string, isTrue: boolean, [reason, message]: readonly [string, string]): void {
    const status = isTrue ? 'True' : 'False'
    const known = this.#conditions.find((one) => one.type === type)
    const lastTransitionTime = known?.status === status ? known.lastTransitionTime : this.#now
    const condition = { type, status, lastTransitionTime, reason, message }
    this.#conditions = known
      ? this.#conditions.map((one) => (one === known ? condition : one))
      : [...this.#conditions, condition]
  }

  drop(type: string): void {
    this.#conditions = this.#conditions.filter((one) => one.type !== type)
  }

  /** Nothing but the conditions has changed. */
  unchanged(): HorizontalPodAutoscalerStatus {
    return { ...this.#before, conditions: this.#conditions } as HorizontalPodAutoscalerStatus
  }

  /** `desired` absent: as it was. */
  finished(
    current: number,
    metrics: readonly MetricStatus[] | undefined,
    { desired, rescaled }: { desired?: number; rescaled: boolean },
  ): HorizontalPodAutoscalerStatus {
    const lastScaleTime = rescaled ? this.#now : this.#before?.lastScaleTime
    return {
      ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
      currentReplicas: current,
      desiredReplicas: desired ?? this.#before?.desiredReplicas ?? 0,
      ...(metrics === undefined ? {} : { currentMetrics: [...metrics] }),
      conditions: this.#conditions,
    } as HorizontalPodAutoscalerStatus
  }
}
