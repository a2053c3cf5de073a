// Rules of the kinds that others refer to by name: storage classes and drivers, priorities, runtimes; and of leases,
// revisions and templates.
// Follows pkg/apis/{storage,scheduling,node,coordination,apps}/validation.
import { isObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { dns1123LabelErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import { objectAt, textsAt } from '../reading.ts'
import { isNotNegative, resourceRequirements } from './resources.ts'
import { onCreate, onUpdate } from './rules.ts'
import { podTemplate } from './podspec.ts'
import { tolerations } from './scheduling.ts'
import type { Spot } from './spot.ts'

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)
const MAX_PARAMETERS = 512
const MAX_PARAMETER_BYTES = 256 * 1024
const MAX_NODE_ID = 192

// ---- storage

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
    for (const expression of term.at('matchLabelExpressions').items()) {
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
  storageClass(object)
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode']) {
    object.at(name).unchanged(old[name])
  }
})

/** A CSI driver's name: a domain, in any case. */
function isDriverName(spot: Spot): void {
  if (!spot.needed()) return
  if (spot.text.length > 63) spot.tooLong(63)
  for (const fault of isSubdomain(spot.text.toLowerCase())) spot.invalid(fault)
}

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
  for (const driver of object.at('spec').at('drivers').items()) {
    const [name, id] = [driver.at('name'), driver.at('nodeID')]
    isDriverName(name)
    if (id.needed() && id.text.length > MAX_NODE_ID) id.invalid(`must be ${MAX_NODE_ID} characters or less`)
    driver.at('allocatable').at('count').atLeast(0)
    if (names.has(name.text)) name.duplicate()
    names.add(name.text)
    const keys = new Set<string>()
    for (const key of driver.at('topologyKeys').items()) {
      if (!key.text) driver.required()
      if (keys.has(key.text)) driver.duplicate(key.text)
      keys.add(key.text)
      for (const fault of qualifiedNameErrors(key.text)) driver.invalid(fault, key.text)
    }
  }
}

export const validateCSINode = onCreate(csiNode)
export const validateCSINodeUpdate = onUpdate(csiNode)

function attachment(object: Spot): void {
  const spec = object.at('spec')
  isDriverName(spec.at('attacher'))
  const source = spec.at('source')
  const [inline, name] = [source.at('inlineVolumeSpec'), source.at('persistentVolumeName')]
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (!inline.isSet && !name.isSet) source.required(one)
  else if (inline.isSet && name.isSet) source.forbidden(one)
  else if (name.isSet) name.neededAs(isSubdomain, 'must specify non empty persistentVolumeName')
  spec.at('nodeName').with(spec.at('nodeName').text).isSubdomain()
}

export const validateAttachment = onCreate(attachment)
export const validateAttachmentUpdate = onUpdate((object, old) => {
  attachment(object)
  object.at('spec').unchanged(old['spec'])
})

export const validateAttributesClass = onCreate((object) => {
  isDriverName(object.at('driverName'))
  parameters(object.at('parameters'))
  object.at('parameters').needed('must contain at least one key/value pair')
})
export const validateAttributesClassUpdate = onUpdate((object, old) => {
  object.at('driverName').unchanged(old['driverName'])
  const before = JSON.stringify(old['parameters'] ?? {})
  if (JSON.stringify(object.at('parameters').object) !== before) {
    object.at('parameters').forbidden('updates to parameters are forbidden.')
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
  object.at('storageClassName').unchanged(old['storageClassName'])
})

// ---- priorities and runtimes

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

/** Whether the class is one that a cluster cannot do without. */
export const isSystemPriority = (name: string): boolean => Object.hasOwn(SYSTEM_PRIORITIES, name)

function systemPriority(object: Spot): void {
  const name = object.at('metadata').at('name')
  const refuse = (why: string): void =>
    name.forbidden(
      `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
    )
  const value = SYSTEM_PRIORITIES[name.text]
  if (value === undefined) refuse(`${name.text} is not a known system priority class`)
  else if (value !== object.at('value').number) refuse(`value of ${name.text} PriorityClass must be ${value}`)
  else if (object.at('globalDefault').value === true) refuse(`globalDefault of ${name.text} must be false`)
}

export const validatePriorityClass = onCreate((object) => {
  if (object.at('metadata').at('name').text.startsWith('system-')) systemPriority(object)
  else if (object.at('value').number > HIGHEST_USER_PRIORITY) {
    object
      .at('value')
      .forbidden(`maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`)
  }
  object.at('preemptionPolicy').oneOfIfSet(['PreemptLowerPriority', 'Never'])
})
export const validatePriorityClassUpdate = onUpdate((object, old) => {
  const before = typeof old['value'] === 'number' ? old['value'] : 0
  if (object.at('value').number !== before) object.at('value').forbidden('may not be changed in an update.')
  object.at('preemptionPolicy').unchanged(old['preemptionPolicy'])
})

export const validateRuntimeClass = onCreate((object) => {
  object.at('handler').neededAs(dns1123LabelErrors)
  const overhead = object.at('overhead').at('podFixed')
  if (overhead.isSet) resourceRequirements(object.at('overhead').with({ limits: overhead.value ?? {} }), [])
  object.at('scheduling').at('nodeSelector').isLabels()
  tolerations(object.at('scheduling').at('tolerations'))
})
export const validateRuntimeClassUpdate = onUpdate((object, old) => {
  object.at('handler').unchanged(old['handler'])
})

// ---- leases, revisions, templates

function lease(object: Spot): void {
  const spec = object.at('spec')
  spec.at('leaseDurationSeconds').atLeastIfSet(1, 'must be greater than 0')
  spec.at('leaseTransitions').atLeast(0)
  if (spec.at('preferredHolder').text && !spec.at('strategy').text) {
    spec.at('preferredHolder').forbidden('may only be specified if `strategy` is defined')
  }
}

export const validateLease = onCreate(lease)
export const validateLeaseUpdate = onUpdate(lease)

export const validateRevision = onCreate((object) => {
  object.at('revision').atLeast(0)
  const data = object.at('data')
  if (!data.isSet) data.required('data is mandatory')
  else if (!isObject(data.value)) data.required('data must be a valid JSON object')
})
export const validateRevisionUpdate = onUpdate((object, old) => {
  object.at('revision').atLeast(0)
  object.at('data').unchanged(old['data'])
})

export const validatePodTemplate = onCreate((object) => podTemplate(object.at('template')))
export const validatePodTemplateUpdate = onUpdate((object) => podTemplate(object.at('template')))
