// Rules of resource slices: which nodes reach the devices, and what each device is and has.
// Used by devices.ts. Follows pkg/apis/resource/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt, objectsAt, textAt } from '../reading.ts'
import { requestPolicy } from './devicecapacity.ts'
import {
  bindingConditions,
  isAttributeName,
  isPoolName,
  listOf,
  mapOf,
  nameOf,
  setOf,
  taint,
} from './devicenames.ts'
import { nodeSelector } from './scheduling.ts'
import type { Spot } from './spot.ts'
import { isDriverName } from './volumesources.ts'

const MAX_DEVICES = 128
/** Where a device has taints or counters. */
const MAX_ADVANCED_DEVICES = 64
const MAX_COUNTER_SETS = 8
const MAX_COUNTERS = 32
const MAX_CONSUMPTIONS = 2
const MAX_TAINTS = 16
const MAX_PROPERTIES = 32
const MAX_VALUE = 64

const WHERE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
const WHERE_DEVICE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
const NOT_PER_DEVICE =
  '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
const UNSET_OR_TRUE = 'must be either unset or set to true'

// ---- which nodes

/** Adds the field's name to `given` where it is true. */
function flag(spot: Spot, name: string, given: string[]): void {
  const field = spot.at(name)
  if (!field.isSet) return
  if (field.value === true) given.push(`\`${name}\``)
  else field.invalid(UNSET_OR_TRUE)
}

function nodes(spot: Spot, emptyName: string, given: string[]): void {
  const [name, selector] = [spot.at('nodeName'), spot.at('nodeSelector')]
  if (name.isSet) {
    if (name.text) given.push('`nodeName`')
    if (name.text) name.isSubdomain()
    else name.invalid(emptyName)
  }
  if (!selector.isSet) return
  given.push('`nodeSelector`')
  nodeSelector(selector)
}

const expressionsShown = (list: Json | undefined): Json =>
  Array.isArray(list)
    ? objectsAt(list).map(({ key = '', operator = '', values = null }) => ({
        Key: key,
        Operator: operator,
        Values: values,
      }))
    : null

/** As Go prints its structs. */
const termsShown = (terms: Json | undefined): Json =>
  Array.isArray(terms)
    ? objectsAt(terms).map(({ matchExpressions, matchFields }) => ({
        MatchExpressions: expressionsShown(matchExpressions),
        MatchFields: expressionsShown(matchFields),
      }))
    : null

function nodesOfSlice(spec: Spot): void {
  const given: string[] = []
  nodes(spec, 'must be either unset or set to a non-empty string', given)
  const terms = spec.at('nodeSelector').at('nodeSelectorTerms')
  if (spec.at('nodeSelector').isSet && terms.items().length !== 1) {
    terms.invalid('must have exactly one node selector term', termsShown(terms.value))
  }
  flag(spec, 'allNodes', given)
  flag(spec, 'perDeviceNodeSelection', given)
  if (given.length === 0) spec.required(WHERE)
  else if (given.length > 1) {
    spec.invalid(`${WHERE}, but multiple fields are set`, `{${given.join(', ')}}`)
  }
}

function nodesOfDevice(device: Spot, perDevice: boolean): void {
  if (!perDevice) {
    const isSaid = ['nodeName', 'nodeSelector', 'allNodes'].some((name) => device.at(name).isSet)
    if (isSaid) device.invalid(NOT_PER_DEVICE, null)
    return
  }
  const given: string[] = []
  nodes(device, 'must not be empty', given)
  flag(device, 'allNodes', given)
  if (given.length === 0) device.required(WHERE_DEVICE)
  else if (given.length > 1) device.invalid(WHERE_DEVICE, `{${given.join(', ')}}`)
}

// ---- what a device is

const NUMERIC = '(0|[1-9][0-9]*)'
const BEFORE_RELEASE = '(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)'
const BUILD = '[0-9a-zA-Z-]+'
const SEMVER = new RegExp(
  `^${NUMERIC}\\.${NUMERIC}\\.${NUMERIC}` +
    `(-${BEFORE_RELEASE}(\\.${BEFORE_RELEASE})*)?(\\+${BUILD}(\\.${BUILD})*)?$`,
)

const isShort = (spot: Spot): void => {
  if (Buffer.byteLength(spot.text) > MAX_VALUE) spot.tooLong(MAX_VALUE)
}

