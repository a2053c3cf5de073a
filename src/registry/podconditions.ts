// Conditions of a pod's status: one of each type, with the time of its last change.
// Used by binding and eviction. Follows pkg/api/pod (UpdatePodCondition).
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { timeText } from './generic.ts'
import { objectAt, objectsAt } from './reading.ts'

/** The status of the pod with the condition added or replaced; the pod is left as it is. */
export function withCondition(pod: KubeObject, condition: JsonObject, now: Date): JsonObject {
  const status = objectAt(pod['status'])
  const conditions = [...objectsAt(status['conditions'])]
  const index = conditions.findIndex((other) => other['type'] === condition['type'])
  const before = conditions[index]
  const kept = before && before['status'] === condition['status'] ? before['lastTransitionTime'] : undefined
  const made: JsonObject = { lastProbeTime: null, lastTransitionTime: kept ?? timeText(now), ...condition }
  if (index < 0) conditions.push(made)
  else conditions[index] = made
  return { ...status, conditions }
}
