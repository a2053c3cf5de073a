// Hands committed events to the watches of an engine that keeps its own history (memory, lmdb).
// Stands between such an engine and the watch cache; follows etcd's server/storage/mvcc watchable store:
// a watch is either behind (reads the history in slices) or live (is told of each commit).

import type { Compacted, Revision, StoreEvent, StoreWatch, WatchSink } from './interface.ts'
import { isCompacted } from './interface.ts'

/** Events that a watch which is behind reads in one turn of the event loop, so that nobody else starves. */
const REPLAY_SLICE = 500

/** What the feed reads for the watches that are behind. */
export interface History {
  /** The newest revision that may be shown. */
  current(): Revision
  /**
   * Events below `prefix` after `from`, oldest first, `limit` at most; `upTo` is the revision up to which
   * these are complete.
   */
  read(
    prefix: string,
    from: Revision,
    limit: number,
  ): { readonly events: readonly StoreEvent[]; readonly upTo: Revision } | Compacted
}

interface Watcher {
  readonly prefix: string
  readonly sink: WatchSink
  /** Everything up to here was delivered. */
  seen: Revision
  state: 'behind' | 'live' | 'over'
  progressWanted: boolean
}

export class Feed {
  private readonly history: History
  /** Live watchers by prefix: a key is looked up by each of its own prefixes, however many watchers there are. */
  private readonly live = new Map<string, Set<Watcher>>()
  private readonly behind = new Set<Watcher>()
  private queue: (readonly StoreEvent[])[] = []
  private publishing = false
  private over: Error | undefined

  constructor(history: History) {
    this.history = history
  }

  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch {
    const watcher: Watcher = { prefix, sink, seen: from, state: 'behind', progressWanted: false }
    this.behind.add(watcher)
    // Not at once: the caller must hold the watch before its sink is called.
    queueMicrotask(() => this.catchUp(watcher))
    return {
      close: () => this.drop(watcher),
      requestProgress: () => {
        watcher.progressWanted = true
        queueMicrotask(() => this.tellProgress(watcher))
      },
    }
  }

  /** Whether anybody would be told of a change at `key`. */
  watched(key: string): boolean {
    if (this.behind.size > 0) return true
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      if (this.live.has(key.slice(0, slash + 1))) return true
    }
    return false
  }

  /**
   * Tells the live watches of committed events, in order of revision. A sink that writes in turn makes
   * the engine publish again from within: that waits until everyone has seen the first.
   */
  publish(events: readonly StoreEvent[]): void {
    if (this.live.size === 0) return
    if (this.publishing) this.queue.push(events)
    else this.alone(() => this.fanOut(events))
  }

  /** Ends every watch, and each that is begun from now on. */
  end(why: Error): void {
    this.over = why
    for (const watchers of [...this.live.values()]) for (const w of [...watchers]) this.finish(w, why)
    for (const watcher of [...this.behind]) this.finish(watcher, why)
  }

  /** Runs `tell`, then fans out what the sinks it called have written meanwhile. */
  private alone(tell: () => void): void {
    this.publishing = true
    tell()
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) this.fanOut(next)
    this.publishing = false
  }

  private fanOut(events: readonly StoreEvent[]): void {
    const last = events[events.length - 1] as StoreEvent
    if (events.length === 1) {
      this.eachWatcher(last.key, (watcher) => this.deliver(watcher, events, last.revision))
      return
    }
    const shares = new Map<Watcher, StoreEvent[]>()
    for (const event of events) {
      this.eachWatcher(event.key, (watcher) => {
        const share = shares.get(watcher)
        if (share === undefined) shares.set(watcher, [event])
        else share.push(event)
      })
    }
    for (const [watcher, share] of shares) this.deliver(watcher, share, last.revision)
  }

  private eachWatcher(key: string, visit: (watcher: Watcher) => void): void {
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const watchers = this.live.get(key.slice(0, slash + 1))
      if (watchers !== undefined) for (const watcher of watchers) visit(watcher)
    }
  }

  private deliver(watcher: Watcher, events: readonly StoreEvent[], revision: Revision): void {
    if (watcher.state === 'over' || revision <= watcher.seen) return
    const first = events[0] as StoreEvent
    // A watch may start at a revision still to come, in the middle of a commit.
    const unseen = first.revision > watcher.seen ? events : events.filter((e) => e.revision > watcher.seen)
    watcher.seen = revision
    this.call(watcher, () => watcher.sink.events(unseen, revision))
  }

  private catchUp(watcher: Watcher): void {
    if (watcher.state !== 'behind') return
    if (this.over !== undefined) {
      this.finish(watcher, this.over)
      return
    }
    let slice: ReturnType<History['read']>
    try {
      slice = this.history.read(watcher.prefix, watcher.seen, REPLAY_SLICE)
    } catch (error) {
      this.finish(watcher, error instanceof Error ? error : new Error(String(error)))
      return
    }
    if (isCompacted(slice)) {
      this.finish(watcher, slice)
      return
    }
    const { events, upTo } = slice
    const done = upTo >= this.history.current()
    if (done) this.goLive(watcher)
    watcher.seen = Math.max(watcher.seen, upTo)
    if (events.length > 0) this.alone(() => this.call(watcher, () => watcher.sink.events(events, upTo)))
    if (done) this.tellProgress(watcher)
    else setImmediate(() => this.catchUp(watcher))
  }

  private goLive(watcher: Watcher): void {
    this.behind.delete(watcher)
    watcher.state = 'live'
    const peers = this.live.get(watcher.prefix)
    if (peers === undefined) this.live.set(watcher.prefix, new Set([watcher]))
    else peers.add(watcher)
  }

  private tellProgress(watcher: Watcher): void {
    if (!watcher.progressWanted || watcher.state !== 'live') return
    watcher.progressWanted = false
    this.alone(() => this.call(watcher, () => watcher.sink.progress(this.history.current())))
  }

  /** A sink that throws loses its watch; the commit and the other watches do not care. */
  private call(watcher: Watcher, tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.finish(watcher, error instanceof Error ? error : new Error(String(error)))
    }
  }

  private finish(watcher: Watcher, why: Compacted | Error): void {
    if (watcher.state === 'over') return
    this.drop(watcher)
    try {
      watcher.sink.ended(why)
    } catch {
      // The sink is gone; there is nobody left to tell.
    }
  }

  private drop(watcher: Watcher): void {
    watcher.state = 'over'
    this.behind.delete(watcher)
    const peers = this.live.get(watcher.prefix)
    if (peers?.delete(watcher) === true && peers.size === 0) this.live.delete(watcher.prefix)
  }
}
