// One version of a group that another server serves: requests for it, whether it can be asked, what it says it serves.
// Follows k8s.io/kube-aggregator/pkg/apiserver (proxyHandler, discoveryManager) and pkg/controllers/status/remote.
import type { ApiService, ServiceReference } from '../machinery/apiregistration.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { RemoteVersion } from '../server/discovery-order.ts'
import type { ExtensionServer, Proxied } from '../server/extensions.ts'
import { discoveryCheck, obstacle, type Verdict } from './availability.ts'
import { serverDiscovery, type ServerDiscovery } from './discovery.ts'
import type { ProxyHeaders } from './headers.ts'
import { backoff, Loop } from './loop.ts'
import { passOn } from './proxy.ts'
import { say } from './say.ts'
import { type Reach, ServiceTransport } from './transport.ts'

/** What it works with. */
export interface Surroundings {
  readonly reach: Reach
  readonly proxies: ProxyHeaders
  /** Resolves when services and their endpoints can be read. */
  ready(): Promise<void>
  service(reference: ServiceReference): KubeObject | undefined
  slices(reference: ServiceReference): readonly KubeObject[]
  /** Makes it the condition Available of the APIService of this name, if there is (still) one that it holds for. */
  tell(name: string, verdict: Verdict): Promise<void>
  /** What this server says it serves has changed. */
  rediscovered(): void
  readonly log: { warn(details: object, message: string): void }
}

/** Upstream's intervals: after a failure, and at most; and when all is well. */
const CHECK_AGAIN = { firstMs: 5, lastMs: 30_000 }
const CHECK_MS = 30_000
const DISCOVER_AGAIN = { firstMs: 500, lastMs: 60_000 }
const DISCOVER_MS = 60_000

export class Extension implements ExtensionServer {
  #api: ApiService
  #service: ServiceReference
  #transport: ServiceTransport
  readonly #around: Surroundings
  readonly #availability: Loop
  readonly #discovery: Loop
  #told: Verdict | undefined
  #checks = 0
  #discoveries = 0
  #known: ServerDiscovery | undefined
  #document: JsonObject
  #isStopped = false

  constructor(api: ApiService, service: ServiceReference, around: Surroundings) {
    this.#api = api
    this.#service = service
    this.#around = around
    this.#transport = new ServiceTransport(service, api, around.reach)
    this.#document = { version: api.version, freshness: 'Stale' }
    this.#availability = new Loop(() => this.#check())
    this.#discovery = new Loop(() => this.#discover())
    this.#availability.now()
    this.#discovery.now()
  }

  get api(): ApiService {
    return this.#api
  }

  get transport(): ServiceTransport {
    return this.#transport
  }

  /** As discovery tells of it. */
  version(): RemoteVersion {
    const { group, version, groupPriority, versionPriority } = this.#api
    return { group, version, groupPriority, versionPriority, document: this.#document }
  }

  isBehind(namespace: string, name: string): boolean {
    return this.#service.namespace === namespace && this.#service.name === name
  }

  /** The APIService has changed; its status may be what we wrote. */
  update(api: ApiService, service: ServiceReference, condition: JsonObject | undefined): void {
    const before = this.#api
    this.#api = api
    const isElsewhere = transportOf(before) !== transportOf(api)
    if (isElsewhere) {
      this.#service = service
      this.#transport.close()
      this.#transport = new ServiceTransport(service, api, this.#around.reach)
      this.#known = undefined
    }
    if (isElsewhere || !says(condition, this.#told)) this.#availability.now()
    if (isElsewhere || before.isAvailable !== api.isAvailable) this.#discovery.now()
  }

  /** Its Service has changed, or what is behind it. */
  look(): void {
    this.#availability.now()
  }

  stop(): void {
    this.#isStopped = true
    this.#availability.stop()
    this.#discovery.stop()
    this.#transport.close()
  }

  async serve(request: Proxied): Promise<number> {
    if (!this.#api.isAvailable) return say(request, 503, 'service unavailable')
    return passOn(request, { transport: this.#transport, proxies: this.#around.proxies })
  }

  async #check(): Promise<number> {
    const { ready, service, slices, tell, log } = this.#around
    try {
      await ready()
      const verdict =
        obstacle(this.#service, service(this.#service), slices(this.#service)) ??
        (await discoveryCheck(this.#api, this.#transport))
      if (this.#isStopped) return CHECK_MS
      this.#told = verdict
      await tell(this.#api.name, verdict)
      this.#checks = verdict.reason === 'FailedDiscoveryCheck' ? this.#checks + 1 : 0
    } catch (error) {
      this.#checks++
      log.warn({ error: String(error), name: this.#api.name }, 'an APIService is looked at again')
    }
    return this.#checks > 0 ? backoff(this.#checks, CHECK_AGAIN.firstMs, CHECK_AGAIN.lastMs) : CHECK_MS
  }

  async #discover(): Promise<number> {
    // It is told when that changes.
    if (!this.#api.isAvailable) {
      this.#describe('Stale')
      return DISCOVER_MS
    }
    try {
      this.#known = await serverDiscovery(this.#api, this.#transport, this.#known)
      this.#discoveries = 0
      this.#describe('Current')
      return DISCOVER_MS
    } catch (error) {
      this.#discoveries++
      this.#describe('Stale')
      this.#around.log.warn(
        { error: String(error), name: this.#api.name },
        'could not discover an APIService',
      )
      return backoff(this.#discoveries, DISCOVER_AGAIN.firstMs, DISCOVER_AGAIN.lastMs)
    }
  }

  #describe(freshness: 'Current' | 'Stale'): void {
    const { group, version } = this.#api
    const said = this.#known?.versions.get(`${group}/${version}`) ?? { version }
    const document = { ...said, freshness }
    if (JSON.stringify(document) === JSON.stringify(this.#document)) return
    this.#document = document
    this.#around.rediscovered()
  }
}

const says = (condition: JsonObject | undefined, verdict: Verdict | undefined): boolean =>
  condition !== undefined &&
  verdict !== undefined &&
  Object.entries(verdict).every(([key, value]) => condition[key] === value)

/** What its connections depend on, as text. */
const transportOf = ({ service, caBundle, insecureSkipTlsVerify }: ApiService): string =>
  JSON.stringify([service, caBundle, insecureSkipTlsVerify])
