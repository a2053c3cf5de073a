// What is wrong between Services and the records of what they hold (IPAddress objects, the bitmap of node ports), and
// what sets it right. Pure: the caller reads the store and carries it out.
// Follows pkg/registry/core/service/{ipallocator,portallocator}/controller.
import type { KubeObject } from '../machinery/object.ts'
import { addressText, parseAddress, parseBlock, type Address } from './addresses.ts'
import type { PortBitmap, PortSpan } from './portbitmap.ts'
import { numberAt, objectAt, objectsAt, textAt, textsAt } from './reading.ts'
import { addressObject, isLabelled, isManaged, parentOf, referenceOf } from './serviceclaims.ts'

/** Upstream's: a server that claims may need this long for the Service. */
const ORPHAN_MS = 60_000
/** Upstream's: how long after a claim a Service that is there may still turn out to be another's. */
const REVERT_MS = 5_000
/** How often a port must be seen without a Service before it counts as leaked. */
const SIGHTINGS = 3

/** An event to be written about an object. */
export interface Finding {
  readonly about: KubeObject
  readonly reason: string
  readonly action: string
  readonly note: string
}

export interface AddressRepair {
  readonly finding?: Finding
  /** The IPAddress to take away, as it was seen. */
  readonly remove?: KubeObject
  readonly create?: KubeObject
}

export interface AddressPicture {
  readonly services: readonly KubeObject[]
  readonly addresses: readonly KubeObject[]
  /** Of all ServiceCIDRs. */
  readonly cidrs: readonly string[]
  readonly now: Date
}

/** Repairs so that each cluster IP has an IPAddress of its Service, and no IPAddress is left over. */
export function repairAddresses(picture: AddressPicture): AddressRepair[] {
  const services = new Map(picture.services.map((service) => [referenceOf(service), service]))
  const addresses = new Map(picture.addresses.map((address) => [address.metadata.name ?? '', address]))
  const blocks = picture.cidrs.map(parseBlock)
  const within = ({ family, value }: Address): boolean =>
    blocks.some((block) => block?.family === family && block.first <= value && value <= block.last)
  const repairs: AddressRepair[] = []
  for (const service of picture.services) {
    for (const text of addressesOf(service)) {
      const address = parseAddress(text)
      const repair = address && ofClusterIP(service, address, { within, services, addresses })
      if (repair) repairs.push(repair)
    }
  }
  for (const address of picture.addresses) {
    const repair = ofAddress(address, services, picture.now)
    if (repair) repairs.push(repair)
  }
  return repairs
}

const addressesOf = (service: KubeObject): readonly string[] =>
  textsAt(objectAt(service['spec'])['clusterIPs']).filter((text) => text !== '' && text !== 'None')

interface Known {
  within(address: Address): boolean
  readonly services: ReadonlyMap<string, KubeObject>
  readonly addresses: ReadonlyMap<string, KubeObject>
}

function ofClusterIP(service: KubeObject, address: Address, known: Known): AddressRepair | undefined {
  const { family } = address
  const ip = addressText(address)
  const { name = '', namespace = '' } = service.metadata
  const finding = (reason: string, note: string): { finding: Finding } => ({
    finding: { about: service, reason, action: 'ClusterIPAllocation', note },
  })
  if (!known.within(address)) {
    const note = `Cluster IP [${family}]: ${ip} is not within any configured Service CIDR; please recreate service`
    return finding('ClusterIPOutOfRange', note)
  }
  const create = addressObject(service, ip)
  const existing = known.addresses.get(ip)
  if (!existing) {
    const note = `Cluster IP [${family}]: ${ip} is not allocated; repairing`
    return { ...finding('ClusterIPNotAllocated', note), create }
  }
  const holder = known.services.get(parentOf(existing))
  if (parentOf(existing) !== referenceOf(service) && !holder) {
    const note = `the ClusterIP [${family}]: ${ip} for Service ${namespace}/${name} has a wrong reference; repairing`
    return { ...finding('ClusterIPNotAllocated', note), remove: existing, create }
  }
  if (holder && holder !== service && addressesOf(holder).includes(ip)) {
    const note = `Cluster IP [${family}]:${ip} was assigned to multiple services; please recreate service`
    return finding('ClusterIPAlreadyAllocated', note)
  }
  return isLabelled(existing) ? undefined : { remove: existing, create }
}

