// Rules of autoscalers and disruption budgets.
// Follows pkg/apis/autoscaling/validation and pkg/apis/policy/validation.
import { parseGroupVersion } from '../../machinery/gvk.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { pathSegmentErrors } from '../../machinery/validation.ts'
import { objectAt, objectsAt } from '../reading.ts'
import { isIntOrPercent, isNotMoreThanAll } from './numbers.ts'
import { conditions } from './conditions.ts'
import { amountAt, isAmountOf, isContainerResourceName, isPositive } from './resources.ts'
import { onCreate, onUpdate } from './rules.ts'
import { POSITIVE, type Spot } from './spot.ts'

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
/** One hour, and half of it: upstream's bounds of the two windows. */
const MAX_STABILIZATION_SECONDS = 3600
const MAX_PERIOD_SECONDS = 1800

/** What a reference's apiVersion may be; upstream's rules came late, so that what is stored may break them. */
interface VersionRules {
  readonly unchecked: boolean
  readonly mayBeCore: boolean
}

function reference(ref: Spot, rules: VersionRules): void {
  ref.at('kind').neededAs(pathSegmentErrors)
  ref.at('name').neededAs(pathSegmentErrors)
  const version = ref.at('apiVersion')
  const fault = rules.unchecked ? undefined : versionFault(version.text, rules.mayBeCore)
  if (fault !== undefined) version.invalid(fault, version.text)
}

function versionFault(text: string, mayBeCore: boolean): string | undefined {
  const parsed = parseGroupVersion(text)
  if (!parsed) return `unexpected GroupVersion string: ${text}`
  return parsed.group === '' && !mayBeCore ? 'apiVersion must specify API group' : undefined
}

/** ReplicationControllers are the one kind of the core group that scales; a target that stays is not asked again. */
function targetRules(target: Spot, old: KubeObject | undefined): VersionRules {
  const before = objectAt(objectAt(old?.['spec'])['scaleTargetRef'])
  const stays = ['apiVersion', 'kind'].every((name) => (before[name] ?? '') === target.at(name).text)
  const unchecked = old !== undefined && stays
  return { unchecked, mayBeCore: target.at('kind').text === 'ReplicationController' }
}

/** One described object whose version was wrong already lets all be wrong. */
function describedRules(old: KubeObject | undefined): VersionRules {
  const metrics = objectsAt(objectAt(old?.['spec'])['metrics']).filter(({ type }) => type === 'Object')
  const unchecked = metrics.some(({ object }) => {
    const { apiVersion } = objectAt(objectAt(object)['describedObject'])
    return versionFault(typeof apiVersion === 'string' ? apiVersion : '', true) !== undefined
  })
  return { unchecked, mayBeCore: true }
}

const TARGETS = ['AverageValue', 'Utilization', 'Value']

function target(spot: Spot): void {
  spot.at('type').needed('must specify a metric target type')
  if (!TARGETS.includes(spot.at('type').text)) {
    spot.at('type').invalid('must be either Utilization, Value, or AverageValue', spot.at('type').text)
  }
  for (const name of ['value', 'averageValue'])
    if (amountAt(spot.at(name))) isPositive(spot.at(name), 'must be positive')
  spot.at('averageUtilization').atLeastIfSet(1, 'must be greater than 0')
}

function metricName(metric: Spot): void {
  metric.at('name').neededAs(pathSegmentErrors, 'must specify a metric name')
}

function rawOrUtilization(spot: Spot): void {
  const [value, utilization] = [spot.at('averageValue'), spot.at('averageUtilization')]
  if (!value.isSet && !utilization.isSet) {
    utilization.required('must set either a target raw value or a target utilization')
  }
  if (value.isSet && utilization.isSet) {
    value.forbidden('may not set both a target raw value and a target utilization')
  }
}

/** By the name of the field that holds the source. */
const SOURCES: Readonly<Record<string, (source: Spot, described: VersionRules) => void>> = {
  object(source, described) {
    const spot = source.at('target')
    reference(source.at('describedObject'), described)
    metricName(source.at('metric'))
    target(spot)
    if (!spot.at('value').isSet && !spot.at('averageValue').isSet) {
      spot.at('averageValue').required('must set either a target value or averageValue')
    }
  },
  external(source) {
    const [value, average] = [source.at('target').at('value'), source.at('target').at('averageValue')]
    metricName(source.at('metric'))
    target(source.at('target'))
    if (!value.isSet && !average.isSet) {
      average.required('must set either a target value for metric or a per-pod target')
    }
    if (value.isSet && average.isSet) {
      value.forbidden('may not set both a target value for metric and a per-pod target')
    }
  },
  pods(source) {
    const average = source.at('target').at('averageValue')
    metricName(source.at('metric'))
    target(source.at('target'))
    if (!average.isSet) average.required('must specify a positive target averageValue')
  },
  resource(source) {
    source.at('name').needed('must specify a resource name')
    target(source.at('target'))
    rawOrUtilization(source.at('target'))
  },
  containerResource(source) {
    const name = source.at('name')
    if (name.needed('must specify a resource name')) isContainerResourceName(name, name.text)
    if (source.at('container').needed('must specify a container')) source.at('container').isLabelName()
    target(source.at('target'))
    rawOrUtilization(source.at('target'))
  },
}

