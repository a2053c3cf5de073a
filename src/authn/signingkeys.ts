// Keys that sign the tokens of service accounts and keys that check them, out of PEM texts: RSA, and EC on three curves.
// Follows k8s.io/client-go/util/keyutil and k8s.io/kubernetes/pkg/serviceaccount (jwt.go, openidmetadata.go).
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export interface VerifyingKey {
  /** Upstream's id: the digest of the public key. */
  readonly id: string
  /** The first one is what this issuer signs with by such a key; the others are verified as well. */
  readonly algorithms: readonly [string, ...string[]]
  readonly key: KeyObject
}

export interface SigningKey {
  readonly id: string
  readonly algorithm: string
  readonly key: KeyObject
}

/** Every PEM block; parameters of curves stand beside keys and are none. */
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g
const NO_KEY = 'EC PARAMETERS'

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const
const EC_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
/** Shorter RSA keys are refused by what verifies tokens. */
const MIN_RSA_BITS = 2048

/** The public keys of a text: of public and private keys and of certificates. Throws an Error where there is none. */
export function verifyingKeys(pem: string): VerifyingKey[] {
  const blocks = [...pem.matchAll(BLOCK)].filter(([, label]) => label !== NO_KEY).map(([block]) => block)
  if (blocks.length === 0) throw new Error('data does not contain any valid RSA or ECDSA public keys')
  return blocks.map((block) => {
    const key = createPublicKey(block)
    return { id: keyId(key), algorithms: algorithmsOf(key), key }
  })
}

/** The first private key of a text. Throws an Error where there is none, or one that cannot sign tokens. */
export function signingKey(pem: string): SigningKey {
  const block = [...pem.matchAll(BLOCK)].find(([, label = '']) => label.endsWith('PRIVATE KEY'))
  if (!block) throw new Error('data does not contain a valid RSA or ECDSA private key')
  const { id, algorithms } = verifyingKeys(block[0])[0] as VerifyingKey
  return { id, algorithm: algorithms[0], key: createPrivateKey(block[0]) }
}

/** Throws an Error for a key that cannot sign tokens. */
export function algorithmsOf(key: KeyObject): VerifyingKey['algorithms'] {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength >= MIN_RSA_BITS) return RSA_ALGORITHMS
    throw new Error(`an RSA key of ${modulusLength} bits is too short, ${MIN_RSA_BITS} are the least`)
  }
  const algorithm = EC_ALGORITHMS[namedCurve]
  if (algorithm) return [algorithm]
  throw new Error(`a key of type ${key.asymmetricKeyType} ${namedCurve} cannot sign tokens`)
}

const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
