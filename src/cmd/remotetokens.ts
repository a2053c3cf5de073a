// Tokens that others are asked about: OpenID issuers for their keys, a webhook for its verdict.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/authenticator/config.go.
import { setTimeout as delay } from 'node:timers/promises'
import type { AuthenticationConfig, JwtIssuer } from '../authn/authenticationconfig.ts'
import type { TokenAuthenticator } from '../authn/authenticator.ts'
import { readAuthorities } from '../authn/x509.ts'
import type { Json } from '../machinery/json.ts'
import { fileText } from './files.ts'
import type { HttpsClient } from './https.ts'
import type { Log } from './log.ts'
import { type ApiServerOptions, StartError, type TokenWebhook } from './options.ts'

export interface RemoteParts {
  readonly options: ApiServerOptions
  readonly log: Log
  readonly config: AuthenticationConfig
  readonly audiences: readonly string[]
}

/** Every algorithm that a key of an issuer may be for, where no flag chooses. */
const ALL = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

/** In the order in which they are asked. Rejects with StartError for files that cannot be read or used. */
export async function remoteTokens(parts: RemoteParts): Promise<TokenAuthenticator[]> {
  const { oidc, tokenWebhook } = parts.options
  const issuers = oidc ? [withCa(oidc.issuer, oidc.caFile)] : parts.config.issuers
  const algorithms = oidc?.signingAlgorithms ?? ALL
  const authenticators = await Promise.all(issuers.map((issuer) => oidcTokens(parts, issuer, algorithms)))
  return tokenWebhook ? [...authenticators, await webhookTokens(parts, tokenWebhook)] : authenticators
}

const withCa = (issuer: JwtIssuer, caFile: string | undefined): JwtIssuer =>
  caFile === undefined ? issuer : { ...issuer, certificateAuthority: fileText(caFile) }

async function oidcTokens(
  { log, audiences }: RemoteParts,
  issuer: JwtIssuer,
  signingAlgorithms: readonly string[],
): Promise<TokenAuthenticator> {
  const { OidcAuthenticator } = await import('../authn/oidc.ts')
  const { httpsClient } = await import('./https.ts')
  const ca = issuer.certificateAuthority
  if (ca !== undefined && !isBundle(ca))
    throw new StartError(`the certificate authority of the issuer ${issuer.url} holds no certificate in PEM`)
  const client = httpsClient(ca)
  return new OidcAuthenticator({
    issuer,
    signingAlgorithms,
    apiAudiences: audiences,
    fetch: (url) => fetchJson(client, url),
    warn: (why) => log.warn({ issuer: issuer.url, why }, 'could not ask an issuer of tokens for its keys'),
    now: () => Date.now(),
  })
}

function isBundle(pem: string): boolean {
  try {
    return readAuthorities(pem).length > 0
  } catch {
    return false
  }
}

async function fetchJson(client: HttpsClient, url: string): Promise<Json> {
  const { status, body } = await client(url)
  if (status !== 200) throw new Error(`${url} answered with status ${status}`)
  return JSON.parse(body.toString()) as Json
}

async function webhookTokens(
  { log, audiences }: RemoteParts,
  { configFile, version, cacheMs }: TokenWebhook,
): Promise<TokenAuthenticator> {
  const { WebhookAuthenticator } = await import('../authn/webhook.ts')
  const { webhookOf } = await import('./webhookfile.ts')
  const webhook = await webhookOf(configFile)
  return new WebhookAuthenticator({
    version,
    apiAudiences: audiences,
    cacheMs,
    send: (body) => webhook.call(body),
    warn: (why) => log.error({ why }, 'could not ask the webhook about a token'),
    now: () => Date.now(),
    wait: (ms) => delay(ms),
  })
}
