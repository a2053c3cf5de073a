// Claims that ask for more than their volume has: says that a driver's own controller makes it larger, and names it where
// a driver took the place of a plugin of old. Upstream, too, makes nothing larger by itself.
// Follows k8s.io/kubernetes/pkg/controller/volume/expand.
import { type Controller, type ControllerContext, queueOf } from '../client/controller.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../client/kinds/core.v1.gen.ts'
import { keyOf } from '../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from '../client/resources.ts'
import { onceSynced } from '../client/synced.ts'
import { migratedDriver } from '../client/volumes.ts'
import { compareQuantities, parseQuantity } from '../machinery/quantity.ts'

const NAME = 'persistentvolume-expander-controller'
/** As upstream. */
const WORKERS = 10
const PRE_RESIZE = 'volume.alpha.kubernetes.io/pre-resize-capacity'
const RESIZER = 'volume.kubernetes.io/storage-resizer'
const REASON = 'ExternalExpanding'

/** Plugins of old by the field of a volume that names them. */
const PLUGINS = [
  ['awsElasticBlockStore', 'kubernetes.io/aws-ebs'],
  ['azureDisk', 'kubernetes.io/azure-disk'],
  ['azureFile', 'kubernetes.io/azure-file'],
  ['cinder', 'kubernetes.io/cinder'],
  ['gcePersistentDisk', 'kubernetes.io/gce-pd'],
  ['portworxVolume', 'kubernetes.io/portworx-volume'],
  ['vsphereVolume', 'kubernetes.io/vsphere-volume'],
] as const

export interface Expansion {
  readonly message: string
  /** The driver that the claim is to name. */
  readonly resizer?: string
}

const storageOf = (amounts: Readonly<Record<string, string>> = {}) => parseQuantity(amounts['storage'] ?? '0')
const isMore = (a: Record<string, string> | undefined, b: Record<string, string> | undefined): boolean =>
  compareQuantities(storageOf(a), storageOf(b)) > 0

/** What is told of a claim; undefined where it has what it asks for. Throws Error for a volume that is not its own. */
export function expansionOf(claim: PersistentVolumeClaim, volume: PersistentVolume): Expansion | undefined {
  const { claimRef } = volume.spec
  if (claimRef?.uid !== claim.metadata.uid || claimRef?.namespace !== claim.metadata.namespace)
    throw new Error(`persistent Volume is not bound to PVC being updated : ${keyOf(claim)}`)
  const isHalfway = volume.metadata.annotations?.[PRE_RESIZE] !== undefined
  if (!isMore(claim.spec.resources.requests, claim.status.capacity) && !isHalfway) return undefined
  const plugin = PLUGINS.find(([field]) => volume.spec[field] !== undefined)?.[1]
  const resizer = plugin === undefined ? undefined : migratedDriver(plugin)
  if (plugin === undefined || resizer === undefined)
    return { message: 'waiting for an external controller to expand this PVC' }
  return {
    message: `CSI migration enabled for ${plugin}; waiting for external resizer to expand the pvc`,
    resizer,
  }
}

export function volumeExpander(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'volume_expand')
  const recorder = context.recorder.as({ component: 'volume_expand' })
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
  const volumes = informers.of(PERSISTENT_VOLUMES)
  const see = (claim: PersistentVolumeClaim): void => {
    if (claim.status.phase === 'Bound') queue.add(keyOf(claim))
  }
  claims.handle({
    added: see,
    updated: (claim, before) => {
      const asksMore = isMore(claim.spec.resources.requests, before.spec.resources.requests)
      if (asksMore || isMore(claim.status.capacity, before.status.capacity)) see(claim)
    },
  })
  const reconcile = async (key: string): Promise<void> => {
    const claim = claims.reader.get(key)
    const name = claim?.spec.volumeName ?? ''
    if (!claim || name === '') return
    const volume = volumes.reader.get(name)
    if (!volume) throw new Error(`failed to get PV ${JSON.stringify(name)}`)
    const expansion = expansionOf(claim, volume)
    if (!expansion) return
    const about = { resource: PERSISTENT_VOLUME_CLAIMS, object: claim }
    recorder.event(about, 'Normal', REASON, expansion.message)
    if (expansion.resizer === undefined || claim.metadata.annotations?.[RESIZER] === expansion.resizer) return
    const annotations = { [RESIZER]: expansion.resizer }
    const { namespace, name: own = '' } = claim.metadata
    const body = { metadata: { annotations } }
    await api.patch(PERSISTENT_VOLUME_CLAIMS, { namespace, name: own }, body, { type: 'merge' })
  }
  return onceSynced([claims, volumes], { name: NAME, queue, workers: WORKERS, reconcile, log })
}
