// What upstream calls the events that may let a waiting pod fit. Of a change in several respects the first counts.
// Follows k8s.io/kube-scheduler/framework/types.go (ClusterEvent.Label) and pkg/scheduler/framework/events.go.
import { asksLess, ownLabelsChanged, ownTolerationsChanged } from './plugins/hints.ts'
import type { ClusterEvent } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'

/** A pod that waits was put there; its attempt failed; its back-off is over; it was tried for having waited long. */
export const POD_ADD = 'UnschedulablePodAdd'
export const ATTEMPT_FAILED = 'ScheduleAttemptFailure'
export const BACKOFF_COMPLETE = 'BackoffComplete'
export const WAITED_LONG = 'UnschedulableTimeout'
/** The room that was made for it is there. */
export const FORCED = 'ForceActivate'

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** `pod`: as it is now, of an event about the waiting pod itself. */
export function eventLabel(event: ClusterEvent, pod?: PodInfo): string {
  switch (event.kind) {
    case 'node':
      return nodeLabel(event)
    case 'node-gone':
      return 'NodeDelete'
    case 'pod-here':
      return 'AssignedPodAdd'
    case 'pod-gone':
      return 'AssignedPodDelete'
    case 'pod-changed':
      return `AssignedPod${podChange(event.pod, event.before)}`
    case 'self':
      return `UnschedulablePod${pod ? podChange(pod, event.before) : 'Update'}`
    case 'object':
      return `${event.of}${event.isGone ? 'Delete' : event.isNew ? 'Add' : 'Update'}`
  }
}

function nodeLabel({ node, before }: ClusterEvent & { kind: 'node' }): string {
  if (!before) return 'NodeAdd'
  if (!same(node.status.allocatable, before.status.allocatable)) return 'NodeUpdateNodeAllocatable'
  if (!same(node.metadata.labels, before.metadata.labels)) return 'NodeUpdateNodeLabel'
  const isTainted = !same(
    [node.spec.taints, node.spec.unschedulable],
    [before.spec.taints, before.spec.unschedulable],
  )
  if (isTainted) return 'NodeUpdateNodeTaint'
  const isFeature = !same(node.status.declaredFeatures, before.status.declaredFeatures)
  return isFeature ? 'NodeUpdateNodeDeclaredFeature' : 'NodeUpdate'
}

function podChange(pod: PodInfo, before: PodInfo): string {
  const event = { kind: 'self', before } as const
  if (ownLabelsChanged(event, pod)) return 'UpdatePodLabel'
  if (asksLess(pod, before)) return 'UpdatePodScaleDown'
  const gates = (one: PodInfo): number => one.pod.spec.schedulingGates?.length ?? 0
  if (gates(pod) === 0 && gates(before) > 0) return 'UpdatePodSchedulingGatesEliminated'
  if (ownTolerationsChanged(event, pod)) return 'UpdatePodToleration'
  const isClaimed = !same(pod.pod.status.resourceClaimStatuses, before.pod.status.resourceClaimStatuses)
  return isClaimed ? 'UpdatePodGeneratedResourceClaim' : 'Update'
}
