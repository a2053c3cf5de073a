// The watch cache of one resource: every get, list and watch is answered from here, in bytes made once.
// Stands between a storage engine and the handlers. Follows k8s.io/apiserver/pkg/storage/cacher.
import { tooLargeResourceVersion } from '../../machinery/status.ts'
import {
  isCompacted,
  isFuture,
  type Revision,
  type Storage,
  type StoreEvent,
  type StoreWatch,
} from '../interface.ts'
import { Entry, type EntryKey, type Labels, NO_LABELS } from './entry.ts'
import { type CacheEvent, History } from './history.ts'
import { EntryIndex } from './entryindex.ts'

/** How long a read waits for the cache to reach a revision, as upstream's blockTimeout. */
const FRESHNESS_TIMEOUT_MS = 3_000
/** Seconds after which a client may ask again for what has not come yet. */
const RETRY_SECONDS = 1
/** Pause before a broken watch of the engine is opened again. */
const RESTART_DELAY_MS = 100
/** Written values whose event has not come yet; bounded for engines that answer late. */
const MAX_OFFERED = 1024

export interface CacheOptions {
  /** "/registry/pods/", with the slash. */
  readonly prefix: string
  readonly namespaced: boolean
  /** Stored bytes (JSON or protobuf, as upstream may have written) to our JSON bytes. Called for values that are not ours. */
  transcode(value: Buffer): Buffer
}

/** Sees each change in order, once the cache has it; called synchronously. */
export type CacheListener = (events: readonly CacheEvent[]) => void

export class WatchCache {
  readonly index = new EntryIndex()
  readonly #storage: Storage
  readonly #options: CacheOptions
  readonly #listeners = new Set<CacheListener>()
  readonly #offered = new Map<Buffer, Labels>()
  readonly #waiting = new Set<{ revision: Revision; wake: () => void }>()
  #history = new History(0)
  #transcode: CacheOptions['transcode']
  #revision: Revision = 0
  #changes = 0
  #watch: StoreWatch | undefined
  #started: Promise<void> | undefined
  #closed = false
  /** Told when everything that watchers saw is void (the engine lost its history) and they must start anew. */
  onReset: (() => void) | undefined

  constructor(storage: Storage, options: CacheOptions) {
    this.#storage = storage
    this.#options = options
    this.#transcode = options.transcode
  }

  /** The newest revision of the store that this cache is known to reflect. */
  get revision(): Revision {
    return this.#revision
  }

  /** Grows with each change of any object here. */
  get changes(): number {
    return this.#changes
  }

  get history(): History {
    return this.#history
  }

