// IP addresses and CIDR blocks as numbers, read as leniently as Go's ParseIPSloppy: leading zeros are decimal.
// Used by Service allocation and by validation. Follows k8s.io/utils/net.
import { isIPv6 } from 'node:net'

export type Family = 'IPv4' | 'IPv6'

export interface Address {
  readonly family: Family
  /** The address as one number. */
  readonly value: bigint
}

export interface Block {
  readonly family: Family
  /** The address before the slash, which may lie inside the block. */
  readonly address: bigint
  readonly first: bigint
  readonly last: bigint
  readonly prefix: number
}

const BITS: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 }
const MAPPED = 0xffffn << 32n

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part) || part.length > 6 || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(Number(part))
  }
  return value
}

/** The groups of one side of "::", a dotted IPv4 tail as two. */
function groupsOf(text: string): bigint[] {
  if (!text) return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)]
    const tail = parseIPv4(group) ?? 0n
    return [tail >> 16n, tail & 0xffffn]
  })
}

function parseIPv6(text: string): bigint | undefined {
  if (text.includes('%') || !isIPv6(text)) return undefined
  const [head = '', tail] = text.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array.from({ length: zeros }, () => 0n), ...right]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

/** undefined: no address. An IPv4-mapped IPv6 address counts as IPv4, as in Go. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = parseIPv4(text)
    return value === undefined ? undefined : { family: 'IPv4', value }
  }
  const value = parseIPv6(text)
  if (value === undefined) return undefined
  if (value >> 32n === MAPPED >> 32n) return { family: 'IPv4', value: value & 0xffffffffn }
  return { family: 'IPv6', value }
}

/** undefined: no CIDR block. */
export function parseBlock(text: string): Block | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (!address || !/^[0-9]{1,3}$/.test(length)) return undefined
  const bits = BITS[address.family]
  const prefix = Number(length)
  if (prefix > bits) return undefined
  const hosts = (1n << BigInt(bits - prefix)) - 1n
  const first = address.value & ~hosts
  return { family: address.family, address: address.value, first, last: first | hosts, prefix }
}

const longestZeros = (groups: readonly string[]): [number, number] => {
  let best: [number, number] = [-1, 1]
  for (let i = 0; i < groups.length; i++) {
    let end = i
    while (groups[end] === '0') end++
    if (end - i > best[1]) best = [i, end - i]
    i = Math.max(i, end - 1)
  }
  return best
}

/** The canonical text of an address (RFC 5952 for IPv6). */
export function addressText({ family, value }: Address): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  const [start, length] = longestZeros(groups)
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** The canonical text of a block. */
export const blockText = (block: Block): string =>
  `${addressText({ family: block.family, value: block.first })}/${block.prefix}`

const NO_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

/** Why the text is no address, or none that all software reads alike. */
export function addressFaults(text: string): string[] {
  if (!parseAddress(text)) return [NO_ADDRESS]
  if (!text.includes(':')) return /(^|\.)0[0-9]/.test(text) ? ['must not have leading 0s'] : []
  return parseAddress(text)?.family === 'IPv4' ? ['must not be an IPv4-mapped IPv6 address'] : []
}

/** Why the text is no CIDR block, or one that is written in two ways at once. */
export function blockFaults(text: string): string[] {
  const block = parseBlock(text)
  if (!block) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
  const faults = addressFaults(text.slice(0, text.indexOf('/'))).filter((fault) => fault !== NO_ADDRESS)
  if (block.address !== block.first) faults.push('must not have bits set beyond the prefix length')
  else if (/\/0[0-9]/.test(text)) faults.push('must not have leading 0s in IP or prefix length')
  return faults
}

/** Why the text is no address of an interface: an address with the length of its network, in canonical form. */
export function interfaceAddressFaults(text: string): string[] {
  const block = parseBlock(text)
  if (!block) return ['must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)']
  const canonical = `${addressText({ family: block.family, value: block.address })}/${block.prefix}`
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}
