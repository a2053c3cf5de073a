// What the watch caches, and watches on them, have counted, as Prometheus' text: made when somebody asks, loaded then.
// Names and labels follow k8s.io/apiserver/pkg/storage/cacher/metrics, pkg/storage/etcd3/metrics and pkg/endpoints/metrics.
import { type Distribution, familyText, histogramText, type Labels } from '../machinery/exposition.ts'
import type { Resource } from '../schema/resource.ts'
import type { CacheCounts } from '../storage/cache/counts.ts'
import { MAX_EVENTS } from '../storage/cache/history.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'

/** Of a revision only so many digits are told, as upstream: a double holds no more. */
const REVISION_DIGITS = 1e15

export interface CacheOf {
  readonly resource: Pick<Resource, 'group' | 'name'>
  readonly cache: WatchCache
}

type Row = readonly [Labels, number]

interface Told {
  readonly name: string
  readonly help: string
  readonly labels?: Labels
  of(counts: CacheCounts): number
}

/** Of caches in use. One that has counted nothing under a name is not told of there, as upstream's. */
const COUNTERS: readonly Told[] = [
  { name: 'apiserver_cache_list_total', help: 'Lists.', labels: { index: '' }, of: ({ lists }) => lists },
  {
    name: 'apiserver_cache_list_fetched_objects_total',
    help: 'Objects that lists looked at.',
    labels: { index: '' },
    of: ({ fetched }) => fetched,
  },
  {
    name: 'apiserver_cache_list_returned_objects_total',
    help: 'Objects that lists answered.',
    of: ({ returned }) => returned,
  },
  {
    name: 'apiserver_watch_cache_consistent_read_total',
    help: 'Lists of the newest state.',
    labels: { fallback: 'false', success: 'true' },
    of: ({ consistent }) => consistent,
  },
  {
    name: 'apiserver_watch_cache_initializations_total',
    help: 'Times that a cache was filled.',
    of: ({ initializations }) => initializations,
  },
  {
    name: 'apiserver_watch_cache_events_received_total',
    help: 'Changes that the store told.',
    of: ({ received }) => received,
  },
  {
    name: 'apiserver_watch_cache_events_dispatched_total',
    help: 'Changes that watchers may see.',
    of: ({ dispatched }) => dispatched,
  },
  { name: 'apiserver_storage_events_received_total', help: 'The same.', of: ({ received }) => received },
  {
    name: 'apiserver_storage_list_total',
    help: 'Lists that the store was asked for.',
    of: ({ initializations }) => initializations,
  },
  ...['fetched', 'evaluated', 'returned'].map((what) => ({
    name: `apiserver_storage_list_${what}_objects_total`,
    help: 'Objects in them.',
    of: ({ listed }: CacheCounts): number => listed,
  })),
]

export function cacheText(caches: readonly CacheOf[]): string {
  const rows = (read: (cache: WatchCache) => number): Row[] =>
    caches.map(({ resource, cache }) => [labelsOf(resource), read(cache)])
  const gauge = (name: string, help: string, read: (cache: WatchCache) => number): string =>
    familyText({ type: 'gauge', name, help }, rows(read))
  return [
    ...COUNTERS.map(({ name, help, labels, of }) =>
      familyText(
        { type: 'counter', name, help },
        rows(({ counts }) => of(counts))
          .filter(([, count]) => count > 0 || name.startsWith('apiserver_storage_'))
          .map(([own, count]): Row => [{ ...own, ...labels }, count]),
      ),
    ),
    gauge(
      'apiserver_watch_cache_resource_version',
      'Where a cache stands.',
      (cache) => cache.revision % REVISION_DIGITS,
    ),
    gauge('watch_cache_capacity', 'Changes that a cache remembers at most.', () => MAX_EVENTS),
    gauge('apiserver_resource_size_estimate_bytes', 'Bytes of the objects.', ({ index }) => index.bytes),
    histogramText(
      'apiserver_watch_cache_read_wait_seconds',
      'How long lists waited for a state that is new enough.',
      caches
        .map(({ resource, cache }) => [labelsOf(resource), cache.counts.waits] as const)
        .filter(hasCounted),
    ),
    ...watchText(caches),
  ].join('')
}

function watchText(caches: readonly CacheOf[]): string[] {
  const sent = caches
    .flatMap(({ resource, cache }) =>
      [...cache.counts.sent].map(([version, bytes]) => [{ ...labelsOf(resource), version }, bytes] as const),
    )
    .filter(hasCounted)
  const totals = sent.map(([labels, { counts }]): Row => [labels, counts.reduce((sum, n) => sum + n, 0)])
  return [
    familyText(
      { type: 'counter', name: 'apiserver_watch_events_total', help: 'Events that watchers were sent.' },
      totals,
    ),
    histogramText('apiserver_watch_events_sizes', 'Their bytes.', sent),
  ]
}

const labelsOf = ({ group, name }: CacheOf['resource']): Labels => ({ group, resource: name })

const hasCounted = ([, { counts }]: readonly [Labels, Distribution]): boolean =>
  counts.some((count) => count > 0)
