// The kinds of resource.k8s.io: claims, slices and classes of devices.
// Rows of strategies.ts. Follows pkg/registry/resource.
import type { JsonObject } from '../machinery/json.ts'
import { nameIsDnsSubdomainOfBytes } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { sameAt } from './equality.ts'
import { childOf, objectAt, objectsAt, present, textAt } from './reading.ts'
import { COUNTED, held, STATUS_ONLY } from './rows.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import { allocatedDevices, deviceId } from './validation/deviceclaims.ts'
import { loadSelectors } from './validation/deviceselectors.ts'
import * as rules from './validation/devices.ts'

/** What a driver said of devices that the claim has no more is dropped. */
function dropDeallocated(claim: KubeObject, old: KubeObject, { subresource }: WriteContext): void {
  if (subresource !== 'status') return
  const status = childOf(claim, 'status')
  const devices = objectsAt(status['devices'])
  if (!devices.length) return
  const now = allocatedDevices(status)
  const gone = [...allocatedDevices(old['status'])].filter((id) => !now.has(id))
  const kept = devices.filter((device) => !gone.includes(deviceId(device)))
  if (kept.length) status['devices'] = kept
  else delete status['devices']
}

const devicesOf = (slice: KubeObject | undefined): readonly JsonObject[] =>
  objectsAt(objectAt(slice?.['spec'])['devices'])
const attributesOf = (devices: readonly JsonObject[]): JsonObject[] =>
  devices.flatMap(({ attributes }) => Object.values(objectAt(attributes)).map(objectAt))

const LISTS = ['bools', 'ints', 'strings', 'versions'] as const
const MAPPINGS = 'nodeAllocatableResourceMappings'

/** Fields whose features are off by default in 1.36, unless the stored slice has them. */
function dropFeatures(slice: KubeObject, old?: KubeObject): void {
  const [devices, before] = [devicesOf(slice), devicesOf(old)]
  if (!before.some((device) => present(device[MAPPINGS]))) {
    for (const device of devices) delete device[MAPPINGS]
  }
  if (attributesOf(before).some((attribute) => LISTS.some((name) => present(attribute[name])))) return
  for (const attribute of attributesOf(devices)) for (const name of LISTS) delete attribute[name]
}

function* sliceWarnings(slice: KubeObject): Iterable<string> {
  const driver = textAt(objectAt(slice['spec'])['driver'])
  if (driver === driver.toLowerCase()) return
  yield `spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`
}

const resourceclaims: Strategy = {
  resetFields: STATUS_ONLY,
  initialStatus: () => ({}),
  returnsDeleted: true,
  metadataOnUpdate: ['create', 'update'],
  reads: [rules.NAMESPACES],
  load: loadSelectors,
  prepareForUpdate: dropDeallocated,
  validateFirst: rules.claimAdminCauses,
  ...held(rules.validateResourceClaim, rules.validateResourceClaimUpdate),
}

const resourceslices: Strategy = {
  hasGeneration: true,
  returnsDeleted: true,
  prepareForCreate: (slice) => dropFeatures(slice),
  prepareForUpdate(slice, old, { resource }) {
    // What is dropped counts as a change all the same.
    if (!sameAt(resource, ['spec'], [slice, old]))
      slice.metadata.generation = (old.metadata.generation ?? 0) + 1
    dropFeatures(slice, old)
  },
  warnings: sliceWarnings,
  ...held(rules.validateSlice, rules.validateSliceUpdate),
}

export const devices: Readonly<Record<string, Strategy>> = {
  'resourceclaims.resource.k8s.io': resourceclaims,
  'resourceclaimtemplates.resource.k8s.io': {
    returnsDeleted: true,
    metadataOnUpdate: ['create', 'rules', 'update'],
    reads: [rules.NAMESPACES],
    load: loadSelectors,
    validateFirst: rules.templateAdminCauses,
    ...held(rules.validateClaimTemplate, rules.validateClaimTemplateUpdate),
  },
  'resourceslices.resource.k8s.io': resourceslices,
  'deviceclasses.resource.k8s.io': {
    validateName: nameIsDnsSubdomainOfBytes,
    hasGeneration: true,
    returnsDeleted: true,
    load: loadSelectors,
    metadataOnUpdate: ['create', 'update'],
    ...held(rules.validateDeviceClass, rules.validateDeviceClassUpdate),
  },
  'devicetaintrules.resource.k8s.io': { ...COUNTED, resetFields: STATUS_ONLY, returnsDeleted: true },
  'resourcepoolstatusrequests.resource.k8s.io': {
    allowUnconditionalUpdate: false,
    resetFields: STATUS_ONLY,
    returnsDeleted: true,
  },
}
