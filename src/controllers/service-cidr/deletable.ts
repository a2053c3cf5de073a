// Which ranges of services' addresses hold which addresses and ranges, and whether one may go.
// Follows k8s.io/kubernetes/pkg/api/servicecidr and canDeleteCIDR of pkg/controller/servicecidrs.
import type { IPAddress, ServiceCIDR } from '../../client/kinds/networking.v1.gen.ts'
import { ipBytes } from '../../pki/ip.ts'

interface Range {
  /** Bits of an address of this family. */
  readonly width: number
  readonly base: bigint
  readonly bits: number
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)

/** undefined for what is no range. */
function rangeOf(text: string): Range | undefined {
  const [address = '', bits = ''] = text.split('/')
  const bytes = ipBytes(address)
  if (!bytes || !/^\d+$/.test(bits)) return undefined
  const width = bytes.length * 8
  const free = BigInt(Math.max(width - Number(bits), 0))
  return { width, base: (numberOf(bytes) >> free) << free, bits: Number(bits) }
}

const rangesOf = ({ spec }: ServiceCIDR): Range[] =>
  (spec.cidrs ?? []).map(rangeOf).filter((range) => range !== undefined)

const prefix = ({ width, base }: Range, bits: number): bigint => base >> BigInt(width - bits)

const overlap = (a: Range, b: Range): boolean => {
  const bits = Math.min(a.bits, b.bits)
  return a.width === b.width && prefix(a, bits) === prefix(b, bits)
}

/** Of IPv4, neither first nor last address is given out; of IPv6, not the first. */
function holds(range: Range, address: string): boolean {
  const bytes = ipBytes(address)
  if (!bytes || bytes.length * 8 !== range.width) return false
  const number = numberOf(bytes)
  const size = 1n << BigInt(range.width - range.bits)
  const last = range.width === 32 ? range.base + size - 1n : range.base + size
  return number > range.base && number < last
}

/** Names of those that have an address in common with this one. */
export const overlapping = (cidr: ServiceCIDR, all: readonly ServiceCIDR[]): string[] =>
  all
    .filter((other) => rangesOf(other).some((one) => rangesOf(cidr).some((own) => overlap(one, own))))
    .map(({ metadata }) => metadata.name ?? '')

/** Names of those that this address may come from. */
export const containing = (address: string, all: readonly ServiceCIDR[]): string[] =>
  all
    .filter((cidr) => rangesOf(cidr).some((range) => holds(range, address)))
    .map(({ metadata }) => metadata.name ?? '')

/** By the label of those that the API server gives to services. */
export const isOfService = ({ metadata }: IPAddress): boolean =>
  metadata.labels?.['ipaddress.kubernetes.io/managed-by'] === 'ipallocator.k8s.io'

/** Every address that a service has must be in another one, if this one goes. */
export function mayGo(
  cidr: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const { name = '' } = cidr.metadata
  const others = all.filter(({ metadata }) => metadata.name !== name)
  const isInside = (range: Range): boolean =>
    others.some((other) => rangesOf(other).some((one) => one.bits <= range.bits && overlap(one, range)))
  if (rangesOf(cidr).every(isInside)) return true
  return !addresses.filter(isOfService).some(({ metadata }) => {
    const holders = containing(metadata.name ?? '', all)
    return holders.length === 1 && holders[0] === name
  })
}