/** Those of others are left alone. */
function ofAddress(
  address: KubeObject,
  services: ReadonlyMap<string, KubeObject>,
  now: Date,
): AddressRepair | undefined {
  if (!isManaged(address)) return undefined
  const { name = '', creationTimestamp = '' } = address.metadata
  const [resource, namespace, parent] = parentOf(address).split('/')
  const finding = (reason: string, note: string): AddressRepair => ({
    finding: { about: address, reason, action: 'IPAddressAllocation', note },
    remove: address,
  })
  if (resource !== 'services') {
    const note = `IPAddress ${name} appears to have been modified, not referencing a Service ${parentOf(address)}: cleaning up`
    return finding('IPAddressNotAllocated', note)
  }
  const age = now.getTime() - Date.parse(creationTimestamp)
  const service = services.get(parentOf(address))
  if (!service) {
    if (age <= ORPHAN_MS) return undefined
    const note = `IPAddress: ${name} for Service ${namespace}/${parent} appears to have leaked: cleaning up`
    return finding('IPAddressNotAllocated', note)
  }
  if (addressesOf(service).includes(name)) return undefined
  const patience = objectAt(service['spec'])['type'] === 'ExternalName' ? ORPHAN_MS : REVERT_MS
  if (age < patience) return undefined
  const note = `IPAddress: ${name} for Service ${namespace}/${parent} has a wrong reference; cleaning up`
  return finding('IPAddressWrongReference', note)
}

export interface PortRepair {
  readonly findings: readonly Finding[]
  /** How often each port of the record was seen without a Service. */
  readonly leaks: ReadonlyMap<number, number>
}

/** Sets in `stored` what Services hold, and clears what none has held for several looks. */
export function repairPorts(
  services: readonly KubeObject[],
  stored: PortBitmap,
  span: PortSpan,
  before: ReadonlyMap<number, number>,
): PortRepair {
  const findings: Finding[] = []
  const held = new Set<number>()
  for (const service of services) {
    for (const port of nodePortsOf(service)) {
      const finding = ofPort(port, { stored, span, held })
      if (finding) findings.push({ about: service, action: 'PortAllocation', ...finding })
    }
  }
  const leaks = new Map<number, number>()
  for (let port = span[0]; port <= span[1]; port++) {
    if (held.has(port) || !stored.has(port)) continue
    const seen = (before.get(port) ?? 0) + 1
    if (seen > SIGHTINGS) stored.clear(port)
    else leaks.set(port, seen)
  }
  return { findings, leaks }
}

interface Ports {
  readonly stored: PortBitmap
  readonly span: PortSpan
  readonly held: Set<number>
}

function ofPort(port: number, { stored, span, held }: Ports): Pick<Finding, 'reason' | 'note'> | undefined {
  if (port < span[0] || port > span[1]) {
    const range = `${span[0]}-${span[1]}`
    return {
      reason: 'PortOutOfRange',
      note: `Port ${port} is not within the port range ${range}; please recreate service`,
    }
  }
  if (held.has(port)) {
    const note = `Port ${port} was assigned to multiple services; please recreate service`
    return { reason: 'PortAlreadyAllocated', note }
  }
  held.add(port)
  if (stored.has(port)) return undefined
  stored.set(port)
  return { reason: 'PortNotAllocated', note: `Port ${port} is not allocated; repairing` }
}

/** A port of two protocols counts once. */
function nodePortsOf(service: KubeObject): number[] {
  const spec = objectAt(service['spec'])
  const seen = new Set<string>()
  const ports: number[] = []
  for (const entry of objectsAt(spec['ports'])) {
    const port = numberAt(entry['nodePort'])
    const key = `${port}/${textAt(entry['protocol'])}`
    if (port && (!ports.includes(port) || seen.has(key))) ports.push(port)
    seen.add(key)
  }
  const health = numberAt(spec['healthCheckNodePort'])
  if (health && (!ports.includes(health) || seen.has(`${health}/TCP`))) ports.push(health)
  return ports
}
