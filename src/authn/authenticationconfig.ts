// The file of --authentication-config: which issuers' tokens are known, and where anonymous requests may go.
// Follows k8s.io/apiserver/pkg/apis/apiserver (v1) and its validation.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { cause, type StatusCause } from '../machinery/status.ts'

/** An issuer of tokens, and how their claims become a user. */
export interface JwtIssuer {
  readonly url: string
  /** Where its configuration is, if not below its URL. */
  readonly discoveryUrl?: string
  /** PEM. */
  readonly certificateAuthority?: string
  /** One of them must be in a token. */
  readonly audiences: readonly string[]
  readonly username: { readonly claim: string; readonly prefix: string }
  readonly groups?: { readonly claim: string; readonly prefix: string }
  readonly uidClaim?: string
  readonly requiredClaims: ReadonlyMap<string, string>
}

export interface AuthenticationConfig {
  readonly issuers: readonly JwtIssuer[]
  /** Absent: as the flag says. Without paths: everywhere. */
  readonly anonymous?: { readonly enabled: boolean; readonly paths: readonly string[] }
}

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`)
const KIND = 'AuthenticationConfiguration'
/** As upstream's bound on issuers. */
const MAX_ISSUERS = 64

/** Throws an Error, in one line, that names every fault. `disallowed` are the issuers of service accounts. */
export function readAuthenticationConfig(value: Json, disallowed: readonly string[]): AuthenticationConfig {
  const faults = new Faults()
  const root = faults.object(value, '', ['apiVersion', 'kind', 'jwt', 'anonymous'])
  if (!VERSIONS.includes(faults.text(root, 'apiVersion')) || faults.text(root, 'kind') !== KIND)
    throw new Error(`no kind ${JSON.stringify(KIND)} of apiserver.config.k8s.io`)
  const issuers = faults
    .list(root, 'jwt')
    .map((entry, i) => issuerOf(entry, `jwt[${i}]`, { faults, disallowed }))
  if (issuers.length > MAX_ISSUERS) faults.add(cause.tooMany('jwt', issuers.length, MAX_ISSUERS))
  const urls = new Set<string>()
  issuers.forEach(({ url }, i) => {
    if (urls.has(url)) faults.add(cause.duplicate(`jwt[${i}].issuer.url`, url))
    urls.add(url)
  })
  const anonymous =
    root['anonymous'] === undefined ? {} : { anonymous: anonymousOf(root['anonymous'], faults) }
  faults.throwAny()
  return { issuers, ...anonymous }
}

/** Faults of one issuer alone: what the flags of OpenID make. Throws as above. */
export function checkIssuer(issuer: JwtIssuer, disallowed: readonly string[]): void {
  const faults = new Faults()
  checkUrl(issuer.url, 'jwt[0].issuer.url', { faults, disallowed })
  faults.throwAny()
}

interface Reading {
  readonly faults: Faults
  readonly disallowed: readonly string[]
}

function anonymousOf(value: Json, faults: Faults): { enabled: boolean; paths: string[] } {
  const anonymous = faults.object(value, 'anonymous', ['enabled', 'conditions'])
  const enabled = anonymous['enabled'] === true
  const conditions = faults.list(anonymous, 'conditions', 'anonymous')
  const paths = conditions.map((condition, i) =>
    faults.text(faults.object(condition, `anonymous.conditions[${i}]`, ['path']), 'path'),
  )
  if (!enabled && paths.length > 0) {
    const why = 'enabled should be set to true when conditions are defined'
    faults.add(cause.invalid('anonymous.conditions', conditions, why))
  }
  return { enabled, paths }
}

function issuerOf(value: Json, path: string, reading: Reading): JwtIssuer {
  const { faults } = reading
  const known = ['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules']
  const entry = faults.object(value, path, known)
  if (faults.list(entry, 'userValidationRules', path).length > 0)
    faults.unsupported(`${path}.userValidationRules`)
  return {
    ...addressOf(entry['issuer'], `${path}.issuer`, reading),
    ...mappingsOf(entry['claimMappings'], `${path}.claimMappings`, faults),
    requiredClaims: requiredClaims(faults.list(entry, 'claimValidationRules', path), path, faults),
  }
}

function addressOf(value: Json | undefined, path: string, reading: Reading) {
  const { faults } = reading
  const known = [
    'url',
    'discoveryURL',
    'certificateAuthority',
    'audiences',
    'audienceMatchPolicy',
    'egressSelectorType',
  ]
  const issuer = faults.object(value, path, known)
  const [url, discoveryUrl] = [faults.text(issuer, 'url'), faults.text(issuer, 'discoveryURL')]
  checkUrl(url, `${path}.url`, reading)
  if (discoveryUrl !== '') {
    checkUrl(discoveryUrl, `${path}.discoveryURL`, { faults, disallowed: [] })
    if (discoveryUrl.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
      faults.add(
        cause.invalid(`${path}.discoveryURL`, discoveryUrl, 'discoveryURL must be different from URL'),
      )
  }
  if (issuer['egressSelectorType'] !== undefined) faults.unsupported(`${path}.egressSelectorType`)
  const certificateAuthority = faults.text(issuer, 'certificateAuthority')
  return {
    url,
    ...(discoveryUrl === '' ? {} : { discoveryUrl }),
    ...(certificateAuthority === '' ? {} : { certificateAuthority }),
    audiences: audiencesOf(issuer, path, faults),
  }
}

function checkUrl(url: string, path: string, { faults, disallowed }: Reading): void {
  if (url === '') return faults.add(cause.required(path))
  const refuse = (why: string): void => faults.add(cause.invalid(path, url, why))
  if (disallowed.includes(url))
    refuse(`URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(' ')}]`)
  if (!URL.canParse(url)) return refuse('it is no URL')
  const { protocol, username, password, search, hash } = new URL(url)
  if (protocol !== 'https:') refuse('URL scheme must be https')
  if (username !== '' || password !== '') refuse('URL must not contain a username or password')
  if (search !== '') refuse('URL must not contain a query')
  if (hash !== '') refuse('URL must not contain a fragment')
}

function audiencesOf(issuer: JsonObject, path: string, faults: Faults): string[] {
  const audiences = faults.list(issuer, 'audiences', path).filter((audience) => typeof audience === 'string')
  const field = `${path}.audiences`
  if (audiences.length === 0) faults.add(cause.required(field, `at least one ${field} is required`))
  audiences.forEach((audience, i) => {
    if (audience === '') faults.add(cause.required(`${field}[${i}]`))
    if (audiences.indexOf(audience) < i) faults.add(cause.duplicate(`${field}[${i}]`, audience))
  })
  const policy = faults.text(issuer, 'audienceMatchPolicy')
  if (policy !== 'MatchAny' && (audiences.length > 1 || policy !== '')) {
    const why = `audienceMatchPolicy must be ${audiences.length > 1 ? 'MatchAny for multiple audiences' : 'empty or MatchAny for single audience'}`
    faults.add(cause.invalid(`${path}.audienceMatchPolicy`, policy, why))
  }
  return audiences
}

function mappingsOf(value: Json | undefined, path: string, faults: Faults) {
  const mappings = faults.object(value, path, ['username', 'groups', 'uid', 'extra'])
  if (faults.list(mappings, 'extra', path).length > 0) faults.unsupported(`${path}.extra`)
  const username = prefixed(mappings['username'], `${path}.username`, faults)
  if (!username) faults.add(cause.required(`${path}.username`, 'claim or expression is required'))
  const groups = prefixed(mappings['groups'], `${path}.groups`, faults)
  const uid = faults.object(mappings['uid'], `${path}.uid`, ['claim', 'expression'])
  if (uid['expression'] !== undefined) faults.unsupported(`${path}.uid.expression`)
  const uidClaim = faults.text(uid, 'claim')
  return {
    username: username ?? { claim: '', prefix: '' },
    ...(groups ? { groups } : {}),
    ...(uidClaim === '' ? {} : { uidClaim }),
  }
}

/** A claim with the prefix that must be said beside it, if only to say that there is none. */
function prefixed(value: Json | undefined, path: string, faults: Faults) {
  const mapping = faults.object(value, path, ['claim', 'prefix', 'expression'])
  if (mapping['expression'] !== undefined) faults.unsupported(`${path}.expression`)
  const claim = faults.text(mapping, 'claim')
  const { prefix } = mapping
  if (claim === '') {
    if (prefix !== undefined)
      faults.add(cause.invalid(path, prefix, 'prefix may not be specified when claim is not set'))
    return undefined
  }
  if (typeof prefix !== 'string')
    faults.add(
      cause.required(
        `${path}.prefix`,
        'prefix is required when claim is set. It can be set to an empty string to disable prefixing',
      ),
    )
  return { claim, prefix: typeof prefix === 'string' ? prefix : '' }
}

function requiredClaims(rules: readonly Json[], path: string, faults: Faults): Map<string, string> {
  const required = new Map<string, string>()
  rules.forEach((value, i) => {
    const field = `${path}.claimValidationRules[${i}]`
    const rule = faults.object(value, field, ['claim', 'requiredValue', 'expression', 'message'])
    if (rule['expression'] !== undefined) return faults.unsupported(`${field}.expression`)
    const claim = faults.text(rule, 'claim')
    if (claim === '') return faults.add(cause.required(field, 'claim or expression is required'))
    if (required.has(claim)) faults.add(cause.duplicate(`${field}.claim`, claim))
    required.set(claim, faults.text(rule, 'requiredValue'))
  })
  return required
}

/** Reads what somebody wrote by hand, and gathers what is wrong with it. */
class Faults {
  readonly #causes: StatusCause[] = []

  add(fault: StatusCause): void {
    this.#causes.push(fault)
  }

  unsupported(field: string): void {
    this.add(cause.forbidden(field, 'it is not supported by this server yet'))
  }

  object(value: Json | undefined, path: string, known: readonly string[]): JsonObject {
    if (!isObject(value)) {
      if (value !== undefined && value !== null) this.add(cause.typeInvalid(path, value, 'must be an object'))
      return {}
    }
    for (const key of Object.keys(value)) {
      const field = path === '' ? key : `${path}.${key}`
      if (!known.includes(key)) this.add(cause.forbidden(field, 'unknown field'))
    }
    return value
  }

  text(object: JsonObject, key: string): string {
    const value = object[key]
    if (value === undefined || value === null || typeof value === 'string') return value ?? ''
    this.add(cause.typeInvalid(key, value, 'must be a string'))
    return ''
  }

  list(object: JsonObject, key: string, path = ''): readonly Json[] {
    const value = object[key]
    if (Array.isArray(value)) return value
    if (value !== undefined && value !== null)
      this.add(cause.typeInvalid(path === '' ? key : `${path}.${key}`, value, 'must be a list'))
    return []
  }

  throwAny(): void {
    const texts = this.#causes.map(({ field, message }) => `${field}: ${message}`)
    if (texts.length === 0) return
    throw new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`)
  }
}
