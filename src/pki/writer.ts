// Writes DER with node-forge's ASN.1 part, which is loaded at the first certificate made: a start that finds its
// certificates on disk never loads it.
import type { asn1 } from 'node-forge'
import { ipBytes } from './ip.ts'

export type Asn1 = asn1.Asn1
type Forge = typeof asn1

/** UTCTime ends with this year (RFC 5280, section 4.1.2.5). */
const LAST_UTC_TIME_YEAR = 2049

/** Load it once and keep it. */
export async function loadWriter(): Promise<DerWriter> {
  const { default: forge } = await import('node-forge/lib/asn1.js')
  return new DerWriter(forge)
}

export class DerWriter {
  readonly #asn1: Forge

  constructor(forge: Forge) {
    this.#asn1 = forge
  }

  sequence(parts: Asn1[]): Asn1 {
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type.SEQUENCE, true, parts)
  }

  set(parts: Asn1[]): Asn1 {
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type.SET, true, parts)
  }

  primitive(type: keyof Forge['Type'], value: Buffer): Asn1 {
    const latin1 = value.toString('latin1')
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, this.#asn1.Type[type], false, latin1)
  }

  oid(oid: string): Asn1 {
    return this.primitive('OID', Buffer.from(this.#asn1.oidToDer(oid).getBytes(), 'latin1'))
  }

  true(): Asn1 {
    return this.primitive('BOOLEAN', Buffer.from([0xff]))
  }

  /** A bit string whose bits fill its bytes. */
  bits(value: Buffer): Asn1 {
    return this.primitive('BITSTRING', Buffer.concat([Buffer.from([0]), value]))
  }

  time(date: Date): Asn1 {
    const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
    return date.getUTCFullYear() <= LAST_UTC_TIME_YEAR
      ? this.primitive('UTCTIME', Buffer.from(digits.slice(2)))
      : this.primitive('GENERALIZEDTIME', Buffer.from(digits))
  }

  /** Constructed, of the context. */
  tagged(tag: number, parts: Asn1[]): Asn1 {
    return this.#asn1.create(this.#asn1.Class.CONTEXT_SPECIFIC, tag, true, parts)
  }

  /** Primitive, of the context. */
  context(tag: number, value: Buffer): Asn1 {
    return this.#asn1.create(this.#asn1.Class.CONTEXT_SPECIFIC, tag, false, value.toString('latin1'))
  }

  extension(oid: string, critical: boolean, value: Asn1): Asn1 {
    const octets = this.primitive('OCTETSTRING', this.bytes(value))
    return this.sequence([this.oid(oid), ...(critical ? [this.true()] : []), octets])
  }

  /** A DNS name or an IP address among alternative names. */
  hostName(host: string): Asn1 {
    const address = ipBytes(host)
    return address ? this.context(7, address) : this.context(2, Buffer.from(host, 'ascii'))
  }

  /** What was written elsewhere. */
  read(der: Buffer): Asn1 {
    return this.#asn1.fromDer(der.toString('latin1'))
  }

  bytes(value: Asn1): Buffer {
    return Buffer.from(this.#asn1.toDer(value).getBytes(), 'latin1')
  }
}
