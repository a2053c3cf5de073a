// All watch caches of one store, each made at its first use: nothing at start grows with the number of kinds.
import type { Revision, Storage } from '../interface.ts'
import { type CacheOptions, WatchCache } from './watchcache.ts'

export class Caches {
  readonly storage: Storage
  readonly #byPrefix = new Map<string, WatchCache>()
  #oldest: Revision = 0

  constructor(storage: Storage) {
    this.storage = storage
  }

  /** The cache below this prefix; `options` count at the first call only. */
  open(options: CacheOptions): WatchCache {
    let cache = this.#byPrefix.get(options.prefix)
    if (!cache) this.#byPrefix.set(options.prefix, (cache = new WatchCache(this.storage, options)))
    return cache
  }

  /**
   * The store has compacted its history: older states are not shown any more, though a cache of little traffic still
   * has them. Else a continue token would last as long as nobody writes.
   */
  compacted(revision: Revision): void {
    this.#oldest = Math.max(this.#oldest, revision)
  }

  /** The oldest revision that lists may be read at, but for the present. */
  get oldest(): Revision {
    return this.#oldest
  }

  /** The cache below this prefix, if anybody has asked for it. */
  find(prefix: string): WatchCache | undefined {
    return this.#byPrefix.get(prefix)
  }

  /** Ends the cache below this prefix, and all watches on it: its resource is no more. */
  drop(prefix: string): void {
    const cache = this.#byPrefix.get(prefix)
    if (!cache) return
    this.#byPrefix.delete(prefix)
    cache.close()
    cache.onReset?.()
  }

  /** Those in use, for metrics. */
  all(): ReadonlyMap<string, WatchCache> {
    return this.#byPrefix
  }

  close(): void {
    for (const cache of this.#byPrefix.values()) cache.close()
  }
}
