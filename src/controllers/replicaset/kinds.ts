// The two kinds that keep a number of pods. Follows k8s.io/kubernetes/pkg/controller/replicaset and, for the adapter,
// k8s.io/kubernetes/pkg/controller/replication.
import type { Controller, ControllerContext } from '../../client/controller.ts'
import type { ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Resource } from '../../client/resource.ts'
import { REPLICA_SETS, REPLICATION_CONTROLLERS } from '../../client/resources.ts'
import { type ReplicaKind, replicaController } from './sync.ts'
import { selectsLabels } from '../../client/selects.ts'

const REPLICA_SET: ReplicaKind = {
  name: 'replicaset-controller',
  component: 'replicaset-controller',
  resource: REPLICA_SETS,
  selects: (set, labels) => selectsLabels(set.spec.selector, labels),
  countsTerminating: true,
}

/** Its selector is a map of labels, its template may be absent; else it is as a ReplicaSet. */
const REPLICATION_CONTROLLER: ReplicaKind = {
  name: 'replicationcontroller-controller',
  component: 'replication-controller',
  resource: REPLICATION_CONTROLLERS as Resource as Resource<ReplicaSet>,
  selects: (set, labels) => {
    const wanted = Object.entries((set.spec.selector ?? {}) as Record<string, string>)
    return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
  },
  countsTerminating: false,
}

export const replicaSetController = (context: ControllerContext, workers?: number): Controller =>
  replicaController(context, REPLICA_SET, workers)

export const replicationControllerController = (context: ControllerContext, workers?: number): Controller =>
  replicaController(context, REPLICATION_CONTROLLER, workers)
