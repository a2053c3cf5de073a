// Tokens that another server knows: it is sent a TokenReview, and its answer is remembered for a while.
// Follows k8s.io/apiserver/plugin/pkg/authenticator/token/webhook and pkg/authentication/token/cache.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { UserInfo } from '../machinery/user.ts'
import { refused, type TokenAnswer, type TokenAuthenticator } from './authenticator.ts'
import { TokenMap } from './digest.ts'

export interface WebhookReply {
  readonly status: number
  /** Of the Retry-After header. */
  readonly retryAfterSeconds: number | undefined
  readonly body: Buffer
}

export interface WebhookOptions {
  /** Of the TokenReview that is sent and expected. */
  readonly version: 'v1' | 'v1beta1'
  /** What a webhook that says nothing of audiences is taken to mean. */
  readonly apiAudiences: readonly string[]
  /** 0: nothing is remembered. */
  readonly cacheMs: number
  /** POSTs JSON; rejects where nobody answered. */
  send(body: Buffer): Promise<WebhookReply>
  /** Hears why the webhook could not be asked. */
  warn(why: string): void
  now(): number
  wait(ms: number): Promise<void>
}

const ATTEMPTS = 5
const FIRST_WAIT_MS = 500
const WAIT_FACTOR = 1.5
/** So that many servers do not ask again at the same moment. */
const WAIT_JITTER = 0.2
const TRANSIENT = new Set([429, 500, 504])
const CONNECTION_FAULTS = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE'])

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
      metadata: { creationTimestamp: null },
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
    let pause = FIRST_WAIT_MS
    for (let attempt = 1; ; attempt++) {
      const reply = await send(body).catch((error: unknown) => error as NodeJS.ErrnoException)
      const outcome = outcomeOf(reply)
      if (outcome.status) return outcome.status
      if (!outcome.again || attempt === ATTEMPTS) {
        warn(outcome.why)
        throw refused(outcome.why)
      }
      await wait(pause * (1 + Math.random() * WAIT_JITTER))
      pause *= WAIT_FACTOR
    }
  }
}

interface Outcome {
  readonly status?: JsonObject
  readonly why: string
  readonly again: boolean
}

function outcomeOf(reply: WebhookReply | NodeJS.ErrnoException): Outcome {
  if (reply instanceof Error) return { why: reply.message, again: CONNECTION_FAULTS.has(reply.code ?? '') }
  const { status: code, body, retryAfterSeconds } = reply
  if (code < 200 || code > 299) {
    const again = TRANSIENT.has(code) || retryAfterSeconds !== undefined
    return { why: `the webhook answered with status ${code}`, again }
  }
  const review = parsed(body)
  const status = review && review['kind'] === 'TokenReview' ? (review['status'] ?? {}) : undefined
  return isObject(status)
    ? { status, why: '', again: false }
    : { why: 'the webhook did not answer with a TokenReview', again: false }
}

function parsed(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
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
