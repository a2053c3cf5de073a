// Rules of Endpoints and EndpointSlices, and of the addresses that traffic may be sent to.
// Follows pkg/apis/core/validation and pkg/apis/discovery/validation.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors, labelValueErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import { addressFaults, parseAddress, parseBlock, type Address } from '../addresses.ts'
import { semanticEqual } from '../equality.ts'
import { Spot } from './spot.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const FAMILIES = ['FQDN', 'IPv4', 'IPv6']
/** Upstream's bounds of one slice. */
const MAX_ENDPOINTS = 1000
const MAX_ADDRESSES = 100
const MAX_PORTS = 20_000

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

function sliceAddress(address: Spot, list: Spot, family: string): void {
  if (family === 'FQDN') {
    address.matches((text) => nameIsDnsSubdomain(text, false))
    return
  }
  const found = parseAddress(address.text)
  if (!found) address.matches(addressFaults)
  else if (found.family !== family) list.invalid(`must be an ${family} address`, address.text)
  else isEndpointAddress(address)
}

function endpoints(list: Spot, family: string): void {
  if (list.items().length > MAX_ENDPOINTS) return list.tooMany(MAX_ENDPOINTS)
  for (const endpoint of list.items()) {
    const addresses = endpoint.at('addresses')
    if (addresses.isEmpty) addresses.required('must contain at least 1 address')
    if (addresses.items().length > MAX_ADDRESSES) addresses.tooMany(MAX_ADDRESSES)
    for (const address of addresses.items()) sliceAddress(address, addresses, family)
    endpoint.at('nodeName').ifSet((text) => nameIsDnsSubdomain(text, false))
    for (const key of endpoint.at('deprecatedTopology').keys()) {
      const topology = endpoint.at('deprecatedTopology')
      topology.key(key).matches(labelValueErrors)
    }
    endpoint.at('hostname').ifSet(dns1123LabelErrors)
  }
}

function slicePorts(list: Spot): void {
  if (list.items().length > MAX_PORTS) return list.tooMany(MAX_PORTS)
  const names = new Set<string>()
  for (const port of list.items()) {
    const name = port.at('name')
    name.ifSet(dns1123LabelErrors)
    if (names.has(name.text)) name.duplicate(name.text)
    names.add(name.text)
    port.at('protocol').neededOneOf(PROTOCOLS)
    port.at('appProtocol').ifSet(qualifiedNameErrors)
  }
}

function slice(spot: Spot): void {
  const family = spot.at('addressType')
  if (!family.needed()) return
  const known = family.oneOf(FAMILIES)
  slicePorts(spot.at('ports'))
  if (known) endpoints(spot.at('endpoints'), family.text)
}

export function validateEndpointSlice(object: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  slice(Spot.of(object, causes))
  return causes
}

export function validateEndpointSliceUpdate(object: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(object, causes)
  const changed =
    !semanticEqual(object['endpoints'], old['endpoints']) || !semanticEqual(object['ports'], old['ports'])
  if (changed) slice(spot)
  spot.at('addressType').unchanged(old['addressType'])
  return causes
}
