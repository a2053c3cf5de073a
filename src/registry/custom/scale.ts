// Scale of a custom kind: its definition says where the numbers stand.
// Follows k8s.io/apiextensions-apiserver/pkg/registry/customresource (ScaleREST, validator.go).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { isInteger, isNumeric } from '../../machinery/numbers.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { badRequest, cause, internalError, plainError, type StatusCause } from '../../machinery/status.ts'
import { numberAt, objectAt } from '../reading.ts'
import type { Projection } from '../subresource.ts'
import type { Scale } from './definition.ts'

const COPIED = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'] as const
const MAX_INT32 = 2 ** 31 - 1

const keysOf = (path: string): string[] => path.replace(/^\./, '').split('.')

/** "spec.replicas" of ".spec.replicas". */
export const plainPath = (path: string): string => keysOf(path).join('.')

interface Found {
  readonly value: Json | undefined
  /** The path runs through something that is no object. */
  readonly fault: string | undefined
}

function find(object: JsonObject, path: string): Found {
  let value: Json | undefined = object
  const passed: string[] = []
  for (const key of keysOf(path)) {
    if (value === undefined) return { value: undefined, fault: undefined }
    if (!isObject(value))
      return { value: undefined, fault: accessor(passed, value, 'map[string]interface {}') }
    passed.push(key)
    value = Object.hasOwn(value, key) ? value[key] : undefined
  }
  return { value, fault: undefined }
}

/** How Go's accessors word a value of the wrong type. */
function accessor(path: readonly string[], value: Json, wanted: string): string {
  return `.${path.join('.')} accessor error: ${goValue(value)} is of the type ${goTypeOf(value)}, expected ${wanted}`
}

/** How Go names the type of a value in an object without a type of its own. */
export function goTypeOf(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (isNumeric(value)) return isInteger(value) ? 'int64' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'object' ? 'map[string]interface {}' : 'string'
}

function goValue(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const keys = Object.keys(value).sort()
  return `map[${keys.map((key) => `${key}:${goValue(value[key] as Json)}`).join(' ')}]`
}

function countAt(object: JsonObject, path: string): { count: number; isThere: boolean; fault?: string } {
  const { value, fault } = find(object, path)
  if (fault !== undefined) return { count: 0, isThere: false, fault }
  if (value === undefined) return { count: 0, isThere: false }
  if (isInteger(value)) return { count: Number(value), isThere: true }
  return { count: 0, isThere: false, fault: accessor(keysOf(path), value, 'int64') }
}

function selectorAt(object: JsonObject, path: string): { text: string; fault?: string } {
  if (path === '') return { text: '' }
  const { value, fault } = find(object, path)
  if (fault !== undefined) return { text: '', fault }
  if (value === undefined || typeof value === 'string') return { text: value ?? '' }
  return { text: '', fault: accessor(keysOf(path), value, 'string') }
}

function toScale(parent: KubeObject, scale: Scale): { object: KubeObject; hasReplicas: boolean } {
  const spec = countAt(parent, scale.specReplicasPath)
  const status = countAt(parent, scale.statusReplicasPath)
  const selector = selectorAt(parent, scale.labelSelectorPath)
  const fault = spec.fault ?? status.fault ?? selector.fault
  if (fault !== undefined) throw plainError(fault)
  const metadata: ObjectMeta = {}
  for (const key of COPIED) if (parent.metadata[key] !== undefined) metadata[key] = parent.metadata[key]
  const object: KubeObject = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata,
    spec: spec.count ? { replicas: spec.count } : {},
    status: { replicas: status.count, ...(selector.text ? { selector: selector.text } : {}) },
  }
  return { object, hasReplicas: spec.isThere }
}

/** The scale subresource of a kind. */
export function scaleProjection(scale: Scale): Projection {
  const missing = `the spec replicas field ${JSON.stringify(scale.specReplicasPath)}`
  return {
    mode: 'projection',
    get(parent) {
      const { object, hasReplicas } = toScale(parent, scale)
      if (!hasReplicas) throw internalError(`${missing} does not exist`)
      return object
    },
    update(parent, part) {
      const { hasReplicas } = toScale(parent, scale)
      const wanted = objectAt(part['spec'])['replicas']
      if (!hasReplicas && wanted === undefined) throw badRequest(`${missing} cannot be empty`)
      const metadata = { ...parent.metadata }
      if (part.metadata.resourceVersion) metadata.resourceVersion = part.metadata.resourceVersion
      const object = withValue(parent, keysOf(scale.specReplicasPath), numberAt(wanted))
      return { ...object, metadata } as KubeObject
    },
  }
}

function withValue(object: JsonObject, [key = '', ...rest]: readonly string[], value: number): JsonObject {
  const below = object[key]
  return { ...object, [key]: rest.length ? withValue(isObject(below) ? below : {}, rest, value) : value }
}

/** What a Scale could not be made of. */
export function scaleCauses(object: KubeObject, scale: Scale, statusOnly: boolean): StatusCause[] {
  const causes: StatusCause[] = []
  if (!statusOnly) countCauses(object, scale.specReplicasPath, causes)
  countCauses(object, scale.statusReplicasPath, causes)
  const { fault } = selectorAt(object, scale.labelSelectorPath)
  if (fault !== undefined) causes.push(cause.invalid(scale.labelSelectorPath, '', fault))
  return causes
}

function countCauses(object: KubeObject, path: string, causes: StatusCause[]): void {
  const { count, fault } = countAt(object, path)
  if (fault !== undefined) causes.push(cause.invalid(path, 0, fault))
  else if (count < 0) causes.push(cause.invalid(path, count, 'should be a non-negative integer'))
  else if (count > MAX_INT32)
    causes.push(cause.invalid(path, count, `should be less than or equal to ${MAX_INT32}`))
}
