// What others need to check tokens that this server's issuer signs: the OpenID configuration and the public keys.
// Follows k8s.io/kubernetes/pkg/serviceaccount (openidmetadata.go, jwt.go).
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

export interface IssuerDocuments {
  /** JSON of /.well-known/openid-configuration. */
  readonly configuration: string
  /** JSON of /openid/v1/jwks. */
  readonly keys: string
}

export const CONFIGURATION_PATH = '/.well-known/openid-configuration'
export const KEYS_PATH = '/openid/v1/jwks'

/** `keys` are PEM texts, public or private, of RSA or EC; `address` is "HOST:PORT". Throws for a text that is no key. */
export function issuerDocuments(issuer: string, keys: readonly string[], address: string): IssuerDocuments {
  const published = keys.map((pem) => publishedKey(createPublicKey(pem)))
  const configuration = {
    issuer,
    jwks_uri: `https://${address}${KEYS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(published.map((key) => key.alg))],
  }
  return { configuration: JSON.stringify(configuration), keys: JSON.stringify({ keys: published }) }
}

const EC_ALGORITHMS: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
}

function publishedKey(key: KeyObject) {
  const jwk = key.export({ format: 'jwk' })
  const alg = jwk.kty === 'RSA' ? 'RS256' : EC_ALGORITHMS[jwk.crv ?? '']
  if (!alg) throw new Error(`a key of type ${jwk.kty} ${jwk.crv ?? ''} cannot sign tokens`)
  return { use: 'sig', kid: keyId(key), alg, ...jwk }
}

/** Upstream's id of a key: the digest of its public half. */
export const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
