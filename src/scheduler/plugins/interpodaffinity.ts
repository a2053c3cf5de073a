// Pods that want to be near others, or far from them. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity (filtering.go, scoring.go).
import type { ClusterView } from '../clusterview.ts'
import { DEFAULT_ARGS, type PluginArgs } from '../config/args.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { TermRow } from '../podindex.ts'
import {
  type ClusterEvent,
  type FilterWork,
  MAX_SCORE,
  type Plugin,
  type PrepareScore,
  type Rejection,
} from '../plugin.ts'
import { type NamespaceLabels, type PodInfo, type Term, termMatches } from '../podinfo.ts'
import { DomainSums } from './domainsums.ts'
import { nodeLabelsChanged, ownLabelsChanged, podsOf } from './hints.ts'

const NAME = 'InterPodAffinity'
const rejected = (reason: string, isFinal: boolean): Rejection => ({
  plugin: NAME,
  reasons: [reason],
  isFinal,
})
const AFFINITY = rejected("node(s) didn't match pod affinity rules", true)
const ANTI_AFFINITY = rejected("node(s) didn't match pod anti-affinity rules", false)
const EXISTING = rejected("node(s) didn't satisfy existing pods anti-affinity rules", false)

class AffinityFilter implements FilterWork {
  readonly #pod: PodInfo
  readonly #labelsOf: NamespaceLabels
  readonly #near = new DomainSums()
  readonly #far = new DomainSums()
  readonly #existing = new DomainSums()
  readonly #isOwnKind: boolean

  constructor(pod: PodInfo, { pods, namespaceLabels }: ClusterView) {
    this.#pod = pod
    this.#labelsOf = namespaceLabels
    this.#isOwnKind = this.#matchesAll(pod.affinity, pod)
    for (const { term, tally } of pods.antiAffinity.values()) {
      if (termMatches(term, pod, namespaceLabels))
        this.#existing.include(term.topologyKey, tally.domains(term.topologyKey))
    }
    const [first] = pod.affinity
    // Who is near has to be meant by all terms at once.
    for (const group of first ? pods.groupsOf(first, namespaceLabels) : []) {
      if (!this.#matchesAll(pod.affinity, group)) continue
      for (const { topologyKey } of pod.affinity)
        this.#near.include(topologyKey, group.tally.domains(topologyKey))
    }
    for (const term of pod.antiAffinity) {
      for (const { tally } of pods.groupsOf(term, namespaceLabels))
        this.#far.include(term.topologyKey, tally.domains(term.topologyKey))
    }
  }

  changed(node: NodeInfo, other: PodInfo, sign: 1 | -1): void {
    const { affinity, antiAffinity } = this.#pod
    for (const term of other.antiAffinity) {
      if (termMatches(term, this.#pod, this.#labelsOf)) this.#existing.tryOut(node, term.topologyKey, sign)
    }
    if (affinity.length > 0 && this.#matchesAll(affinity, other)) {
      for (const { topologyKey } of affinity) this.#near.tryOut(node, topologyKey, sign)
    }
    for (const term of antiAffinity) {
      if (termMatches(term, other, this.#labelsOf)) this.#far.tryOut(node, term.topologyKey, sign)
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
    return this.#isOwnKind && this.#near.isEmpty
  }

  #matchesAll(terms: readonly Term[], other: Pick<PodInfo, 'namespace' | 'labels'>): boolean {
    return terms.every((term) => termMatches(term, other, this.#labelsOf))
  }
}

function prepareScore(args: PluginArgs['InterPodAffinity']): PrepareScore {
  return (pod, { pods, namespaceLabels }) => {
    const { preferred, avoided } = pod
    if (args.ignorePreferredTermsOfExistingPods && preferred.length + avoided.length === 0) return undefined
    const sums = new DomainSums()
    const ownTerms = (terms: PodInfo['preferred'], sign: 1 | -1): void => {
      for (const { term, weight } of terms) {
        for (const { tally } of pods.groupsOf(term, namespaceLabels))
          sums.include(term.topologyKey, tally.domains(term.topologyKey), sign * weight)
      }
    }
    const termsOfOthers = (rows: Iterable<TermRow>, factor: number): void => {
      for (const { term, weight, tally } of rows) {
        if (termMatches(term, pod, namespaceLabels))
          sums.include(term.topologyKey, tally.domains(term.topologyKey), factor * weight)
      }
    }
    ownTerms(preferred, 1)
    ownTerms(avoided, -1)
    if (args.hardPodAffinityWeight > 0) termsOfOthers(pods.affinity.values(), args.hardPodAffinityWeight)
    termsOfOthers(pods.preferred.values(), 1)
    termsOfOthers(pods.avoided.values(), -1)
    if (sums.isEmpty) return undefined
    return { score: (node) => sums.sumAt(node), normalize: spreadOut }
  }
}

/** The least becomes 0, the most 100. */
function spreadOut(scores: number[]): void {
  const min = scores.reduce((a, b) => Math.min(a, b), Infinity)
  const span = scores.reduce((a, b) => Math.max(a, b), -Infinity) - min
  for (let i = 0; i < scores.length; i++) {
    scores[i] = span > 0 ? Math.trunc((MAX_SCORE * ((scores[i] as number) - min)) / span) : 0
  }
}

/** Labels of namespaces are not looked at: whoever a selector of them may mean is meant. */
const ANY_NAMESPACE: NamespaceLabels = () => ({})

function mayHelp(event: ClusterEvent, pod: PodInfo): boolean {
  const { affinity, antiAffinity } = pod
  if (event.kind === 'self') return ownLabelsChanged(event, pod)
  if (event.kind === 'node') {
    if (!nodeLabelsChanged(event)) return false
    const labels = event.node.metadata.labels ?? {}
    const terms = [...affinity, ...antiAffinity]
    // Pods that are rejected for others' sake fit on any node where these are not.
    return terms.length === 0 || terms.some(({ topologyKey }) => labels[topologyKey] !== undefined)
  }
  const means = (terms: readonly Term[], other: PodInfo): boolean =>
    terms.some((term) => term.namespaceSelector !== undefined || termMatches(term, other, ANY_NAMESPACE))
  const [other, before] = podsOf(event)
  if (!other) return event.kind === 'node-gone' && affinity.length > 0
  if (event.kind !== 'pod-gone' && means(affinity, other)) return true
  if (event.kind === 'pod-here') return false
  // One is gone, or means something else now, that was in the way.
  const past = before ?? other
  return means(antiAffinity, past) || means(past.antiAffinity, pod)
}

export const interPodAffinityWith = (args: PluginArgs['InterPodAffinity']): Plugin => ({
  name: NAME,
  filter: (pod, cluster) => {
    const asks = pod.affinity.length + pod.antiAffinity.length > 0
    return asks || cluster.pods.antiAffinity.size > 0 ? new AffinityFilter(pod, cluster) : undefined
  },
  score: { weight: 2, prepare: prepareScore(args) },
  mayHelp,
})

export const interPodAffinity = interPodAffinityWith(DEFAULT_ARGS.InterPodAffinity)
