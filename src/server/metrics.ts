// /metrics under upstream's names, by prom-client, loaded when somebody first asks. Until then counters are plain numbers.
// Follows k8s.io/apiserver/pkg/endpoints/metrics and k8s.io/component-base/metrics.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Registry } from 'prom-client'
import type { Caches } from '../storage/cache/caches.ts'

/** Upper bounds of apiserver_request_duration_seconds, as upstream has them. */
const BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
/** Far more than there are places and verbs; a bound all the same. */
const MAX_SERIES = 5000

type Labels = Readonly<Record<string, string>>

interface Durations {
  readonly labels: Labels
  count: number
  sum: number
  readonly buckets: number[]
  /** Requests by the code of their answer. */
  readonly codes: Map<number, number>
}

export class RequestMetrics {
  readonly #series = new Map<string, Durations>()

  /** Counts a request; `info` is that of a place which is served, so that labels are few. */
  observe(info: RequestInfo | undefined, code: number, startedAt: number): void {
    if (!info?.isResourceRequest || code === 0) return
    const verb = VERBS[info.verb] ?? info.verb.toUpperCase()
    const scope = info.name ? 'resource' : info.namespace ? 'namespace' : 'cluster'
    const key = `${verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scope}`
    let series = this.#series.get(key)
    if (!series) {
      if (this.#series.size >= MAX_SERIES) return
      const { group, version, resource, subresource } = info
      const labels = { verb, group, version, resource, subresource, scope, component: 'apiserver' }
      const buckets = new Array<number>(BUCKETS.length).fill(0)
      series = { labels, count: 0, sum: 0, buckets, codes: new Map() }
      this.#series.set(key, series)
    }
    const seconds = (performance.now() - startedAt) / 1000
    series.count++
    series.sum += seconds
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) (series.buckets[bucket] as number)++
  }

  all(): Iterable<Durations> {
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
  readonly caches: Caches
  /** Of whoever lets requests in. */
  flow(): Promise<string>
  /** Texts of parts that run in the same process. */
  readonly others: readonly (() => string)[]
}

/** What prom-client tells of this process: set up once, since each set holds observers of its own. */
let processRegistry: Promise<Registry> | undefined

async function processMetrics(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = (await import('prom-client')).default
  const register = new Registry()
  collectDefaultMetrics({ register })
  return register
}

/** The exposition of everything. */
export async function exposition(sources: MetricSources): Promise<{ contentType: string; body: string }> {
  const registry = await (processRegistry ??= processMetrics())
  const own = [await serverText(sources), await sources.flow(), requestText(sources.requests)]
  const parts = [await registry.metrics(), ...own]
  parts.push(...sources.others.map((text) => text()))
  return { contentType: registry.contentType, body: parts.join('') }
}

/** Gauges of this server, which are read when they are asked for. */
async function serverText({ caches }: MetricSources): Promise<string> {
  const { Gauge, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  const objects = new Gauge({
    name: 'apiserver_resource_objects',
    help: 'Objects of each resource whose cache is in use.',
    labelNames: ['group', 'resource'],
    registers: [registry],
  })
  for (const [prefix, cache] of caches.all()) {
    objects.set(
      { group: '', resource: prefix.slice('/registry/'.length, prefix.lastIndexOf('/')) },
      cache.index.size,
    )
  }
  const size = await caches.storage.size()
  if (size !== undefined) {
    new Gauge({
      name: 'apiserver_storage_size_bytes',
      help: 'Size of the store.',
      registers: [registry],
    }).set(size)
  }
  return registry.metrics()
}

/** Counters and histograms of requests, in Prometheus' text format. */
function requestText(requests: RequestMetrics): string {
  const totals = [
    '# HELP apiserver_request_total Requests by verb, resource and code.',
    '# TYPE apiserver_request_total counter',
  ]
  const name = 'apiserver_request_duration_seconds'
  const durations = [`# HELP ${name} Latency by verb and resource.`, `# TYPE ${name} histogram`]
  for (const { labels, codes, buckets, count, sum: seconds } of requests.all()) {
    const text = labelText(labels)
    for (const [code, n] of codes) totals.push(`apiserver_request_total{${text},code="${code}"} ${n}`)
    let sum = 0
    BUCKETS.forEach((bound, i) => {
      sum += buckets[i] ?? 0
      durations.push(`${name}_bucket{${text},le="${bound}"} ${sum}`)
    })
    durations.push(
      `${name}_bucket{${text},le="+Inf"} ${count}`,
      `${name}_sum{${text}} ${seconds}`,
      `${name}_count{${text}} ${count}`,
    )
  }
  return `${[...totals, ...durations].join('\n')}\n`
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([k, v]) => `${k}="${v.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',')
