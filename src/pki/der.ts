// The DER of an X.509 certificate's inside (TBSCertificate) for the certificates of our own PKI.
// Follows RFC 5280, section 4.
import { createHash, type KeyObject } from 'node:crypto'
import { type Asn1, type DerWriter, loadWriter } from './writer.ts'

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

/** Load it once and keep it. */
export const loadDer = async (): Promise<Der> => new Der(await loadWriter())

export class Der {
  readonly #write: DerWriter

  constructor(writer: DerWriter) {
    this.#write = writer
  }

  /** The bytes that the issuer signs. */
  tbsCertificate(tbs: TbsCertificate): Buffer {
    const spki = tbs.publicKey.export({ type: 'spki', format: 'der' })
    return this.#write.bytes(
      this.#write.sequence([
        this.#write.tagged(0, [this.#write.primitive('INTEGER', Buffer.from([2]))]), // version 3
        this.#write.primitive('INTEGER', tbs.serial),
        this.#signatureAlgorithm(),
        this.#name(tbs.issuer),
        this.#write.sequence([this.#write.time(tbs.notBefore), this.#write.time(tbs.notAfter)]),
        this.#name(tbs.subject),
        this.#write.read(spki),
        this.#write.tagged(3, [this.#write.sequence(this.#extensions(tbs))]),
      ]),
    )
  }

  /** The whole certificate from its inside and the ECDSA signature over it (DER, as node:crypto makes it). */
  certificate(tbs: Buffer, signature: Buffer): Buffer {
    return this.#write.bytes(
      this.#write.sequence([this.#write.read(tbs), this.#signatureAlgorithm(), this.#write.bits(signature)]),
    )
  }

  #extensions(tbs: TbsCertificate): Asn1[] {
    const usage = tbs.isCa ? SIGN_CERTIFICATES : DIGITAL_SIGNATURE
    const authority = this.#write.context(0, keyIdentifier(tbs.issuerKey))
    const extensions = [
      this.#write.extension(OID.keyUsage, true, this.#write.primitive('BITSTRING', usage)),
      this.#write.extension(
        OID.basicConstraints,
        true,
        this.#write.sequence(tbs.isCa ? [this.#write.true()] : []),
      ),
      this.#write.extension(
        OID.subjectKeyIdentifier,
        false,
        this.#write.primitive('OCTETSTRING', keyIdentifier(tbs.publicKey)),
      ),
      this.#write.extension(OID.authorityKeyIdentifier, false, this.#write.sequence([authority])),
    ]
    if (tbs.usages.length > 0) {
      const usages = this.#write.sequence(tbs.usages.map((usage) => this.#write.oid(OID[usage])))
      extensions.push(this.#write.extension(OID.extendedKeyUsage, false, usages))
    }
    if (tbs.hosts.length > 0) {
      const names = this.#write.sequence(tbs.hosts.map((host) => this.#write.hostName(host)))
      extensions.push(this.#write.extension(OID.subjectAltName, false, names))
    }
    return extensions
  }

  #name(name: DistinguishedName): Asn1 {
    const part = (oid: string, text: string): Asn1 =>
      this.#write.set([
        this.#write.sequence([
          this.#write.oid(oid),
          this.#write.primitive('UTF8', Buffer.from(text, 'utf8')),
        ]),
      ])
    const organizations = name.organizations.map((organization) => part(OID.organization, organization))
    return this.#write.sequence([...organizations, part(OID.commonName, name.commonName)])
  }

  #signatureAlgorithm(): Asn1 {
    return this.#write.sequence([this.#write.oid(OID.ecdsaWithSha256)])
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
