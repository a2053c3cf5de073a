// Ranges of addresses of both families, cut into equal pieces of which each is given out once.
// Follows k8s.io/kubernetes/pkg/controller/nodeipam/ipam/cidrset.
import { isIP } from 'node:net'

export interface Range {
  readonly family: 4 | 6
  readonly base: bigint
  readonly bits: number
}

const WIDTH = { 4: 32, 6: 128 } as const
/** As upstream: an IPv6 range may have this many more bits than its pieces at most. */
const MAX_IPV6_BITS = 16

/** undefined for what is no range; host bits are dropped, as upstream's parser does. */
export function parseRange(text: string): Range | undefined {
  const [address = '', length = '', ...more] = text.trim().split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined
  const bits = Number(length)
  if (bits > WIDTH[family]) return undefined
  const free = BigInt(WIDTH[family] - bits)
  return { family, base: (addressOf(address, family) >> free) << free, bits }
}

function addressOf(text: string, family: 4 | 6): bigint {
  if (family === 4) return text.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const [head = '', tail] = withoutDots(text).split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [left, right] = [groups(head), groups(tail ?? '')]
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
}

/** "::ffff:1.2.3.4" with its last four bytes as groups. */
function withoutDots(text: string): string {
  const at = text.lastIndexOf(':')
  if (!text.includes('.')) return text
  const value = addressOf(text.slice(at + 1), 4)
  return `${text.slice(0, at + 1)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** "10.0.0.0/24", "fd00:0:0:1::/64" as RFC 5952 writes it. */
export const rangeText = ({ family, base, bits }: Range): string =>
  `${family === 4 ? ipv4Text(base) : ipv6Text(base)}/${bits}`

const ipv4Text = (address: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join('.')

function ipv6Text(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  const zeros = groups.join(':').match(/\b0(:0)+\b/g) ?? []
  const longest = zeros.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return groups.join(':')
  const text = groups.join(':')
  const at = text.search(new RegExp(`\\b${longest}\\b`))
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`
}

/** First and last piece. */
interface Span {
  readonly first: number
  readonly last: number
}

const holds = ({ first, last }: Span, index: number): boolean => index >= first && index <= last

/** The pieces of one range: which are given out, and which is next. */
export class Pieces {
  readonly #range: Range
  readonly #bits: number
  readonly #count: number
  readonly #reserved: Span[] = []
  /** By the text of the range that covers them. */
  readonly #wide = new Map<string, Span>()
  readonly #taken = new Set<number>()
  #next = 0

  /** Throws Error where pieces of so many bits cannot be cut out of the range. */
  constructor(range: Range, bits: number) {
    if (bits < range.bits) {
      throw new Error(
        'Controller: Invalid --cluster-cidr, mask size of cluster CIDR must be less than or equal to --node-cidr-mask-size configured for CIDR family',
      )
    }
    if (bits > WIDTH[range.family] || (range.family === 6 && bits - range.bits > MAX_IPV6_BITS))
      throw new Error('New CIDR set failed; the node CIDR size is too big')
    this.#range = range
    this.#bits = bits
    this.#count = 2 ** (bits - range.bits)
  }

  /** These are never given out. A range elsewhere changes nothing. */
  reserve(range: Range): void {
    const span = this.#spanOf(range)
    if (span) this.#reserved.push(span)
  }

  /** Another has them already. False where the range is not within these. */
  occupy(range: Range): boolean {
    const span = this.#spanOf(range)
    if (!span) return false
    if (span.first === span.last) this.#taken.add(span.first)
    else this.#wide.set(rangeText(range), span)
    return true
  }

  release(range: Range): void {
    const span = this.#spanOf(range)
    if (span?.first === span?.last) this.#taken.delete(span?.first ?? -1)
    else this.#wide.delete(rangeText(range))
  }

  /** The next that is free; undefined where none is. */
  take(): Range | undefined {
    for (let tries = 0; tries < this.#count; tries++) {
      const index = this.#next
      this.#next = (index + 1) % this.#count
      if (!this.#isFree(index)) continue
      this.#taken.add(index)
      const { family, base } = this.#range
      return { family, base: base + (BigInt(index) << this.#shift()), bits: this.#bits }
    }
    return undefined
  }

  #isFree(index: number): boolean {
    if (this.#taken.has(index)) return false
    if (this.#reserved.some((span) => holds(span, index))) return false
    for (const span of this.#wide.values()) if (holds(span, index)) return false
    return true
  }

  #shift(): bigint {
    return BigInt(WIDTH[this.#range.family] - this.#bits)
  }

  /** The pieces that a range touches. */
  #spanOf({ family, base, bits }: Range): Span | undefined {
    if (family !== this.#range.family) return undefined
    const indexOf = (address: bigint): bigint => (address - this.#range.base) >> this.#shift()
    const [from, to] = [indexOf(base), indexOf(base + (1n << BigInt(WIDTH[family] - bits)) - 1n)]
    const last = BigInt(this.#count - 1)
    if (to < 0n || from > last) return undefined
    return { first: Number(from < 0n ? 0n : from), last: Number(to > last ? last : to) }
  }
}
