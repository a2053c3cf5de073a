// The file of --authentication-config: which issuers' tokens are known, and where anonymous requests may go.
// Follows k8s.io/apiserver/pkg/apis/apiserver (v1) and its validation.
import { ConfigReader, isOfKind } from '../machinery/configreader.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { cause } from '../machinery/status.ts'
import { type Mappings, MappingsReader } from './claimmappings.ts'
import { readAuthorities } from './x509.ts'

/** An issuer of tokens, and how their claims become a user. */
export interface JwtIssuer extends Mappings {
  readonly url: string
  /** Where its configuration is, if not below its URL. */
  readonly discoveryUrl?: string
  /** PEM. */
  readonly certificateAuthority?: string
  /** One of them must be in a token. */
  readonly audiences: readonly string[]
  /** Where upstream would send its requests through: nothing here leads there. */
  readonly egress?: string
}

export interface AuthenticationConfig {
  readonly issuers: readonly JwtIssuer[]
  /** Absent: as the flag says. Without paths: everywhere. */
  readonly anonymous?: { readonly enabled: boolean; readonly paths: readonly string[] }
}

const CONFIGURATION = {
  group: 'apiserver.config.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha1'],
  kind: 'AuthenticationConfiguration',
}
/** As upstream's bound on issuers. */
const MAX_ISSUERS = 64

/** Rejects with an Error, in one line, that names every fault. `disallowed` are the issuers of service accounts. */
export async function readAuthenticationConfig(
  value: JsonObject,
  disallowed: readonly string[],
): Promise<AuthenticationConfig> {
  if (!isOfKind(value, CONFIGURATION))
    throw new Error(`no kind "AuthenticationConfiguration" of ${CONFIGURATION.group}`)
  const reader = new ConfigReader()
  const root = reader.object(value, '', ['apiVersion', 'kind', 'jwt', 'anonymous'])
  const entries = reader.list(root, 'jwt', '')
  const issuers: JwtIssuer[] = []
  if (entries.length > MAX_ISSUERS) reader.add(cause.tooMany('jwt', entries.length, MAX_ISSUERS))
  else
    for (const [i, entry] of entries.entries())
      issuers.push(await issuerOf(entry, `jwt[${i}]`, { reader, disallowed }))
  checkDistinct(issuers, reader)
  const anonymous = isObject(root['anonymous']) ? anonymousOf(root['anonymous'], reader) : undefined
  reader.throwAny()
  return { issuers, ...(anonymous ? { anonymous } : {}) }
}

function checkDistinct(issuers: readonly JwtIssuer[], reader: ConfigReader): void {
  const [urls, discoveries] = [new Set<string>(), new Set<string>()]
  issuers.forEach(({ url, discoveryUrl }, i) => {
    if (urls.has(url)) reader.add(cause.duplicate(`jwt[${i}].issuer.url`, url))
    urls.add(url)
    if (discoveryUrl === undefined) return
    if (discoveries.has(discoveryUrl))
      reader.add(cause.duplicate(`jwt[${i}].issuer.discoveryURL`, discoveryUrl))
    discoveries.add(discoveryUrl)
  })
}

/** Faults of one issuer alone: what the flags of OpenID make. Throws as above. */
export function checkIssuer(issuer: JwtIssuer, disallowed: readonly string[]): void {
  const reader = new ConfigReader()
  checkUrl(issuer.url, 'jwt[0].issuer.url', { reader, disallowed })
  reader.throwAny()
}

interface Reading {
  readonly reader: ConfigReader
  readonly disallowed: readonly string[]
}

function anonymousOf(value: JsonObject, reader: ConfigReader): { enabled: boolean; paths: string[] } {
  const anonymous = reader.object(value, 'anonymous', ['enabled', 'conditions'])
  const enabled = reader.flag(anonymous, 'enabled', 'anonymous') === true
  const conditions = reader.list(anonymous, 'conditions', 'anonymous')
  const paths = conditions.map((condition, i) => {
    const at = `anonymous.conditions[${i}]`
    return reader.text(reader.object(condition, at, ['path']), 'path', at)
  })
  if (!enabled && paths.length > 0) {
    const why = 'enabled should be set to true when conditions are defined'
    reader.add(cause.invalid('anonymous.conditions', conditions, why))
  }
  return { enabled, paths }
}

