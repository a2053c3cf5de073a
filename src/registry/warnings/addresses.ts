// Warnings of addresses and blocks that are written in another way than all software reads alike.
// Used by the files of this folder. Follows k8s.io/apimachinery/pkg/util/validation (GetWarningsForIP, GetWarningsForCIDR).
import { addressText, blockText, parseAddress, parseBlock } from '../addresses.ts'
import type { Spot } from '../validation/spot.ts'

const BITS = { IPv4: 32, IPv6: 128 } as const
const LEADING_ZERO = /(^|\.)0[0-9]/

/** Read leniently alone: with leading zeros, or IPv4 in the clothes of IPv6. */
const isOdd = (text: string, family: string): boolean =>
  text.includes(':') ? family === 'IPv4' : LEADING_ZERO.test(text)

export function* addressWarnings(spot: Spot): Generator<string> {
  const { text } = spot
  const address = parseAddress(text)
  if (!address) return
  const canonical = addressText(address)
  if (isOdd(text, address.family)) {
    yield `${spot.path}: non-standard IP address "${text}" is invalid: use "${canonical}"`
  } else if (address.family === 'IPv6' && canonical !== text) {
    yield `${spot.path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`
  }
}

export function* blockWarnings(spot: Spot): Generator<string> {
  const { text } = spot
  const block = parseBlock(text)
  if (!block) return
  const canonical = blockText(block)
  const address = addressText({ family: block.family, value: block.address })
  const ambiguous = block.address !== block.first
  if (ambiguous) {
    const single = `${address}/${BITS[block.family]}`
    yield `${spot.path}: CIDR value "${text}" is ambiguous in this context (should be "${canonical}" or "${single}"?)`
  }
  const [written = '', length = ''] = text.split('/')
  if (isOdd(written, block.family) || (length.length > 1 && length.startsWith('0'))) {
    yield `${spot.path}: non-standard CIDR value "${text}" is invalid: use "${canonical}"`
  } else if (!ambiguous && block.family === 'IPv6' && `${address}/${block.prefix}` !== text) {
    yield `${spot.path}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${address}/${block.prefix}")`
  }
}

/** Of the addresses of load balancers in a status, at the place that upstream names. */
export function* loadBalancerWarnings(object: Spot): Generator<string> {
  for (const item of object.at('status').at('loadBalancer').itemsOf('ingress')) {
    for (const text of addressWarnings(item.at('ip'))) yield text.replace('.ip:', ':')
  }
}
