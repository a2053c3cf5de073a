// Flags of `dinghy apiserver` about who a request is from.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/options/authentication.go.
import { checkIssuer, type JwtIssuer } from '../../authn/authenticationconfig.ts'
import { boolean, durationMs, listOf, oneOf, optionalBoolean, repeated, text, type Values } from '../flags.ts'
import { type ApiServerOptions, DEFAULTS, StartError } from '../options.ts'

export const AUTHENTICATION_FLAGS = {
  'token-auth-file': text('CSV file of static tokens', 'FILE'),
  'anonymous-auth': optionalBoolean('let requests without credentials in as system:anonymous (default true)'),
  'enable-bootstrap-token-auth': boolean(
    'know the tokens in secrets of kube-system by which nodes join',
    false,
  ),
  'requestheader-client-ca-file': text('CAs of proxies that may name users in headers, PEM', 'FILE'),
  'requestheader-allowed-names': listOf('common names of their certificates; default every', 'NAMES'),
  'requestheader-username-headers': listOf('headers that name the user', 'HEADERS'),
  'requestheader-uid-headers': listOf('headers with its uid', 'HEADERS'),
  'requestheader-group-headers': listOf('headers with its groups', 'HEADERS'),
  'requestheader-extra-headers-prefix': listOf('how headers begin with what else is known of it', 'PREFIXES'),
  'proxy-client-cert-file': text('certificate by which extension servers know this one, PEM', 'FILE'),
  'proxy-client-key-file': text('its key, PEM', 'FILE'),
  'service-account-issuer': repeated(
    `issuer of the tokens of service accounts; of several, the first signs (default ${DEFAULTS.serviceAccountIssuers[0]})`,
    'URL',
  ),
  'service-account-key-file': repeated('keys that verify those tokens, PEM', 'FILE'),
  'service-account-signing-key-file': text('key that signs them, PEM', 'FILE'),
  'service-account-jwks-uri': text('where others find the keys of the issuer', 'URL'),
  'service-account-max-token-expiration': text(
    'the longest life of those tokens; 0: no bound',
    'DURATION',
    '0',
  ),
  'service-account-extend-token-expiration': boolean("let pods' tokens live for a year", true),
  'service-account-lookup': boolean(
    'accepted for compatibility; objects that tokens name are always looked up',
    true,
  ),
  'api-audiences': listOf('audiences of tokens for this server; default the issuers', 'NAMES'),
  'authentication-config': text(
    'file of OpenID issuers whose tokens are known, and of anonymous paths',
    'FILE',
  ),
  'oidc-issuer-url': text('an OpenID issuer whose tokens are known', 'URL'),
  'oidc-client-id': text('the audience that they must name', 'ID'),
  'oidc-ca-file': text('CAs of the issuer, PEM', 'FILE'),
  'oidc-username-claim': text('the claim that names the user (default sub)', 'CLAIM'),
  'oidc-username-prefix': text('what the name is begun with; default the issuer, "-" is nothing', 'TEXT'),
  'oidc-groups-claim': text('the claim that names the groups', 'CLAIM'),
  'oidc-groups-prefix': text('what they are begun with', 'TEXT'),
  'oidc-signing-algs': listOf('algorithms of the signatures; default RS256', 'NAMES'),
  'oidc-required-claim': repeated('a claim and its value that tokens must have', 'CLAIM=VALUE'),
  'authentication-token-webhook-config-file': text('kubeconfig of a server that knows tokens', 'FILE'),
  'authentication-token-webhook-version': oneOf(
    'of the TokenReview that it is sent',
    ['v1', 'v1beta1'],
    'v1beta1',
  ),
  'authentication-token-webhook-cache-ttl': text('how long its answers are remembered', 'DURATION', '2m0s'),
} as const

type Flags = Values<typeof AUTHENTICATION_FLAGS>

/** Throws StartError for what contradicts itself. */
export function authenticationOptions(flags: Flags): Partial<ApiServerOptions> {
  const named = {
    tokenAuthFile: flags['token-auth-file'],
    proxyClientCertFile: flags['proxy-client-cert-file'],
    proxyClientKeyFile: flags['proxy-client-key-file'],
    serviceAccountSigningKeyFile: flags['service-account-signing-key-file'],
    serviceAccountJwksUri: flags['service-account-jwks-uri'],
    authenticationConfigFile: flags['authentication-config'],
  }
  return {
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    enableBootstrapTokenAuth: flags['enable-bootstrap-token-auth'],
    ...(flags['anonymous-auth'] === undefined ? {} : { anonymousAuthGiven: true }),
    ...requestHeaders(flags),
    ...serviceAccounts(flags),
    ...openId(flags),
    ...webhook(flags),
  }
}

