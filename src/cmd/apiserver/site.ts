// What the chain needs that is loaded late: express and everything it serves come in at the first request for them.
import { CONFIGURATION_PATH, issuerDocuments, KEYS_PATH } from '../../authn/issuer.ts'
import { Fairness } from '../../fairness/fairness.ts'
import type { MaxInFlight } from '../../fairness/inflight.ts'
import type { ServedResources } from '../../registry/served.ts'
import type { Exchange } from '../../server/exchange.ts'
import { HealthSlis } from '../../machinery/healthslis.ts'
import { type DocumentTold, type HealthCheck, healthHandler } from '../../server/health.ts'
import { handshakes } from '../../server/listen.ts'
import { exposition } from '../../server/metrics.ts'
import type { NonResource } from '../../server/nonresource.ts'
import type { RequestMetrics } from '../../server/requestmetrics.ts'
import { respondError } from '../../server/respond.ts'
import type { OpenApiOptions } from '../../server/openapi/openapi.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'
import type { Caches } from '../../storage/cache/caches.ts'
import type { Aggregation } from '../extension/aggregation.ts'
import type { Identity } from './identity.ts'
import type { Log } from '../log.ts'
import type { ApiServerOptions } from '../options.ts'

export interface SiteParts {
  readonly caches: Caches
  readonly served: ServedResources
  /** What APIServices add to discovery. */
  readonly aggregation: Pick<Aggregation, 'registrations' | 'remote' | 'schemas'>
  readonly gate: Fairness | MaxInFlight
  readonly requests: RequestMetrics
  readonly options: ApiServerOptions
  readonly identity: Identity
  readonly log: Log
  /** Of what the store depends on besides. */
  readonly checks: readonly HealthCheck[]
  readonly state: { ready: boolean; readonly metrics: readonly (() => string)[] }
  port(): number
}

export interface Site {
  serve(exchange: Exchange): void
}

export function lazyNonResource(parts: SiteParts): Site {
  let handler: ((exchange: Exchange) => void) | undefined
  let loading: Promise<(exchange: Exchange) => void> | undefined
  const checks = healthChecks(parts)
  const told: DocumentTold = (path, code, tookMs) => parts.requests.document(path, code, tookMs)
  const slis = new HealthSlis()
  const failed = (exchange: Exchange, error: unknown): void => respondError(exchange, error, parts.log)
  const health = healthHandler(checks, failed, told, slis)
  return {
    serve(exchange) {
      if (health(exchange)) return
      if (handler) return handler(exchange)
      loading ??= load(parts, checks, slis)
      loading.then(
        (made) => {
          handler = made
          made(exchange)
        },
        (error: unknown) => {
          loading = undefined
          parts.log.error({ err: error }, 'what serves discovery and the like could not be loaded')
          exchange.answer(500, {})
        },
      )
    },
  }
}

async function load(
  parts: SiteParts,
  checks: readonly HealthCheck[],
  slis: HealthSlis,
): Promise<(exchange: Exchange) => void> {
  const { nonResourceHandler } = await import('../../server/nonresource.ts')
  const { buildInfo } = await import('../build.ts')
  const { options, caches, served, aggregation, gate, requests } = parts
  const host = parts.identity.advertiseAddress ?? options.bindAddress
  const address = `${host}:${parts.port()}`
  return nonResourceHandler({
    discovery: {
      get resources() {
        return served.all()
      },
      get registrations() {
        return aggregation.registrations()
      },
      get remote() {
        return aggregation.remote()
      },
      serverAddress: address,
    },
    checks,
    told: (path, code, tookMs) => requests.document(path, code, tookMs),
    build: buildInfo(),
    openapi: await openApi(parts),
    metrics: () =>
      exposition({
        ...{ requests, caches, build: buildInfo(), others: parts.state.metrics },
        resources: () => served.all(),
        handshakes: () => handshakes.failed,
        flow: async () => (await flowText(gate)) + (await import('./reloads.ts')).reloadsText(),
      }),
    slis: () => slis.text(),
    flows: (name, details) => flowTable(gate, name, details),
    documents: documentsOf(parts, address),
    log: parts.log,
  })
}

async function flowText(gate: Fairness | MaxInFlight): Promise<string> {
  const { fairnessText, kindsText } = await import('../../fairness/exposition.ts')
  return gate instanceof Fairness ? fairnessText(gate) : kindsText(gate.kinds, gate.now)
}

async function flowTable(
  gate: Fairness | MaxInFlight,
  name: string,
  details: boolean,
): Promise<string | undefined> {
  if (!(gate instanceof Fairness)) return undefined
  const { dump } = await import('../../fairness/dump.ts')
  return dump(gate, name, details)
}

async function openApi({ log, served, aggregation }: SiteParts): Promise<NonResource['openapi']> {
  const { createOpenApi } = await import('../../server/openapi/openapi.ts')
  const { openApiHandler } = await import('../../server/openapi/respond.ts')
  const version = KUBERNETES_VERSION.replace(/^v(\d+\.\d+).*/, '$1')
  const schema: OpenApiOptions['schema'] = (definition, dialect) => served.schemaOf(definition, dialect)
  return openApiHandler(
    createOpenApi({ version, schema, foreign: () => aggregation.schemas() }),
    () => served.all(),
    (error) => log.error({ err: error }, 'an OpenAPI document could not be made'),
  )
}

function documentsOf({ options, identity }: SiteParts, address: string): NonResource['documents'] {
  const [issuer = ''] = options.serviceAccountIssuers
  const where = { address, keysUrl: options.serviceAccountJwksUri }
  const documents = issuerDocuments(issuer, identity.serviceAccountKeys, where)
  if (!documents) return new Map()
  return new Map([
    [CONFIGURATION_PATH, { contentType: 'application/json', body: documents.configuration }],
    [KEYS_PATH, { contentType: 'application/jwk-set+json', body: documents.keys }],
  ])
}

const EVERYWHERE = ['healthz', 'livez', 'readyz'] as const

/** What the server does at its start and from then on, by upstream's names; see bootstrap.ts and upkeep.ts. */
const HOOKS: readonly string[] = [
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'start-system-namespaces-controller',
  'bootstrap-controller',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-config-producer',
  'priority-and-fairness-filter',
  'start-kubernetes-service-cidr-controller',
  'start-service-ip-repair-controllers',
  'start-cluster-authentication-info-controller',
  'start-legacy-token-tracking-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector',
  'kube-apiserver-autoregistration',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
]

function healthChecks({ caches, state, checks }: SiteParts): HealthCheck[] {
  const started = () => (state.ready ? undefined : 'not finished')
  const store = async (): Promise<undefined> => {
    await caches.storage.currentRevision()
    return undefined
  }
  const late = 'error getting data from etcd: context deadline exceeded'
  return [
    { name: 'ping', on: EVERYWHERE, check: () => undefined },
    { name: 'log', on: EVERYWHERE, check: () => undefined },
    { name: 'etcd', on: EVERYWHERE, check: store, late },
    { name: 'etcd-readiness', on: ['readyz'], check: store, late },
    { name: 'informer-sync', on: ['readyz'], check: started },
    ...HOOKS.map((name) => ({ name: `poststarthook/${name}`, on: EVERYWHERE, check: started })),
    ...checks,
  ]
}
