// Who watches one resource: watchers with the same filter and the same view form a group, so that an event is
// filtered once and becomes bytes once, however many look at it.
// Follows k8s.io/apiserver/pkg/storage/cacher (cacheWatcher, dispatchEvent).
import type { Histogram } from '../machinery/exposition.ts'
import type { Entry } from '../storage/cache/entry.ts'
import type { CacheEvent } from '../storage/cache/history.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'
import type { ByteSink } from './request.ts'
import type { Selection } from './selection.ts'
import type { EventType, View } from './view.ts'

/** A watcher that has this much unread is closed; it lists again, as after upstream's full channel. */
export const MAX_WATCHER_BACKLOG_BYTES = 16 * 1024 * 1024

/** Up to this size frames of one round become one write. */
const MAX_JOINED_BYTES = 64 * 1024

/**
 * Telling everybody takes the server from its other work: what it took, times this, is how long the next events gather.
 * With few watchers that is nothing. With many, a busy collection becomes fewer and larger writes, a third of the cost.
 */
const PAUSE_PER_FLUSH = 3
/** No event waits longer than that for others. */
const MAX_PAUSE_MS = 10
/** Pauses that timers cannot make are none. */
const MIN_PAUSE_MS = 1

/** What a watcher sees of a change, if anything. */
export interface SelectedEvent {
  readonly type: EventType
  readonly entry: Entry
}

/** Objects that move into a selection appear, those that leave it disappear with their last matching content. */
export function selectEvent(selection: Selection, event: CacheEvent): SelectedEvent | undefined {
  const now = event.type !== 'DELETED' && selection.matches(event.entry)
  const before = event.previous !== undefined && selection.matches(event.previous)
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', entry: event.entry }
  if (!before || !event.previous) return undefined
  return {
    type: 'DELETED',
    entry: event.type === 'DELETED' ? event.entry : event.previous.at(event.revision),
  }
}

/** Frames of one round, so that groups which see an event the same way hold the same bytes. */
class SharedFrames {
  readonly #made = new Map<
    Entry,
    { readonly view: string; readonly type: EventType; readonly frame: Buffer }[]
  >()

  of(view: View, { type, entry }: SelectedEvent): Buffer {
    let made = this.#made.get(entry)
    if (!made) this.#made.set(entry, (made = []))
    const known = made.find((one) => one.type === type && one.view === view.key)
    if (known) return known.frame
    const frame = view.frame(type, entry)
    made.push({ view: view.key, type, frame })
    return frame
  }
}

/** Small frames as one piece; together they are copied once, large ones not at all. */
function joined(frames: readonly Buffer[]): readonly Buffer[] {
  if (frames.length === 1) return frames
  const size = frames.reduce((sum, frame) => sum + frame.length, 0)
  return size > MAX_JOINED_BYTES ? frames : [Buffer.concat(frames)]
}

class Group {
  readonly selection: Selection
  readonly view: View
  readonly sinks = new Set<ByteSink>()
  readonly #sent: Histogram
  #frames: Buffer[] = []

  constructor(selection: Selection, view: View, sent: Histogram) {
    this.selection = selection
    this.view = view
    this.#sent = sent
  }

  offer(event: CacheEvent, made: SharedFrames): void {
    const selected = selectEvent(this.selection, event)
    if (selected) this.#frames.push(made.of(this.view, selected))
  }

  get pending(): boolean {
    return this.#frames.length > 0
  }

  /** Writes what has gathered, as one piece, to everybody. */
  flush(): void {
    if (!this.#frames.length) return
    const pieces = joined(this.#frames)
    for (const { length } of this.#frames) this.#sent.observe(length, this.sinks.size)
    this.#frames = []
    for (const sink of this.sinks) {
      if (sink.backlog > MAX_WATCHER_BACKLOG_BYTES) sink.abort()
      else for (const piece of pieces) sink.write(piece)
    }
  }
}

/** What a watcher wants to see, in which version of the resource. */
interface Joining {
  readonly selection: Selection
  readonly view: View
  readonly version: string
}

/** All groups of one cache. */
class Hub {
  readonly #groups = new Map<string, Group>()
  readonly #cache: WatchCache
  #scheduled = false
  /** No flush before, in ms of performance.now(). */
  #restUntil = 0

  constructor(cache: WatchCache) {
    this.#cache = cache
    cache.subscribe((events) => this.#dispatch(events))
    cache.onReset = () => this.#endAll()
  }

  /** Joins at the cache's present revision; what gathered for earlier members is written before, so that nobody sees it twice. */
  join({ selection, view, version }: Joining, sink: ByteSink): void {
    const key = `${version}|${view.key}|${selection.key}`
    let group = this.#groups.get(key)
    if (!group) {
      group = new Group(selection, view, this.#cache.counts.sentIn(version))
      this.#groups.set(key, group)
    }
    group.flush()
    group.sinks.add(sink)
    const joined = group
    sink.onClose(() => {
      joined.sinks.delete(sink)
      if (joined.sinks.size === 0 && this.#groups.get(key) === joined) this.#groups.delete(key)
    })
  }

  get cache(): WatchCache {
    return this.#cache
  }

  #dispatch(events: readonly CacheEvent[]): void {
    let pending = false
    const made = new SharedFrames()
    for (const group of this.#groups.values()) {
      for (const event of events) group.offer(event, made)
      pending ||= group.pending
    }
    if (!pending || this.#scheduled) return
    this.#scheduled = true
    const rest = this.#restUntil - performance.now()
    if (rest < MIN_PAUSE_MS) setImmediate(() => this.#flushInTurn())
    else setTimeout(() => this.#flushInTurn(), rest)
  }

  #flushInTurn(): void {
    const startedAt = performance.now()
    this.flush()
    const endedAt = performance.now()
    this.#restUntil = endedAt + Math.min(PAUSE_PER_FLUSH * (endedAt - startedAt), MAX_PAUSE_MS)
  }

  /** Writes what has gathered. */
  flush(): void {
    this.#scheduled = false
    for (const group of this.#groups.values()) group.flush()
  }

  #endAll(): void {
    for (const group of this.#groups.values()) for (const sink of [...group.sinks]) sink.end()
  }
}

const hubs = new WeakMap<WatchCache, Hub>()

/** The hub of a cache, made at its first watch. */
export function hubOf(cache: WatchCache): Hub {
  let hub = hubs.get(cache)
  if (!hub) hubs.set(cache, (hub = new Hub(cache)))
  return hub
}
