// The watch cache of one resource: every get, list and watch is answered from here, in bytes made once.
// Stands between a storage engine and the handlers. Follows k8s.io/apiserver/pkg/storage/cacher.
import { tooLargeResourceVersion } from '../../machinery/status.ts'
import type { StoredReader } from '../../machinery/storedreader.ts'
import {
  isCompacted,
  isFuture,
  type Revision,
  type Storage,
  type StoreEvent,
  type StoreWatch,
} from '../interface.ts'
import { CacheCounts } from './counts.ts'
import { Entry, type EntryKey, type Labels, NO_LABELS } from './entry.ts'
import { type CacheEvent, History } from './history.ts'
import { EntryIndex } from './entryindex.ts'
import { BrokenEntry, convertAll, type Made, NOTHING_MADE } from './reader.ts'

/** How long a read waits for the cache to reach a revision, as upstream's blockTimeout. */
const FRESHNESS_TIMEOUT_MS = 3_000
/** The same where what is read must be converted first: longer than a conversion may take. */
const CONVERSION_TIMEOUT_MS = 35_000
/** Seconds after which a client may ask again for what has not come yet. */
const RETRY_SECONDS = 1
/** Pause before a broken watch of the engine is opened again. */
const RESTART_DELAY_MS = 100
/** Written values whose event has not come yet; bounded for engines that answer late. */
const MAX_OFFERED = 1024
/** Changes that wait to be converted; beyond that the objects are listed anew. */
const MAX_WAITING = 10_000

export interface CacheOptions extends StoredReader {
  /** "/registry/pods/", with the slash. */
  readonly prefix: string
  readonly namespaced: boolean
  /** Tells caches of one prefix apart, which hold its objects in different versions. */
  readonly version?: string
}

/** Changes as the engine told them. */
interface Told {
  readonly events: readonly StoreEvent[]
  readonly revision: Revision
}

/** Sees each change in order, once the cache has it; called synchronously. */
export type CacheListener = (events: readonly CacheEvent[]) => void

export class WatchCache {
  readonly index = new EntryIndex()
  readonly counts = new CacheCounts()
  readonly #storage: Storage
  readonly #options: CacheOptions
  readonly #listeners = new Set<CacheListener>()
  readonly #offered = new Map<Buffer, Labels>()
  readonly #waiting = new Set<{ revision: Revision; wake: () => void }>()
  readonly #broken = new Map<string, BrokenEntry>()
  readonly #stale = new WeakSet<Entry>()
  /** Changes that wait for those before them to be converted. */
  #told: Told[] = []
  #converting = false
  #generation = 0
  #mending: Promise<void> | undefined
  #history = new History(0)
  #reader: StoredReader
  #revision: Revision = 0
  /** What the engine has told, which may be still to be converted. */
  #heard: Revision = 0
  #watch: StoreWatch | undefined
  #started: Promise<void> | undefined
  #closed = false
  /** Told when everything that watchers saw is void (the engine lost its history) and they must start anew. */
  onReset: (() => void) | undefined

  constructor(storage: Storage, options: CacheOptions) {
    this.#storage = storage
    this.#options = options
    this.#reader = options
  }

  /** The newest revision of the store that this cache is known to reflect. */
  get revision(): Revision {
    return this.#revision
  }

