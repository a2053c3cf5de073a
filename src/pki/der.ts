// The DER of an X.509 certificate's inside (TBSCertificate), built with node-forge's ASN.1 writer, which is loaded
// at the first certificate made: a start that finds its certificates on disk never loads it.
// Follows RFC 5280, section 4.
import { createHash, type KeyObject } from 'node:crypto'
import type { asn1 } from 'node-forge'
import { ipBytes } from './ip.ts'

type Asn1 = asn1.Asn1
type Writer = typeof asn1

/** Everything of a certificate but its signature. Times are written in whole seconds. */
export interface TbsCertificate {
  /** Big-endian, positive: its first bit is 0. */
  readonly serial: Buffer
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: KeyObject
  readonly issuerKey: KeyObject
  readonly isCa: boolean
  readonly usages: readonly ('server' | 'client')[]
  readonly hosts: readonly string[]
}

export interface DistinguishedName {
  readonly commonName: string
  readonly organizations: readonly string[]
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const

// KeyUsage bit strings: the count of unused bits, then the bits from the left.
const DIGITAL_SIGNATURE = Buffer.from([7, 0x80])
const SIGN_CERTIFICATES = Buffer.from([1, 0x86]) // with digitalSignature and cRLSign

/** UTCTime ends with this year (RFC 5280, section 4.1.2.5). */
const LAST_UTC_TIME_YEAR = 2049

/** A writer over node-forge; load it once and keep it. */
export async function loadDer(): Promise<Der> {
  const { default: writer } = await import('node-forge/lib/asn1.js')
  return new Der(writer)
}

export class Der {
  readonly #asn1: Writer

  constructor(writer: Writer) {
    this.#asn1 = writer
  }

  /** The bytes that the issuer signs. */
  tbsCertificate(tbs: TbsCertificate): Buffer {
    const spki = tbs.publicKey.export({ type: 'spki', format: 'der' })
    return this.#bytes(
      this.#sequence([
        this.#tagged(0, [this.#primitive('INTEGER', Buffer.from([2]))]), // version 3
        this.#primitive('INTEGER', tbs.serial),
        this.#signatureAlgorithm(),
        this.#name(tbs.issuer),
        this.#sequence([this.#time(tbs.notBefore), this.#time(tbs.notAfter)]),
        this.#name(tbs.subject),
        this.#asn1.fromDer(spki.toString('latin1')),
        this.#tagged(3, [this.#sequence(this.#extensions(tbs))]),
      ]),
    )
  }

  /** The whole certificate from its inside and the ECDSA signature over it (DER, as node:crypto makes it). */
  certificate(tbs: Buffer, signature: Buffer): Buffer {
    const bits = Buffer.concat([Buffer.from([0]), signature])
    return this.#bytes(
      this.#sequence([
        this.#asn1.fromDer(tbs.toString('latin1')),
        this.#signatureAlgorithm(),
        this.#primitive('BITSTRING', bits),
      ]),
    )
  }

  #extensions(tbs: TbsCertificate): Asn1[] {
    const usage = tbs.isCa ? SIGN_CERTIFICATES : DIGITAL_SIGNATURE
    const authority = this.#context(0, keyIdentifier(tbs.issuerKey))
    const extensions = [
      this.#extension(OID.keyUsage, true, this.#primitive('BITSTRING', usage)),
      this.#extension(OID.basicConstraints, true, this.#sequence(tbs.isCa ? [this.#true()] : [])),
      this.#extension(
        OID.subjectKeyIdentifier,
        false,
        this.#primitive('OCTETSTRING', keyIdentifier(tbs.publicKey)),
      ),
      this.#extension(OID.authorityKeyIdentifier, false, this.#sequence([authority])),
    ]
    if (tbs.usages.length > 0) {
      const usages = this.#sequence(tbs.usages.map((usage) => this.#oid(OID[usage])))
      extensions.push(this.#extension(OID.extendedKeyUsage, false, usages))
    }
    if (tbs.hosts.length > 0) {
      const names = this.#sequence(tbs.hosts.map((host) => this.#generalName(host)))
      extensions.push(this.#extension(OID.subjectAltName, false, names))
    }
    return extensions
  }

  #extension(oid: string, critical: boolean, value: Asn1): Asn1 {
    const octets = this.#primitive('OCTETSTRING', this.#bytes(value))
    return this.#sequence([this.#oid(oid), ...(critical ? [this.#true()] : []), octets])
  }

  #generalName(host: string): Asn1 {
    const address = ipBytes(host)
    return address ? this.#context(7, address) : this.#context(2, Buffer.from(host, 'ascii'))
  }

  #name(name: DistinguishedName): Asn1 {
    const part = (oid: string, text: string): Asn1 =>
      this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type.SET, true, [
        this.#sequence([this.#oid(oid), this.#primitive('UTF8', Buffer.from(text, 'utf8'))]),
      ])
    const organizations = name.organizations.map((organization) => part(OID.organization, organization))
    return this.#sequence([...organizations, part(OID.commonName, name.commonName)])
  }

  #time(date: Date): Asn1 {
    const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
    return date.getUTCFullYear() <= LAST_UTC_TIME_YEAR
      ? this.#primitive('UTCTIME', Buffer.from(digits.slice(2)))
      : this.#primitive('GENERALIZEDTIME', Buffer.from(digits))
  }

  #signatureAlgorithm(): Asn1 {
    return this.#sequence([this.#oid(OID.ecdsaWithSha256)])
  }

  #oid(oid: string): Asn1 {
    return this.#primitive('OID', Buffer.from(this.#asn1.oidToDer(oid).getBytes(), 'latin1'))
  }

  #true(): Asn1 {
    return this.#primitive('BOOLEAN', Buffer.from([0xff]))
  }

  #sequence(parts: Asn1[]): Asn1 {
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type.SEQUENCE, true, parts)
  }

  #primitive(type: keyof typeof asn1.Type, value: Buffer): Asn1 {
    const latin1 = value.toString('latin1')
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type[type], false, latin1)
  }

  #tagged(tag: number, parts: Asn1[]): Asn1 {
    return this.#asn1.create(this.#asn1.Class.CONTEXT_SPECIFIC, tag, true, parts)
  }

  #context(tag: number, value: Buffer): Asn1 {
    return this.#asn1.create(this.#asn1.Class.CONTEXT_SPECIFIC, tag, false, value.toString('latin1'))
  }

  #bytes(value: Asn1): Buffer {
    return Buffer.from(this.#asn1.toDer(value).getBytes(), 'latin1')
  }
}

/** SHA-1 of the public key's bits (RFC 5280, section 4.2.1.2): names the key, and protects nothing. */
function keyIdentifier(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' })
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(x as string, 'base64url'),
    Buffer.from(y as string, 'base64url'),
  ])
  return createHash('sha1').update(point).digest()
}
