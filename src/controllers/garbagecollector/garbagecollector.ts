// Deletes what lost its owners. It watches all that can be deleted, of most things only the metadata.
// Follows k8s.io/kubernetes/pkg/controller/garbagecollector.
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { WorkQueue } from '../../client/queue.ts'
import { kindKey } from '../../client/discovery.ts'
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import { Collector } from './collector.ts'
import { Graph, type Node } from './graph.ts'
import { referredTo, textOf } from './identity.ts'
import { Monitors } from './monitors.ts'

const NAME = 'garbage-collector-controller'

export function garbageCollector(context: ControllerContext, workers: number): Controller {
  const deletes = queueOf(context, 'garbage_collector_attempt_to_delete')
  const orphans = queueOf(context, 'garbage_collector_attempt_to_orphan')
  const graph: Graph = new Graph({
    tryDelete: (uid) => deletes.add(uid),
    tryDeleteLater: (uid) => deletes.addRateLimited(uid),
    tryOrphan: (uid) => orphans.add(uid),
    absent: (owner) => collector.absent(owner),
    invalidNamespace: (node, reference) => tellNamespace(context, monitors, node, reference),
  })
  const monitors: Monitors = new Monitors(context, graph)
  const collector = new Collector({
    api: context.api,
    graph,
    kinds: () => monitors.kinds,
    tryDelete: (uid) => deletes.add(uid),
  })
  const loop = (
    queue: WorkQueue,
    reconcile: (uid: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => work({ name: NAME, queue, workers, reconcile, log: context.log }, signal)
  return {
    name: NAME,
    async run(signal) {
      const watching = monitors.run(signal)
      // Nothing is deleted before the graph is whole.
      await monitors.ready
      await Promise.all([
        watching,
        loop(deletes, (uid) => collector.attemptToDelete(uid), signal),
        loop(orphans, (uid) => collector.orphanDependents(uid), signal),
      ])
    },
  }
}

function tellNamespace(
  { recorder }: ControllerContext,
  monitors: Monitors,
  node: Node,
  owner: OwnerReference,
): void {
  const { apiVersion, kind, namespace, name, uid } = node.identity
  const resource = monitors.kinds.get(kindKey(apiVersion, kind))
  if (!resource) return
  const about = { resource, object: { metadata: { namespace, name, uid } } }
  const which = textOf(referredTo(owner, namespace))
  const message = `ownerRef ${which} does not exist in namespace ${JSON.stringify(namespace)}`
  recorder.event(about, 'Warning', 'OwnerRefInvalidNamespace', message)
}
