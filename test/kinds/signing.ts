// A certificate signing request that is sound: what CertificateSigningRequests carry.
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

/** A new request of the user "someone": PEM, in base64. */
export function certificateRequest(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }) as string)
  const request = forge.pki.createCertificationRequest()
  request.publicKey = forge.pki.setRsaPublicKey(key.n, key.e)
  request.setSubject([{ name: 'commonName', value: 'someone' }])
  request.sign(key, forge.md.sha256.create())
  return Buffer.from(forge.pki.certificationRequestToPem(request)).toString('base64')
}
