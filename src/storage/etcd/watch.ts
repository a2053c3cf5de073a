// One watch on etcd: a stream of its own, opened again from where it was when it is lost.
// Beside the etcd engine; follows k8s.io/apiserver/pkg/storage/etcd3 (watcher) on etcd's Watch service.
//
// etcd3's own watcher knows no progress requests, so this speaks to the stream below it. Up to 3.4.30 and
// 3.5.12 etcd answers such a request before it has sent all events (etcd issues 15220 and 17507). There the
// watch is widened to all keys until it has seen the revision in question: every revision is an event of
// some key, and events come in order.

import type { IDuplexStream, IEvent, IKeyValue, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Revision, StoreEvent, StoreWatch, WatchSink } from '../interface.ts'

export type WatchStream = IDuplexStream<IWatchRequest, IWatchResponse>

/** etcd keeps silent on a progress request while a watch is behind; so we ask again. Upstream's period. */
const PROGRESS_AGAIN_MS = 100

/** Pauses before a lost stream is opened again: doubled each time, up to the second. */
const REOPEN_MIN_MS = 50
const REOPEN_MAX_MS = 2_000

/** Begin and end of a range that holds every key. */
const ALL_KEYS = Buffer.from('\0')

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
  /** Whether the servers answer progress requests only after the events up to there. */
  readonly progressIsSafe: boolean
}

export class EtcdWatch implements StoreWatch {
  private readonly source: WatchSource
  private readonly range: WatchRange
  private readonly sink: WatchSink
  private readonly released: (watch: EtcdWatch) => void
  private stream: WatchStream | undefined
  private created = false
  private wide = false
  private seen: Revision
  private over = false
  /** The revision that `progress` was requested for. */
  private goal: Revision | undefined
  /** The goal at the time of the last progress request that waits for its answer. */
  private asked: Revision | undefined
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

  requestProgress(atLeast?: Revision): void {
    const revision = atLeast === undefined ? this.source.currentRevision() : Promise.resolve(atLeast)
    revision.then(
      (goal) => this.aim(goal),
      // Nobody can say what is current: the caller's own reads fail too.
      () => undefined,
    )
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
    this.wide = this.goal !== undefined && !this.source.progressIsSafe
    const current = (): boolean => this.stream === stream && !this.over
    stream.on('data', (response) => current() && this.receive(response))
    stream.on('error', () => current() && this.reopen())
    stream.on('end', () => current() && this.reopen())
    const { key, rangeEnd } = this.wide ? { key: ALL_KEYS, rangeEnd: ALL_KEYS } : this.range
    const start = String(this.seen + 1)
    stream.write({ create_request: { key, range_end: rangeEnd, start_revision: start, prev_kv: true } })
  }

  private reopen(): void {
    this.drop()
    if (this.over) return
    this.reopenTimer = setTimeout(() => void this.start(), this.reopenPause)
    this.reopenPause = Math.min(this.reopenPause * 2, REOPEN_MAX_MS)
  }

  private drop(): void {
    this.stream?.cancel()
    this.stream = undefined
    this.created = false
    this.asked = undefined
    clearTimeout(this.progressTimer)
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
      this.pursue()
    } else {
      this.guarded(() => this.tell(response))
    }
  }

  /**
   * The header's revision covers a progress response; with events it may be ahead of what is still to come. A server that
   * has just started, or lags behind the others, is at an older revision than the one we heard of before: nothing is
   * unseen by that.
   */
  private tell(response: IWatchResponse): void {
    const last = response.events[response.events.length - 1]
    const revision = Number(last === undefined ? response.header.revision : last.kv.mod_revision)
    const unseen = response.events.filter((event) => Number(event.kv.mod_revision) > this.seen)
    this.seen = Math.max(this.seen, revision)
    const events = this.wide ? unseen.filter((event) => this.covers(event.kv.key)) : unseen
    if (events.length > 0) this.sink.events(events.map(eventOf), this.seen)
    if (this.goal !== undefined && this.seen >= this.goal) this.reached()
    else if (last === undefined) this.progressed()
  }

  /** An answer to an earlier goal. */
  private progressed(): void {
    const outdated = this.asked !== undefined && this.goal !== undefined && this.goal > this.asked
    this.sink.progress(this.seen)
    if (outdated) this.pursue()
  }

  private covers(key: Buffer): boolean {
    return Buffer.compare(key, this.range.key) >= 0 && Buffer.compare(key, this.range.rangeEnd) < 0
  }

  /** A goal that was seen already needs no answer of etcd, which gives none when nothing is new. */
  private aim(goal: Revision): void {
    if (this.over) return
    this.goal = Math.max(this.goal ?? 0, goal)
    if (this.goal <= this.seen) this.guarded(() => this.reached())
    else if (this.asked === undefined) this.pursue()
  }

  private reached(): void {
    this.goal = undefined
    this.asked = undefined
    clearTimeout(this.progressTimer)
    this.sink.progress(this.seen)
    if (this.wide && !this.over) this.again()
  }

  private pursue(): void {
    clearTimeout(this.progressTimer)
    if (this.goal === undefined || this.over || !this.created) return
    if (this.source.progressIsSafe) {
      this.asked = this.goal
      this.stream?.write({ progress_request: {} })
      this.progressTimer = setTimeout(() => this.pursue(), PROGRESS_AGAIN_MS)
    } else if (!this.wide) {
      this.again()
    }
  }

  /** A new stream for the other range, from where the old one was. */
  private again(): void {
    this.drop()
    void this.start()
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
