// Services of type LoadBalancer get their balancers from the cloud, and hold on to them by a finalizer until these are
// taken away. Follows k8s.io/cloud-provider/controllers/service.
import { isNotFound } from '../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { LoadBalancerStatus, Node, Service } from '../client/kinds/core.v1.gen.ts'
import type { EventType } from '../client/recorder.ts'
import { keyOf, splitKey } from '../client/resource.ts'
import { NODES, SERVICES } from '../client/resources.ts'
import type { Json } from '../machinery/json.ts'
import {
  balancedNodes,
  changesBalancers,
  CLEANUP_FINALIZER,
  hasFinalizer,
  namesOf,
  needsCleanup,
  needsUpdate,
  nodesKey,
  wantsBalancer,
} from './balanced.ts'
import type { CloudProvider } from './provider.ts'

const NAME = 'service-lb-controller'
/** As upstream: what a cloud refuses is not asked for again at once. */
const RETRY = { firstMs: 5_000, maxMs: 300_000 }
/** Nodes that come together lead to one look at them. */
const NODES_TOGETHER_MS = 250
const ALL_NODES = 'nodes'

export interface ServiceLbOptions {
  readonly provider: CloudProvider
  /** Services at a time. */
  readonly workers: number
}

export function serviceLbController(context: ControllerContext, options: ServiceLbOptions): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'service', RETRY)
  const nodeQueue = queueOf(context, 'node')
  const balancing = new Balancing(context, options.provider)
  informers.of(SERVICES).handle({
    added: (service) => {
      if (wantsBalancer(service) || needsCleanup(service)) queue.add(keyOf(service))
    },
    updated: (service, before) => {
      if (needsUpdate(before, service) || needsCleanup(service)) queue.add(keyOf(service))
    },
    deleted: (service) => {
      if (balancing.knows(keyOf(service))) queue.add(keyOf(service))
    },
  })
  const look = (): void => nodeQueue.addAfter(ALL_NODES, NODES_TOGETHER_MS)
  informers.of(NODES).handle({
    added: look,
    deleted: look,
    updated: (node, before) => {
      if (changesBalancers(before, node)) look()
    },
  })
  const shared = { name: NAME, log }
  return {
    name: NAME,
    async run(signal) {
      const reconcile = (key: string): Promise<void> => balancing.sync(key)
      const reconcileNodes = async (): Promise<void> => {
        for (const key of await balancing.syncNodes()) queue.add(key)
      }
      await Promise.all([
        work({ ...shared, queue, workers: options.workers, reconcile }, signal),
        work({ ...shared, queue: nodeQueue, workers: 1, reconcile: reconcileNodes }, signal),
      ])
      await options.provider.stop()
    },
  }
}

class Balancing {
  readonly #context: ControllerContext
  readonly #provider: CloudProvider
  /** Services as they were worked on last. */
  readonly #known = new Map<string, Service>()
  /** The nodes that each one's balancer was told of. */
  readonly #told = new Map<string, string>()

  constructor(context: ControllerContext, provider: CloudProvider) {
    this.#context = { ...context, recorder: context.recorder.as({ component: 'service-controller' }) }
    this.#provider = provider
  }

  knows(key: string): boolean {
    return this.#known.has(key)
  }

  async sync(key: string): Promise<void> {
    const service = this.#context.informers.of(SERVICES).reader.get(key)
    const known = this.#known.get(key)
    // Its balancer is named by the uid: another Service of the name has another.
    if (known !== undefined && known.metadata.uid !== service?.metadata.uid) await this.#removeOf(known)
    if (service === undefined) return this.#forget(key)
    this.#known.set(key, service)
    try {
      if (!wantsBalancer(service) || needsCleanup(service)) {
        await this.#cleanUp(service)
        this.#forget(key)
      } else await this.#ensure(service)
    } catch (error) {
      this.#tell(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${text(error)}`)
      throw error
    }
  }

