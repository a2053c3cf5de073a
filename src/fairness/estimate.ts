// What a request is reckoned to cost before it begins: a list by the bytes that it makes the server hold, a write by
// those who hear of it. Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/request.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { WorkEstimate } from './work.ts'
import type { WatchTracker } from './watches.ts'

/** What is stored of a resource. */
export interface ResourceStats {
  readonly count: number
  /** Of one object; 0: not known. */
  readonly averageBytes: number
}

const MIN_SEATS = 1
const MAX_LIST_SEATS = 100
const MAX_WRITE_SEATS = 10
const BYTES_PER_SEAT = 100_000
/** Lists from the watch cache go out in pieces of no more than this. */
const MAX_STREAMED_BYTES = 1_000_000
/** What an object is taken for where its size is not known: the most that etcd takes. */
const MAX_OBJECT_BYTES = 1_500_000
const WATCHES_PER_SEAT = 10
/** A seat is reckoned to be taken so long for each ten watchers. */
const EVENT_MS = 5

const ONE_SEAT: WorkEstimate = { initialSeats: MIN_SEATS, finalSeats: 0, additionalMs: 0 }
const seatsFor = (seats: number): WorkEstimate =>
  seats === MIN_SEATS ? ONE_SEAT : { initialSeats: seats, finalSeats: 0, additionalMs: 0 }

export interface Estimator {
  /** undefined: nothing is known of the resource. */
  statsOf(info: RequestInfo): ResourceStats | undefined
  readonly watches: WatchTracker
}

/** `maxSeats`: the most that a request of its level may take; 0: no such bound. `noteWatches` hears who listens. */
export function estimateWork(
  { statsOf, watches }: Estimator,
  { info, query }: { readonly info: RequestInfo; readonly query: URLSearchParams },
  maxSeats: number,
  noteWatches: (count: number) => void,
): WorkEstimate {
  switch (info.verb) {
    case 'list':
    case 'watch':
      return listWork(info, query, bounded(maxSeats, MAX_LIST_SEATS), statsOf)
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return writeWork(info, bounded(maxSeats, MAX_WRITE_SEATS), watches, noteWatches)
    default:
      return ONE_SEAT
  }
}

const bounded = (maxSeats: number, limit: number): number =>
  maxSeats === 0 || maxSeats > limit ? limit : maxSeats

function listWork(
  info: RequestInfo,
  query: URLSearchParams,
  maxSeats: number,
  statsOf: Estimator['statsOf'],
): WorkEstimate {
  const isWatch = info.verb === 'watch'
  const version = query.size > 0 ? (query.get('resourceVersion') ?? '') : ''
  if (isWatch && !wantsState(query, version)) return ONE_SEAT
  const limit = query.size > 0 ? limitOf(query) : 0
  if (limit === undefined) return seatsFor(maxSeats)
  const stats = statsOf(info)
  if (!stats) return ONE_SEAT
  const fromCache = isWatch || !needsStore(query, version, limit)
  const seats = Math.ceil(bytesHeld(stats, { info, query, limit, fromCache }) / BYTES_PER_SEAT)
  return seatsFor(Math.min(Math.max(seats, MIN_SEATS), maxSeats))
}

/** Whether a watch begins with all there is. */
function wantsState(query: URLSearchParams, version: string): boolean {
  if (version === '' || version === '0') return true
  const asked = query.get('sendInitialEvents')
  return asked !== null && asked.toLowerCase() !== 'false' && asked !== '0'
}

/** 0: none; undefined: the handler will refuse it. */
function limitOf(query: URLSearchParams): number | undefined {
  const text = query.get('limit')
  if (text === null || text === '') return 0
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

/** Lists that upstream reads from etcd: an exact version, or the next page. */
function needsStore(query: URLSearchParams, version: string, limit: number): boolean {
  if (query.size === 0) return false
  const match = query.get('resourceVersionMatch') ?? ''
  if (match !== '') return match !== 'NotOlderThan'
  if (query.get('continue')) return true
  return limit > 0 && version !== '' && version !== '0'
}

interface Asked {
  readonly info: RequestInfo
  readonly query: URLSearchParams
  readonly limit: number
  readonly fromCache: boolean
}

function bytesHeld({ count, averageBytes }: ResourceStats, { info, query, limit, fromCache }: Asked): number {
  const size = averageBytes <= 0 && count !== 0 ? MAX_OBJECT_BYTES : averageBytes
  const limited = limit > 0 && limit < count ? limit : count
  const isSelected = !fromCache && Boolean(query.get('fieldSelector') || query.get('labelSelector'))
  const held = info.name !== '' ? 1 : isSelected ? Math.max(limited, Math.trunc(count / 2)) : limited
  return fromCache ? Math.min(held * size, MAX_STREAMED_BYTES) : held * size
}

function writeWork(
  info: RequestInfo,
  maxSeats: number,
  watches: WatchTracker,
  noteWatches: (count: number) => void,
): WorkEstimate {
  // A token is no object: nobody hears of it.
  if (info.resource === 'serviceaccounts' && info.subresource === 'token') return ONE_SEAT
  const count = watches.interested(info)
  noteWatches(count)
  if (count < WATCHES_PER_SEAT) return ONE_SEAT
  const wanted = Math.ceil(count / WATCHES_PER_SEAT)
  const finalSeats = Math.min(wanted, maxSeats)
  return { initialSeats: MIN_SEATS, finalSeats, additionalMs: (wanted * EVENT_MS) / finalSeats }
}
