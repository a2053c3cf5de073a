// Claims of a class that the cloud provisions get volumes, and volumes that nobody claims any more are taken away.
// Follows sigs.k8s.io/sig-storage-lib-external-provisioner (controller).
import { isAlreadyExists, isNotFound } from '../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../client/kinds/core.v1.gen.ts'
import type { StorageClass } from '../client/kinds/storage.v1.gen.ts'
import { keyOf } from '../client/resource.ts'
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES } from '../client/resources.ts'
import { classOfClaim, VOLUME_ANNOTATIONS } from '../client/volumes.ts'
import type { CloudProvider } from './provider.ts'

const NAME = 'volume-provisioner-controller'
/** As upstream's provisioners: what a cloud refuses is not asked for again at once. */
const RETRY = { firstMs: 1_000, maxMs: 300_000 }
/** Claims and volumes at a time. */
const WORKERS = 4

/** The loop. Its user needs upstream's role system:persistent-volume-provisioner. */
export function volumesController(context: ControllerContext, provider: CloudProvider): Controller {
  const { informers, log } = context
  const claims = queueOf(context, 'claims', RETRY)
  const volumes = queueOf(context, 'volumes', RETRY)
  const provisioning = new Provisioning(context, provider)
  const lookAtClaim = (claim: PersistentVolumeClaim): void => {
    if (waitsFor(claim, provider.storage.provisioner)) claims.add(keyOf(claim))
  }
  const lookAtVolume = (volume: PersistentVolume): void => {
    if (isLeftBehind(volume, provider.storage.provisioner)) volumes.add(keyOf(volume))
  }
  informers.of(PERSISTENT_VOLUME_CLAIMS).handle({ added: lookAtClaim, updated: lookAtClaim })
  informers.of(PERSISTENT_VOLUMES).handle({ added: lookAtVolume, updated: lookAtVolume })
  informers.of(STORAGE_CLASSES).handle({})
  const shared = { name: NAME, log, workers: WORKERS }
  return {
    name: NAME,
    async run(signal) {
      await Promise.all([
        work({ ...shared, queue: claims, reconcile: (key) => provisioning.provide(key) }, signal),
        work({ ...shared, queue: volumes, reconcile: (key) => provisioning.remove(key) }, signal),
      ])
    },
  }
}

/** Whether the claim has no volume yet, and is this provisioner's to give one. */
export function waitsFor({ metadata, spec }: PersistentVolumeClaim, provisioner: string): boolean {
  const { provisioner: key, betaProvisioner } = VOLUME_ANNOTATIONS
  const wanted = metadata.annotations?.[key] ?? metadata.annotations?.[betaProvisioner]
  return wanted === provisioner && !spec.volumeName && metadata.deletionTimestamp === undefined
}

/** Whether the volume is this provisioner's to take away. */
export function isLeftBehind({ metadata, spec, status }: PersistentVolume, provisioner: string): boolean {
  return (
    metadata.annotations?.[VOLUME_ANNOTATIONS.provisionedBy] === provisioner &&
    metadata.deletionTimestamp === undefined &&
    status.phase === 'Released' &&
    spec.persistentVolumeReclaimPolicy === 'Delete'
  )
}

/** Why the claim can have no volume; undefined where it can. */
export function refusalOf({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.dataSource || spec.dataSourceRef) return 'a volume cannot be made from another source'
  if (spec.selector) return 'claim Selector is not supported'
  if (spec.volumeMode === 'Block') return 'block volumes are not supported'
  return undefined
}

/** The volume of a claim, for which the cloud has made `source`. */
export function volumeFor(
  claim: PersistentVolumeClaim,
  { metadata: { name: storageClassName = '' }, reclaimPolicy = 'Delete', mountOptions }: StorageClass,
  made: { readonly provisioner: string; readonly source: Partial<PersistentVolume['spec']> },
): PersistentVolume {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = claim.metadata
  const { accessModes = [], volumeMode, resources } = claim.spec
  return {
    metadata: {
      name: nameFor(claim),
      annotations: { [VOLUME_ANNOTATIONS.provisionedBy]: made.provisioner },
    },
    spec: {
      accessModes,
      capacity: { storage: resources?.requests?.['storage'] ?? '0' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName,
      ...(volumeMode === undefined ? {} : { volumeMode }),
      ...(mountOptions === undefined ? {} : { mountOptions }),
      ...made.source,
    },
    status: {},
  }
}

const nameFor = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`

class Provisioning {
  readonly #context: ControllerContext
  readonly #provider: CloudProvider

  constructor(context: ControllerContext, provider: CloudProvider) {
    const component = provider.storage.provisioner
    this.#context = { ...context, recorder: context.recorder.as({ component }) }
    this.#provider = provider
  }

  /** Makes the claim's volume, which the binder then binds. */
  async provide(key: string): Promise<void> {
    const { informers, api } = this.#context
    const { storage } = this.#provider
    const claim = informers.of(PERSISTENT_VOLUME_CLAIMS).reader.get(key)
    if (!claim || !waitsFor(claim, storage.provisioner)) return
    const storageClass = informers.of(STORAGE_CLASSES).reader.get(classOfClaim(claim))
    if (!storageClass) return
    const node = claim.metadata.annotations?.[VOLUME_ANNOTATIONS.selectedNode]
    // The scheduler says where, and by that the claim comes again.
    if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !node) return
    const refusal = refusalOf(claim)
    const name = nameFor(claim)
    if (refusal !== undefined) {
      const why = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${refusal}`
      return this.#tell(claim, 'Warning', 'ProvisioningFailed', why)
    }
    this.#tell(
      claim,
      'Normal',
      'Provisioning',
      `External provisioner is provisioning volume for claim "${key}"`,
    )
    const source = await storage.create(name, node)
    const volume = volumeFor(claim, storageClass, { provisioner: storage.provisioner, source })
    try {
      await api.create(PERSISTENT_VOLUMES, volume)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    this.#tell(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`)
  }

  async remove(name: string): Promise<void> {
    const { informers, api } = this.#context
    const { storage } = this.#provider
    const volume = informers.of(PERSISTENT_VOLUMES).reader.get(name)
    if (!volume || !isLeftBehind(volume, storage.provisioner)) return
    await storage.remove(volume)
    const { uid = '' } = volume.metadata
    try {
      await api.delete(PERSISTENT_VOLUMES, { name }, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  #tell(object: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.event({ resource: PERSISTENT_VOLUME_CLAIMS, object }, type, reason, message)
  }
}
