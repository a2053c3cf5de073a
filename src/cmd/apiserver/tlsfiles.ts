// The operator's own certificates: read and tried before the port is opened, so that a bad file is named at the start.
// Follows k8s.io/client-go/util/cert and crypto/tls's LoadX509KeyPair.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { fileText } from '../files.ts'
import { StartError } from '../options.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** The certificates of a PEM file, as text; throws StartError where there are none, or one that cannot be read. */
export function certificatesOf(path: string): string {
  const text = fileText(path)
  readCertificates(path, text)
  return text
}

function readCertificates(path: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0) throw new StartError(`${path} holds no certificate in PEM`)
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (error) {
    throw new StartError(`${path} holds a certificate that cannot be read`, error)
  }
}

/** A serving certificate (its chain behind it) and its key; throws StartError unless they are a pair. */
export function servingPair(certFile: string, keyFile: string): { cert: string; key: string } {
  const cert = fileText(certFile)
  const [first] = readCertificates(certFile, cert)
  const key = fileText(keyFile)
  if (!first?.checkPrivateKey(privateKey(keyFile, key)))
    throw new StartError(`${keyFile} is not the key of the certificate in ${certFile}`)
  return { cert, key }
}

function privateKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new StartError(`${path} holds no private key in PEM`, error)
  }
}
