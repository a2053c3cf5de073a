// One watch on etcd: a stream of its own, opened again from where it was when it is lost.
// Beside the etcd engine; follows k8s.io/apiserver/pkg/storage/etcd3 (watcher) on etcd's Watch service.
//
// etcd3's own watcher knows no progress requests, so this speaks to the stream below it.

import type { IDuplexStream, IEvent, IKeyValue, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Revision, StoreEvent, StoreWatch, WatchSink } from '../interface.ts'

export type WatchStream = IDuplexStream<IWatchRequest, IWatchResponse>

/** etcd keeps silent on a progress request while a watch is behind; so we ask again. Upstream's period. */
const PROGRESS_AGAIN_MS = 100

/** Pauses before a lost stream is opened again: doubled each time, up to the second. */
const REOPEN_MIN_MS = 50
const REOPEN_MAX_MS = 2_000

export interface WatchRange {
  readonly key: Buffer
  readonly rangeEnd: Buffer
  /** Exclusive. */
  readonly from: Revision
}

/** What a watch asks of the connection. */
export interface WatchSource {
  open(): Promise<WatchStream>
  currentRevision(): Promise<Revision>
}

export class EtcdWatch implements StoreWatch {
  private readonly source: WatchSource
  private readonly range: WatchRange
  private readonly sink: WatchSink
  private readonly released: (watch: EtcdWatch) => void
  private stream: WatchStream | undefined
  private created = false
  private seen: Revision
  private over = false
  private progressWanted = false
  private progressTimer: NodeJS.Timeout | undefined
  private reopenTimer: NodeJS.Timeout | undefined
  private reopenPause = REOPEN_MIN_MS

  /** `released` is called once, when the watch is over. */
  constructor(source: WatchSource, range: WatchRange, sink: WatchSink, released: (watch: EtcdWatch) => void) {
    this.source = source
    this.range = range
    this.sink = sink
    this.released = released
    this.seen = range.from
    void this.start()
  }

  close(): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.progressTimer)
    clearTimeout(this.reopenTimer)
    this.stream?.cancel()
    this.released(this)
  }

  requestProgress(): void {
    this.progressWanted = true
    if (this.created) this.askProgress()
  }

  /** Closes, and tells the sink why. */
  end(why: Parameters<WatchSink['ended']>[0]): void {
    if (this.over) return
    this.close()
    try {
      this.sink.ended(why)
    } catch {
      // The sink is gone; there is nobody left to tell.
    }
  }

  private async start(): Promise<void> {
    let stream: WatchStream
    try {
      stream = await this.source.open()
    } catch {
      this.reopen()
      return
    }
    if (this.over) {
      stream.cancel()
      return
    }
    this.stream = stream
    this.created = false
    const current = (): boolean => this.stream === stream && !this.over
    stream.on('data', (response) => current() && this.receive(response))
    stream.on('error', () => current() && this.reopen())
    stream.on('end', () => current() && this.reopen())
    const { key, rangeEnd } = this.range
    const start = String(this.seen + 1)
    stream.write({ create_request: { key, range_end: rangeEnd, start_revision: start, prev_kv: true } })
  }

  private reopen(): void {
    this.stream?.cancel()
    this.stream = undefined
    if (this.over) return
    clearTimeout(this.progressTimer)
    this.reopenTimer = setTimeout(() => void this.start(), this.reopenPause)
    this.reopenPause = Math.min(this.reopenPause * 2, REOPEN_MAX_MS)
  }

  private receive(response: IWatchResponse): void {
    const oldest = Number(response.compact_revision)
    if (oldest > 0) {
      this.end({ compacted: true, oldest })
    } else if (response.canceled) {
      this.reopen()
    } else if (response.created) {
      this.created = true
      this.reopenPause = REOPEN_MIN_MS
      if (this.progressWanted) this.askProgress()
    } else {
      this.tell(response)
    }
  }

  /** The header's revision covers a progress response; with events it may be ahead of what is still to come. */
  private tell(response: IWatchResponse): void {
    const events = response.events.map(eventOf)
    const last = events[events.length - 1]
    this.guarded(() => {
      if (last !== undefined) {
        this.seen = last.revision
        this.sink.events(events, last.revision)
      } else {
        this.seen = Math.max(this.seen, Number(response.header.revision))
        this.tellProgress()
      }
    })
  }

  private tellProgress(): void {
    this.progressWanted = false
    clearTimeout(this.progressTimer)
    this.sink.progress(this.seen)
  }

  private askProgress(): void {
    clearTimeout(this.progressTimer)
    if (!this.progressWanted || this.over || !this.created) return
    this.stream?.write({ progress_request: {} })
    this.progressTimer = setTimeout(() => void this.unanswered(), PROGRESS_AGAIN_MS)
  }

  /** etcd also keeps silent for a watch that begins at a revision still to come: then there is nothing to see. */
  private async unanswered(): Promise<void> {
    const current = await this.source.currentRevision().catch(() => Infinity)
    if (this.over || !this.progressWanted) return
    if (current > this.seen) this.askProgress()
    else this.guarded(() => this.tellProgress())
  }

  /** A sink that throws loses its watch. */
  private guarded(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function eventOf(event: IEvent): StoreEvent {
  // Absent messages are null, whatever the types say.
  const before = event.prev_kv as IKeyValue | null
  const isDelete = event.type.toLowerCase() === 'delete'
  const created = isDelete ? (before?.create_revision ?? 0) : event.kv.create_revision
  return {
    key: event.kv.key.toString(),
    revision: Number(event.kv.mod_revision),
    createRevision: Number(created),
    value: isDelete ? undefined : event.kv.value,
    previous: before === null ? undefined : { value: before.value, modRevision: Number(before.mod_revision) },
  }
}
