// Rules of autoscalers and disruption budgets.
// Follows pkg/apis/autoscaling/validation and pkg/apis/policy/validation.
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { pathSegmentErrors } from '../../machinery/validation.ts'
import { isIntOrPercent, isNotMoreThanAll } from './numbers.ts'
import { amountAt, isAmountOf, isContainerResourceName, isPositive } from './resources.ts'
import { onCreate, onUpdate } from './rules.ts'
import { POSITIVE, type Spot } from './spot.ts'

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
/** One hour, and half of it: upstream's bounds of the two windows. */
const MAX_STABILIZATION_SECONDS = 3600
const MAX_PERIOD_SECONDS = 1800

function reference(ref: Spot): void {
  ref.at('kind').neededAs(pathSegmentErrors)
  ref.at('name').neededAs(pathSegmentErrors)
}

function groupedReference(ref: Spot): void {
  reference(ref)
  const version = ref.at('apiVersion')
  const parsed = parseGroupVersion(version.text)
  if (!parsed) version.invalid(`unexpected GroupVersion string: ${version.text}`, version.text)
  else if (!parsed.group) version.invalid('apiVersion must specify API group', version.text)
}

const TARGETS = ['AverageValue', 'Utilization', 'Value']

function target(spot: Spot): void {
  spot.at('type').needed('must specify a metric target type')
  if (!TARGETS.includes(spot.at('type').text)) {
    spot.at('type').invalid('must be either Utilization, Value, or AverageValue', spot.at('type').text)
  }
  for (const name of ['value', 'averageValue']) if (amountAt(spot.at(name))) isPositive(spot.at(name))
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
const SOURCES: Readonly<Record<string, (source: Spot) => void>> = {
  object(source) {
    const spot = source.at('target')
    reference(source.at('describedObject'))
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

function metric(spot: Spot): void {
  const type = spot.at('type')
  type.needed('must specify a metric source type')
  const known = type.oneOf(METRIC_TYPES)
  const present = Object.keys(SOURCES).filter((name) => spot.at(name).isSet)
  const [first] = present
  if (first) SOURCES[first]?.(spot.at(first))
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

function autoscaler(object: Spot): void {
  const spec = object.at('spec')
  const [least, most] = [spec.at('minReplicas'), spec.at('maxReplicas')]
  least.atLeastIfSet(1, 'must be greater than or equal to 1')
  if (most.number === 0) most.required('must be set and greater than 0')
  else most.atLeast(1, 'must be greater than or equal to 1')
  if (least.isSet && most.number < least.number) {
    most.invalid('must be greater than or equal to `minReplicas`', most.number)
  }
  groupedReference(spec.at('scaleTargetRef'))
  const metrics = spec.at('metrics')
  for (const item of metrics.items()) metric(item)
  const fromOutside = metrics.items().some((item) => ['Object', 'External'].includes(item.at('type').text))
  if (least.isSet && least.number === 0 && !fromOutside) {
    metrics.forbidden(
      'must specify at least one Object or External metric to support scaling to zero replicas',
    )
  }
  scalingRules(spec.at('behavior').at('scaleUp'))
  scalingRules(spec.at('behavior').at('scaleDown'))
}

export const validateAutoscaler = onCreate(autoscaler)
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
  for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']) {
    object.at('status').at(name).atLeast(0)
  }
})
