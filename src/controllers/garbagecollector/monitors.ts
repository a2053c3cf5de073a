// Feeds the graph: a watch for each resource that can be deleted, found by discovery, which is asked again from time to
// time. What the process watches anyway is not watched twice.
// Follows k8s.io/kubernetes/pkg/controller/garbagecollector (syncMonitors, Sync).
import { sleep } from '../../client/clock.ts'
import type { ControllerContext } from '../../client/controller.ts'
import { allows, discover, type ServedResource } from '../../client/discovery.ts'
import { type Copy, reflect } from '../../client/reflector.ts'
import { type ApiObject, apiVersionOfResource, keyOf, type Resource } from '../../client/resource.ts'
import type { Graph } from './graph.ts'
import type { Identity } from './identity.ts'

/** As upstream: new kinds are found within this long. */
const DISCOVERY_MS = 30_000

/** As upstream: the graph is used as it is after this long. */
const SYNC_MS = 30_000

interface Monitor {
  readonly synced: Promise<void>
  stop(): void
}

export class Monitors {
  readonly #context: ControllerContext
  readonly #graph: Graph
  readonly #monitors = new Map<string, Monitor>()
  #becomeReady: () => void = () => undefined
  /** Every resource of the first discovery was listed, or the run is over. */
  readonly ready = new Promise<void>((resolve) => (this.#becomeReady = resolve))
  /** By `kindKey`. */
  kinds: ReadonlyMap<string, ServedResource> = new Map()

  constructor(context: ControllerContext, graph: Graph) {
    this.#context = context
    this.#graph = graph
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context
    signal.addEventListener('abort', this.#becomeReady, { once: true })
    while (!signal.aborted) {
      try {
        await this.#sync(signal)
      } catch (error) {
        if (!signal.aborted) log.warn({ error: String(error) }, 'could not learn what there is to collect')
      }
      await sleep(clock, DISCOVERY_MS, signal)
    }
    for (const monitor of this.#monitors.values()) monitor.stop()
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { resources, kinds, failed } = await discover(this.#context.api)
    this.kinds = new Map([...(failed.length > 0 ? this.kinds : []), ...kinds])
    const wanted = new Map(resources.filter(isWatched).map((one) => [keyOfResource(one), one]))
    // What is missing because its server does not answer is not gone.
    if (failed.length === 0) this.#stopOthers(wanted)
    for (const [key, resource] of wanted)
      if (!this.#monitors.has(key)) this.#monitors.set(key, this.#start(resource, signal))
    const all = Promise.all([...this.#monitors.values()].map(({ synced }) => synced))
    // One that cannot be listed must not keep the others waiting for ever.
    await Promise.race([all, sleep(this.#context.clock, SYNC_MS, signal)])
    this.#becomeReady()
  }

  #stopOthers(wanted: ReadonlyMap<string, ServedResource>): void {
    for (const [key, monitor] of this.#monitors) {
      if (wanted.has(key)) continue
      monitor.stop()
      this.#monitors.delete(key)
    }
  }

  #start(resource: ServedResource, signal: AbortSignal): Monitor {
    const { informers } = this.#context
    return informers.has(resource) ? this.#share(resource) : this.#watch(resource, signal)
  }

  #share(resource: Resource): Monitor {
    const informer = this.#context.informers.of(resource)
    const see = (object: ApiObject): void => this.#graph.observe(identityOf(resource, object), object)
    informer.handle({
      added: see,
      updated: see,
      deleted: ({ metadata }) => this.#graph.remove(metadata.uid ?? ''),
    })
    // Built-in resources do not go away.
    return { synced: informer.synced, stop: () => undefined }
  }

  #watch(resource: Resource, signal: AbortSignal): Monitor {
    const { api, clock, log } = this.#context
    const stop = new AbortController()
    const stopped = (): void => stop.abort()
    signal.addEventListener('abort', stopped, { once: true })
    const uids = new Map<string, string>()
    const synced = new Promise<void>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve(), { once: true })
      const failed = (error: unknown): void =>
        log.debug(
          { resource: resource.resource, error: String(error) },
          'a watch failed; it will be tried again',
        )
      const watching = { api: api.metadataOnly(), resource, clock, failed }
      void reflect(watching, this.#copyOf(resource, uids, resolve), stop.signal)
    })
    return {
      synced,
      stop: () => {
        signal.removeEventListener('abort', stopped)
        stop.abort()
        if (!signal.aborted) for (const uid of uids.values()) this.#graph.remove(uid)
      },
    }
  }

  /** Of the objects only their uids by key are kept: the graph knows the rest. */
  #copyOf(resource: Resource, uids: Map<string, string>, synced: () => void): Copy<ApiObject> {
    const set = (object: ApiObject): void => {
      const key = keyOf(object)
      const before = uids.get(key)
      const identity = identityOf(resource, object)
      if (before !== undefined && before !== identity.uid) this.#graph.remove(before)
      uids.set(key, identity.uid)
      this.#graph.observe(identity, object)
    }
    const remove = (key: string): void => {
      const uid = uids.get(key)
      uids.delete(key)
      if (uid !== undefined) this.#graph.remove(uid)
    }
    return {
      set,
      remove: (object) => remove(keyOf(object)),
      replace: (objects) => {
        for (const key of [...uids.keys()]) if (!objects.has(key)) remove(key)
        for (const object of objects.values()) set(object)
        synced()
      },
    }
  }
}

/** Events own nothing, are owned by nothing, and are many. */
const isWatched = (one: ServedResource): boolean =>
  allows(one, 'delete', 'list', 'watch') && one.resource !== 'events'

const keyOfResource = ({ group, version, resource }: Resource): string => `${group}/${version}/${resource}`

const identityOf = (resource: Resource, { metadata }: ApiObject): Identity => ({
  apiVersion: apiVersionOfResource(resource),
  kind: resource.kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
})
