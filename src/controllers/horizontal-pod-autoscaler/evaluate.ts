// What one metric of an autoscaler asks for: its value, the replicas, and what the status shows.
// Follows computeReplicasForMetric of k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from '../../client/kinds/autoscaling.v2.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { LabelSelector } from '../../client/kinds/meta.v1.gen.ts'
import { labelSelectorText, selectorOfObject } from '../../machinery/labels.ts'
import { formatQuantity, newQuantity, type QuantityFormat } from '../../machinery/quantity.ts'
import {
  averageOf,
  type ReadinessOptions,
  replicasForPods,
  replicasForShare,
  replicasForValue,
  type Tolerances,
  totalOf,
  type Usage,
  utilizationOf,
} from './calculator.ts'
import { type MeasuredObject, type MetricsClient, milli } from './metrics.ts'
import { requestsOf } from './requests.ts'

/** What is scaled. */
export interface ScaleTarget {
  readonly namespace: string
  /** As the scale tells it. */
  readonly selector: string
  readonly pods: readonly Pod[]
  /** Wanted and present replicas. */
  readonly wanted: number
  readonly present: number
  readonly tolerances: Tolerances
  readonly readiness: ReadinessOptions
}

export interface Sources {
  readonly metrics: MetricsClient
  /** Names the resource of the object; rejects where there is none of that kind. */
  resolve(reference: ObjectMetricSource['describedObject']): Promise<MeasuredObject>
}

export interface Proposal {
  readonly replicas: number
  /** How events name the metric. */
  readonly name: string
  readonly status: MetricStatus
}

/** A metric that cannot be told. `message` is what the whole says of it. */
export class MetricFault extends Error {
  /** Of the condition and the event. */
  readonly reason: string
  /** What they say. */
  readonly told: string

  constructor(reason: string, told: string, message: string) {
    super(message)
    this.reason = reason
    this.told = told
  }
}

/** Rejects with MetricFault. */
export function evaluate(spec: MetricSpec, target: ScaleTarget, sources: Sources): Promise<Proposal> {
  const { resource, containerResource, pods, object, external } = spec
  if (resource) return ofResource(resource, target, sources)
  if (containerResource) return ofContainer(containerResource, target, sources)
  if (pods) return ofPods(pods, target, sources)
  if (object) return ofObject(object, target, sources)
  if (external) return ofExternal(external, target, sources)
  const told = `unknown metric source type ${JSON.stringify(spec.type)}`
  return Promise.reject(new MetricFault('InvalidMetricSourceType', told, told))
}

/** What `work` resolves to; what it throws, under the reason. `prefix` is what the whole says in front, `inner` before that. */
async function orFault<T>(
  { reason, prefix, inner = '' }: { reason: string; prefix: string; inner?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error)
    throw new MetricFault(reason, told, `${prefix}: ${inner}${told}`)
  }
}

const shown = (value: number, format: QuantityFormat = 'DecimalSI'): string =>
  formatQuantity(newQuantity(BigInt(value), format, -3))

function ofResource(source: ResourceMetricSource, target: ScaleTarget, sources: Sources): Promise<Proposal> {
  const prefix = `failed to get ${source.name} resource metric value`
  return orFault({ reason: 'FailedGetResourceMetric', prefix }, async () => {
    const { replicas, usage } = await resourceUse(source, target, { sources, container: undefined })
    const unit = usage.utilization === undefined ? '' : ' utilization (percentage of request)'
    const status = {
      type: 'Resource',
      resource: { name: source.name, current: currentOf(source.name, usage) },
    }
    return { replicas, name: `${source.name} resource${unit}`, status }
  })
}

function ofContainer(
  source: ContainerResourceMetricSource,
  target: ScaleTarget,
  sources: Sources,
): Promise<Proposal> {
  const { container, name } = source
  const prefix = `failed to get ${container} container metric value`
  return orFault({ reason: 'FailedGetContainerResourceMetric', prefix }, async () => {
    const { replicas, usage } = await resourceUse(source, target, { sources, container })
    const what =
      usage.utilization === undefined ? 'resource' : 'container resource utilization (percentage of request)'
    const current = currentOf(name, usage)
    const status = { type: 'ContainerResource', containerResource: { name, container, current } }
    return { replicas, name: `${name} ${what}`, status }
  })
}

const currentOf = (resource: string, { average, utilization }: Usage) => ({
  ...(utilization === undefined ? {} : { averageUtilization: utilization }),
  averageValue: shown(average, resource === 'memory' ? 'BinarySI' : 'DecimalSI'),
})

