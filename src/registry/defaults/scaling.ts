// Defaults of autoscaling and policy. Follows k8s.io/kubernetes/pkg/apis/{autoscaling,policy}.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { isEmpty } from './core.ts'
import { type GroupDefaults, type Rules, structAt, structIn, structsIn } from './rules.ts'

/** What an autoscaler aims at when nobody says. */
const CPU_PERCENT = 80
const PERIOD_SECONDS = 15
const SCALE_UP_PODS = 4
const SCALE_PERCENT = 100

const ANNOTATION = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${ANNOTATION}metrics`
/** How what newer versions can say travels in objects of autoscaling/v1; no other version shows these. */
const ROUND_TRIP = [
  METRICS,
  `${ANNOTATION}behavior`,
  `${ANNOTATION}current-metrics`,
  `${ANNOTATION}conditions`,
]

export const AUTOSCALING: GroupDefaults = {
  'v1/HorizontalPodAutoscaler': () => ({
    embedded: { spec: { absent: { minReplicas: 1 } } },
    last: (scaler) => {
      const metadata = structIn(scaler, 'metadata')
      dropAnnotations(metadata, (text) => !saysSomething(text))
      const metrics = structAt(metadata, 'annotations')?.[METRICS]
      if (metrics === undefined) structIn(scaler, 'spec').targetCPUUtilizationPercentage ??= CPU_PERCENT
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
      metadata: { last: (metadata) => dropAnnotations(metadata, () => true) },
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

/** True for the JSON of a list or an object that is not empty: all else is lost on the way through the hub. */
function saysSomething(text: unknown): boolean {
  try {
    const value: unknown = JSON.parse(String(text))
    return typeof value === 'object' && value !== null && Object.keys(value).length > 0
  } catch {
    return false
  }
}

function dropAnnotations(metadata: JsonObject, drops: (text: unknown) => boolean): void {
  const annotations = structAt(metadata, 'annotations')
  if (!annotations) return
  for (const key of ROUND_TRIP)
    if (Object.hasOwn(annotations, key) && drops(annotations[key])) delete annotations[key]
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
