// IP addresses as bytes, for subjectAltName and for the first address of the service range.
import { isIPv4, isIPv6 } from 'node:net'

/** The 4 or 16 bytes of an address; undefined where the text is no address (so a host name). */
export function ipBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number))
  if (!isIPv6(text)) return undefined
  const address = (text.split('%')[0] as string).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets) => {
    const [a, b, c, d] = octets.slice(0, 4).map(Number) as [number, number, number, number]
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = address.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array<number>(8 - before.length - after.length).fill(0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

/** An address's bytes as text; IPv6 in lower case, longest run of zeros shortened (RFC 5952). */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16))
  const runs = groups.join(':').match(/\b0(:0)+\b/g) ?? []
  const longest = runs.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return groups.join(':')
  const [before = '', after = ''] = splitOnce(groups.join(':'), longest)
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`
}

function splitOnce(text: string, separator: string): [string, string] {
  // Whole groups only: "10:0" must not be cut inside its "10".
  const at = new RegExp(`(?<![0-9a-f])${separator}(?![0-9a-f])`).exec(text)?.index ?? 0
  return [text.slice(0, at), text.slice(at + separator.length)]
}

/** The first usable address of a CIDR, which the Service `kubernetes` gets: 10.96.0.0/16 gives 10.96.0.1. */
export function firstAddressOf(cidr: string): string | undefined {
  const [address = '', bits = ''] = cidr.split('/')
  const bytes = ipBytes(address)
  const size = Number(bits)
  if (!bytes || !/^\d{1,3}$/.test(bits) || size > bytes.length * 8) return undefined
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(8, Math.max(0, size - i * 8))
    bytes[i] = (bytes[i] as number) & (0xff << (8 - kept)) & 0xff
  }
  bytes[bytes.length - 1] = (bytes.at(-1) as number) + 1
  return ipText(bytes)
}