function metric(spot: Spot, described: VersionRules): void {
  const type = spot.at('type')
  type.needed('must specify a metric source type')
  const known = type.oneOf(METRIC_TYPES)
  const present = Object.keys(SOURCES).filter((name) => spot.at(name).isSet)
  const [first] = present
  if (first) SOURCES[first]?.(spot.at(first), described)
  const own = type.text.charAt(0).toLowerCase() + type.text.slice(1)
  if (!known) type.notSupported(METRIC_TYPES)
  else if (!spot.at(own).isSet) spot.at(own).required('must populate information for the given metric source')
  if (present.length === 1) return
  for (const name of present) {
    if (name !== own) spot.at(name).forbidden('must populate the given metric source only')
  }
}

function scalingRules(rules: Spot): void {
  if (!rules.isSet) return
  const window = rules.at('stabilizationWindowSeconds')
  window.atLeast(0, 'must be greater than or equal to zero')
  if (window.number > MAX_STABILIZATION_SECONDS) {
    window.invalid(`must be less than or equal to ${MAX_STABILIZATION_SECONDS}`)
  }
  rules.at('selectPolicy').oneOfIfSet(['Disabled', 'Max', 'Min'])
  rules.at('policies').needed('must specify at least one Policy')
  for (const policy of rules.itemsOf('policies')) {
    const period = policy.at('periodSeconds')
    policy.at('type').oneOf(['Percent', 'Pods'])
    policy.at('value').atLeast(1, POSITIVE)
    period.atLeast(1, POSITIVE)
    if (period.number > MAX_PERIOD_SECONDS)
      period.invalid(`must be less than or equal to ${MAX_PERIOD_SECONDS}`)
  }
  isAmountOf(rules.at('tolerance'), '')
}

function autoscaler(object: Spot, old?: KubeObject): void {
  const spec = object.at('spec')
  const [least, most] = [spec.at('minReplicas'), spec.at('maxReplicas')]
  // Zero is behind a feature gate that is off; who has it may keep it.
  const bound = objectAt(old?.['spec'])['minReplicas'] === 0 ? 0 : 1
  least.atLeastIfSet(bound, `must be greater than or equal to ${bound}`)
  if (most.number === 0) most.required('must be set and greater than 0')
  else most.atLeast(1, 'must be greater than or equal to 1')
  if (least.isSet && most.number < least.number) {
    most.invalid('must be greater than or equal to `minReplicas`', most.exact)
  }
  reference(spec.at('scaleTargetRef'), targetRules(spec.at('scaleTargetRef'), old))
  const metrics = spec.at('metrics')
  const described = describedRules(old)
  for (const item of metrics.items()) metric(item, described)
  const fromOutside = metrics.items().some((item) => ['Object', 'External'].includes(item.at('type').text))
  if (least.isSet && least.number === 0 && !fromOutside) {
    metrics.forbidden(
      'must specify at least one Object or External metric to support scaling to zero replicas',
    )
  }
  scalingRules(spec.at('behavior').at('scaleUp'))
  scalingRules(spec.at('behavior').at('scaleDown'))
}

export const validateAutoscaler = onCreate((object) => autoscaler(object))
export const validateAutoscalerUpdate = onUpdate(autoscaler, (object) => {
  object.at('status').at('currentReplicas').atLeast(0)
  object.at('status').at('desiredReplicas').atLeast(0)
})

function budget(object: Spot): void {
  const spec = object.at('spec')
  const [least, most] = [spec.at('minAvailable'), spec.at('maxUnavailable')]
  if (least.isSet && most.isSet) {
    spec.invalid('minAvailable and maxUnavailable cannot be both set', {
      MinAvailable: least.value,
      Selector: spec.at('selector').value ?? null,
      MaxUnavailable: most.value,
      UnhealthyPodEvictionPolicy: spec.at('unhealthyPodEvictionPolicy').value ?? null,
    })
  }
  for (const spot of [least, most]) {
    isIntOrPercent(spot)
    isNotMoreThanAll(spot)
  }
  spec.at('selector').isSelector()
  spec.at('unhealthyPodEvictionPolicy').oneOfIfSet(['AlwaysAllow', 'IfHealthyBudget'])
}

export const validateBudget = onCreate(budget)
export const validateBudgetUpdate = onUpdate(budget, (object) => {
  conditions(object.at('status').at('conditions'))
  for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']) {
    object.at('status').at(name).atLeast(0)
  }
})
