// Volumes that live as long as their pod get their claims. Follows k8s.io/kubernetes/pkg/controller/volume/ephemeral.
import { type Controller, type ControllerContext, isBehind, queueOf, work } from '../client/controller.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../client/kinds/core.v1.gen.ts'
import { controllerRef, isControlledBy } from '../client/ownership.ts'
import { keyOf } from '../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '../client/resources.ts'

const NAME = 'ephemeral-volume-controller'

/** The claim that the volume needs; undefined where it is there. Throws where another of that name is not the pod's. */
export function missingClaim(
  pod: Pod,
  volume: Volume,
  find: (key: string) => PersistentVolumeClaim | undefined,
): PersistentVolumeClaim | undefined {
  const template = volume.ephemeral?.volumeClaimTemplate
  if (!template) return undefined
  const { namespace = '', name: podName = '' } = pod.metadata
  const name = `${podName}-${volume.name}`
  const existing = find(`${namespace}/${name}`)
  if (existing) {
    if (isControlledBy(existing, pod)) return undefined
    throw new Error(
      `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`,
    )
  }
  const { labels, annotations } = template.metadata ?? {}
  return {
    metadata: {
      namespace,
      name,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ownerReferences: [controllerRef({ resource: PODS, object: pod })],
    },
    spec: template.spec,
  } as PersistentVolumeClaim
}

export function ephemeralVolumeController(context: ControllerContext, workers: number): Controller {
  const { api, informers, recorder, log } = context
  const queue = queueOf(context, 'ephemeral_volume')
  const pods = informers.of(PODS)
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
  const see = (pod: Pod): void => {
    if ((pod.spec.volumes ?? []).some(({ ephemeral }) => ephemeral)) queue.add(keyOf(pod))
  }
  pods.handle({ added: see })
  claims.handle({
    deleted: ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'Pod')
      const pod = owner && pods.reader.get(`${metadata.namespace ?? ''}/${owner.name}`)
      if (pod?.metadata.uid === owner?.uid && pod) see(pod)
    },
  })
  const reconcile = async (key: string): Promise<void> => {
    const pod = pods.reader.get(key)
    if (!pod || pod.metadata.deletionTimestamp) return
    for (const volume of pod.spec.volumes ?? []) {
      try {
        const claim = missingClaim(pod, volume, (name) => claims.reader.get(name))
        if (claim) await api.create(PERSISTENT_VOLUME_CLAIMS, claim)
      } catch (error) {
        if (isBehind(error)) throw error
        const message = `ephemeral volume ${volume.name}: ${error instanceof Error ? error.message : String(error)}`
        recorder.event({ resource: PODS, object: pod }, 'Warning', 'FailedBinding', message)
        throw error
      }
    }
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers, reconcile, log }, signal) }
}
