// Rules of resource claims and of their templates: what is asked for, under which names, and what was allocated.
// Used by devices.ts. Follows pkg/apis/resource/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { interfaceAddressFaults } from '../addresses.ts'
import { objectAt, objectsAt, textAt } from '../reading.ts'
import { conditions } from './conditions.ts'
import {
  bindingConditions,
  deviceConfiguration,
  isFullAttributeName,
  isJsonObject,
  isPoolName,
  isTaintEffect,
  listOf,
  nameOf,
  selectors,
  setOf,
} from './devicenames.ts'
import { nodeSelector } from './scheduling.ts'
import type { Spot } from './spot.ts'
import { isDriverName } from './volumesources.ts'

const MAX_REQUESTS = 32
const MAX_CONSTRAINTS = 32
const MAX_CONFIGS = 32
const MAX_ALTERNATIVES = 8
const MAX_RESERVED = 256
const MAX_RESULTS = 32
const MAX_CONDITIONS = 8
const MAX_ADDRESSES = 16
const MAX_INTERFACE_NAME = 256
const MAX_HARDWARE_ADDRESS = 128

const ONE_SORT = 'exactly one of `exactly` or `firstAvailable` is required'
const ONE_ATTRIBUTE =
  'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
const NO_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
const NOT_NORMAL =
  'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'

// ---- what is asked for

function toleration(spot: Spot): void {
  const [key, operator, value] = [spot.at('key'), spot.at('operator'), spot.at('value')]
  if (key.text) key.isQualifiedName()
  if (operator.text === 'Exists') {
    if (value.text) value.invalid('must be empty for operator `Exists`')
  } else if (operator.text === 'Equal') value.with(value.text).isLabelValue()
  else if (operator.needed()) operator.notSupported(['Equal', 'Exists'])
  if (spot.at('effect').text) isTaintEffect(spot.at('effect'))
}

function amount(request: Spot): void {
  const [mode, count] = [request.at('allocationMode'), request.at('count')]
  if (mode.text === 'All') {
    if (count.number !== 0) count.invalid("must not be specified when allocationMode is 'All'", count.exact)
  } else if (mode.text === 'ExactCount') {
    if (count.number <= 0) count.invalid('must be greater than zero', count.exact)
  } else mode.notSupported(['All', 'ExactCount'], mode.text)
}

function devicesWanted(request: Spot): void {
  const className = request.at('deviceClassName')
  if (className.needed()) className.isSubdomain()
  selectors(request.at('selectors'))
  amount(request)
  request.itemsOf('tolerations').forEach(toleration)
}

function alternative(request: Spot): void {
  request.at('name').with(nameOf(request)).isLabelName()
  devicesWanted(request)
}

function deviceRequest(request: Spot): void {
  request.at('name').with(nameOf(request)).isLabelName()
  const [exactly, alternatives] = [request.at('exactly'), request.at('firstAvailable')]
  if (exactly.isSet && !alternatives.isEmpty) {
    request.invalid(`${ONE_SORT}, but multiple fields are set`, null)
  } else if (exactly.isSet) devicesWanted(exactly)
  else if (alternatives.isEmpty) request.required(ONE_SORT)
  else setOf(alternatives, MAX_ALTERNATIVES, alternative, nameOf)
}

type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

/** The names that others may refer to: of each request those of its alternatives. */
function requestNames(devices: Json | undefined): RequestNames {
  const requests = objectsAt(objectAt(devices)['requests'])
  const names = (list: Json | undefined): string[] => objectsAt(list).map(({ name }) => textAt(name))
  return new Map(requests.map((one) => [textAt(one['name']), new Set(names(one['firstAvailable']))]))
}

function isRequest(spot: Spot, known: RequestNames): void {
  const segments = spot.text.split('/')
  if (segments.length > 2) return spot.invalid(NO_REQUEST)
  for (const segment of segments) spot.with(segment).isLabelName()
  const [request = '', alternativeName] = segments
  const alternatives = known.get(request)
  const isKnown = alternatives && (alternativeName === undefined || alternatives.has(alternativeName))
  if (!isKnown) spot.invalid(NO_REQUEST, spot.text)
}

const requestsOf = (spot: Spot, known: RequestNames): void =>
  setOf(spot.at('requests'), MAX_REQUESTS, (name) => isRequest(name, known))

function constraint(spot: Spot, known: RequestNames): void {
  requestsOf(spot, known)
  const [match, distinct] = [spot.at('matchAttribute'), spot.at('distinctAttribute')]
  if (match.isSet) isFullAttributeName(match)
  else if (distinct.isSet) isFullAttributeName(distinct)
  else spot.required(ONE_ATTRIBUTE)
}

/** The spec of a claim. */
export function claimSpec(spec: Spot): void {
  const devices = spec.at('devices')
  const known = requestNames(devices.value)
  setOf(devices.at('requests'), MAX_REQUESTS, deviceRequest, nameOf)
  listOf(devices.at('constraints'), MAX_CONSTRAINTS, (item) => constraint(item, known))
  listOf(devices.at('config'), MAX_CONFIGS, (item) => {
    requestsOf(item, known)
    deviceConfiguration(item)
  })
}

