// A node with the pods on it and their sums. Follows NodeInfo of k8s.io/kubernetes/pkg/scheduler/framework/types.go.
import type { Node, Taint } from '../client/kinds/core.v1.gen.ts'
import { addAmounts, type Amounts, amountsOfList, noAmounts } from './amounts.ts'
import type { HostPort, PodInfo } from './podinfo.ts'

const NO_LABELS: Readonly<Record<string, string>> = {}

/** Counts changes of all nodes, so that no two states of nodes have the same number. */
let changes = 0

export class NodeInfo {
  readonly name: string
  /** Its place in tables of nodes: small, and given to another when the node is gone. */
  readonly row: number
  /** Another one whenever something here changes. */
  generation = 0
  readonly pods = new Map<string, PodInfo>()
  readonly requested: Amounts = noAmounts()
  /** Sums of what nodes are compared by. */
  scoredCpu = 0
  scoredMemory = 0
  readonly ports: HostPort[] = []
  node: Node
  labels: Readonly<Record<string, string>> = NO_LABELS
  taints: readonly Taint[] = []
  /** Some of its taints only keep away who can go elsewhere. */
  isAvoided = false
  allocatable: Amounts = noAmounts()
  allowedPods = 0
  /** Sizes in bytes of the images that it has, by all their names. */
  images: ReadonlyMap<string, number> = new Map()

  constructor(node: Node, row = 0) {
    this.row = row
    this.name = node.metadata.name ?? ''
    this.node = node
    this.setNode(node)
  }

  setNode(node: Node): void {
    this.generation = ++changes
    this.node = node
    this.labels = node.metadata.labels ?? NO_LABELS
    this.taints = node.spec.taints ?? []
    this.isAvoided = this.taints.some(({ effect }) => effect === 'PreferNoSchedule')
    const { allocatable } = node.status
    this.allocatable = amountsOfList(allocatable)
    this.allowedPods = Number(allocatable?.['pods'] ?? 0)
    this.images = new Map(
      (node.status.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) =>
        names.map((name) => [name, Number(sizeBytes)]),
      ),
    )
  }

  add(pod: PodInfo): void {
    if (this.pods.has(pod.uid)) return
    this.pods.set(pod.uid, pod)
    this.#count(pod, 1)
    this.ports.push(...pod.ports)
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    this.#count(pod, -1)
    for (const port of pod.ports) this.ports.splice(this.ports.indexOf(port), 1)
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    this.generation = ++changes
    addAmounts(this.requested, pod.requests, sign)
    this.scoredCpu += sign * pod.scoredCpu
    this.scoredMemory += sign * pod.scoredMemory
  }
}
