// Volumes, their classes and drivers.
// Rows of strategies.ts. Follows pkg/registry/core/persistentvolume* and storage.
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { timeText } from './generic.ts'
import { childOf, objectAt, present } from './reading.ts'
import { held, STATUS_APART, STATUS_ONLY } from './rows.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import * as storage from './validation/storage.ts'
import { validateVolume, validateVolumeUpdate } from './validation/persistentvolumes.ts'
import { validateClaim, validateClaimUpdate } from './validation/claims.ts'
import {
  claimWarnings,
  csiDriverWarnings,
  persistentVolumeWarnings,
  storageCapacityWarnings,
  storageClassWarnings,
} from './warnings/volumes.ts'

const PHASE_TIME = 'lastPhaseTransitionTime'

/** When a volume's phase changes, the time of it is kept, unless the writer says it. */
function keepPhaseTime(volume: KubeObject, old: KubeObject, context: WriteContext): void {
  if (context.subresource !== 'status') return
  const status = childOf(volume, 'status')
  const before = objectAt(old['status'])
  const unsaid = !present(status[PHASE_TIME])
  if (before['phase'] === status['phase']) {
    if (unsaid && before[PHASE_TIME] !== undefined) status[PHASE_TIME] = before[PHASE_TIME]
  } else if (unsaid || status[PHASE_TIME] === before[PHASE_TIME]) status[PHASE_TIME] = timeText(context.now)
}

/** Other kinds of source are what `dataSourceRef` was made for: in the older field they are dropped. */
const isKnownSource = (source: JsonObject): boolean =>
  (!source['apiGroup'] && source['kind'] === 'PersistentVolumeClaim') ||
  (source['apiGroup'] === 'snapshot.storage.k8s.io' && source['kind'] === 'VolumeSnapshot')

/** A source in another namespace is dropped while the feature CrossNamespaceVolumeDataSource is off, as by default. */
function dropForeignSource(claim: KubeObject, old?: KubeObject): void {
  const spec = childOf(claim, 'spec')
  const isForeign = Boolean(objectAt(spec['dataSourceRef'])['namespace'])
  if (isForeign && !present(objectAt(old?.['spec'])['dataSourceRef'])) delete spec['dataSourceRef']
}

/** `dataSource` and `dataSourceRef` say the same where one of them can say it all. */
function pairDataSources(claim: KubeObject, old?: KubeObject): void {
  const spec = childOf(claim, 'spec')
  dropForeignSource(claim, old)
  const before = objectAt(old?.['spec'])
  const isNew = !present(before['dataSource']) && !present(before['dataSourceRef'])
  if (isNew && !present(spec['dataSourceRef']) && !isKnownSource(objectAt(spec['dataSource']))) {
    delete spec['dataSource']
  }
  const { dataSource: source, dataSourceRef: ref } = spec
  if (present(source) && !present(ref)) spec['dataSourceRef'] = { ...objectAt(source) }
  else if (present(ref) && !present(source) && !objectAt(ref)['namespace']) {
    const { namespace: _namespace, ...rest } = objectAt(ref)
    spec['dataSource'] = rest
  }
}

const persistentvolumes: Strategy = {
  resetFields: STATUS_APART,
  initialStatus: () => ({ phase: 'Pending' }),
  metadataOnUpdate: ['create', 'rules', 'create', 'rules'],
  warnings: persistentVolumeWarnings,
  validateCreate: validateVolume,
  validateUpdate: validateVolumeUpdate,
  returnsDeleted: true,
  prepareForCreate(volume, context) {
    childOf(volume, 'status')[PHASE_TIME] = timeText(context.now)
  },
  prepareForUpdate: keepPhaseTime,
}

const persistentvolumeclaims: Strategy = {
  resetFields: STATUS_APART,
  initialStatus: () => ({ phase: 'Pending' }),
  metadataOnUpdate: ['update', 'create'],
  returnsDeleted: true,
  warnings: claimWarnings,
  validateCreate: validateClaim,
  validateUpdate: validateClaimUpdate,
  prepareForCreate: (claim) => pairDataSources(claim),
  prepareForUpdate: pairDataSources,
}

const CONDITIONAL: Strategy = { allowUnconditionalUpdate: false }

/** What the feature VolumeLimitScaling, off by default in 1.36, would allow is dropped. */
function dropScaling(driver: KubeObject, old?: KubeObject): void {
  const field = 'preventPodSchedulingIfMissing'
  if (!present(objectAt(old?.['spec'])[field])) delete objectAt(driver['spec'])[field]
}

const csidrivers: Strategy = {
  warnings: csiDriverWarnings,
  ...held(storage.validateCSIDriver, storage.validateCSIDriverUpdate),
  ...CONDITIONAL,
  hasGeneration: true,
  returnsDeleted: true,
  prepareForCreate(driver) {
    // Upstream counts the changes but not the creation.
    delete driver.metadata.generation
    dropScaling(driver)
  },
  prepareForUpdate: dropScaling,
}

const volumeattachments: Strategy = {
  ...held(storage.validateAttachment, storage.validateAttachmentUpdate),
  ...CONDITIONAL,
  resetFields: STATUS_ONLY,
  initialStatus: () => ({ attached: false }),
  metadataOnUpdate: ['create'],
  returnsDeleted: true,
}

export const volumes: Readonly<Record<string, Strategy>> = {
  persistentvolumes,
  persistentvolumeclaims,
  'storageclasses.storage.k8s.io': {
    returnsDeleted: true,
    metadataOnUpdate: ['create', 'rules', 'update'],
    warnings: storageClassWarnings,
    ...held(storage.validateStorageClass, storage.validateStorageClassUpdate),
  },
  'csidrivers.storage.k8s.io': csidrivers,
  'csinodes.storage.k8s.io': {
    ...CONDITIONAL,
    metadataOnUpdate: ['create'],
    returnsDeleted: true,
    ...held(storage.validateCSINode, storage.validateCSINodeUpdate),
  },
  'csistoragecapacities.storage.k8s.io': {
    metadataOnUpdate: ['create', 'rules', 'update'],
    ...CONDITIONAL,
    warnings: storageCapacityWarnings,
    ...held(storage.validateStorageCapacity, storage.validateStorageCapacityUpdate),
  },
  'volumeattachments.storage.k8s.io': volumeattachments,
  'volumeattributesclasses.storage.k8s.io': {
    metadataOnUpdate: ['update', 'changes', 'create', 'rules'],
    returnsDeleted: true,
    ...held(storage.validateAttributesClass, storage.validateAttributesClassUpdate),
  },
}
