// Tokens of OpenID issuers: their keys are fetched, their claims become the user as the configuration maps them.
// Follows k8s.io/apiserver/plugin/pkg/authenticator/token/oidc and github.com/coreos/go-oidc.
import { createPublicKey } from 'node:crypto'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { goQuote, goQuoteList } from '../machinery/quote.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { JwtIssuer } from './authenticationconfig.ts'
import { refused, type TokenAnswer, type TokenAuthenticator } from './authenticator.ts'
import { TokenMap } from './digest.ts'
import { claimsOf, JWT, verifiedClaims } from './jwt.ts'
import { userOfClaims } from './oidcuser.ts'
import { algorithmsOf, type VerifyingKey } from './signingkeys.ts'

export interface OidcOptions {
  readonly issuer: JwtIssuer
  readonly signingAlgorithms: readonly string[]
  readonly apiAudiences: readonly string[]
  /** GETs JSON; rejects where nobody answers with a good status. */
  fetch(url: string): Promise<Json>
  /** Hears why the issuer could not be asked. */
  warn(why: string): void
  now(): number
}

/** How long an answer is remembered, as upstream's cache of tokens. */
const REMEMBERED_MS = 10_000
/** The issuer is not asked again sooner, whoever shows tokens with keys that it does not have. */
const ASK_AGAIN_MS = 10_000
const NOT_BEFORE_LEEWAY_MS = 60_000
const WELL_KNOWN = '/.well-known/openid-configuration'
/** What Google says in the place of its URL. */
const GOOGLE = ['accounts.google.com', 'https://accounts.google.com'] as const

interface Remembered {
  readonly answer: TokenAnswer
  readonly until: number
}

export class OidcAuthenticator implements TokenAuthenticator {
  readonly #options: OidcOptions
  readonly #known = new TokenMap<Remembered>()
  #keys: readonly VerifyingKey[] | undefined
  #asking: Promise<void> | undefined
  #askedAt = -Infinity

  constructor(options: OidcOptions) {
    this.#options = options
  }

  authenticateToken(
    token: string,
    wanted: readonly string[],
  ): TokenAnswer | undefined | Promise<TokenAnswer | undefined> {
    if (!JWT.test(token)) return undefined
    const digest = this.#known.digest(token, ...wanted)
    const known = this.#known.get(digest)
    if (known && known.until > this.#options.now()) return known.answer
    if (named(claimsOf(token)?.['iss']) !== this.#options.issuer.url) return undefined
    const audiences = this.#options.apiAudiences.filter((audience) => wanted.includes(audience))
    if (audiences.length === 0 && wanted.length > 0) return undefined
    return this.#verify(token).then((user) => {
      const answer = { user, audiences }
      this.#known.set(digest, { answer, until: this.#options.now() + REMEMBERED_MS })
      return answer
    })
  }

  async #verify(token: string): Promise<UserInfo> {
    const { issuer, now } = this.#options
    const claims = await this.#claims(token).catch((error: unknown) => {
      throw refused(`oidc: verify token: ${error instanceof Error ? error.message : String(error)}`)
    })
    checkClaims(claims, issuer, now())
    return await userOfClaims(claims, issuer)
  }

  /** Resolves when its keys are known; rejects where the issuer does not tell them. */
  async ready(): Promise<void> {
    await this.#fetchKeys()
  }

  /** With the keys that are known; where none of them fits, with those that the issuer has now. */
  async #claims(token: string): Promise<JsonObject> {
    const kid = claimsOf(token, 0)?.['kid']
    const fitting = (): VerifyingKey[] =>
      (this.#keys ?? []).filter(({ id }) => typeof kid !== 'string' || kid === '' || id === kid)
    if (fitting().length === 0) await this.#ask()
    if (!this.#keys) throw new Error('authenticator not initialized')
    const keys = fitting()
    if (keys.length === 0) throw new Error('failed to verify signature: failed to verify id token signature')
    return await verifiedClaims(token, keys)
  }

  async #ask(): Promise<void> {
    const { now, warn } = this.#options
    if (!this.#asking && now() - this.#askedAt < ASK_AGAIN_MS) return
    this.#askedAt = this.#asking ? this.#askedAt : now()
    this.#asking ??= this.#fetchKeys()
      .catch((error: unknown) => warn(error instanceof Error ? error.message : String(error)))
      .finally(() => (this.#asking = undefined))
    await this.#asking
  }

  async #fetchKeys(): Promise<void> {
    const { issuer, signingAlgorithms, fetch } = this.#options
    const configuration = await fetch(issuer.discoveryUrl ?? `${issuer.url.replace(/\/$/, '')}${WELL_KNOWN}`)
    const { issuer: given, jwks_uri: keysUrl } = isObject(configuration) ? configuration : {}
    if (given !== issuer.url) {
      const shown = goQuote(typeof given === 'string' ? given : '')
      throw new Error(
        `issuer did not match the issuer returned by provider, expected ${goQuote(issuer.url)} got ${shown}`,
      )
    }
    if (typeof keysUrl !== 'string' || keysUrl === '') throw new Error('provider did not return JWKS URL')
    const set = await fetch(keysUrl)
    const keys = isObject(set) && Array.isArray(set['keys']) ? set['keys'] : []
    this.#keys = keys.flatMap((key) => (isObject(key) ? usable(key, signingAlgorithms) : []))
  }
}

/** Keys of kinds that sign nothing for us are passed over. */
function usable(jwk: JsonObject, allowed: readonly string[]): VerifyingKey[] {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return []
  try {
    const key = createPublicKey({ format: 'jwk', key: jwk })
    const [first, ...others] = algorithmsOf(key).filter((algorithm) => allowed.includes(algorithm))
    const id = typeof jwk['kid'] === 'string' ? jwk['kid'] : ''
    return first === undefined ? [] : [{ id, algorithms: [first, ...others], key }]
  } catch {
    return []
  }
}

const named = (issuer: Json | undefined): Json | undefined => (issuer === GOOGLE[0] ? GOOGLE[1] : issuer)

function checkClaims({ iss, aud, exp, nbf }: JsonObject, issuer: JwtIssuer, now: number): void {
  const fault = (why: string): Error => refused(`oidc: verify token: oidc: ${why}`)
  if (named(iss) !== issuer.url) throw fault('id token issued by a different provider')
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((audience) => typeof audience === 'string')
  if (!audiences.some((audience) => issuer.audiences.includes(audience))) {
    const [first = ''] = issuer.audiences
    const expected = issuer.audiences.length === 1 ? goQuote(first) : `in ${goQuoteList(issuer.audiences)}`
    throw fault(`expected audience ${expected} got ${goQuoteList(audiences)}`)
  }
  const expiry = typeof exp === 'number' ? exp * 1000 : 0
  if (expiry < now) throw fault(`token is expired (Token Expiry: ${new Date(expiry).toISOString()})`)
  if (typeof nbf === 'number' && now + NOT_BEFORE_LEEWAY_MS < nbf * 1000)
    throw fault('current time before the nbf (not before) time')
}
