// Nodes that are silent become Unknown, nodes that are not ready get taints, and nodes that are well again lose them.
// Who evicts the pods is the taint eviction controller. Follows k8s.io/kubernetes/pkg/controller/nodelifecycle.
import { sleep } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { keyOf } from '../../client/resource.ts'
import { LEASES, NODES, PODS } from '../../client/resources.ts'
import { syncedOrAborted } from '../../client/synced.ts'
import { Monitor } from './monitor.ts'
import { changeTaints, markPodsNotReady, writeLabels } from './nodewrites.ts'
import { labelChange, noScheduleChange } from './taints.ts'
import { type EvictionRates, Zones } from './zones.ts'

const NAME = 'node-lifecycle-controller'
const BY_NODE = 'node'
const LEASE_NAMESPACE = 'kube-node-lease'
/** As upstream. */
const NODE_WORKERS = 8
const POD_WORKERS = 4
const TAINT_PERIOD_MS = 100

export interface NodeLifecycleOptions extends EvictionRates {
  /** How often all nodes are looked at, in ms. */
  readonly periodMs: number
  /** How long a node may be silent; the second: one that has never told of itself. */
  readonly graceMs: number
  readonly startupMs: number
}

export function nodeLifecycleController(
  context: ControllerContext,
  options: NodeLifecycleOptions,
): Controller {
  const { informers, clock, log } = context
  const nodes = informers.of(NODES)
  const leases = informers.of(LEASES)
  const pods = informers.of(PODS).index(BY_NODE, ({ spec }) => [spec.nodeName ?? ''])
  const nodeQueue = queueOf(context, 'node_lifecycle_controller')
  const podQueue = queueOf(context, 'node_lifecycle_controller_pods')
  const recorder = context.recorder.as({ component: 'node-controller' })
  const monitor = new Monitor({
    context,
    recorder,
    zones: new Zones(options),
    patience: { clock, graceMs: options.graceMs, startupMs: options.startupMs },
    nodes: () => nodes.reader.list(),
    nodeOf: (name) => nodes.reader.get(name),
    leaseOf: (name) => leases.reader.get(`${LEASE_NAMESPACE}/${name}`),
    podsOn: (name) => pods.reader.by(BY_NODE, name),
  })
  nodes.handle({
    added: (node) => nodeQueue.add(keyOf(node)),
    updated: (node) => nodeQueue.add(keyOf(node)),
  })
  pods.handle({
    added: (pod) => {
      if (pod.spec.nodeName) podQueue.add(keyOf(pod))
    },
    updated: (pod, before) => {
      if (pod.spec.nodeName && pod.spec.nodeName !== before.spec.nodeName) podQueue.add(keyOf(pod))
    },
  })
  const reconcileNode = async (name: string): Promise<void> => {
    const node = nodes.reader.get(name)
    if (node) await setRight(context, node)
  }
  /** A pod that came to its node after the node fell silent. */
  const reconcilePod = async (key: string): Promise<void> => {
    const pod = pods.reader.get(key)
    if (pod && monitor.isNotReady(pod.spec.nodeName ?? ''))
      await markPodsNotReady({ context, recorder }, [pod])
  }
  const works =
    (queue: typeof nodeQueue, workers: number, reconcile: typeof reconcileNode) => (signal: AbortSignal) =>
      work({ name: NAME, queue, workers, reconcile, log }, signal)
  const parts = [
    works(nodeQueue, NODE_WORKERS, reconcileNode),
    works(podQueue, POD_WORKERS, reconcilePod),
    (signal: AbortSignal) => watchOver(monitor, context, options.periodMs, signal),
  ]
  return {
    name: NAME,
    async run(signal) {
      if (await syncedOrAborted([nodes, leases, pods], signal))
        await Promise.all(parts.map((part) => part(signal)))
    },
  }
}

/** Taints NoSchedule and labels, as soon as the node changes. */
async function setRight(context: ControllerContext, node: Node): Promise<void> {
  const change = noScheduleChange(node)
  if (change.add.length + change.remove.length > 0) await changeTaints(context, node, change)
  const labels = labelChange(node.metadata)
  if (labels) await writeLabels(context, node, labels)
}

/** Looks at all nodes each period; between looks taints those who wait, as fast as their zones allow. */
async function watchOver(
  monitor: Monitor,
  { clock, log }: ControllerContext,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const next = clock.now() + periodMs
    await monitor
      .look(signal)
      .catch((error: unknown) => log.error({ error: String(error) }, 'nodes could not be looked at'))
    for (;;) {
      const isWaiting = !signal.aborted && (await monitor.taintNext())
      const left = next - clock.now()
      if (!isWaiting || left <= TAINT_PERIOD_MS) break
      await sleep(clock, TAINT_PERIOD_MS, signal)
    }
    await sleep(clock, Math.max(next - clock.now(), 1), signal)
  }
}
