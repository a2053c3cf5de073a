// An etcd whose requests are counted, by what they do and to which resource. Follows k8s.io/apiserver/pkg/storage/etcd3/metrics.
import {
  familyText,
  Histogram,
  histogramText,
  type Labels,
  type Samples,
} from '../../machinery/exposition.ts'
import type { Storage, Write } from '../interface.ts'

const SECONDS = [
  ...[0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5],
  ...[2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
]
/** Far more than there are resources and operations. */
const MAX_SERIES = 5000

type Operation = 'get' | 'list' | 'create' | 'update' | 'delete'

interface Series {
  readonly operation: Operation
  readonly place: string
  readonly seconds: Histogram
  errors: number
}

export class EtcdMeters {
  readonly #series = new Map<string, Series>()

  async measure<T>(operation: Operation, key: string, asked: () => Promise<T>): Promise<T> {
    const series = this.#of(operation, placeOf(key))
    const startedAt = performance.now()
    try {
      return await asked()
    } catch (error) {
      series.errors++
      throw error
    } finally {
      series.seconds.observe((performance.now() - startedAt) / 1000)
    }
  }

  #of(operation: Operation, place: string): Series {
    const key = `${operation} ${place}`
    let series = this.#series.get(key)
    if (!series) {
      series = { operation, place, seconds: new Histogram(SECONDS), errors: 0 }
      if (this.#series.size < MAX_SERIES) this.#series.set(key, series)
    }
    return series
  }

  /** In Prometheus' format; `resourceOf` knows what lies at a place. */
  text(resourceOf: ResourceOf): string {
    const all = [...this.#series.values()].map(({ operation, place, ...series }) => {
      const labels: Labels = { operation, ...(resourceOf(place) ?? foreign(place)) }
      return { labels, ...series }
    })
    const totals = all.map(({ labels, seconds: { counts } }) => {
      return [labels, counts.reduce((sum, count) => sum + count, 0)] as const
    })
    const errors = all.flatMap(({ labels, errors }) => (errors > 0 ? [[labels, errors] as const] : []))
    const counter = (name: string, help: string, samples: Samples): string =>
      familyText({ type: 'counter', name, help }, samples)
    return [
      histogramText(
        'etcd_request_duration_seconds',
        'What requests to etcd take.',
        all.map(({ labels, seconds }) => [labels, seconds]),
      ),
      counter('etcd_requests_total', 'Requests to etcd.', totals),
      counter('etcd_request_errors_total', 'Those that failed.', errors),
    ].join('')
  }
}

/** The resource whose objects lie there: "pods", "services/specs", "example.com/things"; undefined: nobody's. */
export type ResourceOf = (place: string) => { readonly group: string; readonly resource: string } | undefined

/** Of custom resources the key names the group; what else is there is told as it lies. */
function foreign(place: string): { group: string; resource: string } {
  const slash = place.indexOf('/')
  return { group: slash < 0 ? '' : place.slice(0, slash), resource: place.slice(slash + 1) }
}

/** What of a key names the resource: "/registry/pods/…", "/registry/example.com/things/…", "/registry/services/specs/…". */
function placeOf(key: string): string {
  const [, , first = '', second = ''] = key.split('/', 4)
  return first.includes('.') || first === 'services' ? `${first}/${second}` : first
}

/** The same store, whose reads and writes are counted. */
export function metered(store: Storage, meters: EtcdMeters): Storage {
  const isStale = store.isStale?.bind(store)
  return {
    get: (key) => meters.measure('get', key, () => store.get(key)),
    list: (request) => meters.measure('list', request.prefix, () => store.list(request)),
    write: (write) => meters.measure(operationOf(write), write.key, () => store.write(write)),
    ...(isStale === undefined ? {} : { isStale }),
    watch: (prefix, from, sink) => store.watch(prefix, from, sink),
    currentRevision: () => store.currentRevision(),
    compact: (revision) => store.compact(revision),
    size: () => store.size(),
    close: () => store.close(),
  }
}

const operationOf = ({ value, expected }: Write): Operation =>
  value === null ? 'delete' : expected === 0 ? 'create' : 'update'
