// How nodes are compared by what is left of their resources, as a configuration says it.
// Follows k8s.io/kubernetes/pkg/scheduler/apis/config/types_pluginargs.go (ScoringStrategy).
import { cause, type StatusCause } from '../../machinery/status.ts'
import { Fields } from './fields.ts'

export interface ResourceWeight {
  readonly name: string
  readonly weight: number
}

/** At this use in percent, this score, from 0 to 10; between two points along the line. */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources: readonly ResourceWeight[]
  /** Of RequestedToCapacityRatio alone. */
  readonly shape: readonly ShapePoint[]
}

const TYPES = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const
/** The best score of a shape. */
export const MAX_SHAPE_SCORE = 10
const MAX_WEIGHT = 100

/** A weight of 0 or none is 1. */
export function readResources(fields: Fields, faults: StatusCause[]): ResourceWeight[] {
  return fields.list('resources', (item, path) => {
    const one = new Fields(item, path, faults)
    const resource = { name: one.text('name'), weight: one.integer('weight', 1) || 1 }
    one.done()
    return resource
  })
}

export function readScoring(
  fields: Fields,
  faults: StatusCause[],
  defaults: readonly ResourceWeight[],
): ScoringStrategy {
  const type = fields.text('type')
  const known = TYPES.find((one) => one === type)
  if (known === undefined) faults.push(cause.notSupported(fields.pathOf('type'), type, TYPES))
  const resources = readResources(fields, faults)
  resources.forEach(({ name, weight }, i) => {
    if (weight > 0 && weight <= MAX_WEIGHT) return
    const path = `${fields.pathOf('resources')}[${i}].weight`
    faults.push(
      cause.invalid(path, weight, `resource weight of ${name} not in valid range (0, ${MAX_WEIGHT}]`),
    )
  })
  const path = fields.pathOf('requestedToCapacityRatio')
  const isRatio = known === 'RequestedToCapacityRatio'
  const hasShape = fields.has('requestedToCapacityRatio')
  if (isRatio && !hasShape)
    faults.push(cause.required(path, 'must be specified when type is RequestedToCapacityRatio'))
  if (!isRatio && hasShape)
    faults.push(cause.forbidden(path, 'must be nil when type is not RequestedToCapacityRatio'))
  const ratio = fields.fields('requestedToCapacityRatio')
  const shape = ratio.list('shape', (item, at) => point(item, at, faults))
  ratio.done()
  if (isRatio && hasShape) checkShape(shape, `${path}.shape`, faults)
  fields.done()
  return { type: known ?? 'LeastAllocated', resources: resources.length === 0 ? defaults : resources, shape }
}

function point(item: unknown, path: string, faults: StatusCause[]): ShapePoint {
  const fields = new Fields(item, path, faults)
  const found = { utilization: fields.integer('utilization', 0), score: fields.integer('score', 0) }
  fields.done()
  return found
}

function checkShape(shape: readonly ShapePoint[], path: string, faults: StatusCause[]): void {
  if (shape.length === 0)
    return void faults.push(cause.required(path, 'at least one point must be specified'))
  const unsorted = shape.findIndex(
    ({ utilization }, i) => utilization <= (shape[i - 1]?.utilization ?? -Infinity),
  )
  if (unsorted > 0) {
    const value = shape[unsorted]?.utilization
    const why = 'values must be sorted in increasing order'
    faults.push(cause.invalid(`${path}[${unsorted}].utilization`, value, why))
  }
  shape.forEach(({ utilization, score }, i) => {
    if (utilization < 0 || utilization > 100)
      faults.push(cause.invalid(`${path}[${i}].utilization`, utilization, 'not in valid range [0, 100]'))
    if (score < 0 || score > MAX_SHAPE_SCORE)
      faults.push(cause.invalid(`${path}[${i}].score`, score, `not in valid range [0, ${MAX_SHAPE_SCORE}]`))
  })
}
