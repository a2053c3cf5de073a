// Volumes that are to be emptied for the next claim: a pod that mounts the volume and deletes what is in it.
// Follows k8s.io/kubernetes/pkg/volume/util/recyclerclient; the pod's progress is read from the copy, step by step.
import type { PersistentVolume, Pod, Volume } from '../../client/kinds/core.v1.gen.ts'
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts'

const NAMESPACE = 'default'
const PREFIX = 'recycler-for-'
const GIB = 2 ** 30
/** As upstream's defaults: seconds at least, by type of volume, and for each GiB. */
const MIN_SECONDS = { hostPath: 60, nfs: 300 } as const
const SECONDS_PER_GIB = 30
const SCRUB = 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1'
const IMAGE = 'registry.k8s.io/build-image/debian-base:bookworm-v1.0.6'
/** The pod ends by itself: simulated nodes have to be told. */
const ENDS = { 'simulate.dinghy.dev/run-for': '0s' }

/** The key of the pod that empties the volume of this name. */
export const recyclerKey = (volume: string): string => `${NAMESPACE}/${PREFIX}${volume}`

/** The name of the volume that the pod empties; undefined for other pods. */
export function recycledBy({ metadata: { namespace, name = '' } }: Pod): string | undefined {
  return namespace === NAMESPACE && name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined
}

/** Undefined for types of volumes that nobody can empty. */
export function recyclerPod({ metadata: { name = '' }, spec }: PersistentVolume): Pod | undefined {
  const source: Omit<Volume, 'name'> | undefined = spec.hostPath
    ? { hostPath: spec.hostPath }
    : spec.nfs && { nfs: spec.nfs }
  if (!source) return undefined
  const minimum = spec.hostPath ? MIN_SECONDS.hostPath : MIN_SECONDS.nfs
  const gib = Math.floor(quantityValue(parseQuantity(spec.capacity?.['storage'] ?? '0')) / GIB)
  return {
    metadata: { namespace: NAMESPACE, name: `${PREFIX}${name}`, annotations: ENDS },
    spec: {
      activeDeadlineSeconds: Math.max(minimum, gib * SECONDS_PER_GIB),
      restartPolicy: 'Never',
      volumes: [{ name: 'vol', ...source }],
      containers: [
        {
          name: 'pv-recycler',
          image: IMAGE,
          command: ['/bin/sh'],
          args: ['-c', SCRUB],
          volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
        },
      ],
    },
  } as unknown as Pod
}

export type RecycleStep =
  { readonly do: 'start' | 'wait' | 'finish' } | { readonly do: 'fail'; readonly message: string }

/** What is to be done, as far as the pod has come. */
export function recycleStep(pod: Pod | undefined): RecycleStep {
  if (!pod) return { do: 'start' }
  if (pod.metadata.deletionTimestamp !== undefined) return { do: 'wait' }
  const { phase, message } = pod.status
  if (phase === 'Succeeded') return { do: 'finish' }
  if (phase !== 'Failed') return { do: 'wait' }
  const why = message || 'pod failed, pod.Status.Message unknown'
  return { do: 'fail', message: `Recycle failed: failed to recycle volume: ${why}` }
}
