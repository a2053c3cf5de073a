// What a StatefulSet has and lacks: its replicas in order, those that are to go, and its status. Pure.
// Follows updateStatefulSet of k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_control.go.
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod, PodTemplateSpec } from '../../client/kinds/core.v1.gen.ts'
import { isPodAvailable, isPodReady } from '../../client/podstate.ts'
import { templateOf } from '../../client/revisions.ts'
import { scaled } from '../../client/scaled.ts'
import { counted } from '../../client/statuswrite.ts'
import { firstOrdinal, isInRange, ordinalOf, podOf, replicasOf, revisionOf } from './identity.ts'

export interface Revisions {
  readonly current: ControllerRevision
  readonly update: ControllerRevision
  readonly collisions: number
}

export interface Plan {
  /** By ordinal; those that are not there yet have no phase. */
  readonly replicas: readonly Pod[]
  /** Beyond the ordinals of the set, the last first. */
  readonly condemned: readonly Pod[]
  /** The first that is not available, or else the first of the condemned that is not. */
  readonly firstUnavailable: Pod | undefined
}

export const isCreated = ({ status }: Pod): boolean => (status.phase ?? '') !== ''
export const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined
export const isParallel = ({ spec }: StatefulSet): boolean => spec.podManagementPolicy === 'Parallel'

export const isAvailable = ({ spec }: StatefulSet, pod: Pod, now: number): boolean =>
  isPodAvailable(pod, spec.minReadySeconds ?? 0, now)

const isUnavailable = (set: StatefulSet, pod: Pod, now: number): boolean =>
  !isAvailable(set, pod, now) || isTerminating(pod)

export function planOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): Plan {
  const present = new Map(pods.map((pod) => [ordinalOf(pod), pod]))
  const start = firstOrdinal(set)
  const replicas = Array.from(
    { length: replicasOf(set) },
    (_, index) => present.get(start + index) ?? newPod(set, revisions, start + index),
  )
  const condemned = pods
    .filter((pod) => ordinalOf(pod) >= 0 && !isInRange(set, pod))
    .sort((a, b) => ordinalOf(b) - ordinalOf(a))
  const firstUnavailable = [...replicas, ...[...condemned].reverse()].find((pod) =>
    isUnavailable(set, pod, now),
  )
  return { replicas, condemned, firstUnavailable }
}

/** Below the partition, and while an update without one is under way, pods come back as they were. */
function newPod(set: StatefulSet, { current, update }: Revisions, ordinal: number): Pod {
  const { updateStrategy, template } = set.spec
  const index = ordinal - firstOrdinal(set)
  const { rollingUpdate } = updateStrategy
  const isOld =
    rollingUpdate === undefined
      ? updateStrategy.type === 'RollingUpdate' && index < (set.status.currentReplicas ?? 0)
      : index < (rollingUpdate.partition ?? 0)
  const revision = isOld ? current : update
  const then: PodTemplateSpec = templateOf(revision) ?? template
  return podOf(set, then, revision.metadata.name ?? '', ordinal)
}

export function statusOf(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update, collisions }: Revisions,
  now: number,
): StatefulSetStatus {
  const created = pods.filter(isCreated)
  const ready = pods.filter((pod) => pod.status.phase === 'Running' && isPodReady(pod))
  const staying = created.filter((pod) => !isTerminating(pod))
  const of = ({ metadata }: ControllerRevision): number =>
    staying.filter((pod) => revisionOf(pod) === metadata.name).length
  return {
    observedGeneration: counted(set.metadata.generation ?? 0),
    replicas: created.length,
    readyReplicas: counted(ready.length),
    availableReplicas: ready.filter((pod) => isAvailable(set, pod, now)).length,
    currentReplicas: counted(of(current)),
    updatedReplicas: counted(of(update)),
    currentRevision: current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount: collisions,
    ...(set.status.conditions ? { conditions: set.status.conditions } : {}),
  }
}

/** An update that all pods have been through makes its revision the current one. */
export function completed(set: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const replicas = replicasOf(set)
  const { updatedReplicas = 0, readyReplicas = 0 } = status
  const isOver =
    set.spec.updateStrategy.type === 'RollingUpdate' &&
    updatedReplicas === replicas &&
    readyReplicas === replicas &&
    status.replicas === replicas
  return isOver
    ? { ...status, currentReplicas: counted(updatedReplicas), currentRevision: status.updateRevision }
    : status
}

/** The pods that a rolling update ends now: from the last to the partition, as many as may be unavailable. */
export function outdatedNow(set: StatefulSet, replicas: readonly Pod[], update: string, now: number): Pod[] {
  const { type, rollingUpdate } = set.spec.updateStrategy
  if (type === 'OnDelete') return []
  const { partition = 0, maxUnavailable } = rollingUpdate ?? {}
  const targets = replicas.slice(partition).reverse()
  const isOutdated = (pod: Pod): boolean => revisionOf(pod) !== update && !isTerminating(pod)
  if (maxUnavailable === undefined) {
    const next = targets.find((pod) => isOutdated(pod) || isUnavailable(set, pod, now))
    return next !== undefined && isOutdated(next) ? [next] : []
  }
  const allowed = Math.max(1, scaled(maxUnavailable, replicasOf(set), 'down'))
  const room = allowed - replicas.filter((pod) => isUnavailable(set, pod, now)).length
  return targets.filter(isOutdated).slice(0, Math.max(0, room))
}
