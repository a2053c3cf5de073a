// Tokens that this cluster's issuer signed: signature, issuer and audience; what their claims mean is told by a file for
// each kind, boundtoken.ts and legacytoken.ts.
// Follows JWTTokenAuthenticator in k8s.io/kubernetes/pkg/serviceaccount/jwt.go.
import { aggregate } from '../machinery/aggregate.ts'
import { goQuote, goQuoteList } from '../machinery/quote.ts'
import type { UserInfo } from '../machinery/user.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import { type TokenNotes, type TokenAnswer, type TokenAuthenticator, refused } from './authenticator.ts'
import { claimFault } from './claimfault.ts'
import { TokenMap } from './digest.ts'
import type { VerifyingKey } from './signingkeys.ts'

/** Whom a verified token stands for, and whether it still does. */
export interface Credential {
  readonly user: UserInfo
  /** Throws, or rejects with, the 401 of `refused` for a token that is good no longer. */
  check(token: string, now: number): TokenNotes | undefined | Promise<TokenNotes | undefined>
}

/** Reads the claims of one kind of token; throws the 401 of `refused` for claims that lack something. */
export type ClaimsReader = (claims: JsonObject) => Credential

export interface JwtOptions {
  readonly keys: readonly VerifyingKey[]
  /** By issuer: its kind of token. */
  readonly issuers: ReadonlyMap<string, ClaimsReader>
  /** --api-audiences: for tokens that name none, and for requests. */
  readonly apiAudiences: readonly string[]
  now(): number
}

/** What every use of a token shares: its signature is checked once. */
interface Verified {
  readonly audiences: readonly string[]
  /** Reads the claims when it is first asked, which is after the audiences were found to be right. */
  credential(): Credential
}

/** The words of upstream's library, whatever is wrong with a signature. */
const BAD_SIGNATURE = 'go-jose/go-jose: error in cryptographic primitive'
/** A token in three parts. */
export const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/
/** Longer ones come from nobody's issuer: a header of requests holds 16 KiB. */
const MAX_TOKEN_LENGTH = 16 * 1024

export class JwtAuthenticator implements TokenAuthenticator {
  readonly #options: JwtOptions
  readonly #verified = new TokenMap<Verified>()
  /** Verifications under way: many requests with a new token wait for one. */
  readonly #pending = new Map<string, Promise<Verified>>()

  constructor(options: JwtOptions) {
    this.#options = options
  }

  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): TokenAnswer | undefined | Promise<TokenAnswer | undefined> {
    if (!JWT.test(token) || token.length > MAX_TOKEN_LENGTH) return undefined
    const digest = this.#verified.digest(token)
    const verified = this.#verified.get(digest)
    if (verified) return this.#judge(verified, token, audiences)
    if (!this.#isOurs(token)) return undefined
    return this.#verifyOnce(digest, token).then((fresh) => this.#judge(fresh, token, audiences))
  }

  /** Says the token, unverified, that one of our issuers made it? */
  #isOurs(token: string): boolean {
    const issuer = claimsOf(token)?.['iss']
    return typeof issuer === 'string' && this.#options.issuers.has(issuer)
  }

  #verifyOnce(digest: string, token: string): Promise<Verified> {
    const pending = this.#pending.get(digest)
    if (pending) return pending
    const verifying = this.#verify(token).then((verified) => {
      this.#verified.set(digest, verified)
      return verified
    })
    this.#pending.set(digest, verifying)
    const done = (): boolean => this.#pending.delete(digest)
    verifying.then(done, done)
    return verifying
  }

  async #verify(token: string): Promise<Verified> {
    const kid = claimsOf(token, 0)?.['kid']
    const named = typeof kid === 'string' && kid !== ''
    const keys = named ? this.#options.keys.filter(({ id }) => id === kid) : this.#options.keys
    if (keys.length === 0) throw refused('invalid signature, no keys found')
    const claims = await verifiedClaims(token, keys)
    const issuer = claims['iss']
    const read = typeof issuer === 'string' ? this.#options.issuers.get(issuer) : undefined
    if (!read) throw refused(`token issuer ${goQuote(String(issuer))} is invalid`)
    const fault = claimFault(claims)
    if (fault !== undefined) throw refused(fault)
    let credential: Credential | undefined
    return { audiences: audiencesOf(claims), credential: () => (credential ??= read(claims)) }
  }

  #judge(verified: Verified, token: string, wanted: readonly string[]): TokenAnswer | Promise<TokenAnswer> {
    const { apiAudiences, now } = this.#options
    const own = verified.audiences.length > 0 ? verified.audiences : apiAudiences
    const audiences = own.filter((audience) => wanted.includes(audience))
    if (audiences.length === 0 && apiAudiences.length > 0) {
      const target = goQuoteList(wanted)
      throw refused(`token audiences ${goQuoteList(own)} is invalid for the target audiences ${target}`)
    }
    const credential = verified.credential()
    const checked = credential.check(token, now())
    const { user } = credential
    if (checked instanceof Promise) return checked.then((notes) => ({ user, audiences, ...notes }))
    return checked ? { user, audiences, ...checked } : { user, audiences }
  }
}

/** The claims, by whichever of the keys signed them; rejects with a refusal. */
export async function verifiedClaims(token: string, keys: readonly VerifyingKey[]): Promise<JsonObject> {
  const { verifyJws } = await import('./jws.ts')
  const faults: string[] = []
  for (const { key, algorithms } of keys) {
    try {
      return parsed(await verifyJws(token, key, algorithms)) ?? {}
    } catch {
      faults.push(BAD_SIGNATURE)
    }
  }
  throw refused(aggregate(faults))
}

function audiencesOf({ aud }: JsonObject): string[] {
  const audiences = Array.isArray(aud) ? aud : [aud]
  return audiences.filter((audience) => typeof audience === 'string')
}

/** What a part of a token says: the claims, or (0) the header. Nothing of it is verified. */
export const claimsOf = (token: string, part = 1): JsonObject | undefined =>
  parsed(Buffer.from(token.split('.', 2)[part] ?? '', 'base64url'))

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
