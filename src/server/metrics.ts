// /metrics under upstream's names, by prom-client, loaded when somebody first asks. Until then counters are plain numbers.
// Follows k8s.io/apiserver/pkg/endpoints/metrics and k8s.io/component-base/metrics.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Caches } from '../storage/cache/caches.ts'
import type { InflightLimit } from './inflight.ts'

/** Upper bounds of apiserver_request_duration_seconds, as upstream has them. */
const BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
/** Series beyond this many are counted together: labels come from clients. */
const MAX_SERIES = 5000

interface Series {
  readonly labels: Record<string, string>
  count: number
  sum: number
  readonly buckets: number[]
}

export class RequestMetrics {
  readonly #series = new Map<string, Series>()

  observe(info: RequestInfo | undefined, code: number, startedAt: number): void {
    if (!info?.isResourceRequest || code === 0) return
    const verb = VERBS[info.verb] ?? info.verb.toUpperCase()
    const scope = info.name ? 'resource' : info.namespace ? 'namespace' : 'cluster'
    const key = `${verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scope} ${code}`
    let series = this.#series.get(key)
    if (!series) {
      if (this.#series.size >= MAX_SERIES) return
      const { group, version, resource, subresource } = info
      const labels = {
        verb,
        group,
        version,
        resource,
        subresource,
        scope,
        component: 'apiserver',
        code: String(code),
      }
      series = { labels, count: 0, sum: 0, buckets: new Array<number>(BUCKETS.length).fill(0) }
      this.#series.set(key, series)
    }
    const seconds = (performance.now() - startedAt) / 1000
    series.count++
    series.sum += seconds
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) (series.buckets[bucket] as number)++
  }

  all(): Iterable<Series> {
    return this.#series.values()
  }
}

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  connect: 'CONNECT',
}

export interface MetricSources {
  readonly requests: RequestMetrics
  readonly inflight: InflightLimit
  readonly caches: Caches
}

/** The exposition of everything, made anew each time. */
export async function exposition({
  requests,
  inflight,
  caches,
}: MetricSources): Promise<{ contentType: string; body: string }> {
  const { collectDefaultMetrics, Gauge, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests that are being worked on.',
    registers: [registry],
  }).set(inflight.running)
  const objects = new Gauge({
    name: 'apiserver_resource_objects',
    help: 'Objects of each resource whose cache is in use.',
    labelNames: ['group', 'resource'],
    registers: [registry],
  })
  for (const [prefix, cache] of caches.all()) {
    objects.set({ group: '', resource: prefix.slice('/registry/'.length, -1) }, cache.index.size)
  }
  const size = await caches.storage.size()
  if (size !== undefined) {
    new Gauge({
      name: 'apiserver_storage_size_bytes',
      help: 'Size of the store.',
      registers: [registry],
    }).set(size)
  }
  return { contentType: registry.contentType, body: (await registry.metrics()) + requestText(requests) }
}

/** Counters and histograms of requests, in Prometheus' text format. */
function requestText(requests: RequestMetrics): string {
  const totals = [
    '# HELP apiserver_request_total Requests by verb, resource and code.',
    '# TYPE apiserver_request_total counter',
  ]
  const name = 'apiserver_request_duration_seconds'
  const durations = [`# HELP ${name} Latency by verb and resource.`, `# TYPE ${name} histogram`]
  for (const series of requests.all()) {
    const labels = labelText(series.labels)
    const { code: _, ...rest } = series.labels
    const bare = labelText(rest)
    totals.push(`apiserver_request_total{${labels}} ${series.count}`)
    let sum = 0
    BUCKETS.forEach((bound, i) => {
      sum += series.buckets[i] ?? 0
      durations.push(`${name}_bucket{${bare},le="${bound}"} ${sum}`)
    })
    durations.push(
      `${name}_bucket{${bare},le="+Inf"} ${series.count}`,
      `${name}_sum{${bare}} ${series.sum}`,
      `${name}_count{${bare}} ${series.count}`,
    )
  }
  return `${[...totals, ...durations].join('\n')}\n`
}

const labelText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([k, v]) => `${k}="${v.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',')
