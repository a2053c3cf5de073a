// Defaults of autoscaling and policy. Follows k8s.io/kubernetes/pkg/apis/{autoscaling,policy}.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { isEmpty } from './core.ts'
import { type GroupDefaults, type Rules, structAt, structIn, structsIn } from './rules.ts'

/** What an autoscaler aims at when nobody says. */
const CPU_PERCENT = 80
const PERIOD_SECONDS = 15
const SCALE_UP_PODS = 4
const SCALE_PERCENT = 100

/** How metrics of newer versions travel in objects of autoscaling/v1; no version but v1 may show them. */
const ROUND_TRIP_ANNOTATIONS = ['metrics', 'behavior', 'current-metrics', 'conditions'].map(
  (what) => `autoscaling.alpha.kubernetes.io/${what}`,
)

export const AUTOSCALING: GroupDefaults = {
  'v1/HorizontalPodAutoscaler': () => ({
    embedded: { spec: { absent: { minReplicas: 1 } } },
    last: (scaler) => {
      const spec = structIn(scaler, 'spec')
      if (!hasMetricsInAnnotation(scaler)) spec.targetCPUUtilizationPercentage ??= CPU_PERCENT
    },
  }),
  'v2/HorizontalPodAutoscaler': () => ({
    embedded: {
      spec: {
        first: (spec) => {
          if (structsIn(spec, 'metrics').length === 0) spec.metrics = [cpuMetric()]
        },
        absent: { minReplicas: 1 },
        present: { behavior: BEHAVIOR },
      },
      metadata: { last: dropRoundTrip },
    },
  }),
}

const BEHAVIOR: Rules = {
  embedded: {
    scaleUp: {
      absent: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: scaleUpPolicies },
    },
    scaleDown: { absent: { selectPolicy: 'Max', policies: () => [percentPolicy()] } },
  },
}

const percentPolicy = (): JsonObject => ({
  type: 'Percent',
  value: SCALE_PERCENT,
  periodSeconds: PERIOD_SECONDS,
})

function scaleUpPolicies(): Json {
  return [{ type: 'Pods', value: SCALE_UP_PODS, periodSeconds: PERIOD_SECONDS }, percentPolicy()]
}

function cpuMetric(): JsonObject {
  const target = { type: 'Utilization', averageUtilization: CPU_PERCENT }
  return { type: 'Resource', resource: { name: 'cpu', target } }
}

function hasMetricsInAnnotation(scaler: JsonObject): boolean {
  const annotations = structAt(structIn(scaler, 'metadata'), 'annotations')
  const text = annotations?.[ROUND_TRIP_ANNOTATIONS[0] as string]
  if (typeof text !== 'string') return false
  try {
    const metrics: unknown = JSON.parse(text)
    return Array.isArray(metrics) && metrics.length > 0
  } catch {
    return false
  }
}

function dropRoundTrip(metadata: JsonObject): void {
  const annotations = structAt(metadata, 'annotations')
  if (!annotations) return
  for (const key of ROUND_TRIP_ANNOTATIONS) delete annotations[key]
  if (isEmpty(annotations)) delete metadata.annotations
}

/** A key with which policy/v1beta1 told "all" from "none"; v1 keeps it only in exactly those two forms. */
const MATCH_ALL_LABEL = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match'

export const POLICY: GroupDefaults = {
  'v1/PodDisruptionBudget': () => ({ embedded: { spec: { present: { selector: { first: stripMarker } } } } }),
}

function stripMarker(selector: JsonObject): void {
  const expressions = structsIn(selector, 'matchExpressions')
  const marked = expressions.some((expression) => expression.key === MATCH_ALL_LABEL)
  if (!marked || (expressions.length === 1 && isMarkerAlone(selector, expressions[0] as JsonObject))) return
  selector.matchExpressions = expressions.filter((expression) => expression.key !== MATCH_ALL_LABEL)
  if (selector.matchExpressions.length === 0) delete selector.matchExpressions
}

function isMarkerAlone(selector: JsonObject, expression: JsonObject): boolean {
  const bare =
    isEmpty(selector.matchLabels) && !(Array.isArray(expression.values) && expression.values.length)
  return bare && expression.operator === 'Exists'
}
