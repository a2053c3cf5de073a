// The window of past events of one resource: what a watch resumes from and a paged list looks back through.
// Follows k8s.io/apiserver/pkg/storage/cacher/watch_cache.go.
import type { Revision } from '../interface.ts'
import type { Entry } from './entry.ts'

/** Events kept at most; upstream grows its window to 102,400, and our bound on bytes takes hold first. */
export const MAX_EVENTS = 20_000
/** Bytes of objects that only the window still refers to (superseded or deleted). */
const MAX_SUPERSEDED_BYTES = 16 * 1024 * 1024

/** A change of one object. A create has no `previous`; a delete has `entry` with the last content at the delete's revision. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: Revision
  readonly entry: Entry
  readonly previous: Entry | undefined
}

export class History {
  #events: CacheEvent[] = []
  #first = 0
  #supersededBytes = 0
  /** Revisions up to this one are forgotten. */
  #floor: Revision

  constructor(floor: Revision) {
    this.#floor = floor
  }

  /** The oldest revision from which everything since is still known. */
  get floor(): Revision {
    return this.#floor
  }

  push(event: CacheEvent): void {
    this.#events.push(event)
    this.#supersededBytes += superseded(event)
    while (this.#events.length - this.#first > MAX_EVENTS || this.#supersededBytes > MAX_SUPERSEDED_BYTES) {
      const dropped = this.#events[this.#first++] as CacheEvent
      this.#supersededBytes -= superseded(dropped)
      this.#floor = dropped.revision
    }
    if (this.#first > 1024 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }

  /** Events after `revision`, oldest first; undefined where the window no longer reaches back so far. */
  since(revision: Revision): readonly CacheEvent[] | undefined {
    if (revision < this.#floor) return undefined
    let low = this.#first
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1
      else high = middle
    }
    return low === this.#events.length ? [] : this.#events.slice(low)
  }

  /** Forget everything; `floor` is the revision of the new beginning. */
  reset(floor: Revision): void {
    this.#events = []
    this.#first = 0
    this.#supersededBytes = 0
    this.#floor = floor
  }
}

function superseded(event: CacheEvent): number {
  const previous = event.previous?.line.length ?? 0
  return event.type === 'DELETED' ? previous + event.entry.line.length : previous
}
