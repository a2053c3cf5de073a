// Pods that want to be near others, or far from them. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity (filtering.go, scoring.go).
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import { type FilterWork, MAX_SCORE, type Plugin, type Rejection, type ScoreWork } from '../plugin.ts'
import { type PodInfo, type Term, termMatches } from '../podinfo.ts'

const NAME = 'InterPodAffinity'
/** What an existing pod's required affinity counts towards the score, as upstream's default. */
const HARD_WEIGHT = 1
const rejected = (reason: string, isFinal: boolean): Rejection => ({
  plugin: NAME,
  reasons: [reason],
  isFinal,
})
const AFFINITY = rejected("node(s) didn't match pod affinity rules", true)
const ANTI_AFFINITY = rejected("node(s) didn't match pod anti-affinity rules", false)
const EXISTING = rejected("node(s) didn't satisfy existing pods anti-affinity rules", false)

/** How much there is in each domain: by key of topology, then by its value. */
class Counts {
  readonly #byKey = new Map<string, Map<string, number>>()

  add(node: NodeInfo, key: string, amount: number): void {
    const value = node.labels[key]
    if (value === undefined) return
    let values = this.#byKey.get(key)
    if (!values) this.#byKey.set(key, (values = new Map()))
    const sum = (values.get(value) ?? 0) + amount
    if (sum === 0) values.delete(value)
    else values.set(value, sum)
    if (values.size === 0) this.#byKey.delete(key)
  }

  of(node: NodeInfo, key: string): number {
    const value = node.labels[key]
    return value === undefined ? 0 : (this.#byKey.get(key)?.get(value) ?? 0)
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  /** Whether any domain that the node is in has something. */
  touches(node: NodeInfo): boolean {
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined && (values.get(value) ?? 0) > 0) return true
    }
    return false
  }

  sumAt(node: NodeInfo): number {
    let sum = 0
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined) sum += values.get(value) ?? 0
    }
    return sum
  }
}

class AffinityFilter implements FilterWork {
  readonly #pod: PodInfo
  readonly #cluster: ClusterView
  readonly #near = new Counts()
  readonly #far = new Counts()
  readonly #existing = new Counts()
  readonly #isOwnKind: boolean

  constructor(pod: PodInfo, cluster: ClusterView) {
    this.#pod = pod
    this.#cluster = cluster
    this.#isOwnKind = this.#matchesAll(pod.affinity, pod)
    const asks = pod.affinity.length + pod.antiAffinity.length > 0
    for (const node of asks ? cluster.nodes : cluster.nodesWithAntiAffinity) {
      for (const other of node.pods.values()) this.changed(node, other, 1)
    }
  }

  get isIdle(): boolean {
    return this.#pod.affinity.length + this.#pod.antiAffinity.length === 0 && this.#existing.isEmpty
  }

  changed(node: NodeInfo, other: PodInfo, sign: 1 | -1): void {
    const { affinity, antiAffinity } = this.#pod
    const labels = this.#cluster.namespaceLabels
    for (const term of other.antiAffinity) {
      if (termMatches(term, this.#pod, labels)) this.#existing.add(node, term.topologyKey, sign)
    }
    if (affinity.length > 0 && this.#matchesAll(affinity, other)) {
      for (const { topologyKey } of affinity) this.#near.add(node, topologyKey, sign)
    }
    for (const term of antiAffinity) {
      if (termMatches(term, other, labels)) this.#far.add(node, term.topologyKey, sign)
    }
  }

  filter(node: NodeInfo): Rejection | undefined {
    if (!this.#satisfiesAffinity(node)) return AFFINITY
    if (this.#pod.antiAffinity.some(({ topologyKey }) => this.#far.of(node, topologyKey) > 0))
      return ANTI_AFFINITY
    return this.#existing.touches(node) ? EXISTING : undefined
  }

  #satisfiesAffinity(node: NodeInfo): boolean {
    const { affinity } = this.#pod
    if (affinity.length === 0) return true
    if (affinity.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return false
    if (affinity.every(({ topologyKey }) => this.#near.of(node, topologyKey) > 0)) return true
    // The first of pods that want to be together may go anywhere.
    return this.#near.isEmpty && this.#isOwnKind
  }

  #matchesAll(terms: readonly Term[], other: PodInfo): boolean {
    return terms.every((term) => termMatches(term, other, this.#cluster.namespaceLabels))
  }
}

function scoreWork(pod: PodInfo, cluster: ClusterView): ScoreWork | undefined {
  const { preferred, avoided } = pod
  const asks = preferred.length + avoided.length > 0
  const labels = cluster.namespaceLabels
  const sums = new Counts()
  for (const node of asks ? cluster.nodes : cluster.nodesWithAffinity) {
    for (const other of node.pods.values()) {
      for (const { term, weight } of preferred)
        if (termMatches(term, other, labels)) sums.add(node, term.topologyKey, weight)
      for (const { term, weight } of avoided)
        if (termMatches(term, other, labels)) sums.add(node, term.topologyKey, -weight)
      for (const term of other.affinity)
        if (termMatches(term, pod, labels)) sums.add(node, term.topologyKey, HARD_WEIGHT)
      for (const { term, weight } of other.preferred) {
        if (termMatches(term, pod, labels)) sums.add(node, term.topologyKey, weight)
      }
      for (const { term, weight } of other.avoided) {
        if (termMatches(term, pod, labels)) sums.add(node, term.topologyKey, -weight)
      }
    }
  }
  if (sums.isEmpty) return undefined
  return { score: (node) => sums.sumAt(node), normalize: spreadOut }
}

/** The least becomes 0, the most 100. */
function spreadOut(scores: number[]): void {
  const min = scores.reduce((a, b) => Math.min(a, b), Infinity)
  const span = scores.reduce((a, b) => Math.max(a, b), -Infinity) - min
  for (let i = 0; i < scores.length; i++) {
    scores[i] = span > 0 ? Math.trunc((MAX_SCORE * ((scores[i] as number) - min)) / span) : 0
  }
}

export const interPodAffinity: Plugin = {
  name: NAME,
  filter: (pod, cluster) => {
    const work = new AffinityFilter(pod, cluster)
    return work.isIdle && cluster.nodesWithAntiAffinity.size === 0 ? undefined : work
  },
  score: { weight: 2, prepare: scoreWork },
  mayHelp: (event, pod) => {
    if (event.kind === 'node') return true
    if (event.kind === 'pod-gone') return true
    return event.kind === 'pod-here' && pod.affinity.length > 0
  },
}