  /** Tells balancers of the nodes as they are; returns the keys of those that have to be looked at again. */
  async syncNodes(): Promise<string[]> {
    const again: string[] = []
    const nodes = this.#nodes()
    const now = nodesKey(nodes)
    for (const [key, service] of this.#known) {
      if (!wantsBalancer(service) || this.#told.get(key) === now) continue
      this.#told.set(key, now)
      if (!(await this.#updateNodes(service, nodes))) again.push(key)
    }
    return again
  }

  async #ensure(service: Service): Promise<void> {
    this.#tell(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
    if (!hasFinalizer(service)) {
      const finalizers = [CLEANUP_FINALIZER]
      await this.#patch(service, { metadata: { finalizers } }, 'add load balancer cleanup finalizer')
    }
    const nodes = this.#nodes()
    if (nodes.length === 0) this.#tell(service, 'Warning', ...UNAVAILABLE)
    this.#told.set(keyOf(service), nodesKey(nodes))
    const status = await this.#provider.balancers.ensure(service, nodes).catch(failed('ensure load balancer'))
    this.#tell(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
    await this.#writeStatus(service, status)
  }

  async #cleanUp(service: Service): Promise<void> {
    const { balancers } = this.#provider
    const isThere = await balancers
      .exists(service)
      .catch(failed('check if load balancer exists before cleanup'))
    if (isThere) {
      this.#tell(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
      await balancers.remove(service).catch(failed('delete load balancer'))
    }
    if (hasFinalizer(service)) {
      const metadata = { '$deleteFromPrimitiveList/finalizers': [CLEANUP_FINALIZER] }
      await this.#patch(service, { metadata }, 'remove load balancer cleanup finalizer')
    }
    this.#tell(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
    await this.#writeStatus(service, {})
  }

  /** The Service is gone, or another by now; its balancer may be left. */
  async #removeOf(service: Service): Promise<void> {
    if (!wantsBalancer(service)) return
    this.#tell(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
    try {
      await this.#provider.balancers.remove(service)
    } catch (error) {
      const message = `Error deleting load balancer: ${text(error)}`
      this.#tell(service, 'Warning', 'DeleteLoadBalancerFailed', message)
      throw error
    }
    this.#tell(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
  }

  /** Whether it went well; a balancer that is not there needs no nodes. */
  async #updateNodes(service: Service, nodes: readonly Node[]): Promise<boolean> {
    const { balancers } = this.#provider
    try {
      await balancers.update(service, nodes)
    } catch (error) {
      if (!(await balancers.exists(service).catch(() => true))) return true
      const message = `Error updating load balancer with new hosts ${namesOf(nodes)} [node names limited, total number of nodes: ${nodes.length}], error: ${text(error)}`
      this.#tell(service, 'Warning', 'UpdateLoadBalancerFailed', message)
      return false
    }
    if (nodes.length === 0) this.#tell(service, 'Warning', ...UNAVAILABLE)
    else this.#tell(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts')
    return true
  }

  async #writeStatus(service: Service, { ingress = [] }: LoadBalancerStatus): Promise<void> {
    if (JSON.stringify(service.status?.loadBalancer?.ingress ?? []) === JSON.stringify(ingress)) return
    const loadBalancer = { ingress: ingress.length === 0 ? null : ingress } as unknown as Json
    await this.#patch(service, { status: { loadBalancer } }, 'update load balancer status')
  }

  /** Never another Service of its name; one that is gone needs nothing. */
  async #patch(service: Service, body: Record<string, Json>, what: string): Promise<void> {
    const { uid = '' } = service.metadata
    const place = { ...splitKey(keyOf(service)), subresource: 'status' }
    const metadata = { ...(body['metadata'] as Record<string, Json> | undefined), uid }
    try {
      await this.#context.api.patch(SERVICES, place, { ...body, metadata }, { type: 'strategic' })
    } catch (error) {
      if (!isNotFound(error)) failed(what)(error)
    }
  }

  #nodes(): readonly Node[] {
    return balancedNodes(this.#context.informers.of(NODES).reader.list())
  }

  #forget(key: string): void {
    this.#known.delete(key)
    this.#told.delete(key)
  }

  #tell(object: Service, type: EventType, reason: string, message: string): void {
    this.#context.recorder.event({ resource: SERVICES, object }, type, reason, message)
  }
}

const UNAVAILABLE = ['UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer'] as const

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Says what could not be done. */
const failed =
  (what: string) =>
  (error: unknown): never => {
    throw new Error(`failed to ${what}: ${text(error)}`, { cause: error })
  }
