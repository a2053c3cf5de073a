// What the controller writes: taints and labels of nodes, statuses of nodes and of the pods on them.
// Follows k8s.io/kubernetes/pkg/controller/util/node and controller_utils.go (AddOrUpdateTaintOnNode).
import { isConflict, isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import type { ControllerContext } from '../../client/controller.ts'
import type { Json } from '../../machinery/json.ts'
import type { Node, Pod } from '../../client/kinds/core.v1.gen.ts'
import { podCondition } from '../../client/podstate.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { NODES, PODS } from '../../client/resources.ts'
import { changedTaints, type TaintChange } from './taints.ts'

/** As upstream: a node that others write to as well is tried this often before the next round. */
const TRIES = 5

/** Reads the node anew where its copy is old. Resolves with whether anything was written; a node that is gone is well. */
export async function changeTaints(
  { api, clock }: ControllerContext,
  node: Node,
  change: TaintChange,
): Promise<boolean> {
  const { name = '' } = node.metadata
  for (let tries = 1, latest = node; ; tries++) {
    const taints = changedTaints(latest.spec.taints, change, timeOf(clock))
    if (!taints) return false
    const { resourceVersion = '' } = latest.metadata
    const body = { metadata: { resourceVersion }, spec: { taints } } as unknown as Json
    try {
      await api.patch(NODES, { name }, body, { type: 'merge' })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isConflict(error) || tries >= TRIES) throw error
      latest = await api.get(NODES, { name })
    }
  }
}

export async function writeLabels(
  { api }: ControllerContext,
  { metadata: { name = '' } }: Node,
  labels: Record<string, string>,
): Promise<void> {
  try {
    await api.patch(NODES, { name }, { metadata: { labels } }, { type: 'merge' })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

export interface Marker {
  readonly context: ControllerContext
  readonly recorder: EventRecorder
}

/** Takes Ready from the pods that have it, and says why. Rejects when all were tried and one failed. */
export async function markPodsNotReady({ context, recorder }: Marker, pods: readonly Pod[]): Promise<void> {
  const failures: unknown[] = []
  for (const pod of pods) {
    const ready = podCondition(pod, 'Ready')
    if (ready === undefined || ready.status === 'False') continue
    const { namespace, name = '', uid = '' } = pod.metadata
    const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: timeOf(context.clock) }]
    const body = { metadata: { uid }, status: { conditions } }
    try {
      await context.api.patch(PODS, { namespace, name, subresource: 'status' }, body, { type: 'strategic' })
    } catch (error) {
      // Gone, or another pod has its name.
      if (isNotFound(error) || isConflict(error)) continue
      failures.push(error)
    }
    recorder.event({ resource: PODS, object: pod }, 'Warning', 'NodeNotReady', 'Node is not ready')
  }
  if (failures.length > 0) throw failures[0]
}

/** Events about nodes carry their name and uid alone. */
export const aboutNode = ({ metadata: { name, uid } }: Node) => ({
  resource: NODES,
  object: { metadata: { name, uid } },
})
