// How many replicas bring a metric to its target. Follows k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go
// and metrics/utilization.go.
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { isPodReady, podCondition } from '../../client/podstate.ts'
import type { PodMetric, PodMetrics } from './metrics.ts'

const MAX_INT32 = 2 ** 31 - 1
const MAX_INT64 = Number(2n ** 63n - 1n)

/** How far from the target a metric may be before anything is done, as parts of one. */
export interface Tolerances {
  readonly down: number
  readonly up: number
}

export interface ReadinessOptions {
  /** ms since 1970 */
  readonly now: number
  /** How long the use of CPU by a pod that starts is not believed. */
  readonly cpuInitializationMs: number
  /** How long after its start a pod that was never ready may have become unready. */
  readonly readinessDelayMs: number
}

export interface PodGroups {
  readonly ready: number
  readonly unready: readonly string[]
  /** Without a metric. */
  readonly missing: readonly string[]
  readonly ignored: readonly string[]
}

/** Which pods count. Of CPU, pods that start are left out: it is the start that uses it. */
export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  resource: string,
  options: ReadinessOptions,
): PodGroups {
  const groups = { unready: [] as string[], missing: [] as string[], ignored: [] as string[] }
  let ready = 0
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata
    const metric = metrics.get(name)
    if (deletionTimestamp !== undefined || pod.status.phase === 'Failed') groups.ignored.push(name)
    else if (pod.status.phase === 'Pending') groups.unready.push(name)
    else if (!metric) groups.missing.push(name)
    else if (resource === 'cpu' && isStarting(pod, metric, options)) groups.unready.push(name)
    else ready++
  }
  return { ready, ...groups }
}

function isStarting(pod: Pod, metric: PodMetric, options: ReadinessOptions): boolean {
  const condition = podCondition(pod, 'Ready')
  if (!condition || pod.status.startTime === undefined) return true
  const started = Date.parse(pod.status.startTime)
  const changed = Date.parse(condition.lastTransitionTime ?? '')
  const isUnready = condition.status === 'False'
  if (started + options.cpuInitializationMs > options.now)
    return isUnready || metric.at < changed + metric.windowMs
  return isUnready && started + options.readinessDelayMs > changed
}

export interface Usage {
  /** Of the target: 1 is the target. */
  readonly ratio: number
  /** What the status shows; in thousandths. */
  readonly average: number
  /** In percent of what was requested. */
  readonly utilization?: number
}

export interface PodsInput {
  readonly current: number
  readonly pods: readonly Pod[]
  readonly metrics: PodMetrics
  /** "cpu"; empty for metrics that are no resource. */
  readonly resource: string
  readonly tolerances: Tolerances
  readonly readiness: ReadinessOptions
  measure(metrics: PodMetrics): Usage
  /** What a pod without a metric is taken to use when the others use little. */
  assumed(pod: string): number
}

/** Throws an Error in upstream's words where nothing can be told. */
export function replicasForPods(input: PodsInput): { replicas: number; usage: Usage } {
  const { current, pods, resource, tolerances, measure } = input
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  const groups = groupPods(pods, input.metrics, resource, input.readiness)
  const metrics = new Map(input.metrics)
  for (const name of [...groups.ignored, ...groups.unready]) metrics.delete(name)
  if (metrics.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  const usage = measure(metrics)
  const scalesUpWithUnready = groups.unready.length > 0 && usage.ratio > 1
  if (!scalesUpWithUnready && groups.missing.length === 0) {
    const replicas = isWithin(tolerances, usage.ratio) ? current : ceil(usage.ratio * groups.ready)
    return { replicas, usage }
  }
  const zero = { value: 0, at: 0, windowMs: 0 }
  for (const name of usage.ratio === 1 ? [] : groups.missing)
    metrics.set(name, usage.ratio > 1 ? zero : { ...zero, value: input.assumed(name) })
  for (const name of scalesUpWithUnready ? groups.unready : []) metrics.set(name, zero)
  return { replicas: careful(input, usage.ratio, measure(metrics).ratio, metrics.size), usage }
}

/** Guesses about pods must not turn the direction. */
function careful({ current, tolerances }: PodsInput, before: number, ratio: number, counted: number): number {
  if (isWithin(tolerances, ratio) || (before < 1 && ratio > 1) || (before > 1 && ratio < 1)) return current
  const replicas = ceil(ratio * counted)
  return (ratio < 1 && replicas > current) || (ratio > 1 && replicas < current) ? current : replicas
}

const isWithin = ({ down, up }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up

const ceil = (count: number): number => Math.min(Math.ceil(count), MAX_INT32)

const sum = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return Math.min(total, MAX_INT64)
}

/** The average, and how it is to a target, both in thousandths. */
export const averageOf =
  (target: number) =>
  (metrics: PodMetrics): Usage => {
    const average = Math.trunc(sum([...metrics.values()].map(({ value }) => value)) / metrics.size)
    return { ratio: average / target, average }
  }

/** The use as percent of what pods request (in thousandths, by name), and how that is to a target in percent. */
export const utilizationOf =
  (requests: ReadonlyMap<string, number>, target: number) =>
  (metrics: PodMetrics): Usage => {
    const known = [...metrics].filter(([name]) => requests.has(name))
    const requested = sum(known.map(([name]) => requests.get(name) ?? 0))
    if (requested === 0) throw new Error('no metrics returned matched known pods')
    const used = sum(known.map(([, { value }]) => value))
    const utilization = Math.trunc((used * 100) / requested)
    return { ratio: utilization / target, average: Math.trunc(used / known.length), utilization }
  }

/** For a metric of something else whose value is to be `target`: as many more as it is over it. */
export function replicasForValue(
  value: number,
  target: number,
  { current, pods, tolerances }: Pick<PodsInput, 'current' | 'pods' | 'tolerances'>,
): number {
  const ratio = value / target
  if (current === 0) return ceil(ratio)
  if (isWithin(tolerances, ratio)) return current
  if (pods.length === 0)
    throw new Error(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    )
  return ceil(ratio * pods.filter((pod) => pod.status.phase === 'Running' && isPodReady(pod)).length)
}

/** For a metric of something else of which each pod is to have `target`. `average` is what each has now. */
export function replicasForShare(
  value: number,
  target: number,
  current: number,
  tolerances: Tolerances,
): { replicas: number; average: number } {
  const replicas = isWithin(tolerances, value / (target * current)) ? current : ceil(value / target)
  const average = value >= MAX_INT64 || current === 0 ? MAX_INT64 : Math.ceil(value / current)
  return { replicas, average }
}

/** Values that add up, held at the end of int64. */
export const totalOf = (values: readonly number[]): number => sum(values)
