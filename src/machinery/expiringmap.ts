// A bounded map whose entries end: what others answered, for as long as that may be relied on.
// Follows k8s.io/apimachinery/pkg/util/cache (LRUExpireCache).

/** The entry that was asked for least recently makes room. */
export class ExpiringMap<V> {
  readonly #limit: number
  readonly #now: () => number
  readonly #entries = new Map<string, { readonly value: V; readonly until: number }>()

  /** `now`: milliseconds, of whatever clock. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit
    this.#now = now
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    if (entry.until <= this.#now()) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Of no use where `ttlMs` is 0. */
  set(key: string, value: V, ttlMs: number): void {
    this.#entries.delete(key)
    if (ttlMs <= 0) return
    this.#entries.set(key, { value, until: this.#now() + ttlMs })
    if (this.#entries.size <= this.#limit) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}
