// What the scheduler hears of the cluster: nodes and pods go into its view, and those who wait are told of what may help
// them. Follows k8s.io/kubernetes/pkg/scheduler/eventhandlers.go.
import type { Informers } from '../client/informer.ts'
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { NODES, PODS } from '../client/resources.ts'
import type { ClusterView } from './clusterview.ts'
import { heldOf, type PodInfo, podInfo } from './podinfo.ts'
import type { SchedulingQueue } from './queue.ts'

export interface Watched {
  readonly cluster: ClusterView
  readonly queue: SchedulingQueue
  /** Whose pods are ours. */
  readonly schedulerNames: ReadonlySet<string>
  /** Pods that were given a node, and were not seen there yet, by uid. */
  readonly assumed: Set<string>
}

export function watchCluster(informers: Informers, watched: Watched): void {
  const { cluster, queue } = watched
  const nodeChanged = (node: Node, before?: Node): void => {
    // Heartbeats change nothing that decisions read.
    if (before && !isNodeChanged(node, before)) return
    cluster.setNode(node)
    queue.moved({ kind: 'node', node, ...(before ? { before } : {}) })
  }
  informers.of(NODES).handle({
    added: (node) => nodeChanged(node),
    updated: nodeChanged,
    deleted: (node) => {
      cluster.removeNode(node.metadata.name ?? '')
      queue.moved({ kind: 'node-gone', node })
    },
  })
  informers.of(PODS).handle({
    added: (pod) => podChanged(watched, pod),
    updated: (pod, before) => podChanged(watched, pod, before),
    deleted: (pod) => podGone(watched, pod),
  })
}

function podChanged(watched: Watched, pod: Pod, before?: Pod): void {
  const { cluster, queue, assumed, schedulerNames } = watched
  const { uid = '' } = pod.metadata
  const { nodeName } = pod.spec
  if (isOver(pod)) return podGone(watched, pod)
  if (!nodeName) {
    if (!schedulerNames.has(pod.spec.schedulerName ?? '') || assumed.has(uid)) return
    const isSame =
      before !== undefined &&
      !isPodChanged(pod, before) &&
      pod.status.nominatedNodeName === before.status.nominatedNodeName &&
      same(pod.status.resourceClaimStatuses, before.status.resourceClaimStatuses)
    if (!isSame) queue.put(podInfo(pod))
    return
  }
  const wasAssumed = assumed.delete(uid)
  if (before?.spec.nodeName && !isPodChanged(pod, before) && !isResizing(pod) && !isResizing(before)) return
  const info = podInfo(pod)
  cluster.place(info, nodeName)
  if (before?.spec.nodeName) return queue.moved({ kind: 'pod-changed', pod: info, before: podInfo(before) })
  queue.drop(uid)
  // What this scheduler did itself has been counted since it was decided.
  if (!wasAssumed || queue.size > 0) queue.moved({ kind: 'pod-here', pod: info })
}

function podGone({ cluster, queue, assumed }: Watched, pod: Pod): void {
  const { uid = '' } = pod.metadata
  const nodeName = cluster.placeOf(uid)
  assumed.delete(uid)
  queue.drop(uid)
  cluster.remove(uid)
  if (nodeName !== undefined) queue.moved({ kind: 'pod-gone', pod: podInfo(pod), nodeName })
}

const isOver = ({ status: { phase } }: Pod): boolean => phase === 'Succeeded' || phase === 'Failed'

/** Its node has granted it something else than it asks for: what it holds changes with its status. */
const isResizing = (pod: Pod): boolean => heldOf(pod) !== pod.spec

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

type PodLike = Pick<PodInfo['pod'], 'metadata'>

/** Specs change with their generation; labels and the mark of deletion without. */
const isPodChanged = ({ metadata: a }: PodLike, { metadata: b }: PodLike): boolean =>
  a.generation !== b.generation || a.deletionTimestamp !== b.deletionTimestamp || !same(a.labels, b.labels)

const isNodeChanged = (a: Node, b: Node): boolean =>
  !same(a.spec, b.spec) ||
  !same(a.metadata.labels, b.metadata.labels) ||
  !same(a.status.allocatable, b.status.allocatable) ||
  !same(a.status.images, b.status.images) ||
  !same(a.status.declaredFeatures, b.status.declaredFeatures)
