// What a certificate's key may be used for: the words of certificates.k8s.io, and their bits and identifiers in X.509.
// Follows k8s.io/kubernetes/pkg/controller/certificates/authority/policies.go and RFC 5280, section 4.2.1.3.

/** Bits of KeyUsage, from the left. */
const BITS: ReadonlyMap<string, number> = new Map([
  ['signing', 0],
  ['digital signature', 0],
  ['content commitment', 1],
  ['key encipherment', 2],
  ['data encipherment', 3],
  ['key agreement', 4],
  ['cert sign', 5],
  ['crl sign', 6],
  ['encipher only', 7],
  ['decipher only', 8],
])

/** ExtKeyUsage, in the order in which upstream writes them. */
const EXTENDED: readonly (readonly [oid: string, ...words: string[]])[] = [
  ['2.5.29.37.0', 'any'],
  ['1.3.6.1.5.5.7.3.1', 'server auth'],
  ['1.3.6.1.5.5.7.3.2', 'client auth'],
  ['1.3.6.1.5.5.7.3.3', 'code signing'],
  ['1.3.6.1.5.5.7.3.4', 'email protection', 's/mime'],
  ['1.3.6.1.5.5.7.3.5', 'ipsec end system'],
  ['1.3.6.1.5.5.7.3.6', 'ipsec tunnel'],
  ['1.3.6.1.5.5.7.3.7', 'ipsec user'],
  ['1.3.6.1.5.5.7.3.8', 'timestamping'],
  ['1.3.6.1.5.5.7.3.9', 'ocsp signing'],
  ['1.3.6.1.4.1.311.10.3.3', 'microsoft sgc'],
  ['2.16.840.1.113730.4.1', 'netscape sgc'],
]

export interface KeyUsages {
  /** The content of KeyUsage's bit string; undefined: none. */
  readonly bits: Buffer | undefined
  readonly extended: readonly string[]
}

/** Throws an Error for words that mean nothing. */
export function keyUsagesOf(words: readonly string[]): KeyUsages {
  const unknown = words.filter(
    (word) => !BITS.has(word) && !EXTENDED.some(([, ...names]) => names.includes(word)),
  )
  if (unknown.length > 0) {
    throw new Error(`unrecognized usage values: [${unknown.map((word) => JSON.stringify(word)).join(' ')}]`)
  }
  const bits = words.flatMap((word) => BITS.get(word) ?? [])
  const extended = EXTENDED.filter(([, ...names]) => names.some((name) => words.includes(name)))
  return { bits: bits.length > 0 ? bitString(bits) : undefined, extended: extended.map(([oid]) => oid) }
}

/** The count of unused bits, then the bits; zeros at the end are left out. */
function bitString(bits: readonly number[]): Buffer {
  const last = Math.max(...bits)
  const bytes = Buffer.alloc((last >> 3) + 2)
  bytes[0] = 7 - (last & 7)
  for (const bit of bits) bytes[(bit >> 3) + 1] = (bytes[(bit >> 3) + 1] ?? 0) | (0x80 >> (bit & 7))
  return bytes
}
