// The cluster as the scheduler knows it: nodes and the pods on them, those included that were given a node but are not
// bound yet. A cycle runs without a pause, so that what it reads stands still and no snapshot has to be copied.
// Follows k8s.io/kubernetes/pkg/scheduler/backend/cache (cache.go, node_tree.go, snapshot.go).
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { NodeInfo } from './nodeinfo.ts'
import { PodIndex } from './podindex.ts'
import type { NamespaceLabels, PodInfo } from './podinfo.ts'
import type { ObjectSources } from './sources.ts'

const ZONE = 'topology.kubernetes.io/zone'
const REGION = 'topology.kubernetes.io/region'

export interface LabelValues {
  readonly values: ReadonlySet<string>
  /** Every node has the label. */
  readonly onAll: boolean
}

export class ClusterView {
  readonly sources: ObjectSources
  readonly #nodes = new Map<string, NodeInfo>()
  /** Where each pod is, by uid. */
  readonly #places = new Map<string, { readonly node: string; readonly pod: PodInfo }>()
  /** Pods whose node is not known (yet), by node. */
  readonly #homeless = new Map<string, Map<string, PodInfo>>()
  readonly pods = new PodIndex()
  /** By label; made when somebody asks. */
  readonly #values = new Map<string, LabelValues>()
  /** How many nodes have an image. */
  readonly #images = new Map<string, number>()
  #order: readonly NodeInfo[] | undefined
  /** Rows of nodes that are gone. */
  readonly #freeRows: number[] = []
  #avoided = 0

  constructor(sources: ObjectSources) {
    this.sources = sources
  }

  readonly namespaceLabels: NamespaceLabels = (name) => this.sources.namespace(name)?.metadata.labels

  get size(): { readonly nodes: number; readonly pods: number } {
    return { nodes: this.#nodes.size, pods: this.#places.size }
  }

  /** Neighbours in this list are in different zones, so that a part of it is spread. */
  get nodes(): readonly NodeInfo[] {
    return (this.#order ??= interleaved([...this.#nodes.values()]))
  }

  /** The values that the nodes have for this label. */
  valuesOf(key: string): LabelValues {
    const known = this.#values.get(key)
    if (known) return known
    const values = new Set<string>()
    let nodes = 0
    for (const { labels } of this.#nodes.values()) {
      const value = labels[key]
      if (value === undefined) continue
      values.add(value)
      nodes++
    }
    const found = { values, onAll: nodes === this.#nodes.size }
    this.#values.set(key, found)
    return found
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  /** Some nodes have taints that keep away who can go elsewhere. */
  get hasAvoided(): boolean {
    return this.#avoided > 0
  }

  nodesWithImage(name: string): number {
    return this.#images.get(name) ?? 0
  }

  setNode(node: Node): void {
    const { name = '' } = node.metadata
    const known = this.#nodes.get(name)
    if (known) return this.#changeNode(known, node)
    const info = new NodeInfo(node, this.#freeRows.pop() ?? this.#nodes.size)
    if (info.isAvoided) this.#avoided++
    for (const pod of this.#homeless.get(name)?.values() ?? []) this.#add(info, pod)
    this.#homeless.delete(name)
    this.#nodes.set(name, info)
    this.#order = undefined
    this.#values.clear()
    this.#countImages(info, 1)
  }

  #changeNode(known: NodeInfo, node: Node): void {
    this.#countImages(known, -1)
    if (zoneOf(known.node) !== zoneOf(node)) this.#order = undefined
    // Where its pods are counted hangs on its labels.
    const isMoved = JSON.stringify(known.labels) !== JSON.stringify(node.metadata.labels ?? {})
    if (isMoved) {
      this.#values.clear()
      for (const pod of known.pods.values()) this.pods.change(known, pod, -1)
    }
    if (known.isAvoided) this.#avoided--
    known.setNode(node)
    if (known.isAvoided) this.#avoided++
    if (isMoved) for (const pod of known.pods.values()) this.pods.change(known, pod, 1)
    this.#countImages(known, 1)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#nodes.delete(name)
    this.#freeRows.push(info.row)
    if (info.isAvoided) this.#avoided--
    this.#order = undefined
    this.#values.clear()
    this.#countImages(info, -1)
    for (const pod of info.pods.values()) this.pods.change(info, pod, -1)
    if (info.pods.size > 0) this.#homeless.set(name, new Map(info.pods))
  }

  /** Puts the pod on the node, from wherever it was. */
  place(pod: PodInfo, node: string): void {
    this.remove(pod.uid)
    this.#places.set(pod.uid, { node, pod })
    const info = this.#nodes.get(node)
    if (info) return this.#add(info, pod)
    const waiting = this.#homeless.get(node) ?? new Map<string, PodInfo>()
    this.#homeless.set(node, waiting.set(pod.uid, pod))
  }

  remove(uid: string): void {
    const place = this.#places.get(uid)
    if (!place) return
    this.#places.delete(uid)
    const info = this.#nodes.get(place.node)
    if (info) {
      info.remove(uid)
      this.pods.change(info, place.pod, -1)
      return
    }
    const waiting = this.#homeless.get(place.node)
    waiting?.delete(uid)
    if (waiting?.size === 0) this.#homeless.delete(place.node)
  }

  /** The node that the pod is on; undefined where it is on none. */
  placeOf(uid: string): string | undefined {
    return this.#places.get(uid)?.node
  }

  #add(info: NodeInfo, pod: PodInfo): void {
    info.add(pod)
    this.pods.change(info, pod, 1)
  }

  #countImages(info: NodeInfo, sign: 1 | -1): void {
    for (const name of info.images.keys()) this.#images.set(name, (this.#images.get(name) ?? 0) + sign)
  }
}

const zoneOf = ({ metadata: { labels } }: Node): string => `${labels?.[REGION] ?? ''}:${labels?.[ZONE] ?? ''}`

function interleaved(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>()
  for (const node of nodes) {
    const zone = zoneOf(node.node)
    const list = zones.get(zone)
    if (list) list.push(node)
    else zones.set(zone, [node])
  }
  if (zones.size <= 1) return [...nodes]
  const lists = [...zones.values()]
  const longest = Math.max(...lists.map(({ length }) => length))
  const order: NodeInfo[] = []
  for (let i = 0; i < longest; i++) for (const list of lists) if (list[i]) order.push(list[i] as NodeInfo)
  return order
}
