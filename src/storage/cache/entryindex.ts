// The live objects of one resource in key order, by namespace. Part of the watch cache.
import type { Entry } from './entry.ts'

class Bucket {
  readonly byName = new Map<string, Entry>()
  /** Names in order; stale after an insert or a removal. */
  #sorted: Entry[] = []
  #stale = false

  set(entry: Entry): void {
    this.byName.set(entry.name, entry)
    this.#stale = true
  }

  delete(name: string): void {
    if (this.byName.delete(name)) this.#stale = true
  }

  entries(): readonly Entry[] {
    if (this.#stale) {
      this.#sorted = [...this.byName.values()].sort((a, b) =>
        a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
      )
      this.#stale = false
    }
    return this.#sorted
  }
}

export class EntryIndex {
  readonly #buckets = new Map<string, Bucket>()
  #size = 0
  #bytes = 0

  get size(): number {
    return this.#size
  }

  /** Of all objects, as JSON. */
  get bytes(): number {
    return this.#bytes
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#buckets.get(namespace)?.byName.get(name)
  }

  set(entry: Entry): void {
    let bucket = this.#buckets.get(entry.namespace)
    if (!bucket) this.#buckets.set(entry.namespace, (bucket = new Bucket()))
    const old = bucket.byName.get(entry.name)
    if (old) this.#bytes -= old.size
    else this.#size++
    this.#bytes += entry.size
    bucket.set(entry)
  }

  delete(namespace: string, name: string): void {
    const bucket = this.#buckets.get(namespace)
    const old = bucket?.byName.get(name)
    if (!bucket || !old) return
    bucket.delete(name)
    this.#size--
    this.#bytes -= old.size
    if (bucket.byName.size === 0) this.#buckets.delete(namespace)
  }

  /** In the order of the store's keys; `namespace` undefined: all of them. */
  entries(namespace?: string): readonly Entry[] {
    if (namespace !== undefined) return this.#buckets.get(namespace)?.entries() ?? []
    if (this.#buckets.size === 1) for (const bucket of this.#buckets.values()) return bucket.entries()
    // "a-b/x" sorts before "a/x", since the key has a slash after the namespace.
    const names = [...this.#buckets.keys()].map((n) => `${n}/`).sort()
    return names.flatMap((n) => (this.#buckets.get(n.slice(0, -1)) as Bucket).entries())
  }

  clear(): void {
    this.#buckets.clear()
    this.#size = this.#bytes = 0
  }
}
