// One look at all nodes: who is silent, whose pods are not ready, who is to be tainted.
// Follows monitorNodeHealth of k8s.io/kubernetes/pkg/controller/nodelifecycle.
import { isConflict } from '../../client/api.ts'
import type { Node, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { Lease } from '../../client/kinds/coordination.v1.gen.ts'
import { NODES } from '../../client/resources.ts'
import { type Health, type Judged, judge, type Patience, readyOf } from './health.ts'
import { aboutNode, changeTaints, type Marker, markPodsNotReady } from './nodewrites.ts'
import { hasTaint, noExecuteChange, NOT_READY, UNREACHABLE } from './taints.ts'
import { zoneOf, type Zones } from './zones.ts'

/** As upstream: nodes that are looked at at a time, since writing their pods' statuses is waiting. */
const AT_A_TIME = 8
const TRIES = 5
/** Nodes with this label say nothing about their zone. */
const EXCLUDED = 'node.kubernetes.io/exclude-disruption'
const RETRY_MS = 50

export interface MonitorParts extends Marker {
  readonly zones: Zones
  readonly patience: Patience
  nodes(): readonly Node[]
  leaseOf(node: string): Lease | undefined
  podsOn(node: string): readonly Pod[]
  nodeOf(name: string): Node | undefined
}

export class Monitor {
  readonly #parts: MonitorParts
  readonly #health = new Map<string, Health>()
  readonly #known = new Map<string, Node>()
  /** Nodes some of whose pods could not be marked. */
  readonly #retry = new Set<string>()

  constructor(parts: MonitorParts) {
    this.#parts = parts
  }

  /** Whether the node is known to be not ready. */
  isNotReady(node: string): boolean {
    const ready = this.#health.get(node)?.ready
    return ready !== undefined && ready.status !== 'True'
  }

  /** Looks at all nodes once. What fails is told of and comes again with the next look. */
  async look(signal: AbortSignal): Promise<void> {
    const { nodes, zones, patience, context } = this.#parts
    const all = nodes()
    await this.#greet(all)
    const ready = new Map<string, (string | undefined)[]>()
    const waiting = [...all]
    const worker = async (): Promise<void> => {
      for (let node = waiting.shift(); node && !signal.aborted; node = waiting.shift()) {
        const one = node
        await this.#lookAt(one, ready).catch((error: unknown) => this.#failed(one, error))
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, worker))
    if (signal.aborted) return
    const disruption = zones.look(ready, patience.clock.now())
    if (disruption === 'begins') {
      context.log.warn({}, 'no node is ready: nothing is evicted until one is')
      for (const node of all) await this.#free(node).catch((error: unknown) => this.#failed(node, error))
    }
    if (disruption !== 'ends') return
    const probedAt = patience.clock.now()
    for (const [name, health] of this.#health) this.#health.set(name, { ...health, probedAt })
  }

  /** Taints those whose turn it is. Whether some still wait. */
  async taintNext(): Promise<boolean> {
    const { zones, patience, context, nodeOf } = this.#parts
    for (const queue of zones.queues) {
      for (let name = queue.take(patience.clock.now()); name !== undefined;) {
        const node = nodeOf(name)
        const change = node && noExecuteChange(readyOf(node)?.status ?? '')
        try {
          if (node && change) await changeTaints(context, node, change)
        } catch (error) {
          queue.giveBack(name, patience.clock.now() + RETRY_MS)
          if (node) this.#failed(node, error)
        }
        name = queue.take(patience.clock.now())
      }
    }
    return zones.queues.some(({ isWaiting }) => isWaiting)
  }

  /** Tells of nodes that came and went. */
  async #greet(all: readonly Node[]): Promise<void> {
    const gone = new Map(this.#known)
    for (const node of all) {
      const name = node.metadata.name ?? ''
      gone.delete(name)
      if (this.#known.has(name)) continue
      this.#known.set(name, node)
      this.#tell(node, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`)
      await this.#free(node).catch((error: unknown) => this.#failed(node, error))
    }
    for (const [name, node] of gone) {
      this.#known.delete(name)
      this.#health.delete(name)
      this.#retry.delete(name)
      this.#parts.zones.queueOf(zoneOf(node)).remove(name)
      this.#tell(node, 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`)
    }
  }

  async #lookAt(node: Node, ready: Map<string, (string | undefined)[]>): Promise<void> {
    const { name = '' } = node.metadata
    const { latest, judged } = await this.#judge(node)
    const { observed, current } = judged
    if (!(EXCLUDED in (latest.metadata.labels ?? {}))) {
      const zone = zoneOf(latest)
      const statuses = ready.get(zone)
      if (statuses) statuses.push(current)
      else ready.set(zone, [current])
    }
    if (current !== undefined) await this.#decide(latest, current)
    const hasTurned = current !== undefined && current !== 'True' && observed === 'True'
    if (hasTurned) this.#tell(latest, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    if (hasTurned || (current !== undefined && this.#retry.has(name) && observed !== 'True')) {
      this.#retry.add(name)
      await markPodsNotReady(this.#parts, this.#parts.podsOn(name))
    }
    this.#retry.delete(name)
  }

  async #judge(node: Node): Promise<{ latest: Node; judged: Judged }> {
    const { leaseOf, patience } = this.#parts
    const { api } = this.#parts.context
    const name = node.metadata.name ?? ''
    for (let tries = 1, latest = node; ; tries++) {
      const judged = judge(latest, this.#health.get(name), leaseOf(name), patience)
      this.#health.set(name, judged.health)
      if (!judged.conditions) return { latest, judged }
      const status = { ...latest.status, conditions: judged.conditions }
      try {
        const written = await api.updateStatus(NODES, { ...latest, status })
        this.#health.set(name, { ...judged.health, ready: readyOf(written) })
        return { latest: written, judged }
      } catch (error) {
        if (!isConflict(error) || tries >= TRIES) throw error
        latest = await api.get(NODES, { name })
      }
    }
  }

  /** Which of the taints NoExecute it gets: the one in the other's place at once, a first one in its turn. */
  async #decide(node: Node, ready: string): Promise<void> {
    const change = noExecuteChange(ready)
    if (!change) return this.#free(node)
    if (change.remove.some((taint) => hasTaint(node, taint))) {
      await changeTaints(this.#parts.context, node, change)
      return
    }
    const queue = this.#parts.zones.queueOf(zoneOf(node))
    if (!change.add.some((taint) => hasTaint(node, taint))) queue.remove(node.metadata.name ?? '')
    queue.add(node.metadata.name ?? '')
  }

  async #free(node: Node): Promise<void> {
    const change = { add: [], remove: [UNREACHABLE, NOT_READY] }
    await changeTaints(this.#parts.context, node, change)
    this.#parts.zones.queueOf(zoneOf(node)).remove(node.metadata.name ?? '')
  }

  #tell(node: Node, reason: string, message: string): void {
    this.#parts.recorder.event(aboutNode(node), 'Normal', reason, message)
  }

  #failed(node: Node, error: unknown): void {
    const details = { node: node.metadata.name, error: String(error) }
    this.#parts.context.log.warn(details, 'a node could not be looked at; it will be again')
  }
}
