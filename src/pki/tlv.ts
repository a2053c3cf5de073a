// Reads DER: the elements of a text of bytes, where they begin and end, and their names and strings. Strict, since what is
// read here was written by strangers. Follows encoding/asn1 and golang.org/x/crypto/cryptobyte.

/** Tags as they stand in the first byte. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** Longer lengths belong to nothing that fits in an object. */
const MAX_LENGTH_BYTES = 4

export interface Element {
  readonly tag: number
  readonly content: Buffer
  /** Tag, length and content. */
  readonly whole: Buffer
}

/** Throws for bytes that are no DER. */
export class DerError extends Error {}

/** The elements that follow one another in `bytes`; throws DerError where a length does not fit. */
export function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const { start, length } = lengthAt(bytes, at + 1)
    const end = start + length
    if (end > bytes.length) throw new DerError('syntax error: data truncated')
    const tag = bytes[at] as number
    elements.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return elements
}

function lengthAt(bytes: Buffer, at: number): { start: number; length: number } {
  const first = bytes[at]
  if (first === undefined || first === 0x80)
    throw new DerError('syntax error: indefinite length found (not DER)')
  if (first < 0x80) return { start: at + 1, length: first }
  const size = first - 0x80
  if (size > MAX_LENGTH_BYTES || at + 1 + size > bytes.length)
    throw new DerError('structure error: length too large')
  const length = bytes.readUIntBE(at + 1, size)
  if (length < 0x80 || length < 2 ** (8 * (size - 1)))
    throw new DerError('structure error: non-minimal length')
  return { start: at + 1 + size, length }
}

/** The one element of `bytes`, which has this tag. */
export function only(bytes: Buffer, tag: number): Element {
  const [element, ...more] = elementsOf(bytes)
  if (element?.tag !== tag || more.length > 0) throw new DerError('structure error')
  return element
}

/** What stands in the element, which has this tag. */
export function childrenOf(element: Element | undefined, tag: number): Element[] {
  if (element?.tag !== tag) throw new DerError('structure error')
  return elementsOf(element.content)
}

/** "2.5.4.3" */
export function oidOf(element: Element | undefined): string {
  if (element?.tag !== TAG.oid || element.content.length === 0) throw new DerError('structure error')
  const numbers: number[] = []
  let number = 0
  for (const byte of element.content) {
    number = number * 128 + (byte & 0x7f)
    if (number > Number.MAX_SAFE_INTEGER) throw new DerError('structure error: base 128 integer too large')
    if ((byte & 0x80) === 0) {
      numbers.push(number)
      number = 0
    }
  }
  if (((element.content.at(-1) ?? 0) & 0x80) !== 0)
    throw new DerError('syntax error: truncated base 128 integer')
  const [first = 0, ...rest] = numbers
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

/** The bytes of a bit string whose bits fill them. */
export function bitsOf(element: Element | undefined): Buffer {
  if (element?.tag !== TAG.bitString || element.content[0] !== 0) throw new DerError('structure error')
  return element.content.subarray(1)
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/

/** The text of a string of any kind that names are written in. */
export function textOf({ tag, content }: Element): string {
  switch (tag) {
    case TAG.utf8:
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
    case TAG.printable: {
      const text = content.toString('latin1')
      if (!PRINTABLE.test(text)) throw new DerError('PrintableString contains invalid character')
      return text
    }
    case TAG.ia5:
      return asciiOf(content)
    case TAG.numeric: {
      const text = content.toString('latin1')
      if (!/^[0-9 ]*$/.test(text)) throw new DerError('NumericString contains invalid character')
      return text
    }
    case TAG.teletex:
      return content.toString('latin1')
    case TAG.bmp:
      if (content.length % 2 !== 0) throw new DerError('odd-length BMPString')
      return Buffer.from(content).swap16().toString('utf16le')
    default:
      throw new DerError(`unsupported string type: ${tag}`)
  }
}

/** Throws DerError for bytes beyond ASCII. */
export function asciiOf(content: Buffer): string {
  if (content.some((byte) => byte > 0x7f)) throw new DerError('IA5String contains invalid character')
  return content.toString('latin1')
}
