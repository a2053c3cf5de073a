// Signs tokens, and says what others need to check them: the OpenID configuration and the public keys.
// Follows k8s.io/kubernetes/pkg/serviceaccount (jwt.go, openidmetadata.go).
import type { JsonObject } from '../machinery/json.ts'
import type { SigningKey, VerifyingKey } from './signingkeys.ts'

export interface IssuerDocuments {
  /** JSON of /.well-known/openid-configuration. */
  readonly configuration: string
  /** JSON of /openid/v1/jwks. */
  readonly keys: string
}

export const CONFIGURATION_PATH = '/.well-known/openid-configuration'
export const KEYS_PATH = '/openid/v1/jwks'

/** Signs claims as a JWT in the name of `issuer`. */
export function tokenSigner(issuer: string, signing: SigningKey): (claims: JsonObject) => Promise<string> {
  const header = { alg: signing.algorithm, kid: signing.id }
  return async (claims) => {
    const { signJws } = await import('./jws.ts')
    const payload = Buffer.from(JSON.stringify({ ...claims, iss: issuer }))
    return await signJws(payload, header, signing.key)
  }
}

/**
 * `address` is "HOST:PORT" of this server, where `keysUrl` does not say that the keys are elsewhere. undefined for an
 * issuer whose name is no URL that OpenID allows: upstream serves no documents then.
 */
export function issuerDocuments(
  issuer: string,
  keys: readonly VerifyingKey[],
  where: { readonly address: string; readonly keysUrl?: string | undefined },
): IssuerDocuments | undefined {
  if (!isOpenIdIssuer(issuer)) return undefined
  const configuration = {
    issuer,
    jwks_uri: where.keysUrl ?? `https://${where.address}${KEYS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.algorithms[0]))].sort(),
  }
  return {
    configuration: JSON.stringify(configuration),
    keys: JSON.stringify({ keys: keys.map(publishedKey) }),
  }
}

function isOpenIdIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false
  const { protocol, search, hash } = new URL(issuer)
  return protocol === 'https:' && search === '' && hash === ''
}

/** In upstream's order of fields. */
function publishedKey({ id, algorithms, key }: VerifyingKey) {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' })
  return { use: 'sig', kty, kid: id, crv, alg: algorithms[0], x, y, n, e }
}
