// HorizontalPodAutoscalers of autoscaling/v1: one CPU target in the spec, and all else that v2 (which is stored) can
// say in annotations. Follows kubernetes/pkg/apis/autoscaling/v1/conversion.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { decoderFor, normalise } from '../decode.ts'
import { escapeHtml } from '../json/json.ts'
import type { StructType } from '../type.ts'
import { typeOf } from '../types.ts'
import { metricSpecToV1, metricSpecToV2, metricStatusToV1, metricStatusToV2 } from './metrics.ts'
import type { Shape } from './shape.ts'

const PREFIX = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${PREFIX}metrics`
const CURRENT_METRICS = `${PREFIX}current-metrics`
const CONDITIONS = `${PREFIX}conditions`
const BEHAVIOR = `${PREFIX}behavior`
/** Written by older releases; dropped like the others. */
const TOLERANCES = [`${PREFIX}scale-down-tolerance`, `${PREFIX}scale-up-tolerance`]
const OURS = [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR, ...TOLERANCES]

/** What an autoscaler without metrics aims for. */
const DEFAULT_CPU_UTILIZATION = 80

const v1Type = (name: string): StructType => typeOf(`io.k8s.api.autoscaling.v1.${name}`) as StructType
const v2Type = (name: string): StructType => typeOf(`io.k8s.api.autoscaling.v2.${name}`) as StructType

const part = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}
const parts = (object: JsonObject, key: string): JsonObject[] => {
  const value = object[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

const absent = (value: unknown): boolean => value === undefined || value === null

const isCpu = (metric: JsonObject): boolean =>
  metric.type === 'Resource' && part(metric, 'resource').name === 'cpu'

/** The CPU utilisation that a metric aims for, or has; undefined for metrics of something else. */
function cpuUtilization(metric: JsonObject, key: 'target' | 'current'): Json | undefined {
  if (!isCpu(metric)) return undefined
  const { averageUtilization } = part(part(metric, 'resource'), key)
  return absent(averageUtilization) ? undefined : averageUtilization
}

function withoutOurs(object: KubeObject): Record<string, string> {
  const kept = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !OURS.includes(key))
  return Object.fromEntries(kept)
}

function withAnnotations(object: KubeObject, annotations: Record<string, string>): KubeObject {
  const { annotations: _, ...metadata } = object.metadata
  const some = Object.keys(annotations).length > 0
  return { ...object, metadata: some ? { ...metadata, annotations } : metadata }
}

// ---- to v1

/** As Go writes it: in the struct's order, with its escapes. */
function textOf(list: readonly JsonObject[], type: StructType): string {
  return escapeHtml(JSON.stringify(list.map((item) => normalise(item, type))))
}

const upper = (key: string): string => (key[0] as string).toUpperCase() + key.slice(1)

/** Upstream writes its internal struct here: Go's names, and null for what is not set. */
function rulesText(rules: Json | undefined): Json {
  if (!isObject(rules)) return null
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies: Array.isArray(rules.policies)
      ? parts(rules, 'policies').map((policy) =>
          Object.fromEntries(Object.entries(policy).map(([key, value]) => [upper(key), value])),
        )
      : null,
    Tolerance: rules.tolerance ?? null,
  }
}

function behaviorText(behavior: JsonObject): string {
  const { scaleUp, scaleDown } = behavior
  return escapeHtml(JSON.stringify({ ScaleUp: rulesText(scaleUp), ScaleDown: rulesText(scaleDown) }))
}

function annotationsFor(object: KubeObject): Record<string, string> {
  const { behavior } = part(object, 'spec')
  const status = part(object, 'status')
  const annotations = withoutOurs(object)
  const others = parts(part(object, 'spec'), 'metrics').filter(
    (m) => cpuUtilization(m, 'target') === undefined,
  )
  const current = parts(status, 'currentMetrics')
  const conditions = parts(status, 'conditions')
  if (others.length > 0) annotations[METRICS] = textOf(others.map(metricSpecToV1), v1Type('MetricSpec'))
  if (current.length > 0) {
    annotations[CURRENT_METRICS] = textOf(current.map(metricStatusToV1), v1Type('MetricStatus'))
  }
  if (isObject(behavior)) annotations[BEHAVIOR] = behaviorText(behavior)
  if (conditions.length > 0) {
    annotations[CONDITIONS] = textOf(conditions, v1Type('HorizontalPodAutoscalerCondition'))
  }
  return annotations
}

function toV1(object: KubeObject): KubeObject {
  const { metrics: _, behavior: __, ...spec } = part(object, 'spec')
  const { currentMetrics: ___, conditions: ____, ...status } = part(object, 'status')
  const aims = parts(part(object, 'spec'), 'metrics').map((m) => cpuUtilization(m, 'target'))
  const uses = parts(part(object, 'status'), 'currentMetrics').map((m) => cpuUtilization(m, 'current'))
  const target = aims.find((value) => value !== undefined)
  const current = uses.findLast((value) => value !== undefined)
  if (target !== undefined) spec.targetCPUUtilizationPercentage = target
  if (current !== undefined) status.currentCPUUtilizationPercentage = current
  return { ...withAnnotations(object, annotationsFor(object)), spec, status }
}

// ---- from v1

/** The list in an annotation; undefined where there is none, or none that the type allows: then it counts for nothing. */
function listIn(text: string | undefined, type: StructType): JsonObject[] | undefined {
  if (text === undefined) return undefined
  try {
    const list = JSON.parse(text) as unknown
    if (list === null) return []
    if (!Array.isArray(list)) return undefined
    const decode = decoderFor(type)
    return list.map((item: Json) => decode(item ?? {}).object)
  } catch {
    return undefined
  }
}

const BEHAVIOR_FIELDS = new Map(
  [
    ...['scaleUp', 'scaleDown', 'stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance'],
    ...['type', 'value', 'periodSeconds'],
  ].map((name) => [name.toLowerCase(), name]),
)

/** Go finds the fields of its struct whatever the case, and leaves the others. */
function known(value: Json): Json {
  if (Array.isArray(value)) return value.map(known)
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const [key, item] of Object.entries(value)) {
    const name = BEHAVIOR_FIELDS.get(key.toLowerCase())
    if (name !== undefined && item !== undefined) result[name] = known(item)
  }
  return result
}

function behaviorIn(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined
  try {
    const decode = decoderFor(v2Type('HorizontalPodAutoscalerBehavior'))
    const behavior = decode(known(JSON.parse(text) as Json)).object
    return Object.keys(behavior).length > 0 ? behavior : undefined
  } catch {
    return undefined
  }
}

const cpuMetric = (key: 'target' | 'current', utilization: Json): JsonObject => ({
  type: 'Resource',
  resource: {
    name: 'cpu',
    [key]: { ...(key === 'target' ? { type: 'Utilization' } : {}), averageUtilization: utilization },
  },
})

function toV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = part(object, 'spec')
  const { currentCPUUtilizationPercentage: current, ...status } = part(object, 'status')
  const annotations = object.metadata.annotations ?? {}
  const text = (key: string): string | undefined =>
    Object.hasOwn(annotations, key) ? annotations[key] : undefined
  const others = listIn(text(METRICS), v1Type('MetricSpec'))?.map(metricSpecToV2) ?? []
  const metrics = absent(target) ? others : [...others, cpuMetric('target', target as Json)]
  const behavior = behaviorIn(text(BEHAVIOR))
  const statuses = listIn(text(CURRENT_METRICS), v1Type('MetricStatus'))?.map(metricStatusToV2)
  const conditions = listIn(text(CONDITIONS), v1Type('HorizontalPodAutoscalerCondition'))
  const currentMetrics = statuses ?? (absent(current) ? undefined : [cpuMetric('current', current as Json)])
  return {
    ...withAnnotations(object, withoutOurs(object)),
    spec: {
      ...spec,
      metrics: metrics.length > 0 ? metrics : [cpuMetric('target', DEFAULT_CPU_UTILIZATION)],
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...status,
      ...(currentMetrics === undefined ? {} : { currentMetrics }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  }
}

export const autoscalerV1: Shape = { toHub: toV2, fromHub: toV1 }