async function issuerOf(value: Json, path: string, reading: Reading): Promise<JwtIssuer> {
  const { reader } = reading
  const known = ['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules']
  const entry = reader.object(value, path, known)
  const address = addressOf(entry['issuer'], `${path}.issuer`, reading)
  return { ...address, ...(await new MappingsReader(reader).read(entry, path)) }
}

const ISSUER_FIELDS = [
  'url',
  'discoveryURL',
  'certificateAuthority',
  'audiences',
  'audienceMatchPolicy',
  'egressSelectorType',
]
const EGRESS = ['controlplane', 'cluster']

function addressOf(value: Json | undefined, path: string, reading: Reading): Omit<JwtIssuer, keyof Mappings> {
  const { reader } = reading
  const issuer = reader.object(value, path, ISSUER_FIELDS)
  const [url, discoveryUrl] = [reader.text(issuer, 'url', path), reader.text(issuer, 'discoveryURL', path)]
  if (url === '') reader.add(cause.required(`${path}.url`))
  else checkUrl(url, `${path}.url`, reading)
  if (discoveryUrl !== '') {
    const field = `${path}.discoveryURL`
    if (url !== '' && discoveryUrl.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
      reader.add(cause.invalid(field, discoveryUrl, 'discoveryURL must be different from URL'))
    checkUrl(discoveryUrl, field, { reader, disallowed: [] })
  }
  const audiences = audiencesOf(issuer, path, reader)
  const certificateAuthority = reader.text(issuer, 'certificateAuthority', path)
  if (certificateAuthority !== '' && !isBundle(certificateAuthority)) {
    const why = 'data does not contain any valid RSA or ECDSA certificates'
    reader.add(cause.invalid(`${path}.certificateAuthority`, '<omitted>', why))
  }
  const egress = reader.text(issuer, 'egressSelectorType', path)
  if (egress !== '' && !EGRESS.includes(egress)) {
    const why = 'egress selector must be either controlplane or cluster'
    reader.add(cause.invalid(`${path}.egressSelectorType`, egress, why))
  }
  return {
    url,
    ...(discoveryUrl === '' ? {} : { discoveryUrl }),
    ...(certificateAuthority === '' ? {} : { certificateAuthority }),
    audiences,
    ...(egress === '' ? {} : { egress }),
  }
}

/** Is the text a bundle of certificates in PEM? */
export function isBundle(pem: string): boolean {
  try {
    return readAuthorities(pem).length > 0
  } catch {
    return false
  }
}

function checkUrl(url: string, path: string, { reader, disallowed }: Reading): void {
  const refuse = (why: string): void => reader.add(cause.invalid(path, url, why))
  if (disallowed.includes(url))
    refuse(`URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(' ')}]`)
  if (!/^https:/i.test(url)) refuse('URL scheme must be https')
  if (!URL.canParse(url)) {
    if (/^https:/i.test(url)) refuse(`parse ${JSON.stringify(url)}: invalid URL`)
    return
  }
  const { username, password, search, hash } = new URL(url)
  if (username !== '' || password !== '') refuse('URL must not contain a username or password')
  if (search !== '') refuse('URL must not contain a query')
  if (hash !== '') refuse('URL must not contain a fragment')
}

function audiencesOf(issuer: JsonObject, path: string, reader: ConfigReader): readonly string[] {
  const audiences = reader.texts(issuer, 'audiences', path)
  const policy = reader.text(issuer, 'audienceMatchPolicy', path)
  const field = `${path}.audiences`
  if (audiences.length === 0) {
    reader.add(cause.required(field, `at least one ${field} is required`))
    return audiences
  }
  audiences.forEach((audience, i) => {
    if (audience === '') reader.add(cause.required(`${field}[${i}]`))
    if (audiences.indexOf(audience) < i) reader.add(cause.duplicate(`${field}[${i}]`, audience))
  })
  if (policy !== 'MatchAny' && (audiences.length > 1 || policy !== '')) {
    const why = `audienceMatchPolicy must be ${audiences.length > 1 ? 'MatchAny for multiple audiences' : 'empty or MatchAny for single audience'}`
    reader.add(cause.invalid(`${path}.audienceMatchPolicy`, policy, why))
  }
  return audiences
}
