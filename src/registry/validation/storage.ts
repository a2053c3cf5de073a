// Rules of what stores volumes: classes, drivers and what nodes know of them, attachments, capacities.
// Follows pkg/apis/storage/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt, objectsAt, textsAt } from '../reading.ts'
import { inlineVolumeSpec } from './persistentvolumes.ts'
import { isNotNegative } from './resources.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'
import { isDriverName } from './volumesources.ts'

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)
const MAX_PARAMETERS = 512
const MAX_PARAMETER_BYTES = 256 * 1024
const MAX_NODE_ID = 256

function parameters(spot: Spot): void {
  const names = spot.keys()
  if (names.length > MAX_PARAMETERS) return spot.tooLong(MAX_PARAMETERS)
  if (names.includes('')) spot.invalid('field can not be empty.', '')
  const bytes = names.reduce(
    (sum, name) => sum + Buffer.byteLength(name) + Buffer.byteLength(spot.key(name).text),
    0,
  )
  if (bytes > MAX_PARAMETER_BYTES) spot.tooLong(MAX_PARAMETER_BYTES)
}

/** Terms that differ, whatever the order of their expressions, and each key once in a term. */
function topologies(list: Spot): void {
  const terms = new Set<string>()
  for (const term of list.items()) {
    const keys = new Map<string, string[]>()
    for (const expression of term.itemsOf('matchLabelExpressions')) {
      const key = expression.at('key')
      expression.at('values').needed()
      expression.at('values').unique()
      key.isQualifiedName()
      if (keys.has(key.text)) key.duplicate()
      keys.set(key.text, [...new Set(textsAt(expression.at('values').value))].sort())
    }
    const shape = JSON.stringify([...keys].sort())
    // Upstream compares with as many empty terms as there are terms.
    if (keys.size === 0) for (const _ of list.items()) term.at('matchLabelExpressions').duplicate('')
    if (terms.has(shape)) term.at('matchLabelExpressions').duplicate('')
    terms.add(shape)
  }
}

function storageClass(object: Spot): void {
  const provisioner = object.at('provisioner')
  provisioner.with(provisioner.text.toLowerCase()).neededAs(qualifiedNameErrors)
  parameters(object.at('parameters'))
  if (!object.at('reclaimPolicy').isEmpty) object.at('reclaimPolicy').oneOf(['Delete', 'Retain'])
  const mode = object.at('volumeBindingMode')
  if (mode.isSet) mode.oneOf(['Immediate', 'WaitForFirstConsumer'])
  else mode.required()
  topologies(object.at('allowedTopologies'))
}

export const validateStorageClass = onCreate(storageClass)
export const validateStorageClassUpdate = onUpdate((object, old) => {
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode']) {
    object.at(name).unchanged(old[name])
  }
})

function tokenRequests(list: Spot): void {
  const seen = new Set<string>()
  for (const request of list.items()) {
    const [audience, seconds] = [request.at('audience'), request.at('expirationSeconds')]
    if (seen.has(audience.text)) {
      audience.duplicate(audience.text)
      continue
    }
    seen.add(audience.text)
    if (!seconds.isSet) continue
    if (seconds.number < 600) seconds.invalid('may not specify a duration less than 10 minutes')
    if (seconds.number > 2 ** 32) seconds.invalid('may not specify a duration larger than 2^32 seconds')
  }
}

function csiDriver(object: Spot): void {
  const spec = object.at('spec')
  for (const name of ['attachRequired', 'podInfoOnMount', 'storageCapacity']) {
    if (!spec.at(name).isSet) spec.at(name === 'attachRequired' ? 'attachedRequired' : name).required()
  }
  spec.at('fsGroupPolicy').oneOfIfSet(['File', 'None', 'ReadWriteOnceWithFSType'])
  tokenRequests(spec.at('tokenRequests'))
  const modes = spec.at('volumeLifecycleModes')
  for (const mode of modes.items()) {
    if (mode.text !== 'Persistent' && mode.text !== 'Ephemeral') {
      modes.notSupported(['Persistent', 'Ephemeral'], mode.text)
    }
  }
  spec
    .at('nodeAllocatableUpdatePeriodSeconds')
    .atLeastIfSet(10, 'must be greater than or equal to 10 seconds')
  const inSecrets = spec.at('serviceAccountTokenInSecrets')
  if (inSecrets.isSet && spec.at('tokenRequests').isEmpty) {
    inSecrets.invalid('serviceAccountTokenInSecrets is set but no tokenRequests are specified')
  }
}

export const validateCSIDriver = onCreate(csiDriver)
export const validateCSIDriverUpdate = onUpdate((object, old) => {
  csiDriver(object)
  const [spec, before] = [object.at('spec'), objectAt(old['spec'])]
  spec.at('attachedRequired').with(spec.at('attachRequired').value).unchanged(before['attachRequired'])
  spec.at('volumeLifecycleModes').unchanged(before['volumeLifecycleModes'])
})

