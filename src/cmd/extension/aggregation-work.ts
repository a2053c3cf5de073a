// What the aggregator is given of this server: how services are reached, who we are to them, where conditions are written.
// The late half of aggregation.ts.
import { Aggregator } from '../../aggregator/aggregator.ts'
import type { Verdict } from '../../aggregator/availability.ts'
import type { ProxyHeaders } from '../../aggregator/headers.ts'
import { availableOf, type ServiceReference } from '../../machinery/apiregistration.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { timeText } from '../../registry/generic.ts'
import type { CacheEvent } from '../../storage/cache/history.ts'
import { type AggregationParts, builtinScope } from './aggregation-parts.ts'
import { connectionFault } from '../webhooks/gofaults.ts'
import { updateInternal } from '../apiserver/internal.ts'
import { serviceResolver } from './serviceresolver.ts'

const SERVICES: GroupResource = { group: '', resource: 'services' }
const SLICES: GroupResource = { group: 'discovery.k8s.io', resource: 'endpointslices' }
const SERVICE_NAME = 'kubernetes.io/service-name'

export class AggregationWork {
  readonly aggregator: Aggregator
  readonly #parts: AggregationParts
  readonly #unsubscribe: (() => void)[]

  constructor(parts: AggregationParts) {
    const { options, identity, lister, log, scopes } = parts
    this.#parts = parts
    const resolve = serviceResolver(lister)
    this.aggregator = new Aggregator({
      reach: {
        resolve: ({ namespace, name, port }) => resolve(namespace, name, port),
        credentials: () => identity.proxyClient(),
        fault: (error, peer) => connectionFault(error, peer),
      },
      proxies: proxyHeaders(options.requestHeader),
      ready: () => lister.ready(SERVICES, SLICES),
      service: ({ namespace, name }) => lister.get(SERVICES, namespace, name),
      slices: ({ namespace, name }) => slicesOf(lister.list(SLICES, namespace), name),
      tell: (name, verdict) => this.#tell(name, verdict),
      log,
    })
    const services = builtinScope(scopes, '', 'services').cache
    const slices = builtinScope(scopes, SLICES.group, SLICES.resource).cache
    this.#unsubscribe = [
      services.subscribe((events) => this.#changed(events, (object) => object.metadata.name)),
      slices.subscribe((events) => this.#changed(events, serviceOf)),
    ]
  }

  async stop(): Promise<void> {
    for (const end of this.#unsubscribe) end()
    this.aggregator.stop()
    await Promise.resolve()
  }

  #changed(events: readonly CacheEvent[], service: (object: KubeObject) => string | undefined): void {
    for (const { entry } of events) {
      const name = service(entry.object())
      if (name !== undefined) this.aggregator.serviceChanged(entry.namespace, name)
    }
  }

  async #tell(name: string, verdict: Verdict): Promise<void> {
    const scope = builtinScope(this.#parts.scopes, 'apiregistration.k8s.io', 'apiservices')
    await scope.cache.ready()
    const known = scope.cache.index.get('', name)?.object()
    if (!known || !withVerdict(known, verdict, new Date())) return
    await updateInternal(scope, { name, subresource: 'status' }, (stored) => {
      // Another server may have taken its place.
      const isSame = JSON.stringify(stored['spec']) === JSON.stringify(known['spec'])
      return isSame ? withVerdict(stored, verdict, new Date()) : undefined
    })
  }
}

/** With the condition Available as it is now, since now where its status is another; undefined: it says just that. */
export function withVerdict(object: KubeObject, verdict: Verdict, now: Date): KubeObject | undefined {
  const before = availableOf(object)
  const isSame = Object.entries(verdict).every(([key, value]) => before?.[key] === value)
  if (isSame) return undefined
  const copy = structuredClone(object) as KubeObject
  const since = before?.['status'] === verdict.status ? before['lastTransitionTime'] : undefined
  const condition = { ...verdict, lastTransitionTime: since ?? timeText(now), type: 'Available' }
  const status = isObject(copy['status']) ? copy['status'] : {}
  const others = Array.isArray(status['conditions']) ? status['conditions'] : []
  const at = others.findIndex((one) => isObject(one) && one['type'] === 'Available')
  copy['status'] = { ...status, conditions: at < 0 ? [...others, condition] : others.with(at, condition) }
  return copy
}

const serviceOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.[SERVICE_NAME]

const slicesOf = (slices: readonly KubeObject[], name: ServiceReference['name']): KubeObject[] =>
  slices.filter((slice) => serviceOf(slice) === name)

function proxyHeaders(proxies: AggregationParts['options']['requestHeader']): ProxyHeaders {
  if (!proxies) return { names: new Set(), prefixes: [] }
  const lower = (names: readonly string[]): string[] => names.map((name) => name.trim().toLowerCase())
  const { usernameHeaders, uidHeaders, groupHeaders, extraHeaderPrefixes } = proxies
  const names = new Set(lower([...usernameHeaders, ...uidHeaders, ...groupHeaders]))
  return { names, prefixes: lower(extraHeaderPrefixes) }
}
