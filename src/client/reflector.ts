// Keeps a copy of a collection up to date: a list that streams, then a watch, resumed when it drops, begun anew when its
// version is forgotten. The machine is a pure function, `step`; the driver below it does what it says.
// Follows k8s.io/client-go/tools/cache/reflector.go.
import { StatusError } from '../machinery/status.ts'
import { type Api, isGone, statusError } from './api.ts'
import { type Clock, sleep } from './clock.ts'
import { type ApiObject, keyOf, type Resource } from './resource.ts'
import type { WatchEvent } from './watchevents.ts'

/** Where the copy stands. */
export type State<T> =
  /** Nothing is known yet, or all of it has to be learned again; `seen` is what the stream has brought so far. */
  | { readonly phase: 'listing'; readonly seen: Map<string, T>; readonly failures: number }
  /** The copy is whole up to `version`. */
  | { readonly phase: 'watching'; readonly version: string; readonly failures: number }

/** What happens to it. */
export type Input<T extends ApiObject> =
  | { readonly type: 'event'; readonly event: WatchEvent<T> }
  /** The server ended the stream, as it does from time to time. */
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly error: unknown }

/** What is to be done about it, in order. */
export type Effect<T> =
  | { readonly do: 'replace'; readonly objects: ReadonlyMap<string, T> }
  | { readonly do: 'set'; readonly object: T }
  | { readonly do: 'remove'; readonly object: T }
  /** Close the stream, wait, and open it again for the state. */
  | { readonly do: 'reopen'; readonly afterMs: number }

/** The server marks the end of what was there at the start by this annotation on a bookmark. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'
/** As upstream's reflector: 800 ms, doubled up to 30 s. */
const FIRST_BACKOFF_MS = 800
const MAX_BACKOFF_MS = 30_000

/** Nothing is known yet, after so many failures in a row. */
export const listing = <T>(failures: number): State<T> => ({ phase: 'listing', seen: new Map(), failures })

const backoff = (failures: number): number =>
  failures === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS)

/** The next state, and what has to be done to get there. */
export function step<T extends ApiObject>(
  state: State<T>,
  input: Input<T>,
): [State<T>, readonly Effect<T>[]] {
  switch (input.type) {
    case 'event':
      return stepEvent(state, input.event)
    case 'ended':
      // A list that broke off is begun anew; a watch goes on where it was.
      return [
        state.phase === 'listing' ? listing(state.failures) : state,
        [{ do: 'reopen', afterMs: backoff(state.failures) }],
      ]
    case 'failed':
      return stepFailure(state, input.error)
  }
}

function stepFailure<T>(state: State<T>, error: unknown): [State<T>, readonly Effect<T>[]] {
  // A version that is forgotten is no failure of the server's: list again at once.
  if (isGone(error) && state.phase === 'watching') return [listing(0), [{ do: 'reopen', afterMs: 0 }]]
  const failures = state.failures + 1
  const next: State<T> = state.phase === 'listing' ? listing(failures) : { ...state, failures }
  return [next, [{ do: 'reopen', afterMs: backoff(failures) }]]
}

function stepEvent<T extends ApiObject>(
  state: State<T>,
  event: WatchEvent<T>,
): [State<T>, readonly Effect<T>[]] {
  if (event.type === 'ERROR') return stepFailure(state, statusError(event.object))
  const { object } = event
  const version = object.metadata.resourceVersion ?? ''
  if (state.phase === 'listing') {
    if (event.type === 'BOOKMARK') {
      if (object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') return [state, []]
      return [{ phase: 'watching', version, failures: 0 }, [{ do: 'replace', objects: state.seen }]]
    }
    if (event.type === 'DELETED') state.seen.delete(keyOf(object))
    else state.seen.set(keyOf(object), object)
    return [state, []]
  }
  const next: State<T> = { phase: 'watching', version, failures: 0 }
  if (event.type === 'BOOKMARK') return [next, []]
  return [next, [{ do: event.type === 'DELETED' ? 'remove' : 'set', object }]]
}

/** Who keeps the copy. */
export interface Copy<T> {
  replace(objects: ReadonlyMap<string, T>): void
  set(object: T): void
  remove(object: T): void
}

export interface ReflectorOptions<T extends ApiObject> {
  readonly api: Api
  readonly resource: Resource<T>
  /** Only these objects: "spec.nodeName=a". */
  readonly fieldSelector?: string
  readonly labelSelector?: string
  readonly clock: Clock
  /** Told of what goes wrong; the reflector goes on by itself. */
  failed(error: unknown): void
}

/** Servers end watches after 5 to 10 minutes, so that clients spread over replicas; as upstream's reflector asks. */
const WATCH_SECONDS = 300

/** Keeps the copy until the signal aborts. Never rejects. */
export async function reflect<T extends ApiObject>(
  options: ReflectorOptions<T>,
  copy: Copy<T>,
  signal: AbortSignal,
): Promise<void> {
  let state: State<T> = listing(0)
  let pauseMs = 0
  while (!signal.aborted) {
    await sleep(options.clock, pauseMs, signal)
    if (signal.aborted) return
    ;[state, pauseMs] = await readOnce(options, copy, state, signal)
  }
}

/** One stream, from its opening until it has to be opened again: the state then, and the pause before. */
async function readOnce<T extends ApiObject>(
  options: ReflectorOptions<T>,
  copy: Copy<T>,
  start: State<T>,
  signal: AbortSignal,
): Promise<[State<T>, number]> {
  let state = start
  const take = (input: Input<T>): number | undefined => {
    const [next, effects] = step(state, input)
    state = next
    let reopen: number | undefined
    for (const effect of effects) {
      if (effect.do === 'replace') copy.replace(effect.objects)
      else if (effect.do === 'reopen') reopen = effect.afterMs
      else copy[effect.do](effect.object)
    }
    return reopen
  }
  const stream = new AbortController()
  const stop = (): void => stream.abort()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const event of options.api.watch(
      options.resource,
      watchOptions(options, state),
      stream.signal,
    )) {
      const reopen = take({ type: 'event', event })
      if (reopen !== undefined) return [state, reopen]
    }
    return [state, take({ type: 'ended' }) ?? 0]
  } catch (error) {
    if (signal.aborted) return [state, 0]
    if (!isGone(error)) options.failed(error)
    return [state, take({ type: 'failed', error: asError(error) }) ?? 0]
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new StatusError({ code: 500, message: String(error) })

function watchOptions<T extends ApiObject>(options: ReflectorOptions<T>, state: State<T>): object {
  const { fieldSelector, labelSelector } = options
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    allowWatchBookmarks: true,
    timeoutSeconds: Math.round(WATCH_SECONDS * (1 + Math.random())),
    ...(state.phase === 'listing'
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', resourceVersion: '' }
      : { resourceVersion: state.version }),
  }
}
