// One round of one autoscaler: how many replicas there are, how many there shall be, and what its status says of it.
// Follows reconcileAutoscaler of k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import { timeOf } from '../../client/clock.ts'
import { type ControllerContext, isBehind } from '../../client/controller.ts'
import type { Scale } from '../../client/kinds/autoscaling.v1.gen.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '../../client/kinds/autoscaling.v2.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { EventRecorder, EventType } from '../../client/recorder.ts'
import { keyOf, type Resource } from '../../client/resource.ts'
import { AUTOSCALERS, PODS } from '../../client/resources.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import { type LabelSelector, parseLabelSelector } from '../../machinery/labels.ts'
import { parseQuantity } from '../../machinery/quantity.ts'
import { type History, historyFrom, noteChange, settle } from './behavior.ts'
import type { ReadinessOptions, Tolerances } from './calculator.ts'
import { evaluate, MetricFault, type ScaleTarget } from './evaluate.ts'
import { MetricsClient } from './metrics.ts'
import { qualified, Scales } from './scales.ts'
import { StatusDraft } from './status.ts'

export interface AutoscalerOptions {
  /** Times in ms. */
  readonly syncMs: number
  readonly downscaleStabilizationMs: number
  readonly cpuInitializationMs: number
  readonly readinessDelayMs: number
  readonly tolerance: number
}

/** Written into the status already. */
class RoundFailed extends Error {}

interface Wanted {
  readonly replicas: number
  /** Why they are changed. */
  readonly why: string
  readonly metrics: readonly MetricStatus[] | undefined
  /** What was wrong with some metrics while others sufficed. */
  readonly fault?: string
}

export class Rounds {
  readonly #context: ControllerContext
  readonly #options: AutoscalerOptions
  readonly #recorder: EventRecorder
  readonly #metrics: MetricsClient
  readonly #scales: Scales
  readonly #histories = new Map<string, History>()
  /** By key: which pods each scales, as far as was learnt. */
  readonly #selectors = new Map<string, LabelSelector>()

  constructor(context: ControllerContext, options: AutoscalerOptions) {
    this.#context = context
    this.#options = options
    this.#recorder = context.recorder.as({ component: 'horizontal-pod-autoscaler' })
    this.#metrics = new MetricsClient(context.api)
    this.#scales = new Scales(context.api, context.clock)
  }

  forget(key: string): void {
    this.#histories.delete(key)
    this.#selectors.delete(key)
  }

  /** Rejects where it was in vain; the status says why. */
  async run(hpa: HorizontalPodAutoscaler, signal: AbortSignal): Promise<void> {
    const draft = new StatusDraft(hpa, timeOf(this.#context.clock))
    const { resource, scale } = await this.#scaleOf(hpa, draft)
    const current = scale.spec.replicas ?? 0
    draft.condition('AbleToScale', true, [
      'SucceededGetScale',
      "the HPA controller was able to get the target's current scale",
    ])
    const history = this.#historyOf(keyOf(hpa), current)
    const wanted = await this.#wanted(hpa, scale, { draft, history })
    if (wanted === undefined || wanted.replicas === current) {
      const metrics = wanted?.metrics
      await this.#write(hpa, draft.finished(current, metrics, { desired: current, rescaled: false }))
    } else {
      await this.#rescale(hpa, { resource, scale }, { draft, wanted, signal })
      noteChange(history, hpa.spec.behavior, {
        from: current,
        to: wanted.replicas,
        now: this.#context.clock.now(),
      })
      const { replicas: desired, metrics } = wanted
      await this.#write(hpa, draft.finished(current, metrics, { desired, rescaled: true }))
    }
    if (wanted?.fault !== undefined) throw new RoundFailed(wanted.fault)
  }

  #event(hpa: HorizontalPodAutoscaler, type: EventType, reason: string, message: string): void {
    this.#recorder.event({ resource: AUTOSCALERS, object: hpa }, type, reason, message)
  }

  #historyOf(key: string, current: number): History {
    let history = this.#histories.get(key)
    if (!history) this.#histories.set(key, (history = historyFrom(current, this.#context.clock.now())))
    return history
  }