async function resourceUse(
  { name, target: wanted }: { name: string; target: MetricTarget },
  target: ScaleTarget,
  { sources, container }: { sources: Sources; container: string | undefined },
): Promise<{ replicas: number; usage: Usage }> {
  const { averageValue, averageUtilization } = wanted
  if (averageValue === undefined && averageUtilization === undefined) {
    throw new Error(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  }
  try {
    const { namespace, selector } = target
    const metrics = await sources.metrics
      .ofPods(name, { namespace, selector, container })
      .catch((error: unknown) => {
        throw new Error(`unable to get metrics for resource ${name}: ${(error as Error).message}`)
      })
    const input = { ...target, current: target.wanted, metrics, resource: name }
    if (averageValue !== undefined) {
      const value = milli(averageValue)
      return replicasForPods({ ...input, measure: averageOf(value), assumed: () => value })
    }
    return utilizationUse(input, averageUtilization ?? 0, container)
  } catch (error) {
    const what = averageValue === undefined ? 'utilization' : 'usage'
    throw new Error(`failed to get ${name} ${what}: ${(error as Error).message}`, { cause: error })
  }
}

function utilizationUse(
  input: Omit<Parameters<typeof replicasForPods>[0], 'measure' | 'assumed'>,
  percent: number,
  container: string | undefined,
): { replicas: number; usage: Usage } {
  // Asked for only when there is something to compare with, so that the first fault is the one that is told.
  let requests: ReadonlyMap<string, number> | undefined
  const asked = (): ReadonlyMap<string, number> =>
    (requests ??= requestsOf(input.pods, input.resource, container))
  return replicasForPods({
    ...input,
    measure: (metrics) => utilizationOf(asked(), percent)(metrics),
    assumed: (pod) => Math.trunc(((asked().get(pod) ?? 0) * Math.max(100, percent)) / 100),
  })
}

function ofPods(
  source: PodsMetricSource,
  target: ScaleTarget,
  { metrics: client }: Sources,
): Promise<Proposal> {
  const { metric, target: wanted } = source
  const prefix = 'failed to get pods metric value'
  return orFault({ reason: 'FailedGetPodsMetric', prefix }, async () => {
    const { namespace, selector } = target
    const place = { namespace, selector, metricSelector: textOf(metric.selector) }
    const metrics = await client.custom(metric.name, place).catch((error: unknown) => {
      throw new Error(`unable to get metric ${metric.name}: ${(error as Error).message}`)
    })
    const value = milli(wanted.averageValue ?? '0')
    const input = { ...target, current: target.wanted, metrics, resource: '' }
    const { replicas, usage } = replicasForPods({ ...input, measure: averageOf(value), assumed: () => value })
    const status = { type: 'Pods', pods: { metric, current: { averageValue: shown(usage.average) } } }
    return { replicas, name: `pods metric ${metric.name}`, status }
  })
}

function ofObject(source: ObjectMetricSource, target: ScaleTarget, sources: Sources): Promise<Proposal> {
  const { metric, describedObject, target: wanted } = source
  const { averageValue, value, type } = wanted
  const isShare = type === 'AverageValue' && averageValue !== undefined
  const inner = isShare ? `failed to get ${metric.name} object metric: ` : ''
  const fault = { reason: 'FailedGetObjectMetric', prefix: 'failed to get object metric value', inner }
  return orFault(fault, async () => {
    const statusOf = (current: object): MetricStatus => ({
      type: 'Object',
      object: { describedObject, metric, current },
    })
    if (isShare) {
      const used = await objectValue(source, target, sources)
      const wantedShare = milli(averageValue)
      const { replicas, average } = replicasForShare(used, wantedShare, target.present, target.tolerances)
      return { replicas, name: externalName(metric), status: statusOf({ averageValue: shown(average) }) }
    }
    if (type === 'Value' && value !== undefined) {
      const used = await objectValue(source, target, sources)
      const replicas = replicasForValue(used, milli(value), { ...target, current: target.wanted })
      const name = `${describedObject.kind} metric ${metric.name}`
      return { replicas, name, status: statusOf({ value: shown(used) }) }
    }
    throw new Error(
      'invalid object metric source: neither a value target nor an average value target was set',
    )
  })
}

async function objectValue(
  { metric, describedObject }: ObjectMetricSource,
  { namespace }: ScaleTarget,
  sources: Sources,
): Promise<number> {
  const metricSelector = textOf(metric.selector)
  try {
    const object = await sources.resolve(describedObject)
    return await sources.metrics.ofObject(metric.name, object, { namespace, metricSelector })
  } catch (error) {
    const { kind, name } = describedObject
    throw new Error(
      `unable to get metric ${metric.name}: ${(error as Error).message} on ${kind} ${namespace}/${name}`,
      { cause: error },
    )
  }
}

function ofExternal(source: ExternalMetricSource, target: ScaleTarget, sources: Sources): Promise<Proposal> {
  const { metric } = source
  const { averageValue, value } = source.target
  const inner =
    averageValue !== undefined
      ? `failed to get ${metric.name} external metric: `
      : value !== undefined
        ? `failed to get external metric ${metric.name}: `
        : ''
  const prefix = `failed to get ${metric.name} external metric value`
  return orFault({ reason: 'FailedGetExternalMetric', prefix, inner }, async () => {
    const statusOf = (current: object): MetricStatus => ({ type: 'External', external: { metric, current } })
    const name = externalName(metric)
    if (averageValue !== undefined) {
      const used = await externalValue(source, target, sources)
      const { replicas, average } = replicasForShare(
        used,
        milli(averageValue),
        target.present,
        target.tolerances,
      )
      return { replicas, name, status: statusOf({ averageValue: shown(average) }) }
    }
    if (value !== undefined) {
      const used = await externalValue(source, target, sources)
      const replicas = replicasForValue(used, milli(value), { ...target, current: target.wanted })
      return { replicas, name, status: statusOf({ value: shown(used) }) }
    }
    throw new Error(
      'invalid external metric source: neither a value target nor an average value target was set',
    )
  })
}

async function externalValue(
  { metric }: ExternalMetricSource,
  { namespace }: ScaleTarget,
  { metrics }: Sources,
): Promise<number> {
  try {
    return totalOf(await metrics.external(metric.name, namespace, textOf(metric.selector)))
  } catch (error) {
    const what = `${namespace}/${metric.name}/${goText(metric.selector)}`
    throw new Error(`unable to get external metric ${what}: ${(error as Error).message}`, { cause: error })
  }
}

const textOf = (selector: LabelSelector | undefined): string => labelSelectorText(selectorOfObject(selector))

const externalName = ({ name, selector }: { name: string; selector?: LabelSelector | undefined }): string =>
  `external metric ${name}(${goText(selector)})`

/** As Go prints it, since events and messages carry it. */
function goText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`)
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}
