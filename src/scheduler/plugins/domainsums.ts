// How much there is in each domain, out of what the index of pods has counted and of what is being tried out on top.
// Follows topologyToMatchedTermCount of k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
import type { NodeInfo } from '../nodeinfo.ts'
import type { Domains } from '../podindex.ts'

interface Part {
  readonly domains: Domains
  readonly factor: number
}

/** More of them than this are summed up once, rather than for each node. */
const MAX_PARTS = 3

export class DomainSums {
  readonly #byKey = new Map<string, Part[]>()
  readonly #tried = new Map<string, Map<string, number>>()

  /** Counts `factor` for each in these domains of the label `key`. Only looked at: it may go on changing. */
  include(key: string, domains: Domains, factor = 1): void {
    if (domains.size === 0 || factor === 0) return
    const parts = this.#byKey.get(key)
    if (!parts) return void this.#byKey.set(key, [{ domains, factor }])
    parts.push({ domains, factor })
    if (parts.length <= MAX_PARTS) return
    const sums = new Map<string, number>()
    for (const part of parts) {
      for (const [value, count] of part.domains) sums.set(value, (sums.get(value) ?? 0) + count * part.factor)
    }
    this.#byKey.set(key, [{ domains: sums, factor: 1 }])
  }

  /** Another one on the node, or one less, until the opposite is said. */
  tryOut(node: NodeInfo, key: string, amount: number): void {
    const value = node.labels[key]
    if (value === undefined) return
    let values = this.#tried.get(key)
    if (!values) this.#tried.set(key, (values = new Map()))
    const sum = (values.get(value) ?? 0) + amount
    if (sum === 0) values.delete(value)
    else values.set(value, sum)
    if (values.size === 0) this.#tried.delete(key)
  }

  of(node: NodeInfo, key: string): number {
    const value = node.labels[key]
    if (value === undefined) return 0
    return this.#sum(this.#byKey.get(key), value) + (this.#tried.get(key)?.get(value) ?? 0)
  }

  get isEmpty(): boolean {
    if (this.#tried.size === 0) return this.#byKey.size === 0
    for (const [key, values] of this.#tried)
      for (const [value, amount] of values)
        if (this.#sum(this.#byKey.get(key), value) + amount > 0) return false
    for (const [key, parts] of this.#byKey) {
      const tried = this.#tried.get(key)
      for (const { domains } of parts)
        for (const value of domains.keys()) if (!tried?.has(value)) return false
    }
    return true
  }

  /** Whether any domain that the node is in has something. */
  touches(node: NodeInfo): boolean {
    for (const key of this.#byKey.keys()) if (this.of(node, key) > 0) return true
    for (const key of this.#tried.keys()) if (this.of(node, key) > 0) return true
    return false
  }

  sumAt(node: NodeInfo): number {
    let sum = 0
    for (const [key, parts] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined) sum += this.#sum(parts, value)
    }
    return sum
  }

  #sum(parts: readonly Part[] | undefined, value: string): number {
    let sum = 0
    for (const { domains, factor } of parts ?? []) sum += (domains.get(value) ?? 0) * factor
    return sum
  }
}
