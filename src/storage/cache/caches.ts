// All watch caches of one store, each made at its first use: nothing at start grows with the number of kinds.
import type { Revision, Storage } from '../interface.ts'
import { type CacheOptions, WatchCache } from './watchcache.ts'

export class Caches {
  readonly storage: Storage
  /** By prefix, and version where a cache has one. */
  readonly #byPlace = new Map<string, WatchCache>()
  #oldest: Revision = 0

  constructor(storage: Storage) {
    this.storage = storage
  }

  /** The cache below this prefix, of this version; the other options count at the first call only. */
  open(options: CacheOptions): WatchCache {
    const place = placeOf(options.prefix, options.version)
    let cache = this.#byPlace.get(place)
    if (!cache) this.#byPlace.set(place, (cache = new WatchCache(this.storage, options)))
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

  /** The cache below this prefix, of this version, if anybody has asked for it. */
  find(prefix: string, version?: string): WatchCache | undefined {
    return this.#byPlace.get(placeOf(prefix, version))
  }

  /** Ends that cache, and all watches on it: what it holds is served no more. */
  drop(prefix: string, version?: string): void {
    const place = placeOf(prefix, version)
    const cache = this.#byPlace.get(place)
    if (!cache) return
    this.#byPlace.delete(place)
    cache.close()
    cache.onReset?.()
  }

  /** Those in use, for metrics, by the prefix and what follows it. */
  all(): ReadonlyMap<string, WatchCache> {
    return this.#byPlace
  }

  close(): void {
    for (const cache of this.#byPlace.values()) cache.close()
  }
}

const placeOf = (prefix: string, version = ''): string => prefix + version
