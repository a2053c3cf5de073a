// Scale: how many replicas an object wants and has, for kinds of any shape.
// A projection for subresources.ts. Follows pkg/registry/apps/*/storage (ScaleREST) and apis/autoscaling/validation.
import type { JsonObject } from '../machinery/json.ts'
import { labelSelectorText, selectorOfMap, selectorOfObject } from '../machinery/labels.ts'
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import { cause, invalid } from '../machinery/status.ts'
import { numberAt, objectAt, textAt } from './reading.ts'
import type { Projection } from './subresource.ts'

const SCALE = { group: 'autoscaling', kind: 'Scale' } as const
const COPIED = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'] as const

/** Kinds that count one replica where they say nothing. */
function selectorText(spec: JsonObject): string {
  const selector = objectAt(spec['selector'])
  const isMap = selector['matchLabels'] === undefined && selector['matchExpressions'] === undefined
  return labelSelectorText(
    isMap ? selectorOfMap(selector as Record<string, string>) : selectorOfObject(selector),
  )
}

/** The scale of a deployment, replica set, stateful set or replication controller. */
export function toScale(parent: KubeObject): KubeObject {
  const spec = objectAt(parent['spec'])
  const metadata: ObjectMeta = {}
  for (const key of COPIED) if (parent.metadata[key] !== undefined) metadata[key] = parent.metadata[key]
  const replicas = numberAt(spec['replicas'])
  const selector = selectorText(spec)
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata,
    spec: replicas ? { replicas } : {},
    status: { replicas: numberAt(objectAt(parent['status'])['replicas']), ...(selector ? { selector } : {}) },
  }
}

/** The parent with the scale's number of replicas. Throws invalid for a negative one. */
export function applyScale(parent: KubeObject, scale: KubeObject): KubeObject {
  const replicas = numberAt(objectAt(scale['spec'])['replicas'])
  if (replicas < 0) {
    const fault = cause.invalid('spec.replicas', replicas, 'must be greater than or equal to 0')
    throw invalid(SCALE, textAt(scale.metadata.name), [fault])
  }
  const metadata = { ...parent.metadata }
  // An optimistic lock, or a precondition, that the client put on the scale holds for the parent.
  if (scale.metadata.resourceVersion) metadata.resourceVersion = scale.metadata.resourceVersion
  else delete metadata.resourceVersion
  return { ...parent, metadata, spec: { ...objectAt(parent['spec']), replicas } }
}

export const scale: Projection = { mode: 'projection', get: toScale, update: applyScale }
