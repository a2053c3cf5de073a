// Gives claims volumes and volumes back, and says who is to make one where none is free.
// Follows k8s.io/kubernetes/pkg/controller/volume/persistentvolume.
import { sleep } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import { keyOf } from '../../client/resource.ts'
import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
} from '../../client/resources.ts'
import { syncedOrAborted } from '../../client/synced.ts'
import { claimKeysOf, hasEnded, keyOfReference } from '../../client/volumes.ts'
import { ClaimWork } from './claims.ts'
import { Fresh } from './fresh.ts'
import { bestVolume, keysWith, modesKey } from './match.ts'
import { recycledBy } from './recycler.ts'
import { type BinderParts, VolumeWork } from './volumes.ts'

const NAME = 'persistentvolume-binder-controller'
const BY_CLAIM = 'claim'
const BY_MODES = 'modes'
/**
 * How soon claims that wait hear of volumes and classes that came.
 * DEVIATION: upstream's look around only with all others, every 15 s.
 */
const SOON_MS = 250

/** `resyncMs`: how often all claims and volumes are looked at. */
export function volumeBinder(context: ControllerContext, resyncMs: number): Controller {
  const { log } = context
  const sources = sourcesOf(context)
  const { claims, volumes, pods, classes } = sources
  const claimQueue = queueOf(context, 'claims')
  const volumeQueue = queueOf(context, 'volumes')
  const parts = { ...partsOf(context, sources), lookAtClaim: (key: string) => claimQueue.add(key) }
  const { claimWork, volumeWork } = workOf(parts, sources)
  const lookAround = (): void => {
    for (const claim of claims.reader.list()) if (isWaiting(claim)) claimQueue.addAfter(keyOf(claim), SOON_MS)
  }
  const see = (claim: PersistentVolumeClaim): void => claimQueue.add(keyOf(claim))
  claims.handle({
    added: see,
    updated: see,
    deleted: ({ spec: { volumeName } }) => {
      if (volumeName) volumeQueue.add(volumeName)
    },
  })
  volumes.handle({
    added: (volume) => volumeQueue.add(keyOf(volume)),
    updated: (volume, before) => {
      volumeQueue.add(keyOf(volume))
      if (volume.status.phase === 'Available' && before.status.phase !== 'Available') lookAround()
    },
    deleted: ({ spec: { claimRef } }) => {
      if (claimRef) claimQueue.add(keyOfReference(claimRef))
    },
  })
  classes.handle({ added: lookAround, updated: lookAround })
  const recycled = (pod: Pod): void => {
    const volume = recycledBy(pod)
    if (volume !== undefined) volumeQueue.add(volume)
  }
  pods.handle({ updated: recycled, deleted: recycled })
  const lookAtAll = (): void => {
    for (const claim of claims.reader.list()) claimQueue.add(keyOf(claim))
    for (const volume of volumes.reader.list()) volumeQueue.add(keyOf(volume))
  }
  return {
    name: NAME,
    async run(signal) {
      if (!(await syncedOrAborted([claims, volumes, pods, classes], signal))) return
      // One at a time each, as upstream's: two claims must not be given the same volume.
      const base = { name: NAME, workers: 1, log }
      await Promise.all([
        work({ ...base, queue: claimQueue, reconcile: (key) => claimWork.reconcile(key) }, signal),
        work({ ...base, queue: volumeQueue, reconcile: (key) => volumeWork.reconcile(key) }, signal),
        every(context, resyncMs, lookAtAll, signal),
      ])
    },
  }
}

async function every(
  { clock }: ControllerContext,
  ms: number,
  call: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(clock, ms, signal)
    if (signal.aborted) return
    call()
  }
}

const isWaiting = ({ status }: PersistentVolumeClaim): boolean =>
  status.phase !== 'Bound' && status.phase !== 'Lost'

const sourcesOf = ({ informers }: ControllerContext) => ({
  claims: informers.of(PERSISTENT_VOLUME_CLAIMS),
  volumes: informers.of(PERSISTENT_VOLUMES).index(BY_MODES, ({ spec }) => [modesKey(spec.accessModes)]),
  classes: informers.of(STORAGE_CLASSES),
  pods: informers.of(PODS).index(BY_CLAIM, claimKeysOf),
})
type Sources = ReturnType<typeof sourcesOf>

const partsOf = (
  context: ControllerContext,
  { claims, volumes, pods }: Sources,
): Omit<BinderParts, 'lookAtClaim'> => ({
  context,
  recorder: context.recorder.as({ component: 'persistentvolume-controller' }),
  claims: new Fresh(claims.reader),
  volumes: new Fresh(volumes.reader),
  pod: (key) => pods.reader.get(key),
  users: (claim) =>
    pods.reader
      .by(BY_CLAIM, claim)
      .filter((pod) => !hasEnded(pod))
      .map(keyOf)
      .sort(),
})

function workOf(parts: BinderParts, { volumes, pods, classes }: Sources) {
  const volumeWork = new VolumeWork(parts)
  const view = {
    volume: (name: string) => parts.volumes.get(name),
    free: (claim: PersistentVolumeClaim, waits: boolean) => {
      for (const key of keysWith(claim.spec.accessModes)) {
        const some = volumes.reader.by(BY_MODES, key).flatMap((one) => parts.volumes.get(keyOf(one)) ?? [])
        const best = bestVolume(claim, some, waits)
        if (best) return best
      }
      return undefined
    },
    class: (name: string) => classes.reader.get(name),
    classes: () => classes.reader.list(),
    unscheduled: (claim: PersistentVolumeClaim) =>
      pods.reader
        .by(BY_CLAIM, keyOf(claim))
        .filter((pod) => !hasEnded(pod) && !pod.spec.nodeName)
        .map(({ metadata }) => metadata.name ?? ''),
  }
  return { volumeWork, claimWork: new ClaimWork(parts, view, volumeWork) }
}
