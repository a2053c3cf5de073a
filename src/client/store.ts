// A copy of a collection by key, with indices. Follows k8s.io/client-go/tools/cache/thread_safe_store.go.
import { type ApiObject, keyOf } from './resource.ts'

/** The values under which an object is found. */
export type IndexBy<T> = (object: T) => readonly string[]

/** Reading what an informer knows. Objects are shared: whoever wants to change one copies it. */
export interface Reader<T extends ApiObject> {
  get(key: string): T | undefined
  list(): readonly T[]
  /** Those of one namespace. */
  inNamespace(namespace: string): readonly T[]
  /** Those under this value of a named index; throws for an index that was never added. */
  by(index: string, value: string): readonly T[]
  readonly size: number
}

const NAMESPACE = 'namespace'

export class Store<T extends ApiObject> implements Reader<T> {
  readonly #objects = new Map<string, T>()
  readonly #indices = new Map<string, Index<T>>()

  constructor() {
    this.index(NAMESPACE, ({ metadata }) => [metadata.namespace ?? ''])
  }

  /** Adds an index; adding one of a known name again does nothing. */
  index(name: string, by: IndexBy<T>): void {
    if (this.#indices.has(name)) return
    const index = new Index(by)
    for (const [key, object] of this.#objects) index.change(key, undefined, object)
    this.#indices.set(name, index)
  }

  /** Returns what was there before. */
  set(object: T): T | undefined {
    const key = keyOf(object)
    const before = this.#objects.get(key)
    this.#objects.set(key, object)
    for (const index of this.#indices.values()) index.change(key, before, object)
    return before
  }

  remove(key: string): T | undefined {
    const before = this.#objects.get(key)
    if (before === undefined) return undefined
    this.#objects.delete(key)
    for (const index of this.#indices.values()) index.change(key, before, undefined)
    return before
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): readonly T[] {
    return [...this.#objects.values()]
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  inNamespace(namespace: string): readonly T[] {
    return this.by(NAMESPACE, namespace)
  }

  by(index: string, value: string): readonly T[] {
    const found = this.#indices.get(index)
    if (!found) throw new Error(`no index ${index}`)
    return [...found.keys(value)].map((key) => this.#objects.get(key) as T)
  }

  get size(): number {
    return this.#objects.size
  }
}

const NONE: ReadonlySet<string> = new Set()

class Index<T> {
  readonly #by: IndexBy<T>
  readonly #keys = new Map<string, Set<string>>()

  constructor(by: IndexBy<T>) {
    this.#by = by
  }

  keys(value: string): ReadonlySet<string> {
    return this.#keys.get(value) ?? NONE
  }

  change(key: string, before: T | undefined, after: T | undefined): void {
    const old = before === undefined ? [] : this.#by(before)
    const now = after === undefined ? [] : this.#by(after)
    for (const value of old) if (!now.includes(value)) this.#drop(value, key)
    for (const value of now) {
      let keys = this.#keys.get(value)
      if (!keys) this.#keys.set(value, (keys = new Set()))
      keys.add(key)
    }
  }

  #drop(value: string, key: string): void {
    const keys = this.#keys.get(value)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(value)
  }
}
