// Balancers of the local cloud: each Service has an address of this machine, whose ports lead to the Service's endpoints.
// Follows the role of LoadBalancer of k8s.io/cloud-provider.
import { BlockList, isIP } from 'node:net'
import type { Clock } from '../../client/clock.ts'
import type { Informers } from '../../client/informer.ts'
import type { LoadBalancerStatus, PortStatus, Service, ServicePort } from '../../client/kinds/core.v1.gen.ts'
import { keyOf } from '../../client/resource.ts'
import { ENDPOINT_SLICES, NODES, SERVICES } from '../../client/resources.ts'
import { wantsBalancer } from '../balanced.ts'
import type { Balancers } from '../provider.ts'
import { addressOf, chooseAddress, type Pool } from './addresses.ts'
import { affinityMs, type Backend, backendsOf } from './backends.ts'
import type { Port, PortParts } from './port.ts'

const BY_SERVICE = 'service'
const SERVICE_LABEL = 'kubernetes.io/service-name'
/** Any address of IPv4. */
const EVERYWHERE = '0.0.0.0/0'

export interface LocalParts {
  readonly informers: Informers
  readonly clock: Clock
  readonly pool: Pool
}

interface Balancer {
  service: Service
  readonly address: string
  /** By protocol and number; those that could not be had with the reason. */
  readonly ports: Map<string, Port | { readonly error: string }>
}

export interface LocalBalancers extends Balancers {
  /** Closes all ports. */
  stop(): Promise<void>
}

export function localBalancers(parts: LocalParts): LocalBalancers {
  parts.informers
    .of(ENDPOINT_SLICES)
    .index(BY_SERVICE, ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_LABEL] ?? ''}`])
  const open = new Map<string, Balancer>()
  const remove = async (uid: string): Promise<void> => {
    const balancer = open.get(uid)
    open.delete(uid)
    for (const key of [...(balancer?.ports.keys() ?? [])]) await closePort(balancer as Balancer, key)
  }
  return {
    exists: ({ metadata, status }) =>
      Promise.resolve(open.has(metadata.uid ?? '') || (status?.loadBalancer?.ingress ?? []).length > 0),
    async ensure(service) {
      const { uid = '' } = service.metadata
      const address = chooseAddress(service, parts.pool, othersAddresses(parts, open, uid))
      if (open.get(uid)?.address !== address) await remove(uid)
      const balancer = open.get(uid) ?? { service, address, ports: new Map<string, Port>() }
      open.set(uid, balancer)
      balancer.service = service
      return openPorts(parts, balancer)
    },
    // Endpoints are looked up for each connection.
    update: () => Promise.resolve(),
    remove: ({ metadata }) => remove(metadata.uid ?? ''),
    async stop() {
      for (const uid of [...open.keys()]) await remove(uid)
    },
  }
}

/** Those that are given out, and those that Services have had since before this process began. */
function othersAddresses(
  { informers }: LocalParts,
  open: ReadonlyMap<string, Balancer>,
  uid: string,
): ReadonlySet<string> {
  const taken = new Set<string>()
  for (const [other, { address }] of open) if (other !== uid) taken.add(address)
  for (const service of informers.of(SERVICES).reader.list()) {
    const address = addressOf(service)
    if (address !== undefined && service.metadata.uid !== uid && wantsBalancer(service)) taken.add(address)
  }
  return taken
}

async function openPorts(parts: LocalParts, balancer: Balancer): Promise<LoadBalancerStatus> {
  const wanted = balancer.service.spec?.ports ?? []
  const keys = new Set(wanted.map(keyOfPort))
  for (const key of [...balancer.ports.keys()]) if (!keys.has(key)) await closePort(balancer, key)
  for (const port of wanted) {
    const key = keyOfPort(port)
    const known = balancer.ports.get(key)
    if (known && 'stop' in known) continue
    balancer.ports.set(key, await openPort(parts, balancer, port))
  }
  const errors = [...balancer.ports].flatMap(([key, port]) => ('error' in port ? [key] : []))
  const ports: PortStatus[] = wanted.map((port) => {
    const made = balancer.ports.get(keyOfPort(port))
    return {
      port: port.port,
      protocol: port.protocol ?? 'TCP',
      ...(made && 'error' in made ? { error: made.error } : {}),
    }
  })
  const ingress = { ip: balancer.address, ipMode: 'Proxy' }
  return { ingress: [errors.length === 0 ? ingress : { ...ingress, ports }] }
}

const keyOfPort = ({ protocol, port }: ServicePort): string => `${protocol ?? 'TCP'} ${port}`

/** Reasons as a status of a port has them: a machine's user may not open all ports, and others may have them. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'dinghy.dev/PermissionDenied',
  EADDRINUSE: 'dinghy.dev/PortInUse',
  EADDRNOTAVAIL: 'dinghy.dev/AddressNotAvailable',
}

async function openPort(
  parts: LocalParts,
  balancer: Balancer,
  { protocol = 'TCP', port }: ServicePort,
): Promise<Port | { error: string }> {
  const options: PortParts = {
    host: balancer.address,
    port,
    clock: parts.clock,
    backends: () => backendsAt(parts, balancer.service, protocol, port),
    affinityMs: () => affinityMs(balancer.service),
    allows: (address) => allowed(balancer.service, address),
  }
  try {
    if (protocol === 'TCP') return await (await import('./tcp.ts')).tcpPort(options)
    if (protocol === 'UDP') return await (await import('./udp.ts')).udpPort(options)
    return { error: 'dinghy.dev/ProtocolNotSupported' }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return { error: REASONS[code] ?? 'dinghy.dev/CannotListen' }
  }
}

async function closePort(balancer: Balancer, key: string): Promise<void> {
  const port = balancer.ports.get(key)
  balancer.ports.delete(key)
  if (port && 'stop' in port) await port.stop()
}

function backendsAt(
  { informers }: LocalParts,
  service: Service,
  protocol: string,
  number: number,
): readonly Backend[] {
  const port = service.spec?.ports?.find((one) => keyOfPort(one) === `${protocol} ${number}`)
  if (!port) return []
  const slices = informers.of(ENDPOINT_SLICES).reader.by(BY_SERVICE, keyOf(service))
  return backendsOf(port, slices, (name) => informers.of(NODES).reader.get(name))
}

/** By spec.loadBalancerSourceRanges. */
function allowed({ spec }: Service, address: string): boolean {
  const ranges = spec?.loadBalancerSourceRanges ?? []
  if (ranges.length === 0 || ranges.includes(EVERYWHERE)) return true
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits = ''] = range.trim().split('/')
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
