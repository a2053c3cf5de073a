// All APIServices that name a Service: who answers for which path, and what all of them add to discovery.
// Follows k8s.io/kube-aggregator/pkg/apiserver/apiserver.go (AddAPIService, RemoveAPIService).
import { apiServiceOf, availableOf } from '../machinery/apiregistration.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { RemoteVersion } from '../server/discovery-order.ts'
import type { Extensions } from '../server/extensions.ts'
import { LOCAL } from './availability.ts'
import { Extension, type Surroundings } from './extension.ts'
import { Schemas } from './schemas.ts'

/** The APIService of the core group: everything below /api. */
const CORE = 'v1.'

export class Aggregator implements Extensions {
  readonly #around: Surroundings
  /** By the name of the APIService. */
  readonly #extensions = new Map<string, Extension>()
  #versions: readonly RemoteVersion[] | undefined
  /** How often each became unavailable, by name and reason. */
  readonly #losses = new Map<string, { readonly name: string; readonly reason: string; count: number }>()
  readonly schemas = new Schemas(() => this.available())

  constructor(around: Omit<Surroundings, 'rediscovered'>) {
    this.#around = {
      ...around,
      rediscovered: () => {
        this.#versions = undefined
      },
    }
  }

  /** An APIService is there, or has changed. */
  put(object: KubeObject): void {
    const api = apiServiceOf(object)
    const { name, service } = api
    if (!service) {
      this.remove(name)
      if (availableOf(object)?.['reason'] !== LOCAL.reason) this.#tellLocal(name)
      return
    }
    const known = this.#extensions.get(name)
    if (known?.api.isAvailable && !api.isAvailable) this.#lost(object)
    if (known) known.update(api, service, availableOf(object))
    else this.#extensions.set(name, new Extension(api, service, this.#around))
    this.#versions = undefined
  }

  remove(name: string): void {
    this.#extensions.get(name)?.stop()
    this.#extensions.delete(name)
    this.#versions = undefined
  }

  /** A Service has changed, or the endpoints behind it. */
  serviceChanged(namespace: string, name: string): void {
    for (const extension of this.#extensions.values()) {
      if (extension.isBehind(namespace, name)) extension.look()
    }
  }

  of(path: string): Extension | undefined {
    if (this.#extensions.size === 0) return undefined
    const [, root, group, version, apiVersion, more] = path.split('/', 6)
    if (root === 'apis') return this.#extensions.get(`${version}.${group}`)
    if (root === 'api') return this.#extensions.get(CORE)
    // /openapi/v3/apis/GROUP/VERSION: the schema of what it serves is told by itself.
    const isSchema = root === 'openapi' && group === 'v3' && version === 'apis' && more !== undefined
    return isSchema ? this.#extensions.get(`${more}.${apiVersion}`) : undefined
  }

  /** What is told of them in discovery; a new array whenever it changes. */
  versions(): readonly RemoteVersion[] {
    this.#versions ??= [...this.#extensions.values()].map((extension) => extension.version())
    return this.#versions
  }

  /** Those that can be asked now. */
  available(): readonly Extension[] {
    return [...this.#extensions.values()].filter(({ api }) => api.isAvailable)
  }

  losses(): Iterable<{ readonly name: string; readonly reason: string; readonly count: number }> {
    return this.#losses.values()
  }

  stop(): void {
    for (const extension of this.#extensions.values()) extension.stop()
    this.#extensions.clear()
  }

  #lost(object: KubeObject): void {
    const { name = '' } = object.metadata
    const reason = String(availableOf(object)?.['reason'] ?? 'UnknownReason')
    const known = this.#losses.get(`${name} ${reason}`)
    if (known) known.count++
    else this.#losses.set(`${name} ${reason}`, { name, reason, count: 1 })
  }

  #tellLocal(name: string): void {
    this.#around.tell(name, LOCAL).catch((error: unknown) => {
      this.#around.log.warn({ error: String(error), name }, 'the condition of an APIService was not written')
    })
  }
}
