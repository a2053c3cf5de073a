// Cluster IPs and node ports: which are free, as far as this server knows. Held in memory and rebuilt from the Services
// that are stored, which are read again when an allocation is refused and otherwise at most once a second. That other
// servers on the same store do not give out the same is ensured by serviceclaims.ts, right before the write.
// Asked by services.ts inside the write loop. Follows pkg/registry/core/service/{ipallocator,portallocator}.
import type { Lister } from '../machinery/lister.ts'
import {
  addressText,
  blockText,
  parseAddress,
  parseBlock,
  type Address,
  type Block,
  type Family,
} from './addresses.ts'
import { AddressRanges } from './addressranges.ts'
import { numberAt, objectAt, objectsAt, textAt, textsAt } from './reading.ts'
import type { PortSpan } from './portbitmap.ts'
import type { RegistrySettings } from './strategy.ts'

/** Upstream's defaults of the flags. */
export const DEFAULT_SETTINGS: RegistrySettings = {
  serviceClusterIPRange: ['10.0.0.0/24'],
  serviceNodePortRange: [30000, 32767],
  eventTtlSeconds: 3600,
  allowPrivileged: true,
}

/** How long a taken value counts although no stored Service has it yet: longer than any write loop takes. */
const PENDING_MS = 60_000
/** How long a value counts that another server has claimed: until this write has turned away from it. */
const LOST_MS = 250
/** How old the picture of the stored Services may be when something new is given out. */
const PICTURE_MS = 1_000
/** How many random draws before the range is searched from one end. */
const DRAWS = 32

export const SERVICES = { group: '', resource: 'services' } as const

/** Why a wanted value is not to be had; the text is for the client. */
export type Refusal = { readonly refused: string }

/** Values of one range: what stored Services hold, and what was just taken. */
class Pool {
  private stored = new Set<string>()
  /** Until when they count. */
  private readonly pending = new Map<string, number>()

  has(value: string, now: number): boolean {
    const until = this.pending.get(value)
    if (until !== undefined && now > until) this.pending.delete(value)
    return this.stored.has(value) || this.pending.has(value)
  }
  take(value: string, now: number, forMs = PENDING_MS): void {
    this.pending.set(value, now + forMs)
  }
  /** Its Service is stored now, whether or not the picture shows it yet. */
  settle(value: string): void {
    if (this.pending.delete(value)) this.stored.add(value)
  }
  isStored(value: string): boolean {
    return this.stored.has(value)
  }
  all(): Iterable<string> {
    return this.stored
  }
  release(value: string): void {
    this.pending.delete(value)
    this.stored.delete(value)
  }
  replace(stored: Set<string>): void {
    this.stored = stored
    for (const value of stored) this.pending.delete(value)
  }
}

/** A range of numbers whose lower part is left to those who ask for a value by name, while there are others. */
interface Range {
  readonly first: bigint
  readonly size: bigint
  readonly reserved: bigint
}

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value

function addressRange(block: Block): Range {
  // Neither the network's own address nor, in IPv4, the broadcast address.
  const size = block.last - block.first - (block.family === 'IPv4' ? 1n : 0n)
  return { first: block.first + 1n, size, reserved: size <= 16n ? 0n : clamp(size / 16n, 16n, 256n) }
}

function portRange([first, last]: PortSpan): Range {
  const size = BigInt(last - first + 1)
  return { first: BigInt(first), size, reserved: size <= 16n ? 0n : clamp(size / 32n, 16n, 128n) }
}

const randomBelow = (limit: bigint): bigint =>
  limit <= BigInt(Number.MAX_SAFE_INTEGER)
    ? BigInt(Math.floor(Math.random() * Number(limit)))
    : BigInt(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER))

/** A free number of the range: at random from its upper part, else the first free from there on, else from below. */
function draw(range: Range, taken: (value: bigint) => boolean): bigint | undefined {
  const upper = range.size - range.reserved
  for (let i = 0; i < DRAWS && upper > 0n; i++) {
    const value = range.first + range.reserved + randomBelow(upper)
    if (!taken(value)) return value
  }
  for (let i = 0n; i < range.size; i++) {
    const value = range.first + ((i + range.reserved) % range.size)
    if (!taken(value)) return value
  }
  return undefined
}

/** The allocators of one cluster. */
export class ServiceAllocators {
  /** The families of the cluster, the primary first. */
  readonly families: readonly Family[]
  private readonly lister: Lister
  private readonly ranges: AddressRanges
  readonly portSpan: PortSpan
  private readonly addresses = new Pool()
  private readonly ports = new Pool()
  private seenVersion = -1
  private seenAt = 0
  /** Ports claimed in the store that no Service has, with the time since which that is known. */
  private readonly orphaned = new Map<number, number>()

  constructor(lister: Lister, settings: RegistrySettings) {
    this.lister = lister
    this.portSpan = settings.serviceNodePortRange
    const blocks = settings.serviceClusterIPRange.map((cidr) => {
      const block = parseBlock(cidr)
      if (!block) throw new Error(`service cluster IP range ${JSON.stringify(cidr)} is no CIDR block`)
      return block
    })
    this.families = blocks.map((block) => block.family)
    this.ranges = new AddressRanges(lister, blocks)
  }

