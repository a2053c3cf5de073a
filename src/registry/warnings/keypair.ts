// Why the certificate and the key of a Secret for TLS are no pair that a server could use; the Secret is taken all the
// same. A warning of the strategy of Secrets. Follows crypto/tls (X509KeyPair), whose words clients see.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { KubeObject } from '../../machinery/object.ts'
import { objectAt, textAt } from '../reading.ts'

interface Block {
  readonly type: string
  readonly pem: string
}

const BLOCK = /-----BEGIN ([^\n]*?)-----\r?\n[A-Za-z0-9+/=\s:,-]*?-----END \1-----/g

const blocksIn = (text: string): Block[] =>
  [...text.matchAll(BLOCK)].map(([pem, type = '']) => ({ type, pem }))

const typesOf = (blocks: readonly Block[]): string => `[${blocks.map(({ type }) => type).join(' ')}]`

const isKey = ({ type }: Block): boolean => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY')

/** The first certificate, or why there is none. */
function leafIn(text: string): X509Certificate | string {
  const blocks = blocksIn(text)
  const [first] = blocks
  const leaf = blocks.find(({ type }) => type === 'CERTIFICATE')
  if (leaf) return readLeaf(leaf.pem)
  if (!first) return 'tls: failed to find any PEM data in certificate input'
  if (blocks.length === 1 && first.type.endsWith('PRIVATE KEY')) {
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(blocks)}`
}

function readLeaf(pem: string): X509Certificate | string {
  try {
    return new X509Certificate(pem)
  } catch {
    return 'x509: malformed certificate'
  }
}

/** The first key, or why there is none. */
function keyIn(text: string): Block | string {
  const blocks = blocksIn(text)
  const key = blocks.find(isKey)
  if (key) return key
  if (!blocks.length) return 'tls: failed to find any PEM data in key input'
  if (blocks.length === 1 && blocks[0]?.type === 'CERTIFICATE') {
    return 'tls: found a certificate rather than a key in the PEM for the private key'
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(blocks)}`
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function pairFault(certificate: string, key: string): string | undefined {
  const leaf = leafIn(certificate)
  const block = typeof leaf === 'string' && !leaf.startsWith('x509') ? leaf : keyIn(key)
  if (typeof block === 'string') return block
  if (typeof leaf === 'string') return leaf
  const own = readKey(block.pem)
  if (!own) return 'tls: failed to parse private key'
  if (leaf.publicKey.asymmetricKeyType !== own.asymmetricKeyType) {
    return 'tls: private key type does not match public key type'
  }
  return createPublicKey(own).equals(leaf.publicKey)
    ? undefined
    : 'tls: private key does not match public key'
}

const decoded = (value: unknown): string => Buffer.from(textAt(value as string), 'base64').toString('latin1')

export function* secretWarnings(secret: KubeObject): Generator<string> {
  if (secret['type'] !== 'kubernetes.io/tls') return
  const data = objectAt(secret['data'])
  const fault = pairFault(decoded(data['tls.crt']), decoded(data['tls.key']))
  if (fault !== undefined) yield fault
}
