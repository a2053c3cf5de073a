// Rows of autoscaling: HorizontalPodAutoscalers with their metrics, and Scale.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import type { JsonObject } from '../../machinery/json.ts'
import { age, count, nameOf, part, parts, type Printer, type Printers, quantity, text } from './cells.ts'

/** Metrics shown before "+ n more...". */
const MAX_METRICS = 2
const UNKNOWN = '<unknown>'

const present = (object: JsonObject, key: string): boolean =>
  object[key] !== undefined && object[key] !== null

/** What Go prints for a quantity that is not there. */
const orNil = (object: JsonObject, key: string): string => quantity(object, key, '<nil>')

/** One current value: "<unknown>" without a status for the metric. */
function currentOf(status: JsonObject | undefined, source: string, key: string): string {
  if (status === undefined || !present(status, source)) return UNKNOWN
  return orNil(part(part(status, source), 'current'), key)
}

/** Metrics of objects and of what is outside the cluster: an average, or a value. */
function valueMetric(spec: JsonObject, status: JsonObject | undefined, source: string): string {
  const target = part(part(spec, source), 'target')
  if (!present(target, 'averageValue'))
    return `${currentOf(status, source, 'value')}/${orNil(target, 'value')}`
  const current = currentOf(status, source, 'averageValue')
  return `${current === '<nil>' ? UNKNOWN : current}/${orNil(target, 'averageValue')} (avg)`
}

const percent = (object: JsonObject, key: string, absent: string): string =>
  typeof object[key] === 'number' ? `${object[key]}%` : absent

/** Metrics of resources, of the pod or of one container: an average amount, or a utilisation. */
function resourceMetric(spec: JsonObject, status: JsonObject | undefined, source: string): string {
  const wanted = part(spec, source)
  const target = part(wanted, 'target')
  const name = text(wanted, 'name')
  if (present(target, 'averageValue')) {
    return `${name}: ${currentOf(status, source, 'averageValue')}/${orNil(target, 'averageValue')}`
  }
  const current = part(part(status ?? {}, source), 'current')
  const utilisation = percent(current, 'averageUtilization', UNKNOWN)
  return `${name}: ${utilisation}/${percent(target, 'averageUtilization', '<auto>')}`
}

function metricText(spec: JsonObject, status: JsonObject | undefined): string {
  switch (spec.type) {
    case 'External':
      return valueMetric(spec, status, 'external')
    case 'Object':
      return valueMetric(spec, status, 'object')
    case 'Pods':
      return `${currentOf(status, 'pods', 'averageValue')}/${orNil(part(part(spec, 'pods'), 'target'), 'averageValue')}`
    case 'Resource':
      return resourceMetric(spec, status, 'resource')
    case 'ContainerResource':
      return resourceMetric(spec, status, 'containerResource')
    default:
      return '<unknown type>'
  }
}

function metricsText(specs: readonly JsonObject[], statuses: readonly JsonObject[]): string {
  if (specs.length === 0) return '<none>'
  const list = specs.map((spec, i) => metricText(spec, statuses[i]))
  const shown = list.slice(0, MAX_METRICS).join(', ')
  return list.length > MAX_METRICS ? `${shown} + ${list.length - MAX_METRICS} more...` : shown
}

export const autoscaling: Printers = {
  horizontalpodautoscalers: {
    reads: 'autoscaling/v2',
    cells: (object, now) => {
      const spec = part(object, 'spec')
      const status = part(object, 'status')
      const target = part(spec, 'scaleTargetRef')
      return [
        nameOf(object),
        `${text(target, 'kind')}/${text(target, 'name')}`,
        metricsText(parts(spec, 'metrics'), parts(status, 'currentMetrics')),
        typeof spec.minReplicas === 'number' ? String(spec.minReplicas) : '<unset>',
        count(spec, 'maxReplicas'),
        count(status, 'currentReplicas'),
        age(object, now),
      ]
    },
  },
}

/** The Scale subresource of any kind. */
export const scale: Printer = {
  cells: (o, now) => [
    nameOf(o),
    count(part(o, 'spec'), 'replicas'),
    count(part(o, 'status'), 'replicas'),
    age(o, now),
  ],
}
