// Compact JSON web signatures for what control loops sign: tokens that live in secrets, and texts that a joining node checks.
// Follows RFC 7515 and k8s.io/kubernetes/pkg/serviceaccount/jwt.go.
import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Digests and names by curve; RSA keys sign by RS256. */
const EC: Readonly<Record<string, readonly [alg: string, digest: string]>> = {
  prime256v1: ['ES256', 'sha256'],
  secp384r1: ['ES384', 'sha384'],
  secp521r1: ['ES512', 'sha512'],
}

/** The signer of tokens with a private key, PEM, RSA or EC. Throws an Error for other texts and keys. */
export function tokenSigner(pem: string): (claims: object) => string {
  const key = createPrivateKey(pem)
  const [alg, digest] = algorithmOf(key)
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const header = encoded({ alg, kid: createHash('sha256').update(der).digest('base64url') })
  return (claims) => {
    const signed = `${header}.${encoded(claims)}`
    const signature = sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
}

function algorithmOf(key: KeyObject): readonly [alg: string, digest: string] {
  if (key.asymmetricKeyType === 'rsa') return ['RS256', 'sha256']
  const known = EC[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (!known) throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign tokens`)
  return known
}

/** A signature by a shared secret over a text that is not in it: "header..signature". */
export function detachedSignature(content: string, id: string, secret: string): string {
  const header = encoded({ alg: 'HS256', kid: id })
  const payload = Buffer.from(content).toString('base64url')
  return `${header}..${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`
}