  /** Grows with each change of any object here. */
  get changes(): number {
    return this.counts.dispatched + this.counts.initializations
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
    if (!(await this.#reaches(revision, this.#patience)))
      throw tooLargeResourceVersion(revision, this.#revision, RETRY_SECONDS)
  }

  /** Waits for a revision, which may be still to come; false where it did not come in time. */
  async waitFor(revision: Revision, timeoutMs = this.#patience): Promise<boolean> {
    await this.ready()
    if (this.#revision >= revision) return true
    this.#watch?.requestProgress()
    return this.#reaches(revision, timeoutMs)
  }

  get #patience(): number {
    return this.#reader.converter ? CONVERSION_TIMEOUT_MS : FRESHNESS_TIMEOUT_MS
  }

  /** Some objects could not be converted: reading them throws. */
  get isBroken(): boolean {
    return this.#broken.size > 0
  }

  /** Why one of them could not be. */
  get fault(): Error | undefined {
    for (const { error } of this.#broken.values()) return error
    return undefined
  }

  /** An object as the store has it now, for who cannot have the cache, or need not have all of it. */
  async alone(namespace: string, name: string): Promise<Entry | undefined> {
    const { kv } = await this.#storage.get(this.keyFor(namespace, name))
    return kv && this.#entryOf(kv.key, kv.modRevision, kv.value, await convertAll(this.#reader, [kv.value]))
  }

  /** Tries again to convert what could not be converted. */
  mend(): Promise<void> {
    return (this.#mending ??= this.#mend().finally(() => (this.#mending = undefined)))
  }

  async #mend(): Promise<void> {
    const broken = [...this.#broken.values()]
    const made = await convertAll(
      this.#reader,
      broken.map(({ stored }) => stored),
    )
    for (const entry of broken) {
      if (this.index.get(entry.namespace, entry.name) !== entry) continue
      this.#put(this.#entryOf(entry.key, entry.revision, entry.stored, made))
    }
  }

  /** Whether the store has the object in a form that its next writer should replace. */
  isStale(entry: Entry): boolean {
    return this.#stale.has(entry)
  }

  #reaches(revision: Revision, timeoutMs: number): Promise<boolean> {
    if (this.#revision >= revision) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter = { revision, wake: () => done(true) }
      // What came while this process had no time for anything counts: it is heard before the time is said to be up.
      const timer = setTimeout(() => setImmediate(() => done(this.#revision >= revision)), timeoutMs)
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
  async reread(reader: StoredReader): Promise<void> {
    this.#reader = reader
    if (!this.#started) return
    await this.ready()
    // Until each is read again: what was well stored before may not be so any more.
    if (reader.isStale) for (const entry of this.index.entries(undefined)) this.#stale.add(entry)
    const list = await this.#storage.list({ prefix: this.#options.prefix })
    if (isCompacted(list) || isFuture(list)) return
    const made = await convertAll(
      reader,
      list.items.map(({ value }) => value),
    )
    for (const item of list.items) {
      const { namespace, name } = this.keyOf(item.key)
      // What was written meanwhile is on its way, and read by the new reader.
      if (this.index.get(namespace, name)?.revision !== item.modRevision) continue
      this.#put(this.#entryOf(item.key, item.modRevision, item.value, made))
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
      const values = list.items.map(({ value }) => value)
      const made = this.#reader.converter ? await convertAll(this.#reader, values) : NOTHING_MADE
      this.index.clear()
      this.#broken.clear()
      this.#told = []
      this.#generation++
      for (const item of list.items) this.#put(this.#entryOf(item.key, item.modRevision, item.value, made))
      this.#revision = this.#heard = list.revision
      this.#history = new History(list.revision)
      this.counts.filled(list.items.length)
      this.#open()
      return
    }
  }

  #open(): void {
    this.#watch = this.#storage.watch(this.#options.prefix, this.#heard, {
      events: (events, revision) => this.#hear({ events, revision }),
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

  /** In their order: those that must be converted hold up the ones after them. */
  #hear(told: Told): void {
    this.#heard = Math.max(this.#heard, told.revision)
    const { converter } = this.#reader
    const waits =
      this.#converting || (converter && told.events.some(({ value }) => value && converter.applies(value)))
    if (!waits) return this.#apply(told, NOTHING_MADE)
    this.#told.push(told)
    if (this.#told.reduce((sum, { events }) => sum + events.length, 0) > MAX_WAITING) this.#listAnew()
    else if (!this.#converting) void this.#convert()
  }

  /** What fails as a whole (single objects fail by themselves) is made up for by a list. */
  async #convert(): Promise<void> {
    this.#converting = true
    try {
      await this.#convertTold()
    } catch {
      this.#listAnew()
    } finally {
      this.#converting = false
    }
  }

  async #convertTold(): Promise<void> {
    while (this.#told.length > 0 && !this.#closed) {
      const told = this.#told
      const generation = this.#generation
      this.#told = []
      const values = told.flatMap(({ events }) => events.flatMap(({ value }) => (value ? [value] : [])))
      const made = await convertAll(this.#reader, values)
      // The objects were listed meanwhile, with all these changes.
      if (this.#generation !== generation) continue
      for (const one of told) this.#apply(one, made)
    }
  }

  #listAnew(): void {
    this.#told = []
    this.#watch?.close()
    this.#ended(true)
  }

  #apply({ events, revision }: Told, made: Made): void {
    const changes: CacheEvent[] = []
    let isLost = false
    for (const event of events) {
      const change = this.#change(event, made)
      if (change === 'lost') isLost = true
      else if (change) changes.push(change)
    }
    this.#revision = Math.max(this.#revision, revision)
    this.counts.told(events.length, changes.length)
    for (const listener of this.#listeners) listener(changes)
    // Nobody can be told of what cannot be read: watchers must begin anew, and hear why that fails.
    if (isLost) this.onReset?.()
    this.#wake()
  }

  #change(event: StoreEvent, made: Made): CacheEvent | 'lost' | undefined {
    const { namespace, name } = this.keyOf(event.key)
    const previous = this.index.get(namespace, name)
    if (!event.value && !previous) return undefined
    const entry = event.value
      ? this.#entryOf(event.key, event.revision, event.value, made)
      : (previous as Entry).at(event.revision)
    if (event.value) this.#put(entry)
    else {
      this.index.delete(namespace, name)
      this.#broken.delete(event.key)
    }
    if (entry instanceof BrokenEntry || previous instanceof BrokenEntry) {
      this.#history.reset(event.revision)
      return 'lost'
    }
    const type = event.value ? (previous ? 'MODIFIED' : 'ADDED') : 'DELETED'
    const change: CacheEvent = { type, revision: event.revision, entry, previous }
    this.#history.push(change)
    return change
  }

  #put(entry: Entry): void {
    this.index.set(entry)
    if (entry instanceof BrokenEntry) this.#broken.set(entry.key, entry)
    else if (this.#broken.size > 0) this.#broken.delete(entry.key)
  }

  #entryOf(key: string, revision: Revision, value: Buffer, made: Made): Entry {
    const labels = this.#offered.get(value)
    if (labels) this.#offered.delete(value)
    const converted = made.get(value)
    if (converted instanceof Error) return new BrokenEntry(this.keyOf(key), revision, value, converted)
    const json = converted ?? (labels ? value : this.#reader.transcode(value))
    const entry = new Entry(this.keyOf(key), revision, json, labels)
    if (this.#reader.isStale?.(value, json)) this.#stale.add(entry)
    return entry
  }

  #advance(revision: Revision): void {
    if (this.#converting) return this.#hear({ events: [], revision })
    this.#heard = Math.max(this.#heard, revision)
    if (revision <= this.#revision) return
    this.#revision = revision
    this.#wake()
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (this.#revision >= waiter.revision) waiter.wake()
  }
}
