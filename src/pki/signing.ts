// Signs what a certificate request asks for with a CA whose key is RSA, EC or Ed25519.
// Follows k8s.io/kubernetes/pkg/controller/certificates/authority and crypto/x509 (CreateCertificate).
import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { randomSerial, toPem } from './certificate.ts'
import { ipBytes } from './ip.ts'
import { type AlternativeNames, type ParsedRequest, SUBJECT } from './request.ts'
import { childrenOf, type Element, elementsOf, oidOf, only, TAG } from './tlv.ts'
import { keyUsagesOf } from './usages.ts'
import { type Asn1, type DerWriter, loadWriter } from './writer.ts'

/** A CA: what its certificate says, and its private key. */
export interface Authority {
  /** DER of its name. */
  readonly subject: Buffer
  /** How it names its key; undefined: it does not. */
  readonly keyIdentifier: Buffer | undefined
  readonly notAfter: Date
  readonly key: KeyObject
}

export interface Terms {
  /** In the words of certificates.k8s.io. */
  readonly usages: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

/** As upstream's: 128 bits. */
const SERIAL_BYTES = 16
/** The extensions of a certificate: [3], constructed. */
const EXTENSIONS = 0xa3
/** A certificate's version: [0], constructed. */
const VERSION = 0xa0

/** The parts of a subject that are passed on, in the order in which they are written; others are dropped. */
const SUBJECT_PARTS = [
  '2.5.4.6', // country
  SUBJECT.organization,
  '2.5.4.11', // organizational unit
  '2.5.4.7', // locality
  '2.5.4.8', // province
  '2.5.4.9', // street address
  '2.5.4.17', // postal code
  SUBJECT.commonName,
  '2.5.4.5', // serial number
]
/** A subject has one of these; of several the last counts. */
const SINGLE: ReadonlySet<string> = new Set([SUBJECT.commonName, '2.5.4.5'])

/** Throws an Error for texts that hold no certificate or no private key, or not those of one pair. */
export function readAuthority({ cert, key }: { readonly cert: string; readonly key: string }): Authority {
  const certificate = new X509Certificate(cert)
  const privateKey = createPrivateKey(key)
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('the key is not that of the certificate')
  const [tbs] = childrenOf(only(certificate.raw, TAG.sequence), TAG.sequence)
  const parts = childrenOf(tbs, TAG.sequence).filter(({ tag }) => tag !== VERSION)
  // Serial number, algorithm, issuer, validity; then the subject.
  const subject = parts[4] as Element
  return {
    subject: subject.whole,
    keyIdentifier: keyIdentifierOf(parts.find(({ tag }) => tag === EXTENSIONS)),
    notAfter: new Date(certificate.validTo),
    key: privateKey,
  }
}

function keyIdentifierOf(extensions: Element | undefined): Buffer | undefined {
  const list = extensions ? childrenOf(elementsOf(extensions.content)[0], TAG.sequence) : []
  for (const extension of list) {
    const parts = childrenOf(extension, TAG.sequence)
    if (oidOf(parts[0]) !== OID.subjectKeyIdentifier) continue
    return only((parts.at(-1) as Element).content, TAG.octetString).content
  }
  return undefined
}

/**
 * The certificate, PEM, over the key of the request: its subject and names, these usages, no CA.
 * Rejects where the request is not signed by its own key, or asks for usages that do not exist.
 */
export async function signRequest(
  request: ParsedRequest,
  authority: Authority,
  terms: Terms,
): Promise<string> {
  if (request.signatureFault() !== undefined)
    throw new Error('unable to verify certificate request signature: the signature is not that of its key')
  const write = await loadWriter()
  const algorithm = algorithmOf(authority.key)
  const inside = write.bytes(tbsOf(write, request, { authority, terms, algorithm }))
  const signature = sign(algorithm.digest, inside, authority.key)
  const whole = write.sequence([write.read(inside), identifierOf(write, algorithm), write.bits(signature)])
  return toPem('CERTIFICATE', write.bytes(whole))
}

interface Algorithm {
  readonly oid: string
  readonly digest: string | null
  /** RSA's parameters are NULL, the others have none. */
  readonly hasNull: boolean
}

const EC_ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  secp384r1: { oid: '1.2.840.10045.4.3.3', digest: 'sha384', hasNull: false },
  secp521r1: { oid: '1.2.840.10045.4.3.4', digest: 'sha512', hasNull: false },
}
const EC_ALGORITHM: Algorithm = { oid: '1.2.840.10045.4.3.2', digest: 'sha256', hasNull: false }

