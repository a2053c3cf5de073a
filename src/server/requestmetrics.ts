// What is counted of requests on their way through the chain, as plain numbers: text is made of them when somebody asks
// (requestmetrics-text.ts). Follows k8s.io/apiserver/pkg/endpoints/metrics, pkg/endpoints/filters/metrics.go and
// pkg/endpoints/filterlatency.
import type { RequestInfo } from '../machinery/attributes.ts'
import { exponentialBounds, Histogram, type Labels } from '../machinery/exposition.ts'
import type { UserInfo } from '../machinery/user.ts'
import { documentLabels, dryRunOf, placeOf, routeScope, sortOf, verbOf } from './places.ts'

/** Upper bounds of apiserver_request_duration_seconds, as upstream has them. */
const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
const SLI_SECONDS = SECONDS.slice(2)
const FILTER_SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5, 10, 15, 30]
const DECISION_SECONDS = exponentialBounds(0.001, 2, 15)
const ANSWER_BYTES = exponentialBounds(1000, 10, 7)
const BODY_BYTES = Array.from({ length: 31 }, (_, i) => 50_000 + i * 100_000)
/** Far more than there are places and verbs; a bound all the same. */
const MAX_SERIES = 5000

export interface RequestSeries {
  readonly labels: Labels
  /** "" for requests that were meant; they alone count for the service level. */
  readonly dryRun: string
  readonly seconds: Histogram
  readonly sliSeconds: Histogram
  /** Of answers to reads; made with the first. */
  answerBytes: Histogram | undefined
  /** Requests by the code of their answer. */
  readonly codes: Map<number, number>
}

export type Filter =
  'audit' | 'authentication' | 'authorization' | 'constrainedimpersonation' | 'priorityandfairness'

export class Outcomes {
  readonly seconds = new Map<string, Histogram>()

  note(result: string, ms: number): void {
    let known = this.seconds.get(result)
    if (!known) this.seconds.set(result, (known = new Histogram(DECISION_SECONDS)))
    known.observe(ms / 1000)
  }
}

/** A request whose place is known, when its answer is out. */
export interface Observed {
  readonly info: RequestInfo
  readonly code: number
  /** Since it came, in ms, and how much of it is nobody's fault here: waiting for its turn, and for webhooks. */
  readonly tookMs: number
  readonly waitedMs: number
  /** Of an answer to a read; undefined: not known, or none. */
  readonly answerBytes: number | undefined
  readonly query: URLSearchParams
  readonly contentType: string | undefined
}

export class RequestMetrics {
  readonly series = new Map<string, RequestSeries>()
  readonly filters = new Map<Filter, Histogram>()
  readonly authentication = new Outcomes()
  readonly authorization = new Outcomes()
  /** Requests by the sort of their user: names would be too many. */
  readonly users = new Map<string, number>()
  readonly bodies = new Map<string, { readonly labels: Labels; readonly bytes: Histogram }>()
  readonly terminations = new Counts()
  readonly longRunning = new Counts()
  readonly deprecated = new Counts()

  /** `info` is that of a place which is served, so that labels are few. */
  observe({ info, code, tookMs, waitedMs, answerBytes, query, contentType }: Observed): void {
    const series = this.#seriesOf(info, query, contentType)
    if (!series) return
    const seconds = tookMs / 1000
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    series.seconds.observe(seconds)
    if (series.dryRun === '') series.sliSeconds.observe(seconds - waitedMs / 1000)
    if (answerBytes !== undefined) measure(series, answerBytes)
  }

  /** A document that is no resource has been answered: paths that are none of those that count are left out. */
  document(path: string, code: number, tookMs: number): void {
    const labels = documentLabels(path)
    if (!labels) return
    const series = this.#seriesAt(path, labels, '')
    if (!series) return
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    series.seconds.observe(tookMs / 1000)
    series.sliSeconds.observe(tookMs / 1000)
  }

  /** The answer to a read that has been observed already is out. */
  answered(info: RequestInfo, query: URLSearchParams, bytes: number): void {
    const series = this.#seriesOf(info, query, undefined)
    if (series) measure(series, bytes)
  }

