// A volume that is deleted goes when no claim is bound to it any more.
// Follows k8s.io/kubernetes/pkg/controller/volume/pvprotection.
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { PersistentVolume } from '../client/kinds/core.v1.gen.ts'
import { PERSISTENT_VOLUMES } from '../client/resources.ts'

const NAME = 'persistentvolume-protection-controller'
const FINALIZER = 'kubernetes.io/pv-protection'

/** The finalizers that the volume ought to have; undefined: those that it has. */
export function wantedFinalizers({ metadata, status }: PersistentVolume): string[] | undefined {
  const finalizers = metadata.finalizers ?? []
  const isProtected = finalizers.includes(FINALIZER)
  if (metadata.deletionTimestamp === undefined) return isProtected ? undefined : [...finalizers, FINALIZER]
  if (!isProtected || status?.phase === 'Bound') return undefined
  return finalizers.filter((one) => one !== FINALIZER)
}

export function volumeProtection(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'pvprotection')
  const volumes = informers.of(PERSISTENT_VOLUMES)
  const see = (volume: PersistentVolume): void => {
    if (wantedFinalizers(volume)) queue.add(volume.metadata.name ?? '')
  }
  volumes.handle({ added: see, updated: see })
  const reconcile = async (name: string): Promise<void> => {
    const volume = volumes.reader.get(name)
    const finalizers = volume && wantedFinalizers(volume)
    if (!volume || !finalizers) return
    await api.update(PERSISTENT_VOLUMES, { ...volume, metadata: { ...volume.metadata, finalizers } })
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}
