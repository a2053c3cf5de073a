// A class of volume attributes that is deleted goes when no claim and no volume names it any more.
// Follows k8s.io/kubernetes/pkg/controller/volume/vacprotection.
import { type Controller, type ControllerContext, queueOf } from '../client/controller.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../client/kinds/core.v1.gen.ts'
import type { VolumeAttributesClass } from '../client/kinds/storage.v1.gen.ts'
import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  VOLUME_ATTRIBUTES_CLASSES,
} from '../client/resources.ts'
import { onceSynced } from '../client/synced.ts'

const NAME = 'volumeattributesclass-protection-controller'
const FINALIZER = 'kubernetes.io/vac-protection'
const BY_CLASS = 'volumeattributesclass'

/** The classes that a claim has, asks for, or is on its way to. */
export const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): string[] =>
  [
    ...new Set(
      [
        spec.volumeAttributesClassName,
        status.currentVolumeAttributesClassName,
        status.modifyVolumeStatus?.targetVolumeAttributesClassName,
      ].filter((name) => name !== undefined && name !== ''),
    ),
  ] as string[]

const classesOfVolume = ({ spec }: PersistentVolume): string[] =>
  spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []

/** The finalizers that the class ought to have; undefined: those that it has. */
export function wantedFinalizers({ metadata }: VolumeAttributesClass, isUsed: boolean): string[] | undefined {
  const finalizers = metadata.finalizers ?? []
  const isProtected = finalizers.includes(FINALIZER)
  if (metadata.deletionTimestamp === undefined) return isProtected ? undefined : [...finalizers, FINALIZER]
  return isProtected && !isUsed ? finalizers.filter((one) => one !== FINALIZER) : undefined
}

export function attributesClassProtection(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'vacprotection')
  const classes = informers.of(VOLUME_ATTRIBUTES_CLASSES)
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS).index(BY_CLASS, classesOfClaim)
  const volumes = informers.of(PERSISTENT_VOLUMES).index(BY_CLASS, classesOfVolume)
  const see = ({ metadata }: VolumeAttributesClass): void => queue.add(metadata.name ?? '')
  const left = (names: readonly string[], now: readonly string[] = []): void => {
    for (const name of names) if (!now.includes(name)) queue.add(name)
  }
  classes.handle({ added: see, updated: see })
  claims.handle({
    updated: (claim, before) => left(classesOfClaim(before), classesOfClaim(claim)),
    deleted: (claim) => left(classesOfClaim(claim)),
  })
  volumes.handle({
    updated: (volume, before) => left(classesOfVolume(before), classesOfVolume(volume)),
    deleted: (volume) => left(classesOfVolume(volume)),
  })
  const isUsed = (name: string): boolean =>
    volumes.reader.by(BY_CLASS, name).length > 0 || claims.reader.by(BY_CLASS, name).length > 0
  const reconcile = async (name: string): Promise<void> => {
    const one = classes.reader.get(name)
    const finalizers = one && wantedFinalizers(one, isUsed(name))
    if (one && finalizers)
      await api.update(VOLUME_ATTRIBUTES_CLASSES, { ...one, metadata: { ...one.metadata, finalizers } })
  }
  return onceSynced([classes, claims, volumes], { name: NAME, queue, workers: 1, reconcile, log })
}