/** As Go prints its struct; the lists are dropped before. */
const attributeShown = ({ int = null, bool = null, string = null, version = null }: JsonObject): Json => ({
  IntValue: int,
  BoolValue: bool,
  StringValue: string,
  VersionValue: version,
  IntValues: null,
  BoolValues: null,
  StringValues: null,
  VersionValues: null,
})

function attribute(spot: Spot): void {
  const [text, version] = [spot.at('string'), spot.at('version')]
  if (text.isSet) isShort(text)
  if (version.isSet) {
    if (!SEMVER.test(version.text)) version.invalid('must be a string compatible with semver.org spec 2.0.0')
    isShort(version)
  }
  const values = ['bool', 'int', 'string', 'version'].filter((name) => spot.at(name).isSet)
  if (values.length === 1) return
  spot.invalid('exactly one value must be specified', values.length ? attributeShown(spot.object) : '')
}

function counters(set: Spot): void {
  const map = set.at('counters')
  if (!map.needed()) return
  const names = map.keys()
  // The number of items of a map, told as that of a list.
  if (names.length > MAX_COUNTERS) return map.with(names).tooMany(MAX_COUNTERS)
  for (const name of names) map.with(name).isLabelName()
}

function counterSet(spot: Spot, field: string): void {
  if (spot.at(field).needed()) spot.at(field).isLabelName()
  counters(spot)
}

function capacities(device: Spot): void {
  const isShared = device.at('allowMultipleAllocations').value === true
  mapOf(device.at('capacity'), isAttributeName, (capacity) => {
    const policy = capacity.at('requestPolicy')
    if (!policy.isSet) return
    if (isShared) requestPolicy(policy, capacity.at('value'))
    else policy.forbidden('allowMultipleAllocations must be true')
  })
}

function deviceRules(device: Spot, old: JsonObject | undefined, perDevice: boolean): void {
  device.at('name').with(nameOf(device)).isLabelName()
  const properties = device.at('attributes').keys().length + device.at('capacity').keys().length
  if (properties > MAX_PROPERTIES) {
    const why = `the total number of attributes and capacities must not exceed ${MAX_PROPERTIES}`
    device.invalid(why, properties)
  }
  mapOf(device.at('attributes'), isAttributeName, attribute)
  capacities(device)
  if (!old || !semanticEqual(old['taints'], device.at('taints').value)) {
    listOf(device.at('taints'), MAX_TAINTS, taint)
  }
  setOf(
    device.at('consumesCounters'),
    MAX_CONSUMPTIONS,
    (item) => counterSet(item, 'counterSet'),
    (item) => item.at('counterSet').text,
  )
  nodesOfDevice(device, perDevice)
  bindingConditions(device)
}

function pool(spot: Spot): void {
  isPoolName(spot.at('name'))
  spot.at('resourceSliceCount').atLeast(1, 'must be greater than zero')
  spot.at('generation').atLeast(0, 'must be greater than or equal to zero')
}

function isAdvanced(device: JsonObject): boolean {
  return objectsAt(device['taints']).length > 0 || objectsAt(device['consumesCounters']).length > 0
}

/** A slice, or a change of one: its driver, its pool and its node stay. */
export function sliceRules(slice: Spot, before?: KubeObject): void {
  const spec = slice.at('spec')
  const old = before && objectAt(before['spec'])
  isDriverName(spec.at('driver'))
  pool(spec.at('pool'))
  if (old) {
    spec.at('pool').at('name').unchanged(objectAt(old['pool'])['name'])
    spec.at('driver').unchanged(old['driver'])
    spec.at('nodeName').unchanged(old['nodeName'])
  }
  nodesOfSlice(spec)
  const devices = spec.at('devices')
  if (spec.at('sharedCounters').shown !== null && devices.shown !== null) {
    spec.invalid('only one of `sharedCounters` or `devices` is allowed', '')
  }
  const most = objectsAt(devices.value).some(isAdvanced) ? MAX_ADVANCED_DEVICES : MAX_DEVICES
  const perDevice = spec.at('perDeviceNodeSelection').value === true
  const known = new Map(objectsAt(old?.['devices']).map((device) => [textAt(device['name']), device]))
  setOf(devices, most, (item) => deviceRules(item, known.get(nameOf(item)), perDevice), nameOf)
  setOf(spec.at('sharedCounters'), MAX_COUNTER_SETS, (item) => counterSet(item, 'name'), nameOf)
}
