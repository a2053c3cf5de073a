// IP addresses and blocks of them. Follows k8s.io/apiserver/pkg/cel/library/{ip,cidr}.go.
import { CelError } from './fault.ts'
import type { Define, Library } from './overload.ts'
import { rebuild, walk } from './size.ts'
import { OpaqueValue, type Value } from './values.ts'

const IP = 'net.IP'
const CIDR = 'net.CIDR'

interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

interface Block {
  readonly address: Address
  readonly length: number
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** An address; undefined for what is none, has a zone, or is an IPv4 address within IPv6. */
function parseAddress(text: string): Address | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (four) {
    const parts = four.slice(1)
    if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0'))))
      return undefined
    return { family: 4, bits: parts.reduce((bits, part) => bits * 256n + BigInt(part), 0n) }
  }
  return text.includes(':') ? parseSix(text) : undefined
}

function parseSix(given: string): Address | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(given)
  const inner = tail && parseAddress(tail[2] ?? '')
  if (tail && !inner) return undefined
  const text = inner
    ? `${tail[1]}${(inner.bits >> 16n).toString(16)}:${(inner.bits & 0xffffn).toString(16)}`
    : given
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - rest.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...rest]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return { family: 6, bits: groups.reduce((bits, group) => bits * 65536n + BigInt(`0x${group}`), 0n) }
}

function addressText({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort(
    (a, b) => b[0].length - a[0].length,
  )
  const [longest] = runs
  if (!longest) return groups.join(':')
  const text = groups.join(':')
  return `${text.slice(0, longest.index)}::${text.slice(longest.index + longest[0].length).replace(/^:/, '')}`
}

const isMapped = ({ family, bits }: Address): boolean => family === 6 && bits >> 32n === 0xffffn

/** Throws a CelError in upstream's words. */
function address(text: string): Address {
  const found = parseAddress(text)
  if (!found)
    throw new CelError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    )
  if (isMapped(found)) throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return found
}

function parseBlock(text: string): Block | undefined {
  const [head = '', length = '', ...more] = text.split('/')
  const found = parseAddress(head)
  if (!found || more.length || !/^(0|[1-9]\d*)$/.test(length)) return undefined
  return Number(length) <= widthOf(found.family) && !isMapped(found)
    ? { address: found, length: Number(length) }
    : undefined
}

function block(text: string): Block {
  const found = parseBlock(text)
  if (found) return found
  throw new CelError(
    `network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`,
  )
}

const blockText = ({ address: one, length }: Block): string => `${addressText(one)}/${length}`
const ipValue = (one: Address): OpaqueValue => new OpaqueValue(IP, one, addressText(one))
const cidrValue = (one: Block): OpaqueValue => new OpaqueValue(CIDR, one, blockText(one))
const addressOf = (value: Value | undefined): Address => (value as OpaqueValue).data as Address
const blockOf = (value: Value | undefined): Block => (value as OpaqueValue).data as Block

/** The first `length` bits. */
function prefix({ family, bits }: Address, length: number): bigint {
  return bits >> BigInt(widthOf(family) - length)
}

const contains = (one: Block, other: Address): boolean =>
  one.address.family === other.family && prefix(one.address, one.length) === prefix(other, one.length)

const containsBlock = (one: Block, other: Block): boolean =>
  one.length <= other.length && contains(one, other.address)

function masked({ address: one, length }: Block): Block {
  const shift = BigInt(widthOf(one.family) - length)
  return { address: { family: one.family, bits: (one.bits >> shift) << shift }, length }
}

/** Which blocks an address is of, by what is asked. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  isUnspecified: ['0.0.0.0/32', '::/128'],
  isLoopback: ['127.0.0.0/8', '::1/128'],
  isLinkLocalMulticast: ['224.0.0.0/24', 'ff02::/16'],
  isLinkLocalUnicast: ['169.254.0.0/16', 'fe80::/10'],
}
/** All but these are global unicast. */
const NOT_GLOBAL = [...Object.values(KINDS).flat(), '255.255.255.255/32', '224.0.0.0/4', 'ff00::/8']

const within = (one: Address, blocks: readonly string[]): boolean =>
  blocks.some((text) => contains(block(text), one))

export const addresses: Library = (define) => {
  ips(define)
  cidrs(define)
}

function ips(define: Define): void {
  define(`ip(string) ${IP}`, ([text]) => ipValue(address(text as string)), walk)
  define('isIP(string) bool', ([text]) => isAddress(text as string), walk)
  define('ip.isCanonical(string) bool', ([text]) => addressText(address(text as string)) === text, rebuild)
  define(`string(${IP}) string`, ([value]) => (value as OpaqueValue).text)
  define(`${IP}->family() int`, ([value]) => BigInt(addressOf(value).family))
  for (const [name, blocks] of Object.entries(KINDS)) {
    define(`${IP}->${name}() bool`, ([value]) => within(addressOf(value), blocks))
  }
  define(`${IP}->isGlobalUnicast() bool`, ([value]) => !within(addressOf(value), NOT_GLOBAL))
}

function isAddress(text: string): boolean {
  const found = parseAddress(text)
  return found !== undefined && !isMapped(found)
}

function cidrs(define: Define): void {
  define(`cidr(string) ${CIDR}`, ([text]) => cidrValue(block(text as string)), walk)
  define('isCIDR(string) bool', ([text]) => parseBlock(text as string) !== undefined, walk)
  define(`string(${CIDR}) string`, ([value]) => (value as OpaqueValue).text)
  define(`${CIDR}->containsIP(string) bool`, ([one, text]) => contains(blockOf(one), address(text as string)))
  define(`${CIDR}->containsIP(${IP}) bool`, ([one, other]) => contains(blockOf(one), addressOf(other)))
  define(`${CIDR}->containsCIDR(string) bool`, ([one, text]) =>
    containsBlock(blockOf(one), block(text as string)),
  )
  define(`${CIDR}->containsCIDR(${CIDR}) bool`, ([one, other]) => containsBlock(blockOf(one), blockOf(other)))
  define(`${CIDR}->ip() ${IP}`, ([value]) => ipValue(blockOf(value).address))
  define(`${CIDR}->prefixLength() int`, ([value]) => BigInt(blockOf(value).length))
  define(`${CIDR}->masked() ${CIDR}`, ([value]) => cidrValue(masked(blockOf(value))))
}
