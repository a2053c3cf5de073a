// All watch caches of one store, each made at its first use: nothing at start grows with the number of kinds.
import type { Storage } from '../interface.ts'
import { type CacheOptions, WatchCache } from './watchcache.ts'

export class Caches {
  readonly storage: Storage
  readonly #byPrefix = new Map<string, WatchCache>()

  constructor(storage: Storage) {
    this.storage = storage
  }

  /** The cache below this prefix; `options` count at the first call only. */
  open(options: CacheOptions): WatchCache {
    let cache = this.#byPrefix.get(options.prefix)
    if (!cache) this.#byPrefix.set(options.prefix, (cache = new WatchCache(this.storage, options)))
    return cache
  }

  /** Those in use, for metrics. */
  all(): ReadonlyMap<string, WatchCache> {
    return this.#byPrefix
  }

  close(): void {
    for (const cache of this.#byPrefix.values()) cache.close()
  }
}
