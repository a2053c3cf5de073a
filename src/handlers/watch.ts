// WATCH: first what the client asked to begin with, then each change as it comes, until it goes or its time is over.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/watch.go and pkg/storage/cacher.
import { expired, plainError, type StatusError } from '../machinery/status.ts'
import type { Revision } from '../storage/interface.ts'
import { hubOf, selectEvent } from './hub.ts'
import { type ListOptions, listOptions, resourceVersionFault } from './options.ts'
import type { Answer, ApiRequest, ByteSink } from './request.ts'
import type { Scope } from './scope.ts'
import { type Selection, selectionOf } from './selection.ts'
import type { View } from './view.ts'
import { viewOf } from './views.ts'

/** Watches without a timeout of their own end after 30 to 60 minutes, as upstream's --min-request-timeout has it. */
const MIN_TIMEOUT_SECONDS = 1800
/** How often a watcher that allows bookmarks hears where it stands. */
const BOOKMARK_INTERVAL_MS = 60_000
/** A last bookmark comes this long before the end. */
const BOOKMARK_BEFORE_END_MS = 2_000
/** How much of the state is put together before the client is looked at. */
const PIECE_BYTES = 256 * 1024
/** Upper bound of timers, in ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export async function watch(scope: Scope, request: ApiRequest): Promise<Answer> {
  const options = listOptions(request.query)
  const view = viewOf(scope, request, 'watch')
  const selection = selectionOf(scope, request.info, options)
  const from = await startingPoint(scope, options)
  let begun = (): void => undefined
  const stream = (sink: ByteSink): void => {
    begin({ scope, options, view, selection, sink, from, begun: () => begun() })
  }
  return {
    status: 200,
    contentType: view.streamContentType,
    stream,
    begun: (listener) => void (begun = listener),
  }
}

/** Where a watch begins: after a revision, or with the objects as they are now. */
type Start = { readonly after: Revision } | 'now'

async function startingPoint(scope: Scope, options: ListOptions): Promise<Start> {
  const { cache } = scope
  const version = options.resourceVersion
  const fault = version ? resourceVersionFault(version) : undefined
  if (fault) throw plainError(fault)
  const revision = Number(version || 0)
  if (version === '') await cache.fresh()
  else await cache.ready()
  if (cache.isBroken) await cache.mend()
  const broken = cache.fault
  if (broken) throw broken
  if (options.sendInitialEvents) {
    if (revision > 0) await cache.waitFor(revision)
    return 'now'
  }
  if (options.sendInitialEvents === false && revision === 0) return { after: cache.revision }
  return revision === 0 ? 'now' : { after: revision }
}

interface Watching {
  readonly scope: Scope
  readonly options: ListOptions
  readonly view: View
  readonly selection: Selection
  readonly sink: ByteSink
  readonly from: Start
  /** Told when the client has what it asked to begin with. */
  begun(): void
}

function begin(w: Watching): void {
  const { scope, sink, options } = w
  const seconds = options.timeoutSeconds ?? 0
  const timeout = seconds > 0 ? seconds * 1000 : MIN_TIMEOUT_SECONDS * 1000 * (1 + Math.random())
  const timer = setTimeout(() => sink.end(), Math.min(timeout, MAX_TIMEOUT_MS)).unref()
  sink.onClose(() => clearTimeout(timer))
  const started = { endsAt: performance.now() + timeout, ...w }
  if (started.from === 'now') {
    sendState(started)
      .catch(() => sink.abort())
      .finally(w.begun)
    return
  }
  const { after } = started.from
  if (after > scope.cache.revision) resumeLater(started, after)
  else resume(started, after)
  w.begun()
}

interface Started extends Watching {
  /** In ms of performance.now(). */
  readonly endsAt: number
}

/** Goes on after a revision. Runs without a pause between the replay and joining the hub, so that nothing falls in between. */
function resume(w: Started, after: Revision): void {
  const { scope, selection, view, sink } = w
  if (sink.closed) return
  if (replay(w, after)) {
    const { version } = scope.resource
    hubOf(scope.cache).join({ selection, view, version }, sink)
    if (w.options.allowWatchBookmarks) keepBookmarks(w)
    return
  }
  sink.write(view.errorFrame(tooOld(after, scope.cache.history.floor).status))
  sink.end()
}

/** A version that is still to come: silence until then. The change that ends the wait may be one to tell. */
function resumeLater(w: Started, after: Revision): void {
  const start = (reached: boolean): void => {
    if (reached) resume(w, after)
  }
  w.scope.cache.waitFor(after, MAX_TIMEOUT_MS).then(start, () => w.sink.end())
}

/** Upstream names the first revision that it still has. */
const tooOld = (asked: Revision, floor: Revision): StatusError =>
  expired(`too old resource version: ${asked} (${floor + 1})`)

/**
 * The objects as they are now, in pieces as fast as the client takes them, so that many clients may ask for much at once;
 * then what happened meanwhile.
 */
async function sendState(w: Started): Promise<void> {
  const { scope, selection, view, sink, options } = w
  const { revision } = scope.cache
  const sent = scope.cache.counts.sentIn(scope.resource.version)
  let frames: Buffer[] = []
  let size = 0
  for (const entry of scope.cache.index.entries(selection.namespace)) {
    if (!selection.matches(entry)) continue
    const frame = view.frame('ADDED', entry)
    sent.observe(frame.length)
    frames.push(frame)
    if ((size += frame.length) < PIECE_BYTES) continue
    sink.write(Buffer.concat(frames))
    frames = []
    size = 0
    const drained = sink.drained()
    if (drained) await drained
    if (sink.closed) return
  }
  if (options.sendInitialEvents && options.allowWatchBookmarks)
    frames.push(view.bookmark(String(revision), true))
  if (frames.length) sink.write(Buffer.concat(frames))
  resume(w, revision)
}

/** Sends what happened since; false where that is forgotten. */
function replay({ scope, selection, view, sink }: Watching, after: Revision): boolean {
  const events = scope.cache.history.since(after)
  if (!events) return false
  const frames = events.flatMap((event) => {
    const selected = selectEvent(selection, event)
    return selected ? [view.frame(selected.type, selected.entry)] : []
  })
  const sent = scope.cache.counts.sentIn(scope.resource.version)
  for (const { length } of frames) sent.observe(length)
  if (frames.length) sink.write(Buffer.concat(frames))
  return true
}

/** Tells now and then, and shortly before the end, where the watch stands. */
function keepBookmarks({ scope, view, sink, endsAt }: Started): void {
  const bookmark = (): void => {
    scope.cache.fresh().then(
      () => {
        // Events up to there go first.
        hubOf(scope.cache).flush()
        sink.write(view.bookmark(String(scope.cache.revision), false))
      },
      () => undefined,
    )
  }
  const timers = [setInterval(bookmark, BOOKMARK_INTERVAL_MS)]
  const left = endsAt - performance.now() - BOOKMARK_BEFORE_END_MS
  if (left > 0) timers.push(setTimeout(bookmark, Math.min(left, MAX_TIMEOUT_MS)))
  for (const timer of timers) timer.unref()
  sink.onClose(() => timers.forEach(clearTimeout))
}
