// The objects that decisions read, out of informers' copies.
// Follows k8s.io/kubernetes/pkg/scheduler/eventhandlers.go.
import type { Informers } from '../client/informer.ts'
import type { ApiObject, Resource } from '../client/resource.ts'
import {
  CSI_NODES,
  DEVICE_CLASSES,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  RESOURCE_CLAIMS,
  RESOURCE_SLICES,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
  VOLUME_ATTACHMENTS,
} from '../client/resources.ts'
import type { ObjectKind } from './plugin.ts'
import type { ObjectSources } from './sources.ts'

/** Called where an object of the kinds that decisions read comes, changes, or goes. */
export type Changed = (of: ObjectKind, object: ApiObject, isGone: boolean) => void

export function informerSources(informers: Informers, changed: Changed): ObjectSources {
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
  const resourceClaims = read(RESOURCE_CLAIMS)
  const deviceClasses = read(DEVICE_CLASSES)
  const slices = read(RESOURCE_SLICES)
  let slicesVersion = 0
  const hear = <T extends ApiObject>(resource: Resource<T>): void => {
    const of = resource.kind as ObjectKind
    const tell = (object: T, isGone: boolean): void => {
      if (of === 'ResourceSlice') slicesVersion++
      changed(of, object, isGone)
    }
    informers.of(resource).handle({
      added: (object) => tell(object, false),
      updated: (object) => tell(object, false),
      deleted: (object) => tell(object, true),
    })
  }
  hear(PERSISTENT_VOLUME_CLAIMS)
  hear(PERSISTENT_VOLUMES)
  hear(STORAGE_CLASSES)
  hear(CSI_NODES)
  hear(VOLUME_ATTACHMENTS)
  hear(RESOURCE_CLAIMS)
  hear(DEVICE_CLASSES)
  hear(RESOURCE_SLICES)
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
    resourceClaim: (namespace, name) => resourceClaims.get(`${namespace}/${name}`),
    resourceClaims: () => resourceClaims.list(),
    deviceClass: (name) => deviceClasses.get(name),
    resourceSlices: () => slices.list(),
    slicesVersion: () => slicesVersion,
    budgetsIn: (namespace) => budgets.inNamespace(namespace),
  }
}
