// /metrics under upstream's names, by prom-client, loaded when somebody first asks. Until then counters are plain numbers.
// Follows k8s.io/component-base/metrics.
import type { Registry } from 'prom-client'
import { lifetimes } from '../authn/x509.ts'
import { type Family, familyText, histogramText, type Labels } from '../machinery/exposition.ts'
import { qualifiedResource } from '../machinery/gvk.ts'
import type { Resource } from '../schema/resource.ts'
import type { Caches } from '../storage/cache/caches.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'
import type { CacheOf } from './cachemetrics-text.ts'
import type { RequestMetrics } from './requestmetrics.ts'
import { type BuildInfo, versionInfo } from './version.ts'

export interface MetricSources {
  readonly requests: RequestMetrics
  readonly caches: Caches
  /** All that are served. */
  resources(): Iterable<Resource>
  readonly build: BuildInfo
  /** Connections that ended before they could speak TLS. */
  handshakes(): number
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
  const { requestText } = await import('./requestmetrics-text.ts')
  const own = [await serverText(sources), await sources.flow(), requestText(sources.requests)]
  const parts = [await registry.metrics(), ...own]
  parts.push(
    histogramText(
      'apiserver_client_certificate_expiration_seconds',
      'How long the certificates of clients are good for, in each request.',
      [[{}, lifetimes]],
    ),
  )
  parts.push(...sources.others.map((text) => text()))
  return { contentType: registry.contentType, body: parts.join('') }
}

/** Gauges of this server, which are read when they are asked for. */
async function serverText({ caches, resources, build, handshakes }: MetricSources): Promise<string> {
  const inUse = cachesOf(resources(), caches)
  const rows = inUse.map(({ resource: { group, name }, cache }): Row => [
    { group, resource: name },
    cache.index.size,
  ])
  const size = await caches.storage.size()
  const told: [Family, Iterable<Row>][] = [
    [gauge('apiserver_resource_objects', 'Objects of each resource whose cache is in use.'), rows],
    [
      gauge('apiserver_storage_objects', 'The same, by the qualified name of the resource.'),
      rows.map(([{ group = '', resource = '' }, count]) => [
        { resource: qualifiedResource({ group, resource }) },
        count,
      ]),
    ],
    [
      gauge('apiserver_storage_size_bytes', 'Size of the store.'),
      size === undefined ? [] : [[{ storage_cluster_id: 'etcd-0' }, size]],
    ],
    [
      { type: 'counter', name: 'apiserver_tls_handshake_errors_total', help: 'Connections without TLS.' },
      [[{}, handshakes()]],
    ],
    [gauge('version_info', 'What this server speaks as.'), [[versionLabels(build), 1]]],
    [gauge('kubernetes_build_info', 'What this server is.'), [[buildLabels(build), 1]]],
  ]
  const { cacheText } = await import('./cachemetrics-text.ts')
  return told.map(([family, samples]) => familyText(family, samples)).join('') + cacheText(inUse)
}

/** Of resources with several versions the cache is one. */
function cachesOf(resources: Iterable<Resource>, caches: Caches): CacheOf[] {
  const found = new Map<WatchCache, CacheOf>()
  for (const resource of resources) {
    const cache = caches.find(`/registry/${resource.storagePrefix}/`)
    if (cache && !found.has(cache)) found.set(cache, { resource, cache })
  }
  return [...found.values()]
}

type Row = readonly [Labels, number]

const gauge = (name: string, help: string): Family => ({ type: 'gauge', name, help })

/** What /version says, in the words of metrics. */
function buildLabels(build: BuildInfo): Labels {
  const facts = versionInfo(build)
  return Object.fromEntries(BUILD_FACTS.map(([label, fact]) => [label, facts[fact] ?? '']))
}

/** Which release this is, and which it can pass for. */
function versionLabels(build: BuildInfo): Labels {
  const facts = versionInfo(build)
  const join = (...parts: readonly string[]): string => parts.map((part) => facts[part] ?? '').join('.')
  return {
    binary: join('gitVersion').replace(/^v/, ''),
    component: 'kube',
    emulation: join('emulationMajor', 'emulationMinor'),
    min_compat: join('minCompatibilityMajor', 'minCompatibilityMinor'),
  }
}

const BUILD_FACTS = [
  ['build_date', 'buildDate'],
  ['compiler', 'compiler'],
  ['git_commit', 'gitCommit'],
  ['git_tree_state', 'gitTreeState'],
  ['git_version', 'gitVersion'],
  ['go_version', 'goVersion'],
  ['major', 'major'],
  ['minor', 'minor'],
  ['platform', 'platform'],
] as const
