// A bounded map of what is known of tokens: by a keyed digest, so that no token stays in memory.
// Follows k8s.io/apiserver/pkg/authentication/token/cache.
import { createHmac, randomBytes } from 'node:crypto'

/** As many tokens as a cluster of some thousand nodes uses at a time; about 1 KiB each. */
const MAX_TOKENS = 8192
const KEY_BYTES = 32

/** The token that was asked for least recently makes room. */
export class TokenMap<V> {
  readonly #key = randomBytes(KEY_BYTES)
  readonly #limit: number
  readonly #known = new Map<string, V>()

  constructor(limit = MAX_TOKENS) {
    this.#limit = limit
  }

  /** What a token (and whatever else belongs to the question) is known by here. */
  digest(token: string, ...more: readonly string[]): string {
    const hmac = createHmac('sha256', this.#key).update(token)
    for (const part of more) hmac.update(`\0${part.length}\0`).update(part)
    return hmac.digest('base64')
  }

  get(digest: string): V | undefined {
    const value = this.#known.get(digest)
    if (value === undefined) return undefined
    this.#known.delete(digest)
    this.#known.set(digest, value)
    return value
  }

  set(digest: string, value: V): void {
    this.#known.delete(digest)
    this.#known.set(digest, value)
    if (this.#known.size <= this.#limit) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }

  delete(digest: string): void {
    this.#known.delete(digest)
  }
}
