// What several rules ask of an event: whether the waiting pod itself changed in a certain way, or another pod.
// Follows the queueing hints of k8s.io/kubernetes/pkg/scheduler/framework/plugins and framework/events.go.
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { ClusterEvent } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

const differs =
  (part: (pod: Pod) => unknown) =>
  (event: ClusterEvent, { pod }: PodInfo): boolean =>
    event.kind === 'self' && !same(part(event.before.pod), part(pod))

export const ownTolerationsChanged = differs(({ spec }) => spec.tolerations)
export const ownLabelsChanged = differs(({ metadata }) => metadata.labels)

/** What nodes are looked at for, by the part of them that changed; a new node is all of it. */
const nodeDiffers =
  (part: (node: (ClusterEvent & { kind: 'node' })['node']) => unknown) =>
  (event: ClusterEvent): event is ClusterEvent & { kind: 'node' } =>
    event.kind === 'node' && (event.before === undefined || !same(part(event.before), part(event.node)))

export const nodeTaintsChanged = nodeDiffers(({ spec }) => [spec.taints, spec.unschedulable])
export const nodeLabelsChanged = nodeDiffers(({ metadata }) => metadata.labels)

/** The pod that an event is about, as it is and as it was. */
export function podsOf(event: ClusterEvent): readonly PodInfo[] {
  if (event.kind === 'pod-changed') return [event.pod, event.before]
  return event.kind === 'pod-here' || event.kind === 'pod-gone' ? [event.pod] : []
}

/** Whether the pod asks for less than it did. */
export function asksLess(pod: PodInfo, before: PodInfo): boolean {
  const [now, then] = [pod.requests, before.requests]
  if (now.cpu < then.cpu || now.memory < then.memory || now.storage < then.storage) return true
  for (const [name, amount] of then.others) if ((now.others.get(name) ?? 0) < amount) return true
  return false
}