function csiNode(object: Spot): void {
  const names = new Set<string>()
  for (const driver of object.at('spec').itemsOf('drivers')) {
    const [name, id] = [driver.at('name'), driver.at('nodeID')]
    isDriverName(name)
    if (id.needed() && id.text.length > MAX_NODE_ID) id.invalid(`must be ${MAX_NODE_ID} characters or less`)
    driver.at('allocatable').at('count').atLeast(0)
    if (names.has(name.text)) name.duplicate()
    names.add(name.text)
    const keys = new Set<string>()
    for (const key of driver.itemsOf('topologyKeys')) {
      if (!key.text) driver.required()
      if (keys.has(key.text)) driver.duplicate(key.text)
      keys.add(key.text)
      for (const fault of qualifiedNameErrors(key.text)) driver.invalid(fault, key.text)
    }
  }
}

export const validateCSINode = onCreate(csiNode)

/** As Go prints its struct, without the number of volumes, which may change. */
const driverShown = ({ name = '', nodeID = '', topologyKeys = null }: JsonObject): Json => ({
  Name: name,
  NodeID: nodeID,
  TopologyKeys: topologyKeys,
  Allocatable: null,
})

export const validateCSINodeUpdate = onUpdate((object, old) => {
  csiNode(object)
  const drivers = object.at('spec').at('drivers')
  for (const before of objectsAt(objectAt(old['spec'])['drivers'])) {
    for (const { object: now } of drivers.items()) {
      if (now['name'] !== before['name']) continue
      drivers
        .with({ ...now, allocatable: null })
        .unchanged({ ...before, allocatable: null }, driverShown(now))
    }
  }
})

const MAX_METADATA = 256 * 1024
const MAX_MESSAGE = 1024

function volumeError(error: Spot): void {
  const [message, code] = [error.at('message'), error.at('errorCode')]
  // Upstream names another limit than it holds.
  if (Buffer.byteLength(message.text) > MAX_MESSAGE) message.tooLong(MAX_METADATA)
  if (code.isSet) code.atLeast(0, `must be between 0 and ${2 ** 31 - 1}, inclusive`)
}

function attachmentStatus(status: Spot): void {
  const metadata = status.at('attachmentMetadata')
  const bytes = Object.entries(metadata.object).flat().join('')
  if (Buffer.byteLength(bytes) > MAX_METADATA) metadata.tooLong(MAX_METADATA)
  for (const field of ['attachError', 'detachError']) volumeError(status.at(field))
}

function attachment(object: Spot): void {
  const spec = object.at('spec')
  isDriverName(spec.at('attacher'))
  const source = spec.at('source')
  const [inline, name] = [source.at('inlineVolumeSpec'), source.at('persistentVolumeName')]
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (!inline.isSet && !name.isSet) source.required(one)
  else if (inline.isSet && name.isSet) source.forbidden(one)
  else if (inline.isSet) inlineVolumeSpec(inline)
  else name.needed('must specify non empty persistentVolumeName')
  spec.at('nodeName').with(spec.at('nodeName').text).isSubdomain()
  attachmentStatus(object.at('status'))
  if (name.isSet) name.matches(isSubdomain)
}

export const validateAttachment = onCreate(attachment)
function changedAttachment(object: Spot, old: JsonObject): void {
  attachment(object)
  object.at('spec').unchangedStruct('storage.VolumeAttachmentSpec', old['spec'])
}
export const validateAttachmentUpdate = onUpdate(changedAttachment, changedAttachment)

function attributesClass(object: Spot): void {
  const driver = object.at('driverName')
  driver.with(driver.text.toLowerCase()).neededAs(qualifiedNameErrors)
  parameters(object.at('parameters'))
  object.at('parameters').needed('must contain at least one key/value pair')
}

export const validateAttributesClass = onCreate(attributesClass)
export const validateAttributesClassUpdate = onUpdate((object, old) => {
  for (const field of ['driverName', 'parameters']) {
    if (semanticEqual(object.at(field).value, old[field])) continue
    object.at(field).forbidden(`updates to ${field} are forbidden.`)
  }
})

function storageCapacity(object: Spot): void {
  object.at('nodeTopology').isSelector()
  object.at('storageClassName').with(object.at('storageClassName').text).isSubdomain()
  isNotNegative(object.at('capacity'))
}

export const validateStorageCapacity = onCreate(storageCapacity)
export const validateStorageCapacityUpdate = onUpdate((object, old) => {
  object.at('nodeTopology').unchanged(old['nodeTopology'])
  const name = object.at('storageClassName')
  name.with(name.text).unchanged(old['storageClassName'])
})
