// APIServices at work: those that name a Service are answered by it, all of them say what discovery lists, and each has
// its condition. What asks other servers is loaded with the first APIService that names one.
// Follows k8s.io/kube-aggregator/pkg/apiserver.
import type { Aggregator } from '../../aggregator/aggregator.ts'
import { type ApiService, apiServiceOf, availableOf } from '../../machinery/apiregistration.ts'
import type { RemoteVersion } from '../../server/discovery-order.ts'
import type { ExtensionServer, Extensions } from '../../server/extensions.ts'
import type { ForeignSchemas } from '../../server/openapi/openapi.ts'
import type { Entry } from '../../storage/cache/entry.ts'
import type { CacheEvent } from '../../storage/cache/history.ts'
import { type AggregationParts, builtinScope } from './aggregation-parts.ts'
import type { AggregationWork } from './aggregation-work.ts'

export class Aggregation implements Extensions {
  readonly #parts: AggregationParts
  #entries: (() => readonly Entry[]) | undefined
  #registrations: readonly ApiService[] | undefined
  #work: Promise<AggregationWork> | undefined
  #aggregator: Aggregator | undefined
  #unsubscribe: (() => void) | undefined
  #isStopped = false

  constructor(parts: AggregationParts) {
    this.#parts = parts
  }

  /** Resolves when everything is answered by whom it was registered for. */
  async begin(): Promise<void> {
    const { cache } = builtinScope(this.#parts.scopes, 'apiregistration.k8s.io', 'apiservices')
    await cache.ready()
    this.#entries = () => cache.index.entries(undefined)
    this.#unsubscribe = cache.subscribe((events) => this.#changed(events))
    const known = this.#entries().filter(needsWork)
    if (known.length === 0) return
    const { aggregator } = await this.#load()
    for (const entry of known) aggregator.put(entry.object())
  }

  of(path: string): ExtensionServer | undefined {
    return this.#aggregator?.of(path)
  }

  /** What all APIServices say; a new array whenever any changes. Absent before there are any. */
  registrations(): readonly ApiService[] | undefined {
    this.#registrations ??= this.#entries?.().map((entry) => apiServiceOf(entry.object()))
    return this.#registrations
  }

  /** What other servers serve; a new array whenever that changes. */
  remote(): readonly RemoteVersion[] | undefined {
    return this.#aggregator?.versions()
  }

  /** What /metrics tells of it, in Prometheus' text format. */
  metrics(): string {
    const gauge = 'aggregator_unavailable_apiservice'
    const lines = [
      `# HELP ${gauge} APIServices that cannot be asked, by name.`,
      `# TYPE ${gauge} gauge`,
      ...(this.registrations() ?? []).map(
        ({ name, isAvailable }) => `${gauge}{name="${name}"} ${isAvailable ? 0 : 1}`,
      ),
    ]
    const losses = [...(this.#aggregator?.losses() ?? [])]
    if (losses.length > 0) {
      lines.push(`# HELP ${gauge}_total How often APIServices became unavailable, by name and reason.`)
      lines.push(`# TYPE ${gauge}_total counter`)
    }
    for (const { name, reason, count } of losses) {
      lines.push(`${gauge}_total{name="${name}",reason=${JSON.stringify(reason)}} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }

  /** What other servers say of the schemas of theirs; undefined while there are none. */
  schemas(): ForeignSchemas | undefined {
    return this.#aggregator?.schemas
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe?.()
    await this.#work?.then(
      (work) => work.stop(),
      () => undefined,
    )
  }

  #changed(events: readonly CacheEvent[]): void {
    if (events.length === 0) return
    this.#registrations = undefined
    if (this.#aggregator) return this.#tell(this.#aggregator, events)
    if (!events.some(({ type, entry }) => type !== 'DELETED' && needsWork(entry)) && !this.#work) return
    this.#load().then(
      ({ aggregator }) => this.#tell(aggregator, events),
      (error: unknown) =>
        this.#parts.log.error({ error: String(error) }, 'what asks extension servers could not be loaded'),
    )
  }

  #tell(aggregator: Aggregator, events: readonly CacheEvent[]): void {
    if (this.#isStopped) return
    for (const { type, entry } of events) {
      if (type === 'DELETED') aggregator.remove(entry.name)
      else aggregator.put(entry.object())
    }
  }

  #load(): Promise<AggregationWork> {
    this.#work ??= import('./aggregation-work.ts').then(({ AggregationWork }) => {
      const work = new AggregationWork(this.#parts)
      this.#aggregator = work.aggregator
      return work
    })
    return this.#work
  }
}

/** Another server answers for it, or did until now. */
function needsWork(entry: Entry): boolean {
  const object = entry.object()
  return apiServiceOf(object).service !== undefined || availableOf(object)?.['reason'] !== 'Local'
}
