// GET of a collection: consistent pages from the watch cache, in bytes that were serialised once.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/get.go (ListResource), pkg/storage/cacher and pkg/storage/continue.go.
import type { StatusError } from '../machinery/status.ts'
import { badRequest, expired, tooLargeResourceVersion } from '../machinery/status.ts'
import type { Revision } from '../storage/interface.ts'
import type { Entry } from '../storage/cache/entry.ts'
import { BrokenEntry } from '../storage/cache/reader.ts'
import { decodeContinue, encodeContinue } from './continue.ts'
import { type ListOptions, listOptions, resourceVersionFault } from './options.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { type Selection, selectionOf } from './selection.ts'
import type { ListMeta } from './view.ts'
import { viewOf } from './views.ts'

const RETRY_SECONDS = 1

export async function list(scope: Scope, request: ApiRequest): Promise<Answer> {
  const options = listOptions(request.query)
  const view = viewOf(scope, request, 'list')
  const selection = selectionOf(scope, request.info, options)
  const { entries, meta } = await select(scope, selection, options)
  if (scope.cache.isBroken) requireReadable(entries)
  return { status: 200, contentType: view.contentType, body: view.list(entries, meta) }
}

/** An answer that has begun cannot tell what is wrong. */
function requireReadable(entries: readonly Entry[]): void {
  for (const entry of entries) if (entry instanceof BrokenEntry) throw entry.error
}

export interface Selected {
  readonly entries: readonly Entry[]
  readonly meta: ListMeta
}

/** The objects of one page, and the list's metadata. */
export async function select(scope: Scope, selection: Selection, options: ListOptions): Promise<Selected> {
  const { counts } = scope.cache
  const askedAt = performance.now()
  const { revision, after } = await position(scope, options)
  counts.waits.observe((performance.now() - askedAt) / 1000)
  // Whoever takes any state there is, as informers do, gets all of it at once.
  if (options.resourceVersion === '0' && !options.continue) options = { ...options, limit: 0 }
  if (scope.cache.isBroken) await scope.cache.mend()
  const snapshot = at(scope, selection, revision, options)
  const start = after === undefined ? 0 : firstFrom(snapshot, after, selection)
  const selected = page({ snapshot, start, revision }, selection, options)
  counts.lists++
  counts.fetched += snapshot.length - start
  counts.returned += selected.entries.length
  return selected
}

interface Position {
  readonly revision: Revision
  /** Keys of the resource from here on (relative to its prefix). */
  readonly after: string | undefined
}

/** At which revision to read, and from which key on. */
async function position(scope: Scope, options: ListOptions): Promise<Position> {
  const { cache } = scope
  if (options.continue) {
    const token = decodeContinue(options.continue)
    if (options.resourceVersion && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue')
    }
    await cache.fresh()
    return { revision: token.revision > 0 ? token.revision : cache.revision, after: token.start }
  }
  const version = options.resourceVersion
  if (version === '') {
    await cache.fresh()
    cache.counts.consistent++
    return { revision: cache.revision, after: undefined }
  }
  const fault = resourceVersionFault(version)
  if (fault) throw badRequest(`invalid resource version: ${fault}`)
  const revision = Number(version)
  if (revision === 0) await cache.ready()
  else if (!(await cache.waitFor(revision)))
    throw tooLargeResourceVersion(version, cache.revision, RETRY_SECONDS)
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.limit > 0 && !options.resourceVersionMatch && revision > 0)
  return { revision: exact ? revision : cache.revision, after: undefined }
}

function at(scope: Scope, selection: Selection, revision: Revision, options: ListOptions): readonly Entry[] {
  const { cache } = scope
  if (selection.name !== undefined && selection.namespace !== undefined && revision === cache.revision) {
    const entry = cache.index.get(selection.namespace, selection.name)
    return entry ? [entry] : []
  }
  const known = revision === cache.revision || revision >= scope.environment.caches.oldest
  const snapshot = known ? cache.snapshot(selection.namespace, revision) : undefined
  if (snapshot) return snapshot
  if (!options.continue) throw expired('The resourceVersion for the provided list is too old.')
  throw expiredContinue(options)
}

/** 410 with a token that goes on at the newest state: the rest of the list, inconsistent with its beginning. */
function expiredContinue(options: ListOptions): StatusError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
  )
  error.status.metadata = { continue: encodeContinue(decodeContinue(options.continue).start, -1) }
  return error
}

/** Index of the first entry whose key is not below `key`. */
function firstFrom(entries: readonly Entry[], key: string, selection: Selection): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (tokenKey(entries[middle] as Entry, selection) < key) low = middle + 1
    else high = middle
  }
  return low
}

const relativeKey = (entry: Entry): string =>
  entry.namespace ? `${entry.namespace}/${entry.name}` : entry.name

interface Window {
  readonly snapshot: readonly Entry[]
  readonly start: number
  readonly revision: Revision
}

function page(window: Window, selection: Selection, options: ListOptions): Selected {
  const { snapshot, start, revision } = window
  const resourceVersion = String(revision)
  const limit = options.limit > 0 ? options.limit : Infinity
  if (selection.everything && start === 0 && snapshot.length <= limit)
    return { entries: snapshot, meta: { resourceVersion } }
  const entries: Entry[] = []
  let next = start
  for (; next < snapshot.length && entries.length < limit; next++) {
    const entry = snapshot[next] as Entry
    if (selection.matches(entry)) entries.push(entry)
  }
  if (!more(snapshot, next, selection)) return { entries, meta: { resourceVersion } }
  const last = snapshot[next - 1] as Entry
  const token = encodeContinue(`${tokenKey(last, selection)}\0`, revision)
  const remaining = selection.everything ? { remainingItemCount: snapshot.length - next } : {}
  return { entries, meta: { resourceVersion, continue: token, ...remaining } }
}

function more(snapshot: readonly Entry[], from: number, selection: Selection): boolean {
  if (selection.everything) return from < snapshot.length
  for (let i = from; i < snapshot.length; i++) if (selection.matches(snapshot[i] as Entry)) return true
  return false
}

/** Tokens hold the key below the collection that was asked for: without the namespace where the URL has it. */
const tokenKey = (entry: Entry, selection: Selection): string =>
  selection.namespace === undefined ? relativeKey(entry) : entry.name
