// The agent: many simulated nodes in one process, with one watch of pods, one queue, one wheel of heartbeats for all.
// Follows k8s.io/kubernetes/pkg/kubelet/kubelet.go, whose loop serves one node.
import type { Api } from '../client/api.ts'
import { type Clock, sleep } from '../client/clock.ts'
import { type ControllerLog, work } from '../client/controller.ts'
import type { Informers } from '../client/informer.ts'
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { WorkQueue } from '../client/queue.ts'
import { EventAllowance, EventRecorder } from '../client/recorder.ts'
import { keyOf } from '../client/resource.ts'
import { NODES, PODS } from '../client/resources.ts'
import { HealthSlis } from '../machinery/healthslis.ts'
import {
  type KubeletReply,
  type KubeletRequest,
  kubeletReply,
  type NodeView,
  type PodOnNode,
} from './endpoints.ts'
import { HEARTBEAT_MS, SimulatedNode } from './node.ts'
import type { NodeSpecimen } from './nodeobject.ts'
import { SimulatedPods } from './pods.ts'
import { Stages } from './stages.ts'
import { type PodUsage, podUsage } from './usage.ts'
import { Wheel } from './wheel.ts'

export interface AgentParts {
  /** Reads pods and nodes. */
  readonly informers: Informers
  /** The API as the node of this name: the user system:node:NAME. */
  apiOf(node: string): Api
  readonly clock: Clock
  readonly log: ControllerLog
}

/** Writes of statuses that are under way at a time; enough to hide a round trip, too few to flood the server. */
const POD_WORKERS = 32
/** Nodes that register at a time. */
const REGISTRATIONS = 32
const REGISTER_RETRY_MS = 1000
/** As upstream's kubelet, 50 events a second; the nodes of one process share them, and may begin with more at once. */
const EVENT_BURST = 500
const EVENTS_PER_SECOND = 50

export class NodeAgent {
  readonly #parts: AgentParts
  readonly #nodes = new Map<string, SimulatedNode>()
  readonly #queue: WorkQueue
  readonly #pods: SimulatedPods
  readonly #wheel: Wheel
  readonly #stages = new Stages()
  readonly #events: EventAllowance
  /** Of nodes whose health somebody asked for. */
  readonly #slis = new WeakMap<SimulatedNode, HealthSlis>()

  constructor(parts: AgentParts) {
    this.#parts = parts
    this.#queue = new WorkQueue(parts.clock)
    this.#pods = new SimulatedPods(parts.clock, (key) => this.#queue.add(key))
    this.#wheel = new Wheel(parts.clock, HEARTBEAT_MS)
    this.#events = new EventAllowance(parts.clock, EVENT_BURST, EVENTS_PER_SECOND)
    this.#listen()
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Registers the nodes and begins their work; resolves when all are registered. */
  async add(specimens: readonly NodeSpecimen[], signal: AbortSignal): Promise<void> {
    const waiting = [...specimens]
    const one = async (): Promise<void> => {
      for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift())
        await this.#addOne(next, signal)
    }
    await Promise.all(Array.from({ length: Math.min(REGISTRATIONS, specimens.length) }, one))
  }

  /** Runs until the signal aborts and all is quiet. The informers are the caller's to start. */
  async run(signal: AbortSignal): Promise<void> {
    this.#wheel.start()
    await work(
      {
        name: 'simulated-nodes',
        queue: this.#queue,
        workers: POD_WORKERS,
        reconcile: (key) => this.#reconcile(key),
        log: this.#parts.log,
      },
      signal,
    )
    this.#wheel.stop()
  }

  /** Whether the node of this name is ours. */
  has(name: string): boolean {
    return this.#nodes.has(name)
  }

  /** Says how the pods of a namespace behave from now on, see stages.ts; undefined: as they say themselves. */
  stage(namespace: string, data: Readonly<Record<string, string>> | undefined): void {
    if (data === undefined) this.#stages.delete(namespace)
    else {
      const faults = this.#stages.set(namespace, data)
      if (faults.length > 0) this.#parts.log.warn({ namespace, faults }, 'stages that do not count')
    }
    this.#lookAt((pod) => pod.metadata.namespace === namespace)
  }