  /** A request that was sent away before anybody looked at it closely. */
  dropped(info: RequestInfo, query: URLSearchParams, contentType: string | undefined): void {
    const codes = this.#seriesOf(info, query, contentType)?.codes
    codes?.set(TOO_MANY, (codes.get(TOO_MANY) ?? 0) + 1)
  }

  #seriesOf(
    info: RequestInfo,
    query: URLSearchParams,
    contentType: string | undefined,
  ): RequestSeries | undefined {
    const { group, version, resource, subresource } = info
    const verb = verbOf(info, contentType)
    const scope = routeScope(info)
    const dryRun = query.size > 0 ? dryRunOf(query) : ''
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope} ${dryRun}`
    const known = this.series.get(key)
    if (known) return known
    const labels = { verb, group, version, resource, subresource, scope, component: 'apiserver' }
    return this.#seriesAt(key, labels, dryRun)
  }

  #seriesAt(key: string, labels: Labels, dryRun: string): RequestSeries | undefined {
    let series = this.series.get(key)
    if (!series) {
      if (this.series.size >= MAX_SERIES) return undefined
      series = {
        labels,
        dryRun,
        seconds: new Histogram(SECONDS),
        sliSeconds: new Histogram(SLI_SECONDS),
        answerBytes: undefined,
        codes: new Map(),
      }
      this.series.set(key, series)
    }
    return series
  }

  /** How long a stage of the chain took. */
  filtered(filter: Filter, ms: number): void {
    let known = this.filters.get(filter)
    if (!known) this.filters.set(filter, (known = new Histogram(FILTER_SECONDS)))
    known.observe(ms / 1000)
  }

  authenticated(user: UserInfo, ms: number): void {
    this.authentication.note('success', ms)
    const sort = sortOf(user.name)
    this.users.set(sort, (this.users.get(sort) ?? 0) + 1)
  }

  /** A body that a write sent. */
  received({ group, resource, verb }: RequestInfo, bytes: number): void {
    const key = `${group} ${resource} ${verb}`
    let known = this.bodies.get(key)
    if (!known) {
      if (this.bodies.size >= MAX_SERIES) return
      const shown = verb === 'deletecollection' ? 'delete_collection' : verb
      known = { labels: { group, resource, verb: shown }, bytes: new Histogram(BODY_BYTES) }
      this.bodies.set(key, known)
    }
    known.bytes.observe(bytes)
  }

  /** A request was ended so that the server survives: 429, 503, 504. */
  terminated(info: RequestInfo, code: number): void {
    this.terminations.add({ ...placeOf(info), code: String(code) }, 1)
  }

  /** A watch begins; call what comes back when it ends. */
  runs(info: RequestInfo): () => void {
    const labels = placeOf(info)
    this.longRunning.add(labels, 1)
    return () => this.longRunning.add(labels, -1)
  }

  /** Somebody asked for what clients should leave behind. */
  usesDeprecated({ group, version, resource, subresource }: RequestInfo): void {
    this.deprecated.set({ group, version, resource, subresource, removed_release: '' }, 1)
  }
}

const TOO_MANY = 429

const measure = (series: RequestSeries, bytes: number): void =>
  (series.answerBytes ??= new Histogram(ANSWER_BYTES)).observe(bytes)

/** Numbers by their labels. */
export class Counts {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>()

  add(labels: Labels, change: number): void {
    const known = this.#of(labels)
    if (known) known.value += change
  }

  set(labels: Labels, value: number): void {
    const known = this.#of(labels)
    if (known) known.value = value
  }

  #of(labels: Labels): { value: number } | undefined {
    const key = Object.values(labels).join(' ')
    let known = this.#counts.get(key)
    if (!known && this.#counts.size < MAX_SERIES) this.#counts.set(key, (known = { labels, value: 0 }))
    return known
  }

  *samples(): Generator<readonly [Labels, number]> {
    for (const { labels, value } of this.#counts.values()) yield [labels, value]
  }
}