  /** A free cluster IP, taken; undefined where the range is full. A dry run takes nothing. */
  nextAddress(family: Family, dryRun: boolean): string | undefined {
    const blocks = this.ranges.of(family)
    const [first] = blocks
    if (!first) return undefined
    const text = (value: bigint): string => addressText({ family, value })
    if (dryRun) return text(first.first)
    const found = this.search(() => {
      for (const block of blocks) {
        const value = draw(addressRange(block), (candidate) =>
          this.addresses.has(text(candidate), Date.now()),
        )
        if (value !== undefined) return text(value)
      }
      return undefined
    })
    if (found !== undefined) this.addresses.take(found, Date.now())
    return found
  }

  /** Takes the cluster IP that a client asks for. A dry run, as upstream's, looks only whether it is in range. */
  takeAddress(text: string, dryRun: boolean): Refusal | undefined {
    const address = parseAddress(text)
    if (dryRun && address) return this.inFirstRange(address)
    if (!address || !this.ranges.hold(address)) {
      return { refused: 'the provided network does not match the current range' }
    }
    const canonical = addressText(address)
    if (!this.free(this.addresses, canonical)) return { refused: 'provided IP is already allocated' }
    this.addresses.take(canonical, Date.now())
    return undefined
  }

  /** Upstream's dry runs know one range of each family. */
  private inFirstRange(address: Address): Refusal | undefined {
    const [block] = this.ranges.of(address.family)
    if (!block) return { refused: 'the provided network does not match the current range' }
    const { first, size } = addressRange(block)
    if (address.value >= first && address.value < first + size) return undefined
    const valid = `The range of valid IPs is ${blockText(block)}`
    return { refused: `the provided IP (${addressText(address)}) is not in the valid range. ${valid}` }
  }

  /** A free node port, taken; undefined where the range is full. */
  nextPort(dryRun: boolean): number | undefined {
    const found = this.search(() =>
      draw(portRange(this.portSpan), (value) => this.ports.has(String(value), Date.now())),
    )
    if (found === undefined) return undefined
    if (!dryRun) this.ports.take(String(found), Date.now())
    return Number(found)
  }

  /** Takes the node port that a client asks for. A dry run, as upstream's, looks only whether it is allocated. */
  takePort(port: number, dryRun: boolean): Refusal | undefined {
    const [first, last] = this.portSpan
    if (port < first || port > last) {
      if (dryRun) return undefined
      return {
        refused: `provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
      }
    }
    if (!this.free(this.ports, String(port))) return { refused: 'provided port is already allocated' }
    if (!dryRun) this.ports.take(String(port), Date.now())
    return undefined
  }

  releaseAddress(text: string): void {
    const address = parseAddress(text)
    if (address) this.addresses.release(addressText(address))
  }

  releasePort(port: number): void {
    this.ports.release(String(port))
  }

  settleAddress(text: string): void {
    this.addresses.settle(text)
  }

  settlePort(port: number): void {
    this.ports.settle(String(port))
  }

  /** Another server was faster to claim it. */
  lostAddress(text: string): void {
    this.addresses.take(text, Date.now(), LOST_MS)
  }

  lostPort(port: number): void {
    this.ports.take(String(port), Date.now(), LOST_MS)
  }

  /** Node ports of stored Services. */
  storedPorts(): readonly number[] {
    this.look(0)
    return [...this.ports.all()].map(Number)
  }

  /** Whether a port that is claimed has been without a Service for so long that its server must have ended. */
  isOrphanedPort(port: number, afterMs: number): boolean {
    this.look(0)
    if (this.ports.isStored(String(port))) {
      this.orphaned.delete(port)
      return false
    }
    const since = this.orphaned.get(port) ?? Date.now()
    this.orphaned.set(port, since)
    return Date.now() - since > afterMs
  }

  /** A value that is taken may have been given back by a write that this picture does not show yet. */
  private free(pool: Pool, value: string): boolean {
    this.look(PICTURE_MS)
    if (!pool.has(value, Date.now())) return true
    this.look(0)
    return !pool.has(value, Date.now())
  }

  private search<T>(find: () => T | undefined): T | undefined {
    this.look(PICTURE_MS)
    const found = find()
    if (found !== undefined) return found
    this.look(0)
    return find()
  }

  /** Reads the stored Services again, unless they are unchanged or the picture is younger than `maxAge`. */
  private look(maxAge: number): void {
    const now = Date.now()
    if (this.seenVersion >= 0 && now - this.seenAt < maxAge) return
    const version = this.lister.version(SERVICES)
    this.seenAt = now
    if (version === this.seenVersion) return
    this.seenVersion = version
    const addresses = new Set<string>()
    const ports = new Set<string>()
    for (const service of this.lister.list(SERVICES, '')) {
      const spec = objectAt(service['spec'])
      for (const text of [textAt(spec['clusterIP']), ...textsAt(spec['clusterIPs'])]) {
        const address = parseAddress(text)
        if (address) addresses.add(addressText(address))
      }
      for (const port of [
        ...objectsAt(spec['ports']).map((p) => p['nodePort']),
        spec['healthCheckNodePort'],
      ]) {
        if (numberAt(port)) ports.add(String(port))
      }
    }
    this.addresses.replace(addresses)
    this.ports.replace(ports)
  }
}

const clusters = new WeakMap<Lister, ServiceAllocators>()

/** The allocators of the cluster that the lister reads, made at first use. */
export function allocatorsFor(lister: Lister, settings = DEFAULT_SETTINGS): ServiceAllocators {
  const known = clusters.get(lister)
  if (known) return known
  const made = new ServiceAllocators(lister, settings)
  clusters.set(lister, made)
  return made
}