// ---- what was allocated

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function isUid(spot: Spot): void {
  if (!spot.isSet) return
  const text = spot.text
  // Other forms of a UUID that upstream's parser knows: in braces, as a URN, without hyphens.
  const bare = text.replace(/^urn:uuid:(?=.{36}$)/i, '').replace(/^\{(.{36})\}$/, '$1')
  if (UUID.test(bare) || /^[0-9a-f]{32}$/i.test(text)) {
    if (text.length !== 36 || text !== text.toLowerCase()) spot.invalid(NOT_NORMAL)
    return
  }
  const known = [32, 36, 38, 45].includes(text.length)
  const why = known ? 'invalid UUID format' : `invalid UUID length: ${text.length}`
  spot.invalid(`error validating uid: ${why}`)
}

/** The device that a result or a status speaks of, and which share of it. */
export function deviceId(device: Json | undefined): string {
  const { driver, pool, device: name, shareID } = objectAt(device)
  const id = `${textAt(driver)}/${textAt(pool)}/${textAt(name)}`
  return textAt(shareID) ? `${id}/${textAt(shareID)}` : id
}

/** As Go prints its struct. */
const shownId = (device: Json | undefined): JsonObject => {
  const { driver, pool, device: name, shareID } = objectAt(device)
  return { Driver: textAt(driver), Pool: textAt(pool), Device: textAt(name), ShareID: textAt(shareID) }
}

export const allocatedDevices = (status: Json | undefined): Set<string> => {
  const { devices } = objectAt(objectAt(status)['allocation'])
  return new Set(objectsAt(objectAt(devices)['results']).map(deviceId))
}

function networkData(data: Spot): void {
  const [name, address] = [data.at('interfaceName'), data.at('hardwareAddress')]
  if (Buffer.byteLength(name.text) > MAX_INTERFACE_NAME) name.tooLong(MAX_INTERFACE_NAME)
  if (Buffer.byteLength(address.text) > MAX_HARDWARE_ADDRESS) address.tooLong(MAX_HARDWARE_ADDRESS)
  setOf(data.at('ips'), MAX_ADDRESSES, (address) => void address.matches(interfaceAddressFaults))
}

function names(device: Spot): void {
  isDriverName(device.at('driver'))
  isPoolName(device.at('pool'))
  const name = device.at('device')
  name.with(name.text).isLabelName()
}

function deviceStatus(device: Spot, allocated: ReadonlySet<string>): void {
  names(device)
  isUid(device.at('shareID'))
  if (!allocated.has(deviceId(device.value))) {
    device.invalid('must be an allocated device in the claim', shownId(device.value))
  }
  const list = device.at('conditions')
  if (list.items().length > MAX_CONDITIONS) list.tooMany(MAX_CONDITIONS)
  conditions(list)
  if (device.at('data').isSet) isJsonObject(device.at('data'))
  networkData(device.at('networkData'))
}

function allocation(spot: Spot, known: RequestNames): void {
  const devices = spot.at('devices')
  listOf(devices.at('results'), MAX_RESULTS, (result) => {
    isRequest(result.at('request').with(result.at('request').text), known)
    names(result)
    bindingConditions(result)
    isUid(result.at('shareID'))
  })
  // A class and a claim may each bring their own.
  listOf(devices.at('config'), 2 * MAX_CONFIGS, (config) => {
    config.at('source').neededOneOf(['FromClaim', 'FromClass'])
    requestsOf(config, known)
    deviceConfiguration(config)
  })
  if (spot.at('nodeSelector').isSet) nodeSelector(spot.at('nodeSelector'))
}

function consumer(reference: Spot): void {
  for (const field of ['resource', 'name', 'uid']) reference.at(field).needed()
}

function reservations(reserved: Spot, isAllocated: boolean, claim: Spot, old: KubeObject): void {
  if (reserved.isEmpty) return
  if (!isAllocated) return reserved.forbidden('may not be specified when `allocated` is not set')
  if (!claim.at('metadata').at('deletionTimestamp').isSet) return
  const text = ({ apiGroup = '', resource = '', name = '', uid = '' }): string =>
    JSON.stringify([apiGroup, resource, name, uid])
  const before = new Set(objectsAt(objectAt(old['status'])['reservedFor']).map(text))
  if (reserved.items().every((item) => before.has(text(item.object)))) return
  reserved.forbidden(
    'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
  )
}

/** The status of a claim, written by schedulers and drivers. */
function deviceStatuses(list: Spot, allocated: ReadonlySet<string>): void {
  const seen = new Set<string>()
  for (const item of list.items()) deviceStatus(item, allocated)
  for (const item of list.items()) {
    const id = deviceId(item.value)
    if (seen.has(id)) item.duplicate(shownId(item.value))
    seen.add(id)
  }
}

export function claimStatus(claim: Spot, old: KubeObject): void {
  const status = claim.at('status')
  const result = status.at('allocation')
  setOf(status.at('reservedFor'), MAX_RESERVED, consumer, (item) => item.at('uid').text)
  const allocated = allocatedDevices(status.value)
  deviceStatuses(status.at('devices'), allocated)
  reservations(status.at('reservedFor'), result.isSet, claim, old)
  const before = objectAt(old['status'])['allocation']
  if (!result.isSet) return
  if (before !== undefined && before !== null) result.unchangedStruct('resource.AllocationResult', before)
  else allocation(result, requestNames(claim.at('spec').at('devices').value))
}
