// The objects that decisions read, out of informers' copies.
// Follows k8s.io/kubernetes/pkg/scheduler/eventhandlers.go.
import type { Informers } from '../client/informer.ts'
import type { ApiObject, Resource } from '../client/resource.ts'
import {
  CSI_NODES,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from '../client/resources.ts'
import type { ObjectSources } from './sources.ts'

/** `volumesChanged` is called where claims, volumes, classes or drivers' nodes change. */
export function informerSources(informers: Informers, volumesChanged: () => void): ObjectSources {
  const read = <T extends ApiObject>(resource: Resource<T>) => informers.of(resource).reader
  const namespaces = read(NAMESPACES)
  const services = read(SERVICES)
  const replicaSets = read(REPLICA_SETS)
  const statefulSets = read(STATEFUL_SETS)
  const controllers = read(REPLICATION_CONTROLLERS)
  const claims = read(PERSISTENT_VOLUME_CLAIMS)
  const volumes = read(PERSISTENT_VOLUMES)
  const classes = read(STORAGE_CLASSES)
  const csiNodes = read(CSI_NODES)
  const budgets = read(POD_DISRUPTION_BUDGETS)
  const heard = { added: volumesChanged, updated: volumesChanged, deleted: volumesChanged }
  informers.of(PERSISTENT_VOLUME_CLAIMS).handle(heard)
  informers.of(PERSISTENT_VOLUMES).handle(heard)
  informers.of(STORAGE_CLASSES).handle(heard)
  informers.of(CSI_NODES).handle(heard)
  return {
    namespace: (name) => namespaces.get(name),
    servicesIn: (namespace) => services.inNamespace(namespace),
    replicaSet: (namespace, name) => replicaSets.get(`${namespace}/${name}`),
    statefulSet: (namespace, name) => statefulSets.get(`${namespace}/${name}`),
    replicationController: (namespace, name) => controllers.get(`${namespace}/${name}`),
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumes: () => volumes.list(),
    storageClass: (name) => classes.get(name),
    csiNode: (name) => csiNodes.get(name),
    budgetsIn: (namespace) => budgets.inNamespace(namespace),
  }
}