  async #scaleOf(
    hpa: HorizontalPodAutoscaler,
    draft: StatusDraft,
  ): Promise<{ resource: Resource; scale: Scale }> {
    const { scaleTargetRef } = hpa.spec
    try {
      const resource = await this.#scales.resolve(scaleTargetRef)
      const scale = await this.#scales.get(resource, hpa.metadata.namespace ?? '', scaleTargetRef.name)
      return { resource, scale }
    } catch (error) {
      const { message } = error as Error
      this.#event(hpa, 'Warning', 'FailedGetScale', message)
      draft.condition('AbleToScale', false, [
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: ${message}`,
      ])
      await this.#write(hpa, draft.unchanged())
      throw new RoundFailed(message)
    }
  }

  /** Undefined: it is not to be scaled. */
  async #wanted(
    hpa: HorizontalPodAutoscaler,
    scale: Scale,
    { draft, history }: { draft: StatusDraft; history: History },
  ): Promise<Wanted | undefined> {
    const current = scale.spec.replicas ?? 0
    const { maxReplicas: max, minReplicas: min = 1 } = hpa.spec
    if (current === 0) {
      draft.condition('ScalingActive', false, [
        'ScalingDisabled',
        'scaling is disabled since the replica count of the target is zero',
      ])
      draft.drop('ScaledToZero')
      return undefined
    }
    if (current > max)
      return { replicas: max, why: 'Current number of replicas above Spec.MaxReplicas', metrics: undefined }
    if (current < min)
      return { replicas: min, why: 'Current number of replicas below Spec.MinReplicas', metrics: undefined }
    const asked = await this.#asked(hpa, scale, draft)
    const { behavior } = hpa.spec
    const wish = {
      ...{ current, desired: asked.replicas, min, max, behavior },
      downWindowMs: this.#options.downscaleStabilizationMs,
      now: this.#context.clock.now(),
    }
    const { replicas, stabilized, limited } = settle(wish, history)
    draft.condition('AbleToScale', true, stabilized)
    draft.condition('ScalingLimited', limited.by, limited.why)
    const why =
      asked.replicas > current
        ? `${asked.why} above target`
        : asked.replicas < current
          ? 'All metrics below target'
          : ''
    return { ...asked, replicas, why }
  }

  /** What the metrics ask for; writes the status and rejects where they say nothing that may be followed. */
  async #asked(hpa: HorizontalPodAutoscaler, scale: Scale, draft: StatusDraft): Promise<Wanted> {
    const current = scale.spec.replicas ?? 0
    let metrics: MetricStatus[] | undefined
    try {
      const target = this.#target(hpa, scale, draft)
      const specs = hpa.spec.metrics ?? []
      metrics = specs.map(() => ({ type: '' }))
      return await this.#combined(hpa, target, { draft, metrics })
    } catch (error) {
      const { message } = error as Error
      await this.#write(hpa, draft.finished(current, metrics, { rescaled: false }))
      this.#event(hpa, 'Warning', 'FailedComputeMetricsReplicas', message)
      throw new RoundFailed(message)
    }
  }

  /** The most that any metric asks for. Without some of them it may only grow. */
  async #combined(
    hpa: HorizontalPodAutoscaler,
    target: ScaleTarget,
    { draft, metrics }: { draft: StatusDraft; metrics: MetricStatus[] },
  ): Promise<Wanted> {
    const specs = hpa.spec.metrics ?? []
    const faults: MetricFault[] = []
    let [replicas, why] = [0, '']
    for (const [at, spec] of specs.entries()) {
      try {
        const proposal = await evaluate(spec, target, {
          metrics: this.#metrics,
          resolve: async (reference) => ({
            reference,
            resource: qualified(await this.#scales.resolve(reference)),
          }),
        })
        metrics[at] = proposal.status
        if (replicas === 0 || proposal.replicas > replicas)
          [replicas, why] = [proposal.replicas, proposal.name]
      } catch (error) {
        if (!(error instanceof MetricFault)) throw error
        this.#event(hpa, 'Warning', error.reason, error.told)
        faults.push(error)
      }
    }
    const [first] = faults
    const fault =
      first &&
      `invalid metrics (${faults.length} invalid out of ${specs.length}), first error is: ${first.message}`
    if (first && (faults.length >= specs.length || replicas < target.wanted)) {
      const told = `the HPA was unable to compute the replica count: ${first.told}`
      draft.condition('ScalingActive', false, [first.reason, told])
      throw new Error(fault)
    }
    draft.condition('ScalingActive', true, [
      'ValidMetricFound',
      `the HPA was able to successfully calculate a replica count from ${why}`,
    ])
    return { replicas, why, metrics, ...(fault === undefined ? {} : { fault }) }
  }

  #target(hpa: HorizontalPodAutoscaler, scale: Scale, draft: StatusDraft): ScaleTarget {
    const { namespace = '' } = hpa.metadata
    const text = scale.status.selector ?? ''
    const refuse = (event: string, message: string, told = message): never => {
      this.#event(hpa, 'Warning', event, message)
      const reason = event === 'AmbiguousSelector' ? event : 'InvalidSelector'
      draft.condition('ScalingActive', false, [reason, told])
      throw new Error(message)
    }
    if (text === '')
      return refuse(
        'SelectorRequired',
        'selector is required',
        "the HPA target's scale is missing a selector",
      )
    let selector: LabelSelector
    try {
      selector = parseLabelSelector(text)
    } catch (error) {
      const what = "couldn't convert selector into a corresponding internal selector object"
      return refuse('InvalidSelector', `${what}: ${(error as Error).message}`)
    }
    this.#selectors.set(keyOf(hpa), selector)
    const all = this.#context.informers.of(PODS).reader.inNamespace(namespace)
    const pods = all.filter(({ metadata }) => selector.matches(metadata.labels ?? {}))
    const others = this.#selecting(namespace, pods)
    if (others.length > 1) {
      const names = others.map((name) => `{${name} ${namespace}}`).join(' ')
      return refuse(
        'AmbiguousSelector',
        `pods by selector ${text} are controlled by multiple HPAs: [${names}]`,
      )
    }
    return {
      ...{ namespace, selector: text, pods },
      wanted: scale.spec.replicas ?? 0,
      present: scale.status.replicas,
      tolerances: tolerancesOf(hpa, this.#options.tolerance),
      readiness: this.#readiness(),
    }
  }

  #readiness(): ReadinessOptions {
    const { cpuInitializationMs, readinessDelayMs } = this.#options
    return { now: this.#context.clock.now(), cpuInitializationMs, readinessDelayMs }
  }

  /** Names of the autoscalers of the namespace that one of the pods belongs to. */
  #selecting(namespace: string, pods: readonly Pod[]): string[] {
    const prefix = `${namespace}/`
    return [...this.#selectors]
      .filter(([key]) => key.startsWith(prefix))
      .filter(([, selector]) => pods.some(({ metadata }) => selector.matches(metadata.labels ?? {})))
      .map(([key]) => key.slice(prefix.length))
  }

  async #rescale(
    hpa: HorizontalPodAutoscaler,
    { resource, scale }: { resource: Resource; scale: Scale },
    { draft, wanted, signal }: { draft: StatusDraft; wanted: Wanted; signal: AbortSignal },
  ): Promise<void> {
    const { replicas, why, metrics } = wanted
    try {
      await this.#scales.set(resource, scale, replicas, signal)
    } catch (error) {
      const { message } = error as Error
      this.#event(hpa, 'Warning', 'FailedRescale', `New size: ${replicas}; reason: ${why}; error: ${message}`)
      draft.condition('AbleToScale', false, [
        'FailedUpdateScale',
        `the HPA controller was unable to update the target scale: ${message}`,
      ])
      await this.#write(hpa, draft.finished(scale.spec.replicas ?? 0, metrics, { rescaled: false }))
      throw new RoundFailed(message)
    }
    draft.condition('AbleToScale', true, [
      'SucceededRescale',
      `the HPA controller was able to update the target scale to ${replicas}`,
    ])
    this.#event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${why}`)
    draft.drop('ScaledToZero')
  }

  async #write(hpa: HorizontalPodAutoscaler, status: HorizontalPodAutoscalerStatus): Promise<void> {
    if (isSameStatus(hpa.status, status)) return
    try {
      await this.#context.api.updateStatus(AUTOSCALERS, { ...hpa, status })
    } catch (error) {
      if (isBehind(error)) throw error
      this.#event(hpa, 'Warning', 'FailedUpdateStatus', (error as Error).message)
      throw error
    }
  }
}

function tolerancesOf({ spec: { behavior } }: HorizontalPodAutoscaler, usual: number): Tolerances {
  const read = (text: string | undefined): number => {
    if (text === undefined) return usual
    const { unscaled, scale } = parseQuantity(text)
    return Number(unscaled) * 10 ** scale
  }
  return { down: read(behavior?.scaleDown?.tolerance), up: read(behavior?.scaleUp?.tolerance) }
}
