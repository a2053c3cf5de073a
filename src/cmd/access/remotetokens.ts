// Tokens that others are asked about: OpenID issuers for their keys, a webhook for its verdict.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/authenticator/config.go.
import { setTimeout as delay } from 'node:timers/promises'
import type { JwtIssuer } from '../../authn/authenticationconfig.ts'
import type { TokenAuthenticator } from '../../authn/authenticator.ts'
import type { OidcAuthenticator } from '../../authn/oidc.ts'
import type { Json } from '../../machinery/json.ts'
import type { ConfigText, IssuersTokens } from './authentication-file.ts'
import { fileText } from '../files.ts'
import type { HttpsClient } from './https.ts'
import type { Log } from '../log.ts'
import { type ApiServerOptions, type OidcChoice, StartError, type TokenWebhook } from '../options.ts'

export interface RemoteParts {
  readonly options: ApiServerOptions
  readonly log: Log
  /** Of the file that the options name. */
  readonly begun: ConfigText | undefined
  readonly audiences: readonly string[]
}

export interface RemoteTokens {
  /** In the order in which they are asked. */
  readonly tokens: readonly TokenAuthenticator[]
  /** Ends what looks at files. */
  stop(): void
}

/** Every algorithm that a key of an issuer may be for, where no flag chooses. */
const ALL = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

/** Rejects with StartError for files that cannot be read or used. */
export async function remoteTokens(parts: RemoteParts): Promise<RemoteTokens> {
  const { oidc, tokenWebhook } = parts.options
  const issuers = oidc ? { tokens: await flaggedIssuer(parts, oidc) } : await filedIssuers(parts)
  const webhook = tokenWebhook ? [await webhookTokens(parts, tokenWebhook)] : []
  return {
    tokens: [...(issuers ? [issuers.tokens] : []), ...webhook],
    stop: () => issuers && 'stop' in issuers && issuers.stop(),
  }
}

function flaggedIssuer(
  parts: RemoteParts,
  { issuer, caFile, signingAlgorithms }: OidcChoice,
): Promise<IssuersTokens> {
  const trusted = caFile === undefined ? issuer : { ...issuer, certificateAuthority: fileText(caFile) }
  return issuersTokens(parts, [trusted], signingAlgorithms)
}

async function filedIssuers(parts: RemoteParts) {
  const { options, log, begun } = parts
  const { authenticationConfigFile: file, serviceAccountIssuers: disallowed } = options
  if (file === undefined || !begun) return undefined
  const { watchedIssuers } = await import('./authentication-file.ts')
  const made = (issuers: readonly JwtIssuer[]) => issuersTokens(parts, issuers, ALL)
  return await watchedIssuers({ file, begun, disallowed, log, made })
}

async function issuersTokens(
  parts: RemoteParts,
  issuers: readonly JwtIssuer[],
  algorithms: readonly string[],
): Promise<IssuersTokens> {
  const all = await Promise.all(issuers.map((issuer) => oidcTokens(parts, issuer, algorithms)))
  return {
    authenticateToken(token, audiences) {
      // Who is not its issuer says so at once.
      for (const one of all) {
        const answer = one.authenticateToken(token, audiences)
        if (answer !== undefined) return answer
      }
      return undefined
    },
    async ready() {
      await Promise.all(all.map((one) => one.ready()))
    },
  }
}

async function oidcTokens(
  { log, audiences }: RemoteParts,
  issuer: JwtIssuer,
  signingAlgorithms: readonly string[],
): Promise<OidcAuthenticator> {
  const { OidcAuthenticator } = await import('../../authn/oidc.ts')
  const { isBundle } = await import('../../authn/authenticationconfig.ts')
  const { httpsClient } = await import('./https.ts')
  if (issuer.egress !== undefined)
    throw new StartError(
      `oidc: egress lookup required with egress selector type ${JSON.stringify(issuer.egress)}`,
    )
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

async function fetchJson(client: HttpsClient, url: string): Promise<Json> {
  const { status, body } = await client(url)
  if (status !== 200) throw new Error(`${url} answered with status ${status}`)
  return JSON.parse(body.toString()) as Json
}

async function webhookTokens(
  { log, audiences }: RemoteParts,
  { configFile, version, cacheMs }: TokenWebhook,
): Promise<TokenAuthenticator> {
  const { WebhookAuthenticator } = await import('../../authn/webhook.ts')
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