function webhook(flags: Flags): Pick<ApiServerOptions, 'tokenWebhook'> {
  const configFile = flags['authentication-token-webhook-config-file']
  if (configFile === undefined) return {}
  const cacheMs = durationMs(
    'authentication-token-webhook-cache-ttl',
    flags['authentication-token-webhook-cache-ttl'],
  )
  const version = flags['authentication-token-webhook-version'] === 'v1' ? 'v1' : 'v1beta1'
  return { tokenWebhook: { configFile, version, cacheMs } }
}

function openId(flags: Flags): Pick<ApiServerOptions, 'oidc'> {
  const { 'oidc-issuer-url': url, 'oidc-client-id': clientId } = flags
  const isSet = Object.entries(flags).some(([flag, value]) => flag.startsWith('oidc-') && value !== undefined)
  if (!isSet) return {}
  if (flags['authentication-config'] !== undefined)
    throw new StartError('authentication-config file and oidc-* flags are mutually exclusive')
  if (!url || !clientId)
    throw new StartError(
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
    )
  const issuer = openIdIssuer(flags, url, clientId)
  checkedIssuer(issuer, flags['service-account-issuer'] ?? DEFAULTS.serviceAccountIssuers)
  const caFile = flags['oidc-ca-file']
  return {
    oidc: {
      issuer,
      signingAlgorithms: algorithmsOf(flags['oidc-signing-algs'] ?? ['RS256']),
      ...(caFile === undefined ? {} : { caFile }),
    },
  }
}

function openIdIssuer(flags: Flags, url: string, clientId: string): JwtIssuer {
  const claim = flags['oidc-username-claim'] ?? 'sub'
  const given = flags['oidc-username-prefix'] ?? ''
  // Names of different issuers would be one user's otherwise; mail addresses are everybody's own.
  const prefix = given === '' && claim !== 'email' ? `${url}#` : given === '-' ? '' : given
  const groups = flags['oidc-groups-claim']
  return {
    url,
    audiences: [clientId],
    username: { claim, prefix },
    ...(groups === undefined ? {} : { groups: { claim: groups, prefix: flags['oidc-groups-prefix'] ?? '' } }),
    requiredClaims: new Map((flags['oidc-required-claim'] ?? []).map(pairOf)),
  }
}

function checkedIssuer(issuer: JwtIssuer, disallowed: readonly string[]): void {
  try {
    checkIssuer(issuer, disallowed)
  } catch (error) {
    throw new StartError(`invalid authentication configuration: ${(error as Error).message}`, error)
  }
}

function pairOf(text: string): [string, string] {
  const sign = text.indexOf('=')
  if (sign < 1) throw new StartError(`--oidc-required-claim: ${text} is no CLAIM=VALUE`)
  return [text.slice(0, sign).trim(), text.slice(sign + 1).trim()]
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']

function algorithmsOf(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !ALGORITHMS.includes(name))
  if (unknown !== undefined) throw new StartError(`oidc: unsupported signing alg: ${JSON.stringify(unknown)}`)
  return names
}

function requestHeaders(flags: Flags): Pick<ApiServerOptions, 'requestHeader'> {
  const caFile = flags['requestheader-client-ca-file']
  if (caFile === undefined) return {}
  return {
    requestHeader: {
      caFile,
      allowedNames: flags['requestheader-allowed-names'] ?? [],
      usernameHeaders: flags['requestheader-username-headers'] ?? [],
      uidHeaders: flags['requestheader-uid-headers'] ?? [],
      groupHeaders: flags['requestheader-group-headers'] ?? [],
      extraHeaderPrefixes: flags['requestheader-extra-headers-prefix'] ?? [],
    },
  }
}

function serviceAccounts(flags: Flags): Partial<ApiServerOptions> {
  const { 'service-account-issuer': issuers, 'api-audiences': audiences } = flags
  return {
    serviceAccountIssuers: issuersOf(issuers ?? DEFAULTS.serviceAccountIssuers),
    serviceAccountKeyFiles: flags['service-account-key-file'] ?? [],
    serviceAccountExtendTokenExpiration: flags['service-account-extend-token-expiration'],
    ...maxExpiration(flags['service-account-max-token-expiration']),
    ...(audiences === undefined ? {} : { apiAudiences: audiences }),
  }
}

function issuersOf(issuers: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  for (const issuer of issuers) {
    if (issuer === '') throw new StartError('service-account-issuer should not be an empty string')
    if (seen.has(issuer))
      throw new StartError(`service-account-issuer ${JSON.stringify(issuer)} is already specified`)
    seen.add(issuer)
  }
  return issuers
}

const HOUR_MS = 3_600_000
const MAX_EXPIRATION_MS = 2 ** 32 * 1000

function maxExpiration(value: string): { serviceAccountMaxTokenExpiration?: number } {
  const ms = durationMs('service-account-max-token-expiration', value)
  if (ms === 0) return {}
  if (ms < HOUR_MS || ms > MAX_EXPIRATION_MS)
    throw new StartError('the service-account-max-token-expiration must be between 1 hour and 2^32 seconds')
  return { serviceAccountMaxTokenExpiration: ms / 1000 }
}