  /** Resolves when the first list is in; starts it at the first call, and again after one that failed. */
  ready(): Promise<void> {
    return (this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined
      throw error
    }))
  }

  /** Splits a key of the store into namespace and name. */
  keyOf(key: string): EntryKey {
    const rest = key.slice(this.#options.prefix.length)
    const slash = this.#options.namespaced ? rest.indexOf('/') : -1
    return { key, namespace: slash < 0 ? '' : rest.slice(0, slash), name: rest.slice(slash + 1) }
  }

  keyFor(namespace: string, name: string): string {
    return this.#options.prefix + (this.#options.namespaced ? `${namespace}/${name}` : name)
  }

  /** Says which labels the bytes of a coming event hold, so that nobody parses them to find out. */
  offer(value: Buffer, labels: Labels | undefined): void {
    if (this.#offered.size < MAX_OFFERED) this.#offered.set(value, labels ?? NO_LABELS)
  }

  withdraw(value: Buffer): void {
    this.#offered.delete(value)
  }

  /**
   * Waits until the cache reflects all writes that were acknowledged before the call: a consistent read. Throws 504 where
   * that takes too long.
   */
  async fresh(): Promise<void> {
    await this.ready()
    const revision = await this.#storage.currentRevision()
    if (this.#revision >= revision) return
    this.#watch?.requestProgress(revision)
    if (!(await this.#reaches(revision, FRESHNESS_TIMEOUT_MS)))
      throw tooLargeResourceVersion(revision, this.#revision, RETRY_SECONDS)
  }

  /** Waits for a revision, which may be still to come; false where it did not come in time. */
  async waitFor(revision: Revision, timeoutMs = FRESHNESS_TIMEOUT_MS): Promise<boolean> {
    await this.ready()
    if (this.#revision >= revision) return true
    this.#watch?.requestProgress()
    return this.#reaches(revision, timeoutMs)
  }

  #reaches(revision: Revision, timeoutMs: number): Promise<boolean> {
    if (this.#revision >= revision) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter = { revision, wake: () => done(true) }
      const timer = setTimeout(() => done(false), timeoutMs)
      const done = (reached: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
        resolve(reached)
      }
      this.#waiting.add(waiter)
    })
  }

  subscribe(listener: CacheListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Reads everything that is stored again, by another reader: the schema has changed. What watchers have seen stands;
   * they see the new form with the next change.
   */
  async reread(transcode: CacheOptions['transcode']): Promise<void> {
    this.#transcode = transcode
    if (!this.#started) return
    await this.ready()
    const list = await this.#storage.list({ prefix: this.#options.prefix })
    if (isCompacted(list) || isFuture(list)) return
    for (const item of list.items) {
      const { namespace, name } = this.keyOf(item.key)
      // What was written meanwhile is on its way, and read by the new reader.
      if (this.index.get(namespace, name)?.revision !== item.modRevision) continue
      this.index.set(this.#entryOf(item.key, item.modRevision, item.value))
    }
  }

  close(): void {
    this.#closed = true
    this.#watch?.close()
    for (const waiter of this.#waiting) waiter.wake()
  }

  /** The entries of a namespace (or all) as they were at `revision`; undefined where that is forgotten. */
  snapshot(namespace: string | undefined, revision: Revision): readonly Entry[] | undefined {
    const entries = this.index.entries(namespace)
    const since = this.#history.since(revision)
    if (!since) return undefined
    if (since.length === 0) return entries
    const then = new Map<string, Entry | undefined>()
    for (const event of since) if (!then.has(event.entry.key)) then.set(event.entry.key, event.previous)
    const kept = entries.filter((entry) => !then.has(entry.key))
    for (const entry of then.values()) {
      if (entry && (namespace === undefined || entry.namespace === namespace)) kept.push(entry)
    }
    return kept.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  }

  async #start(): Promise<void> {
    for (;;) {
      const list = await this.#storage.list({ prefix: this.#options.prefix })
      if (isCompacted(list) || isFuture(list)) continue
      this.index.clear()
      for (const item of list.items) this.index.set(this.#entryOf(item.key, item.modRevision, item.value))
      this.#revision = list.revision
      this.#history = new History(list.revision)
      this.#changes++
      this.#open()
      return
    }
  }

  #open(): void {
    this.#watch = this.#storage.watch(this.#options.prefix, this.#revision, {
      events: (events, revision) => this.#apply(events, revision),
      progress: (revision) => this.#advance(revision),
      ended: (why) => this.#ended('compacted' in why),
    })
  }

  #ended(historyLost: boolean): void {
    this.#watch = undefined
    if (this.#closed) return
    const restart = (): void => {
      if (this.#closed) return
      if (!historyLost) return this.#open()
      this.#started = this.#start().then(() => this.onReset?.())
      this.#started.catch(() => this.#ended(true))
    }
    setTimeout(restart, RESTART_DELAY_MS).unref()
  }

  #apply(events: readonly StoreEvent[], revision: Revision): void {
    const changes: CacheEvent[] = []
    for (const event of events) {
      const change = this.#change(event)
      if (change) changes.push(change)
    }
    this.#revision = Math.max(this.#revision, revision)
    this.#changes += changes.length
    for (const listener of this.#listeners) listener(changes)
    this.#wake()
  }

  #change(event: StoreEvent): CacheEvent | undefined {
    const { namespace, name } = this.keyOf(event.key)
    const previous = this.index.get(namespace, name)
    if (event.value) {
      const entry = this.#entryOf(event.key, event.revision, event.value)
      this.index.set(entry)
      const change: CacheEvent = {
        type: previous ? 'MODIFIED' : 'ADDED',
        revision: event.revision,
        entry,
        previous,
      }
      this.#history.push(change)
      return change
    }
    if (!previous) return undefined
    this.index.delete(namespace, name)
    const change: CacheEvent = {
      type: 'DELETED',
      revision: event.revision,
      entry: previous.at(event.revision),
      previous,
    }
    this.#history.push(change)
    return change
  }

  #entryOf(key: string, revision: Revision, value: Buffer): Entry {
    const labels = this.#offered.get(value)
    if (labels) this.#offered.delete(value)
    const json = labels ? value : this.#transcode(value)
    return new Entry(this.keyOf(key), revision, json, labels)
  }

  #advance(revision: Revision): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    this.#wake()
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (this.#revision >= waiter.revision) waiter.wake()
  }
}
