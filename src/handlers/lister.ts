// The Lister that stages are given: synchronous reads of the watch caches, in the stored version.
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Resource } from '../schema/resource.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'

export class CacheLister implements Lister {
  readonly #open: (resource: GroupResource) => WatchCache
  readonly #known = new Map<string, WatchCache>()
  /** The same by the objects that callers name resources with: nearly all are constants. */
  #seen = new WeakMap<GroupResource, WatchCache>()

  /** `open` gives the cache of a resource; it throws for resources that are not served. */
  constructor(open: (resource: GroupResource) => WatchCache) {
    this.#open = open
  }

  async ready(...resources: GroupResource[]): Promise<void> {
    await Promise.all(resources.map((resource) => this.#cache(resource).ready()))
  }

  get(resource: GroupResource, namespace: string, name: string): KubeObject | undefined {
    return this.#cache(resource).index.get(namespace, name)?.object()
  }

  list(resource: GroupResource, namespace: string): readonly KubeObject[] {
    return this.#cache(resource)
      .index.entries(namespace || undefined)
      .map((entry) => entry.object())
  }

  version(resource: GroupResource): number {
    return this.#cache(resource).changes
  }

  /** The resource is no more, or is another one now. */
  forget(resource: GroupResource): void {
    this.#known.delete(`${resource.resource}.${resource.group}`)
    this.#seen = new WeakMap()
  }

  #cache(resource: GroupResource): WatchCache {
    const seen = this.#seen.get(resource)
    if (seen) return seen
    const key = `${resource.resource}.${resource.group}`
    let cache = this.#known.get(key)
    if (!cache) this.#known.set(key, (cache = this.#open(resource)))
    this.#seen.set(resource, cache)
    return cache
  }
}

/** The served version whose objects are stored as they are. */
export function storedVersion(resources: readonly Resource[], { group, resource }: GroupResource): Resource {
  const rows = resources.filter((r) => r.group === group && r.name === resource)
  const row = rows.find((r) => r.storage.group === r.group && r.storage.version === r.version) ?? rows[0]
  if (!row) throw new Error(`nothing serves ${resource}.${group}`)
  return row
}
