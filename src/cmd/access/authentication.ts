// Who a request comes from: the authenticators that the options ask for, in upstream's order, and the issuer of tokens.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/authenticator/config.go.
import { anonymous, anonymousOn } from '../../authn/anonymous.ts'
import type { AuthenticationConfig } from '../../authn/authenticationconfig.ts'
import type { AuthnRequest, TokenAuthenticator } from '../../authn/authenticator.ts'
import { bearerToken } from '../../authn/bearer.ts'
import { webSocketToken } from '../../authn/websocket.ts'
import { bootstrapTokens } from '../../authn/bootstraptoken.ts'
import { boundTokens } from '../../authn/boundtoken.ts'
import { authenticatorChain } from '../../authn/chain.ts'
import { tokenSigner } from '../../authn/issuer.ts'
import { type ClaimsReader, JwtAuthenticator } from '../../authn/jwt.ts'
import { LEGACY_ISSUER, legacyTokens } from '../../authn/legacytoken.ts'
import { requestHeader } from '../../authn/requestheader.ts'
import { tokenFile } from '../../authn/tokenfile.ts'
import type { TokenObjects } from '../../authn/tokenobjects.ts'
import { tokenReviewer } from '../../authn/tokenreview.ts'
import { x509 } from '../../authn/x509.ts'
import type { Scopes } from '../../handlers/scope.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { UserInfo } from '../../machinery/user.ts'
import type { TokenIssuer } from '../../registry/subresource.ts'
import type { Resource } from '../../schema/resource.ts'
import type { ConfigText } from './authentication-file.ts'
import type { Identity } from '../apiserver/identity.ts'
import { labelInternal } from '../apiserver/internal.ts'
import type { Log } from '../log.ts'
import { type ApiServerOptions, orStartError, StartError } from '../options.ts'
import { remoteTokens } from './remotetokens.ts'

export interface Authentication {
  readonly authenticator: { authenticate(request: AuthnRequest): UserInfo | Promise<UserInfo> }
  readonly reviewToken: ReturnType<typeof tokenReviewer>
  readonly tokenIssuer: TokenIssuer
  /** Ends what looks at files. */
  close(): void
}

export interface AuthenticationParts {
  readonly options: ApiServerOptions
  readonly identity: Identity
  readonly log: Log
  readonly scopes: Scopes
  stored(resource: GroupResource): Resource
}

/** Rejects with StartError for files that cannot be read or used. */
export async function authenticationOf(parts: AuthenticationParts): Promise<Authentication> {
  const { options } = parts
  const audiences = options.apiAudiences ?? options.serviceAccountIssuers
  const begun = await configOf(options)
  const objects = objectsOf(parts)
  const remote = await remoteTokens({ options, log: parts.log, begun, audiences })
  const tokens = [...localTokens(parts, audiences, objects), ...remote.tokens]
  return {
    authenticator: authenticatorChain(
      [
        ...(options.requestHeader ? [requestHeader(options.requestHeader)] : []),
        x509,
        bearerToken(tokens, audiences),
        webSocketToken(tokens, audiences),
      ],
      anonymousOf(options, begun?.config),
    ),
    reviewToken: tokenReviewer(tokens, audiences),
    tokenIssuer: issuerOf(parts, audiences, objects),
    close: () => remote.stop(),
  }
}

async function configOf(options: ApiServerOptions): Promise<ConfigText | undefined> {
  const file = options.authenticationConfigFile
  if (file === undefined) return undefined
  const { authenticationConfigIn } = await import('./authentication-file.ts')
  const begun = await authenticationConfigIn(file, options.serviceAccountIssuers)
  if (begun.config.anonymous && options.anonymousAuthGiven)
    throw new StartError(
      'anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
    )
  return begun
}

function anonymousOf(options: ApiServerOptions, config: AuthenticationConfig | undefined) {
  const { enabled, paths } = config?.anonymous ?? { enabled: options.anonymousAuth, paths: [] }
  if (!enabled) return undefined
  return paths.length > 0 ? anonymousOn(paths) : anonymous
}

/** Those whose answers are here come first: they cost nobody a question. */
function localTokens(
  parts: AuthenticationParts,
  audiences: readonly string[],
  objects: TokenObjects,
): TokenAuthenticator[] {
  const { log, options } = parts
  const file = options.tokenAuthFile
  const warn = (message: string): void => log.warn({ file }, message)
  return [
    ...(file === undefined ? [] : [orStartError(() => tokenFile(file, audiences, warn))]),
    serviceAccountTokens(parts, audiences, objects),
    ...(options.enableBootstrapTokenAuth ? [bootstrapTokens(objects, audiences, () => Date.now())] : []),
  ]
}

function serviceAccountTokens(
  { options, identity, scopes, log }: AuthenticationParts,
  apiAudiences: readonly string[],
  objects: TokenObjects,
): TokenAuthenticator {
  const markUsed = (secret: KubeObject, label: Readonly<Record<string, string>>): void => {
    labelInternal(scopes, { apiVersion: 'v1', kind: 'Secret', ...secret }, label).catch((error: unknown) =>
      log.error({ error: String(error) }, 'could not note the use of a token in its secret'),
    )
  }
  const bound = boundTokens(objects)
  const issuers = new Map<string, ClaimsReader>(options.serviceAccountIssuers.map((name) => [name, bound]))
  issuers.set(LEGACY_ISSUER, legacyTokens(objects, markUsed))
  return new JwtAuthenticator({
    keys: identity.serviceAccountKeys,
    issuers,
    apiAudiences,
    now: () => Date.now(),
  })
}

function issuerOf(
  { options, identity }: AuthenticationParts,
  audiences: readonly string[],
  objects: TokenObjects,
): TokenIssuer {
  return {
    audiences,
    maxExpirationSeconds: options.serviceAccountMaxTokenExpiration,
    extendExpiration: options.serviceAccountExtendTokenExpiration,
    sign: tokenSigner(options.serviceAccountIssuers[0] ?? '', identity.serviceAccountKey),
    async find(resource, namespace, name) {
      await objects.fresh(resource)
      return objects.get(resource, namespace, name)
    },
  }
}

function objectsOf({ scopes, stored }: AuthenticationParts): TokenObjects {
  const { lister } = scopes.environment
  return {
    get: (resource, namespace, name) => lister.get(resource, namespace, name),
    async fresh(...resources) {
      await lister.ready(...resources)
      await Promise.all(resources.map((resource) => scopes.of(stored(resource)).cache.fresh()))
    },
  }
}