function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { oid: '1.2.840.113549.1.1.11', digest: 'sha256', hasNull: true }
    case 'ec':
      return EC_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? EC_ALGORITHM
    case 'ed25519':
      return { oid: '1.3.101.112', digest: null, hasNull: false }
    default:
      throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign certificates`)
  }
}

const identifierOf = (write: DerWriter, { oid, hasNull }: Algorithm): Asn1 =>
  write.sequence([write.oid(oid), ...(hasNull ? [write.primitive('NULL', Buffer.alloc(0))] : [])])

interface Signing {
  readonly authority: Authority
  readonly terms: Terms
  readonly algorithm: Algorithm
}

function tbsOf(write: DerWriter, request: ParsedRequest, { authority, terms, algorithm }: Signing): Asn1 {
  const subject = subjectOf(write, request)
  return write.sequence([
    write.tagged(0, [write.primitive('INTEGER', Buffer.from([2]))]), // version 3
    write.primitive('INTEGER', randomSerial(SERIAL_BYTES)),
    identifierOf(write, algorithm),
    write.read(authority.subject),
    write.sequence([write.time(terms.notBefore), write.time(terms.notAfter)]),
    write.sequence(subject),
    write.read(request.publicKey.export({ type: 'spki', format: 'der' })),
    write.tagged(3, [
      write.sequence([
        ...usageExtensions(write, terms.usages),
        write.extension(OID.basicConstraints, true, write.sequence([])),
        ...keyExtension(write, authority.keyIdentifier),
        ...nameExtension(write, request.names, subject.length === 0),
      ]),
    ]),
  ])
}

/** Values of one kind stand together, as upstream's library writes them. */
function subjectOf(write: DerWriter, { subject }: ParsedRequest): Asn1[] {
  return SUBJECT_PARTS.flatMap((oid) => {
    const given = subject.filter(([type]) => type === oid).map(([, value]) => value)
    const values = (SINGLE.has(oid) ? given.slice(-1) : given).filter(
      (value) => value !== '' || !SINGLE.has(oid),
    )
    if (values.length === 0) return []
    const attributes = values.map((value) => write.sequence([write.oid(oid), nameText(write, value)]))
    // DER orders the elements of a set by their bytes.
    return [write.set(attributes.sort((a, b) => Buffer.compare(write.bytes(a), write.bytes(b))))]
  })
}

const nameText = (write: DerWriter, value: string): Asn1 =>
  write.primitive(/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? 'PRINTABLESTRING' : 'UTF8', Buffer.from(value))

function usageExtensions(write: DerWriter, words: readonly string[]): Asn1[] {
  const { bits, extended } = keyUsagesOf(words)
  const extensions: Asn1[] = []
  if (bits) extensions.push(write.extension(OID.keyUsage, true, write.primitive('BITSTRING', bits)))
  if (extended.length > 0) {
    const list = write.sequence(extended.map((oid) => write.oid(oid)))
    extensions.push(write.extension(OID.extendedKeyUsage, false, list))
  }
  return extensions
}

const keyExtension = (write: DerWriter, keyIdentifier: Buffer | undefined): Asn1[] =>
  keyIdentifier
    ? [write.extension(OID.authorityKeyIdentifier, false, write.sequence([write.context(0, keyIdentifier)]))]
    : []

/** A certificate without a subject is known by these names alone. */
function nameExtension(write: DerWriter, names: AlternativeNames, isOnlyName: boolean): Asn1[] {
  const list = [
    ...names.dns.map((name) => write.context(2, Buffer.from(name, 'latin1'))),
    ...names.emails.map((name) => write.context(1, Buffer.from(name, 'latin1'))),
    ...names.addresses.map((name) => write.context(7, ipBytes(name) as Buffer)),
    ...names.uris.map((name) => write.context(6, Buffer.from(name, 'latin1'))),
  ]
  return list.length === 0 ? [] : [write.extension(OID.alternativeNames, isOnlyName, write.sequence(list))]
}
