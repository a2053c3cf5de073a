// Rules of Endpoints and EndpointSlices, and of the addresses that traffic may be sent to.
// Follows pkg/apis/core/validation and pkg/apis/discovery/validation.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors, labelValueErrors } from '../../machinery/validation.ts'
import { addressFaults, parseAddress, parseBlock, type Address } from '../addresses.ts'
import { semanticEqual } from '../equality.ts'
import { Spot } from './spot.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const FAMILIES = ['FQDN', 'IPv4', 'IPv6']
/** Upstream's bounds of one slice. */
const MAX_ENDPOINTS = 1000
const MAX_ADDRESSES = 100
const MAX_PORTS = 20_000
const MAX_HINTS = 8

const within = (address: Address, ...blocks: readonly string[]): boolean =>
  blocks.some((text) => {
    const block = parseBlock(text)
    return block?.family === address.family && block.first <= address.value && address.value <= block.last
  })

/** An address that can be somewhere else than here. */
export function isEndpointAddress(spot: Spot): void {
  const address = parseAddress(spot.text)
  if (!address) return spot.invalid('must be a valid IP address', spot.text)
  if (address.value === 0n) spot.invalid(`may not be unspecified (${spot.text})`)
  if (within(address, '127.0.0.0/8', '::1/128')) {
    spot.invalid('may not be in the loopback range (127.0.0.0/8, ::1/128)')
  }
  if (within(address, '169.254.0.0/16', 'fe80::/10')) {
    spot.invalid('may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  }
  if (within(address, '224.0.0.0/24', 'ff02::/16')) {
    spot.invalid('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
  }
}

function subsets(list: Spot): void {
  for (const subset of list.items()) {
    const addresses = ['addresses', 'notReadyAddresses'].flatMap((name) => subset.itemsOf(name))
    if (!addresses.length) subset.required('must specify `addresses` or `notReadyAddresses`')
    for (const address of addresses) {
      address.at('ip').matches(addressFaults)
      address.at('hostname').ifSet(dns1123LabelErrors)
      if (address.at('nodeName').isSet) address.at('nodeName').isSubdomain()
      isEndpointAddress(address.at('ip'))
    }
    const ports = subset.itemsOf('ports')
    for (const port of ports) {
      if (ports.length > 1) port.at('name').neededAs(dns1123LabelErrors)
      else port.at('name').ifSet(dns1123LabelErrors)
      port.at('port').isPortNumber()
      port.at('protocol').neededOneOf(PROTOCOLS)
      if (port.at('appProtocol').isSet) port.at('appProtocol').isQualifiedName()
    }
  }
}

export function validateEndpoints(endpoints: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  subsets(Spot.of(endpoints, causes).at('subsets'))
  return causes
}

export function validateEndpointsUpdate(endpoints: KubeObject, old: KubeObject): StatusCause[] {
  // Faults that were stored by an older release may stay.
  return semanticEqual(endpoints['subsets'], old['subsets']) ? [] : validateEndpoints(endpoints)
}

/** "db.example.com", with or without the dot at its end; only the first fault is told. */
function isDomain(spot: Spot): void {
  if (!spot.needed()) return
  const name = spot.text.endsWith('.') ? spot.text.slice(0, -1) : spot.text
  const faults = nameIsDnsSubdomain(name, false)
  const labels = name.split('.')
  if (faults.length) spot.invalid(faults.join(','), name)
  else if (labels.length < 2) {
    spot.invalid('should be a domain with at least two segments separated by dots', name)
  } else {
    const bad = labels.find((label) => dns1123LabelErrors(label).length > 0)
    if (bad !== undefined) spot.invalid(dns1123LabelErrors(bad).join(','), bad)
  }
}

/** Addresses of a family that nobody knows are not looked at. */
function sliceAddress(address: Spot, list: Spot, family: string): void {
  if (family === 'FQDN') return isDomain(address)
  if (!FAMILIES.includes(family)) return
  const found = parseAddress(address.text)
  if (!found) return void address.matches(addressFaults)
  if (found.family !== family) list.invalid(`must be an ${family} address`, address.text)
  isEndpointAddress(address)
}

/** Names that are each there once; `faults` are those of one name. */
function hints(list: Spot, faults: (text: string) => readonly string[]): boolean {
  if (list.items().length > MAX_HINTS) {
    list.tooMany(MAX_HINTS)
    return false
  }
  const seen = new Set<string>()
  for (const hint of list.items()) {
    const name = hint.at('name')
    if (seen.has(name.text)) name.duplicate(name.text)
    seen.add(name.text)
    for (const fault of faults(name.text)) name.invalid(fault, name.text)
  }
  return true
}

function endpoints(list: Spot, family: string): void {
  if (list.items().length > MAX_ENDPOINTS) return list.tooMany(MAX_ENDPOINTS)
  for (const endpoint of list.items()) {
    const addresses = endpoint.at('addresses')
    if (addresses.isEmpty) addresses.required('must contain at least 1 address')
    if (addresses.items().length > MAX_ADDRESSES) addresses.tooMany(MAX_ADDRESSES)
    for (const address of addresses.items()) sliceAddress(address, addresses, family)
    if (endpoint.at('nodeName').isSet) endpoint.at('nodeName').isSubdomain()
    endpoint.at('deprecatedTopology').isLabels()
    if (endpoint.at('hostname').isSet) endpoint.at('hostname').isLabelName()
    const named = endpoint.at('hints')
    if (named.isSet && hints(named.at('forZones'), labelValueErrors))
      hints(named.at('forNodes'), (text) => nameIsDnsSubdomain(text, false))
  }
}

function slicePorts(list: Spot): void {
  if (list.items().length > MAX_PORTS) return list.tooMany(MAX_PORTS)
  const names = new Set<string>()
  for (const port of list.items()) {
    const [name, protocol, application] = [port.at('name'), port.at('protocol'), port.at('appProtocol')]
    name.ifSet(dns1123LabelErrors)
    if (names.has(name.text)) name.duplicate(name.text)
    names.add(name.text)
    if (protocol.isSet) protocol.oneOf(PROTOCOLS)
    else protocol.required()
    if (application.isSet) application.isQualifiedName()
  }
}

function slice(spot: Spot, old?: KubeObject): void {
  const family = spot.at('addressType')
  family.neededOneOf(FAMILIES)
  slicePorts(spot.at('ports'))
  // Faults that were stored by an older release may stay.
  const list = spot.at('endpoints')
  if (!old || !semanticEqual(list.value, old['endpoints'])) endpoints(list, family.text)
}

export function validateEndpointSlice(object: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  slice(Spot.of(object, causes))
  return causes
}

export function validateEndpointSliceUpdate(object: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(object, causes)
  slice(spot, old)
  spot.at('addressType').unchanged(old['addressType'], spot.at('addressType').text)
  return causes
}
