// What a ReplicaSet or ReplicationController says of its pods. Follows k8s.io/kubernetes/pkg/controller/replicaset
// (replica_set_utils.go).
import { timeOf, type Clock } from '../../client/clock.ts'
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { isPodAvailable, isPodReady } from '../../client/podstate.ts'
import { counted } from '../../client/statuswrite.ts'

const FAILURE = 'ReplicaFailure'

export interface Seen {
  readonly active: readonly Pod[]
  /** Absent: this kind does not say. */
  readonly terminating?: readonly Pod[]
  /** Why pods could not be made or ended. */
  readonly failure?: string
}

/** The status for what was seen now; the generation is the object's. */
export function replicaStatus(set: ReplicaSet, seen: Seen, clock: Clock): ReplicaSetStatus {
  const { active, terminating } = seen
  const { minReadySeconds = 0, template } = set.spec
  const labels = Object.entries(template?.metadata?.labels ?? {})
  const isLabelled = (pod: Pod): boolean =>
    labels.every(([key, value]) => pod.metadata.labels?.[key] === value)
  const now = clock.now()
  return {
    replicas: active.length,
    fullyLabeledReplicas: counted(active.filter(isLabelled).length),
    readyReplicas: counted(active.filter(isPodReady).length),
    availableReplicas: counted(active.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length),
    ...(terminating ? { terminatingReplicas: terminating.length } : {}),
    observedGeneration: counted(set.metadata.generation ?? 0),
    conditions: conditionsOf(set, seen, clock),
  }
}

function conditionsOf(set: ReplicaSet, seen: Seen, clock: Clock): ReplicaSetCondition[] | undefined {
  const conditions = set.status.conditions ?? []
  const isFailing = conditions.some(({ type }) => type === FAILURE)
  if (isFailing === (seen.failure !== undefined)) return set.status.conditions
  const others = conditions.filter(({ type }) => type !== FAILURE)
  if (seen.failure === undefined) return others.length > 0 ? others : undefined
  const difference = seen.active.length - (set.spec.replicas ?? 1)
  return [
    ...others,
    {
      type: FAILURE,
      status: 'True',
      lastTransitionTime: timeOf(clock),
      reason: difference < 0 ? 'FailedCreate' : difference > 0 ? 'FailedDelete' : '',
      message: seen.failure,
    },
  ]
}
