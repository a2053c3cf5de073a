// Reads the subject of a PKCS#10 certificate request: the one thing that admission asks of it, read here so
// that the server need not load a certificate library to start. Follows RFC 2986 and crypto/x509's ParseCertificateRequest.

const PEM = /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const OBJECT_ID = 0x06
/** BMPString: two bytes a character, big-endian; all other kinds of text are read as UTF-8. */
const BMP_STRING = 0x1e
/** 2.5.4.10, organizationName. */
const ORGANIZATION = '55040a'
/** Lengths over four bytes belong to nothing that fits in a request. */
const MAX_LENGTH_BYTES = 4

interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** 2.5.4.3, commonName. */
const COMMON_NAME = '550403'

/** The subject's organizations; undefined where `request` (base64 of PEM) is no certificate request. */
export const organizationsOf = (request: string): string[] | undefined => subjectOf(request, ORGANIZATION)

/** The subject's common name, the last one where there are many; "" where there is none; undefined as above. */
export function commonNameOf(request: string): string | undefined {
  const names = subjectOf(request, COMMON_NAME)
  return names && (names.at(-1) ?? '')
}

function subjectOf(request: string, wanted: string): string[] | undefined {
  const match = PEM.exec(Buffer.from(request, 'base64').toString('latin1'))
  if (!match) return undefined
  const [outer] = elementsOf(Buffer.from(match[1] as string, 'base64')) ?? []
  const [info] = childrenOf(outer, SEQUENCE) ?? []
  const [version, subject] = childrenOf(info, SEQUENCE) ?? []
  const names = version?.tag === INTEGER ? childrenOf(subject, SEQUENCE) : undefined
  return names && textsIn(names, wanted)
}

function textsIn(names: readonly Element[], wanted: string): string[] | undefined {
  const found: string[] = []
  for (const name of names) {
    const attributes = childrenOf(name, SET)
    if (!attributes) return undefined
    for (const attribute of attributes) {
      const [type, value] = childrenOf(attribute, SEQUENCE) ?? []
      if (type?.tag !== OBJECT_ID || !value) return undefined
      if (type.content.toString('hex') === wanted) found.push(textOf(value))
    }
  }
  return found
}

function textOf({ tag, content }: Element): string {
  if (tag !== BMP_STRING) return content.toString('utf8')
  return Buffer.from(content.subarray(0, content.length & ~1))
    .swap16()
    .toString('utf16le')
}

function childrenOf(element: Element | undefined, tag: number): Element[] | undefined {
  return element?.tag === tag ? elementsOf(element.content) : undefined
}

/** The DER elements that follow one another in `bytes`; undefined where a length does not fit. */
function elementsOf(bytes: Buffer): Element[] | undefined {
  const elements: Element[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] as number
    let length = bytes[at + 1]
    at += 2
    if (length === undefined || length === 0x80) return undefined
    if (length > 0x80) {
      const size = length - 0x80
      if (size > MAX_LENGTH_BYTES || at + size > bytes.length) return undefined
      length = bytes.readUIntBE(at, size)
      at += size
    }
    if (at + length > bytes.length) return undefined
    elements.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return elements
}
