// The metrics of a HorizontalPodAutoscaler as autoscaling/v1 keeps them in annotations, and as autoscaling/v2 says
// them. Called by autoscaling.ts. Follows kubernetes/pkg/apis/autoscaling/v1/conversion.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

const ZERO = '0'

const part = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}

const set = (value: Json | undefined): boolean => value !== undefined && value !== null

/** Leaves out what is not there. */
function fields(all: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => set(value)))
}

type Source = (source: JsonObject) => JsonObject

/** Each source of a metric that has one, changed; the type stays. */
function eachSource(metric: JsonObject, sources: Readonly<Record<string, Source>>): JsonObject {
  const result: JsonObject = fields({ type: metric.type })
  for (const [name, change] of Object.entries(sources)) {
    const source = metric[name]
    if (isObject(source)) result[name] = change(source)
  }
  return result
}

const identifier = (name: Json | undefined, selector: Json | undefined): JsonObject =>
  fields({ name, selector })

// ---- what is wanted

const SPEC_TO_V1: Readonly<Record<string, Source>> = {
  object: (s) => {
    const { value, averageValue } = part(s, 'target')
    const { name, selector } = part(s, 'metric')
    const target = s.describedObject
    return fields({ target, metricName: name, targetValue: value ?? ZERO, selector, averageValue })
  },
  pods: (s) => {
    const { name, selector } = part(s, 'metric')
    const { averageValue } = part(s, 'target')
    return fields({ metricName: name, targetAverageValue: averageValue ?? ZERO, selector })
  },
  resource: resourceSpecToV1,
  containerResource: resourceSpecToV1,
  external: (s) => {
    const { name, selector } = part(s, 'metric')
    const { value, averageValue } = part(s, 'target')
    return fields({
      metricName: name,
      metricSelector: selector,
      targetValue: value,
      targetAverageValue: averageValue,
    })
  },
}

function resourceSpecToV1(source: JsonObject): JsonObject {
  const { averageUtilization, averageValue } = part(source, 'target')
  const { name, container } = source
  return fields({
    name,
    targetAverageUtilization: averageUtilization,
    targetAverageValue: averageValue,
    container,
  })
}

const SPEC_TO_V2: Readonly<Record<string, Source>> = {
  object: (s) => {
    const average = set(s.averageValue)
    // v1 cannot leave the value out; beside an average, zero means none.
    const value = average && s.targetValue === ZERO ? undefined : (s.targetValue ?? ZERO)
    const type = average ? 'AverageValue' : 'Value'
    return fields({
      describedObject: s.target,
      target: fields({ type, value, averageValue: s.averageValue }),
      metric: identifier(s.metricName, s.selector),
    })
  },
  pods: (s) => ({
    metric: identifier(s.metricName, s.selector),
    target: { type: 'AverageValue', averageValue: s.targetAverageValue ?? ZERO },
  }),
  resource: resourceSpecToV2,
  containerResource: resourceSpecToV2,
  external: (s) => ({
    metric: identifier(s.metricName, s.metricSelector),
    target: fields({
      type: set(s.targetValue) ? 'Value' : 'AverageValue',
      value: s.targetValue,
      averageValue: s.targetAverageValue,
    }),
  }),
}

function resourceSpecToV2(source: JsonObject): JsonObject {
  const { name, container, targetAverageUtilization, targetAverageValue } = source
  const target = fields({
    type: set(targetAverageUtilization) ? 'Utilization' : 'AverageValue',
    averageValue: targetAverageValue,
    averageUtilization: targetAverageUtilization,
  })
  return fields({ name, target, container })
}

// ---- what is

const STATUS_TO_V1: Readonly<Record<string, Source>> = {
  object: (s) => {
    const { value, averageValue } = part(s, 'current')
    const { name, selector } = part(s, 'metric')
    const target = s.describedObject
    return fields({ target, metricName: name, currentValue: value ?? ZERO, selector, averageValue })
  },
  pods: (s) => {
    const { name, selector } = part(s, 'metric')
    const { averageValue } = part(s, 'current')
    return fields({ metricName: name, currentAverageValue: averageValue ?? ZERO, selector })
  },
  resource: resourceStatusToV1,
  containerResource: resourceStatusToV1,
  external: (s) => {
    const { name, selector } = part(s, 'metric')
    const { value, averageValue } = part(s, 'current')
    return fields({
      metricName: name,
      metricSelector: selector,
      currentValue: value ?? ZERO,
      currentAverageValue: averageValue,
    })
  },
}

function resourceStatusToV1(source: JsonObject): JsonObject {
  const { averageUtilization, averageValue } = part(source, 'current')
  const { name, container } = source
  return fields({
    name,
    currentAverageUtilization: averageUtilization,
    currentAverageValue: averageValue ?? ZERO,
    container,
  })
}

const STATUS_TO_V2: Readonly<Record<string, Source>> = {
  object: (s) =>
    fields({
      metric: identifier(s.metricName, s.selector),
      current: fields({ value: s.currentValue ?? ZERO, averageValue: s.averageValue }),
      describedObject: s.target,
    }),
  pods: (s) => ({
    metric: identifier(s.metricName, s.selector),
    current: { averageValue: s.currentAverageValue ?? ZERO },
  }),
  resource: resourceStatusToV2,
  containerResource: resourceStatusToV2,
  external: (s) => ({
    metric: identifier(s.metricName, s.metricSelector),
    current: fields({ value: s.currentValue ?? ZERO, averageValue: s.currentAverageValue }),
  }),
}

function resourceStatusToV2(source: JsonObject): JsonObject {
  const { name, container, currentAverageUtilization, currentAverageValue } = source
  const current = fields({
    averageValue: currentAverageValue ?? ZERO,
    averageUtilization: currentAverageUtilization,
  })
  return fields({ name, current, container })
}

/** A metric of `spec.metrics` of v2 as v1's annotation has it. */
export const metricSpecToV1 = (metric: JsonObject): JsonObject => eachSource(metric, SPEC_TO_V1)
/** The way back. */
export const metricSpecToV2 = (metric: JsonObject): JsonObject => eachSource(metric, SPEC_TO_V2)
/** A metric of `status.currentMetrics` of v2 as v1's annotation has it. */
export const metricStatusToV1 = (metric: JsonObject): JsonObject => eachSource(metric, STATUS_TO_V1)
/** The way back. */
export const metricStatusToV2 = (metric: JsonObject): JsonObject => eachSource(metric, STATUS_TO_V2)
