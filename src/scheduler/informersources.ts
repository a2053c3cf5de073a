// The objects that decisions read, out of informers' copies.
// Follows k8s.io/kubernetes/pkg/scheduler/eventhandlers.go.
import type { Informers } from '../client/informer.ts'
import type { ApiObject, Resource } from '../client/resource.ts'
import {
  CSI_DRIVERS,
  CSI_NODES,
  CSI_STORAGE_CAPACITIES,
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
import { classesByResource } from './plugins/devices/extended.ts'
import type { ObjectKind } from './plugin.ts'
import type { ObjectSources } from './sources.ts'

/** Called where an object of the kinds that decisions read comes, changes, or goes. */
export type Changed = (of: ObjectKind, object: ApiObject, how: How) => void
export type How = { readonly isGone: boolean; readonly isNew: boolean }

/** Kinds whose changes may help a pod that waits. */
const HEARD: readonly Resource[] = [
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
  CSI_NODES,
  CSI_DRIVERS,
  CSI_STORAGE_CAPACITIES,
  VOLUME_ATTACHMENTS,
  RESOURCE_CLAIMS,
  DEVICE_CLASSES,
  RESOURCE_SLICES,
]

const ADDED: How = { isGone: false, isNew: true }
const CHANGED: How = { isGone: false, isNew: false }
const GONE: How = { isGone: true, isNew: false }

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
  const csiDrivers = read(CSI_DRIVERS)
  const capacities = read(CSI_STORAGE_CAPACITIES)
  const budgets = read(POD_DISRUPTION_BUDGETS)
  const resourceClaims = read(RESOURCE_CLAIMS)
  const deviceClasses = read(DEVICE_CLASSES)
  const slices = read(RESOURCE_SLICES)
  let slicesVersion = 0
  let byResource: ReturnType<typeof classesByResource> | undefined
  const hear = (resource: Resource): void => {
    const of = resource.kind as ObjectKind
    const tell = (object: ApiObject, how: How): void => {
      if (of === 'ResourceSlice') slicesVersion++
      if (of === 'DeviceClass') byResource = undefined
      changed(of, object, how)
    }
    informers.of(resource).handle({
      added: (object) => tell(object, ADDED),
      updated: (object) => tell(object, CHANGED),
      deleted: (object) => tell(object, GONE),
    })
  }
  HEARD.forEach(hear)
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
    csiDriver: (name) => csiDrivers.get(name),
    capacities: () => capacities.list(),
    resourceClaim: (namespace, name) => resourceClaims.get(`${namespace}/${name}`),
    resourceClaims: () => resourceClaims.list(),
    deviceClass: (name) => deviceClasses.get(name),
    classForResource: (name) => (byResource ??= classesByResource(deviceClasses.list())).get(name),
    resourceSlices: () => slices.list(),
    slicesVersion: () => slicesVersion,
    budgetsIn: (namespace) => budgets.inNamespace(namespace),
  }
}