  /** No node can pull these images from now on. */
  lack(images: readonly string[]): void {
    if (this.#stages.lack(images)) this.#lookAt(() => true)
  }

  #lookAt(isMeant: (pod: Pod) => boolean): void {
    for (const name of this.#nodes.keys()) {
      for (const pod of this.#parts.informers.of(PODS).reader.by(BY_NODE, name))
        if (isMeant(pod)) this.#queue.add(keyOf(pod))
    }
  }

  /** What the kubelet of this node would answer; undefined for a node that is not ours. Throws as kubeletReply does. */
  answer(name: string, request: KubeletRequest): KubeletReply | undefined {
    const node = this.#nodes.get(name)
    return node && kubeletReply(this.#view(node), request)
  }

  /** What the pods of all nodes use now, by what they declare. */
  usages(): PodUsage[] {
    const { clock } = this.#parts
    const now = clock.now()
    return this.nodes().flatMap(({ metadata: { name = '' } }) =>
      this.#podsOf(name).map(({ pod, record }) => podUsage(pod, record, now)),
    )
  }

  /** The nodes as they were seen last. */
  nodes(): Node[] {
    return [...this.#nodes.values()].flatMap(({ node }) => (node ? [node] : []))
  }

  #view(simulated: SimulatedNode): NodeView {
    const { name, specimen, node } = simulated
    const { clock } = this.#parts
    return {
      clock,
      node: {
        name,
        capacity: specimen.capacity,
        startedAt: Date.parse(node?.metadata.creationTimestamp ?? '') || clock.now(),
      },
      pods: () => this.#podsOf(name),
      slis: () => this.#slisOf(simulated),
      watch: (pod, changed) => this.#pods.follow(pod, changed),
    }
  }

  #slisOf(node: SimulatedNode): HealthSlis {
    const slis = this.#slis.get(node) ?? new HealthSlis()
    this.#slis.set(node, slis)
    return slis
  }

  #podsOf(node: string): PodOnNode[] {
    const pods = this.#parts.informers.of(PODS).reader.by(BY_NODE, node)
    return [...pods].flatMap((pod) => {
      const record = this.#pods.record(pod)
      return record ? [{ pod: this.#stages.of(pod), record }] : []
    })
  }

  async #addOne(specimen: NodeSpecimen, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    const api = this.#parts.apiOf(specimen.name)
    const source = { component: 'kubelet', host: specimen.name }
    const recorder = new EventRecorder(api, clock, source, this.#events)
    const node = new SimulatedNode(specimen, { api, clock, log, recorder })
    for (;;) {
      try {
        await node.register()
        break
      } catch (error) {
        if (signal.aborted) return
        log.warn({ node: node.name, error: String(error) }, 'could not register; it will be tried again')
        await sleep(clock, REGISTER_RETRY_MS, signal)
        if (signal.aborted) return
      }
    }
    this.#nodes.set(node.name, node)
    this.#wheel.join(node.name, () => node.beat())
    recorder.event(
      { resource: NODES, object: aboutNode(node) },
      'Normal',
      'Starting',
      'Starting kubelet (simulated).',
    )
    // What others did to the object while it registered.
    const latest = this.#parts.informers.of(NODES).reader.get(node.name)
    if (latest?.metadata.uid === node.node?.metadata.uid && latest) node.seen(latest)
    for (const pod of this.#parts.informers.of(PODS).reader.by(BY_NODE, node.name))
      this.#queue.add(keyOf(pod))
  }

  #listen(): void {
    const { informers } = this.#parts
    const look = (pod: Pod): void => {
      if (pod.spec.nodeName !== undefined && this.#nodes.has(pod.spec.nodeName)) this.#queue.add(keyOf(pod))
    }
    informers
      .of(PODS)
      .index(BY_NODE, ({ spec: { nodeName } }) => (nodeName ? [nodeName] : []))
      .handle({
        added: look,
        updated: look,
        deleted: (pod) => this.#pods.forget(pod, this.#nodes.get(pod.spec.nodeName ?? '')),
      })
    const seen = (node: Node): void => {
      const ours = this.#nodes.get(node.metadata.name ?? '')
      if (!ours) return
      const { isOff: wasOff, node: before } = ours
      ours.seen(node)
      if (wasOff && !ours.isOff) this.#wakeUp(ours)
      else if (attachedTo(node) !== attachedTo(before)) this.#lookForVolumes(ours)
    }
    informers.of(NODES).handle({
      added: seen,
      updated: seen,
      deleted: ({ metadata: { name = '', uid } }) => {
        // Its machine is switched off; another object of its name may have come since.
        if (this.#nodes.get(name)?.node?.metadata.uid !== uid) return
        this.#nodes.delete(name)
        this.#wheel.leave(name)
      },
    })
  }

  /** Its machine is switched on again. */
  #wakeUp(node: SimulatedNode): void {
    node.beat()
    for (const pod of this.#parts.informers.of(PODS).reader.by(BY_NODE, node.name))
      this.#queue.add(keyOf(pod))
  }

  /** What is attached to it has changed: pods may wait for that. */
  #lookForVolumes({ name }: SimulatedNode): void {
    for (const pod of this.#parts.informers.of(PODS).reader.by(BY_NODE, name)) {
      this.#pods.hurry(pod)
      this.#queue.add(keyOf(pod))
    }
  }

  async #reconcile(key: string): Promise<void> {
    const pod = this.#parts.informers.of(PODS).reader.get(key)
    const node = this.#nodes.get(pod?.spec.nodeName ?? '')
    if (!pod || !node || node.isOff) return
    const after = await this.#pods.sync(this.#stages.of(pod), node)
    if (after !== Infinity) this.#queue.addAfter(key, after)
  }
}

const BY_NODE = 'node'

const attachedTo = (node: Node | undefined): string =>
  (node?.status.volumesAttached ?? []).map(({ name }) => name).join()

/** Events about nodes name them by their name, as the kubelet's do. */
const aboutNode = ({ name }: SimulatedNode): { metadata: { name: string; uid: string } } => ({
  metadata: { name, uid: name },
})
