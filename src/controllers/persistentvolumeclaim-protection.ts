// A claim that is deleted goes when no pod uses it any more.
// Follows k8s.io/kubernetes/pkg/controller/volume/pvcprotection.
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { PersistentVolumeClaim, Pod } from '../client/kinds/core.v1.gen.ts'
import { isPodTerminal } from '../client/podstate.ts'
import { keyOf, splitKey } from '../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '../client/resources.ts'

const NAME = 'persistentvolumeclaim-protection-controller'
const FINALIZER = 'kubernetes.io/pvc-protection'

/** Names of the claims that a pod's volumes are, its own ephemeral ones included. */
export const claimsOf = ({ metadata, spec }: Pod): string[] =>
  (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName]
    return ephemeral ? [`${metadata.name ?? ''}-${name}`] : []
  })

/** Kubelets start no pod whose claim is being deleted: only those that have a node count. */
export const usesClaim = (pod: Pod, claim: string): boolean =>
  Boolean(pod.spec.nodeName) && claimsOf(pod).includes(claim)

export function claimProtection(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'pvcprotection')
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
  const pods = informers.of(PODS)
  const see = (claim: PersistentVolumeClaim): void => {
    const isProtected = (claim.metadata.finalizers ?? []).includes(FINALIZER)
    if ((claim.metadata.deletionTimestamp !== undefined) === isProtected) queue.add(keyOf(claim))
  }
  claims.handle({ added: see, updated: see })
  const release = (pod: Pod): void => {
    for (const name of claimsOf(pod)) queue.add(`${pod.metadata.namespace ?? ''}/${name}`)
  }
  const seePod = (pod: Pod): void => {
    if (isPodTerminal(pod) || !pod.spec.nodeName) release(pod)
  }
  pods.handle({ added: seePod, updated: seePod, deleted: release })
  const isUsed = async (namespace: string, name: string): Promise<boolean> => {
    const uses = (pod: Pod): boolean => usesClaim(pod, name)
    if (pods.reader.inNamespace(namespace).some(uses)) return true
    // The copy may lag behind a pod that was given a node just now: once it is deleted there is no way back.
    return (await api.list(PODS, { namespace })).items.some(uses)
  }
  const reconcile = async (key: string): Promise<void> => {
    const claim = claims.reader.get(key)
    if (!claim) return
    const { namespace, name } = splitKey(key)
    const before = claim.metadata.finalizers ?? []
    const isProtected = before.includes(FINALIZER)
    const isDeleted = claim.metadata.deletionTimestamp !== undefined
    if (isDeleted !== isProtected || (isDeleted && (await isUsed(namespace, name)))) return
    const finalizers = isDeleted ? before.filter((one) => one !== FINALIZER) : [...before, FINALIZER]
    await api.update(PERSISTENT_VOLUME_CLAIMS, { ...claim, metadata: { ...claim.metadata, finalizers } })
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}
