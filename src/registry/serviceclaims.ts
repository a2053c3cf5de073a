// Cluster IPs and node ports, claimed in the store right before a Service is written, so that no two servers on one
// store give out the same: an IPAddress object for each address, one bitmap for all ports, as upstream keeps them.
// Called by services.ts. Follows pkg/registry/core/service/{ipallocator,portallocator,allocator/storage}.
import type { GroupResource } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { parseAddress } from './addresses.ts'
import { allocatorsFor, type ServiceAllocators, SERVICES } from './allocators.ts'
import { PortBitmap } from './portbitmap.ts'
import { objectAt, textAt, textsAt } from './reading.ts'
import type { Taken } from './serviceips.ts'
import type { Claims, WriteContext } from './strategy.ts'

export const IP_ADDRESSES: GroupResource = { group: 'networking.k8s.io', resource: 'ipaddresses' }

/** The record of node ports, below "/registry/ranges/". */
export const PORTS_RECORD = 'servicenodeports'

const LABEL_FAMILY = 'ipaddress.kubernetes.io/ip-family'
const LABEL_MANAGER = 'ipaddress.kubernetes.io/managed-by'
const MANAGER = 'ipallocator.k8s.io'

/** A claim that no Service stands behind is void after this long: its server ended in between. Upstream's. */
const ORPHAN_MS = 60_000

/** What a prepared Service took here, what of it is claimed in the store, and what others turned out to have. */
export interface Holding extends Taken {
  readonly claimed: Taken
  readonly lost: Taken
}

const nothing = (): Taken => ({ addresses: [], ports: [] })
export const holdingNothing = (): Holding => ({ ...nothing(), claimed: nothing(), lost: nothing() })

/** Claims what the Service took; false where somebody else has a part of it, and the write must start again. */
export async function claim(service: KubeObject, holds: Holding, context: WriteContext): Promise<boolean> {
  const { claims } = context
  if (!claims) return true
  for (const address of holds.addresses) {
    const outcome = await claimAddress(claims, service, address, context)
    if (outcome === 'shared') continue
    holds[outcome].addresses.push(address)
    if (outcome === 'lost') return false
  }
  if (!holds.ports.length) return true
  const allocators = allocatorsFor(context.lister, context.settings)
  holds.lost.ports.push(...(await claimPorts(claims, holds.ports, allocators)))
  if (holds.lost.ports.length) return false
  holds.claimed.ports.push(...holds.ports)
  return true
}

/** Gives claims back. A failure leaves an orphan, which is void after a while; the write that is over does not fail. */
export async function unclaim(service: KubeObject, held: Taken, context: WriteContext): Promise<void> {
  const { claims } = context
  if (!claims) return
  const ofService = (object: KubeObject): boolean => parentOf(object) === referenceOf(service)
  try {
    for (const address of held.addresses) await claims.remove(IP_ADDRESSES, address, ofService)
    if (held.ports.length) {
      const allocators = allocatorsFor(context.lister, context.settings)
      await claims.amend(PORTS_RECORD, (record) => {
        const ports = bitmapOf(record, allocators)
        for (const port of held.ports) ports.clear(port)
        return ports.record()
      })
    }
  } catch {
    // See above.
  }
}

/** The Service that every server makes at its start: they all mean the same one, so none gives the claim back. */
const SHARED_SERVICE = 'services/default/kubernetes'

async function claimAddress(
  claims: Claims,
  service: KubeObject,
  address: string,
  context: WriteContext,
): Promise<'claimed' | 'shared' | 'lost'> {
  const object = addressObject(service, address)
  const isShared = referenceOf(service) === SHARED_SERVICE
  if (await claims.create(object)) return isShared ? 'shared' : 'claimed'
  const existing = context.lister.get(IP_ADDRESSES, '', address)
  if (!existing) return 'lost'
  if (isShared && parentOf(existing) === SHARED_SERVICE) return 'shared'
  if (!isOrphan(existing, context)) return 'lost'
  await claims.remove(IP_ADDRESSES, address, (found) => found.metadata.uid === existing.metadata.uid)
  return (await claims.create(object)) ? 'claimed' : 'lost'
}

/** The claim of a cluster IP. */
export const addressObject = (service: KubeObject, address: string): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: {
    name: address,
    labels: { [LABEL_FAMILY]: parseAddress(address)?.family ?? '', [LABEL_MANAGER]: MANAGER },
  },
  spec: {
    parentRef: {
      resource: SERVICES.resource,
      namespace: service.metadata.namespace ?? '',
      name: service.metadata.name ?? '',
    },
  },
})

/** "services/default/web" */
export const referenceOf = ({ metadata }: KubeObject): string =>
  `services/${metadata.namespace}/${metadata.name}`

/** The same of whom a claim is for; other groups stand before. */
export function parentOf(address: KubeObject): string {
  const parent = objectAt(objectAt(address['spec'])['parentRef'])
  const group = textAt(parent['group'])
  const reference = `${textAt(parent['resource'])}/${textAt(parent['namespace'])}/${textAt(parent['name'])}`
  return group ? `${group}/${reference}` : reference
}

/** Made by an allocator. */
export const isManaged = ({ metadata: { labels } }: KubeObject): boolean =>
  labels?.[LABEL_MANAGER] === MANAGER

/** With both labels that an allocator gives. */
export const isLabelled = (address: KubeObject): boolean =>
  isManaged(address) &&
  address.metadata.labels?.[LABEL_FAMILY] === parseAddress(address.metadata.name ?? '')?.family

/** Made for a Service that does not have the address, and long enough ago for the Service to have been written. */
function isOrphan(address: KubeObject, { lister, now }: WriteContext): boolean {
  const { creationTimestamp, name = '' } = address.metadata
  if (!isManaged(address)) return false
  if (now.getTime() - Date.parse(creationTimestamp ?? '') < ORPHAN_MS) return false
  const [resource, namespace = '', parent = ''] = parentOf(address).split('/')
  if (resource !== SERVICES.resource) return false
  const service = lister.get(SERVICES, namespace, parent)
  return !service || !textsAt(objectAt(service['spec'])['clusterIPs']).includes(name)
}

/** Sets all these ports, or none; answers those that were set already. */
async function claimPorts(
  claims: Claims,
  wanted: readonly number[],
  allocators: ServiceAllocators,
): Promise<readonly number[]> {
  let lost: readonly number[] = []
  await claims.amend(PORTS_RECORD, (record) => {
    const ports = bitmapOf(record, allocators)
    lost = wanted.filter((port) => ports.has(port) && !allocators.isOrphanedPort(port, ORPHAN_MS))
    if (lost.length) return undefined
    for (const port of wanted) ports.set(port)
    return ports.record()
  })
  return lost
}

/** As recorded; where nothing is, or of another range, what stored Services hold. */
function bitmapOf(record: KubeObject | undefined, allocators: ServiceAllocators): PortBitmap {
  const ports = new PortBitmap(allocators.portSpan, record)
  if (!record || !PortBitmap.covers(record, allocators.portSpan)) {
    for (const port of allocators.storedPorts()) ports.set(port)
  }
  return ports
}
