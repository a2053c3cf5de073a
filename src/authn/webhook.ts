// Tokens that another server knows: it is sent a TokenReview, and its answer is remembered for a while.
// Follows k8s.io/apiserver/plugin/pkg/authenticator/token/webhook and pkg/authentication/token/cache.
import { askAgain } from '../machinery/askagain.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { UserInfo } from '../machinery/user.ts'
import { refused, type TokenAnswer, type TokenAuthenticator } from './authenticator.ts'
import { TokenMap } from './digest.ts'

export interface WebhookOptions {
  /** Of the TokenReview that is sent and expected. */
  readonly version: 'v1' | 'v1beta1'
  /** What a webhook that says nothing of audiences is taken to mean. */
  readonly apiAudiences: readonly string[]
  /** 0: nothing is remembered. */
  readonly cacheMs: number
  /** POSTs JSON; rejects with an Error, a HookFailure where nobody answered or with a bad status. */
  send(body: Buffer): Promise<JsonObject>
  /** Hears why the webhook could not be asked. */
  warn(why: string): void
  now(): number
  wait(ms: number): Promise<void>
}

/** An answer; `undefined` inside is a token that the webhook does not know. */
interface Remembered {
  readonly answer: TokenAnswer | undefined
  readonly until: number
}

export class WebhookAuthenticator implements TokenAuthenticator {
  readonly #options: WebhookOptions
  readonly #known = new TokenMap<Remembered>()
  readonly #pending = new Map<string, Promise<TokenAnswer | undefined>>()

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): TokenAnswer | undefined | Promise<TokenAnswer | undefined> {
    const digest = this.#known.digest(token, ...audiences)
    const known = this.#known.get(digest)
    if (known && known.until > this.#options.now()) return known.answer
    return this.#pending.get(digest) ?? this.#askOnce(digest, token, audiences)
  }

  #askOnce(digest: string, token: string, audiences: readonly string[]): Promise<TokenAnswer | undefined> {
    const asking = this.#ask(token, audiences).then((answer) => {
      const { cacheMs, now } = this.#options
      if (cacheMs > 0) this.#known.set(digest, { answer, until: now() + cacheMs })
      return answer
    })
    this.#pending.set(digest, asking)
    const done = (): boolean => this.#pending.delete(digest)
    asking.then(done, done)
    return asking
  }

  async #ask(token: string, wanted: readonly string[]): Promise<TokenAnswer | undefined> {
    const { version, apiAudiences } = this.#options
    const review = {
      apiVersion: `authentication.k8s.io/${version}`,
      kind: 'TokenReview',
      metadata: {},
      spec: { token, ...(wanted.length > 0 ? { audiences: [...wanted] } : {}) },
      status: { user: {} },
    }
    const status = await this.#status(Buffer.from(JSON.stringify(review)))
    const named = textsOf(status['audiences'])
    const audiences = wanted.filter((audience) =>
      (named.length > 0 ? named : apiAudiences).includes(audience),
    )
    if (audiences.length === 0 && wanted.length > 0) return undefined
    if (status['authenticated'] === true) return { user: userOf(status['user']), audiences }
    const error = status['error']
    if (typeof error === 'string' && error !== '') throw refused(error)
    return undefined
  }

  /** The status of the answer; rejects with a refusal where there is none after all attempts. */
  async #status(body: Buffer): Promise<JsonObject> {
    const { send, warn, wait } = this.#options
    try {
      const { kind = 'TokenReview', status = {} } = await askAgain(() => send(body), wait)
      if (kind === 'TokenReview' && isObject(status)) return status
      throw new Error('the webhook did not answer with a TokenReview')
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      warn(why)
      throw refused(why)
    }
  }
}

function userOf(value: Json | undefined): UserInfo {
  const { username, uid, groups, extra } = isObject(value) ? value : {}
  const pairs = isObject(extra)
    ? Object.entries(extra).map(([key, values]) => [key, textsOf(values)] as const)
    : []
  return {
    name: typeof username === 'string' ? username : '',
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    groups: textsOf(groups),
    ...(pairs.length > 0 ? { extra: Object.fromEntries(pairs) } : {}),
  }
}

const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
