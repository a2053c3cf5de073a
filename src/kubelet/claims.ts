// The claims of a pod as its node meets them: whether their volumes are there, and which must be attached before.
// Follows k8s.io/kubernetes/pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go.
//
// DEVIATION: where no CSIDriver tells of a driver, nobody is there who would attach its volumes, and nodes wait for nobody.
import { type Api, isNotFound } from '../client/api.ts'
import { driverVolumeOf, uniqueVolumeName } from '../client/csivolumes.ts'
import type { Container, PersistentVolume, Pod } from '../client/kinds/core.v1.gen.ts'
import type { ApiObject, Resource } from '../client/resource.ts'
import { CSI_DRIVERS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from '../client/resources.ts'
import { claimOf } from '../client/volumes.ts'
import { StatusError } from '../machinery/status.ts'

const FORBIDDEN = 403
const PROTECTION = 'kubernetes.io/pvc-protection'

export interface PodClaims {
  /** What nodes' statuses call the volumes that are to be attached, by the pod's names of them. */
  readonly attachable: ReadonlyMap<string, string>
  /** Volumes that cannot be had, with the reason. */
  readonly faults: ReadonlyMap<string, string>
}

/** Names that a container mounts, or has as devices. */
function usedVolumes({ spec }: Pod): Set<string> {
  const containers: Container[] = [...(spec.initContainers ?? []), ...spec.containers]
  return new Set(
    containers.flatMap(({ volumeMounts = [], volumeDevices = [] }) =>
      [...volumeMounts, ...volumeDevices].map(({ name }) => name),
    ),
  )
}

/** Asks for nothing where the pod has no claims. What the node's user may not read keeps nothing waiting. */
export async function claimsOf(pod: Pod, api: Api): Promise<PodClaims> {
  const attachable = new Map<string, string>()
  const faults = new Map<string, string>()
  const used = usedVolumes(pod)
  const { namespace = '' } = pod.metadata
  for (const volume of pod.spec.volumes ?? []) {
    const claim = claimOf(pod, volume)
    if (claim === undefined || !used.has(volume.name)) continue
    try {
      const unique = await attachableName(api, await volumeOf(api, namespace, claim))
      if (unique !== undefined) attachable.set(volume.name, unique)
    } catch (error) {
      if (error instanceof StatusError && error.code === FORBIDDEN) continue
      if (!(error instanceof Fault)) throw error
      faults.set(volume.name, `error processing PVC ${namespace}/${claim}: ${error.message}`)
    }
  }
  return { attachable, faults }
}

/** What keeps a claim's volume from being had. */
class Fault extends Error {}

async function found<T extends ApiObject>(
  api: Api,
  resource: Resource<T>,
  { what, ...place }: { readonly what: string; readonly name: string; readonly namespace?: string },
): Promise<T> {
  try {
    return await api.get(resource, place)
  } catch (error) {
    if (!isNotFound(error)) throw error
    throw new Fault(`failed to fetch ${what} from API server: ${(error as Error).message}`)
  }
}

async function volumeOf(api: Api, namespace: string, name: string): Promise<PersistentVolume> {
  const claim = await found(api, PERSISTENT_VOLUME_CLAIMS, { what: 'PVC', namespace, name })
  const { metadata, spec, status } = claim
  const isProtected = metadata.finalizers?.includes(PROTECTION) === true
  if (metadata.deletionTimestamp !== undefined && !isProtected) throw new Fault('PVC is being deleted')
  if (status.phase !== 'Bound') throw new Fault('PVC is not bound')
  const { volumeName = '' } = spec
  const volume = await found(api, PERSISTENT_VOLUMES, { what: `PV ${volumeName}`, name: volumeName })
  const { uid = '' } = volume.spec.claimRef ?? {}
  if (uid === metadata.uid) return volume
  const wrong = `its pv.Spec.ClaimRef.UID ${uid} does not point to claim.UID ${metadata.uid}`
  throw new Fault(`found PV object ${volumeName} but ${wrong}`)
}

/** Undefined: it needs no attaching. */
async function attachableName(api: Api, volume: PersistentVolume): Promise<string | undefined> {
  const csi = driverVolumeOf(volume)
  if (!csi) return undefined
  try {
    const { spec } = await api.get(CSI_DRIVERS, { name: csi.driver })
    return spec.attachRequired === false ? undefined : uniqueVolumeName(csi)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
