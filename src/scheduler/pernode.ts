// What was found out about nodes for one kind of pods, kept for as long as the node is what it was: most pods come in
// many copies, and between two of them few nodes change.
// Follows the role of the opportunistic batching of k8s.io/kubernetes/pkg/scheduler/framework/runtime/batch.go.
import type { NodeInfo } from './nodeinfo.ts'

/** Kinds of pods that are remembered at a time: with 5,000 nodes each takes 80 KB. */
const MAX_KINDS = 16

/** One value for each node, found out anew when the node has changed. */
export class PerNode<T> {
  /** By the rows of nodes: as of which generation the value is. */
  #asOf = new Float64Array(0)
  readonly #values: T[] = []

  get(node: NodeInfo, find: (node: NodeInfo) => T): T {
    const { row, generation } = node
    if (this.#asOf[row] === generation) return this.#values[row] as T
    const value = find(node)
    this.#reach(row, value)
    this.#asOf[row] = generation
    this.#values[row] = value
    return value
  }

  /** Rows are handed out densely: arrays without holes are a third of the time. */
  #reach(row: number, filler: T): void {
    if (row < this.#asOf.length) return
    const grown = new Float64Array(2 * row + 16)
    grown.set(this.#asOf)
    this.#asOf = grown
    while (this.#values.length < grown.length) this.#values.push(filler)
  }
}

/** By kind of pod, those that were asked for last. */
export class Memory<T> {
  readonly #kinds = new Map<string, PerNode<T>>()

  of(kind: string): PerNode<T> {
    const known = this.#kinds.get(kind)
    if (known && this.#last === kind) return known
    const found = known ?? new PerNode<T>()
    this.#last = kind
    this.#kinds.delete(kind)
    this.#kinds.set(kind, found)
    if (this.#kinds.size > MAX_KINDS) this.#kinds.delete(this.#kinds.keys().next().value as string)
    return found
  }

  #last = ''
}
