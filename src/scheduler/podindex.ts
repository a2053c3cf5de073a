// Which pods are where, in the words in which rules about other pods ask: pods with the same labels in the same namespace
// are one group, terms of the same words are one row. What such a rule costs grows with the kinds of pods that there are,
// neither with the pods nor with the nodes.
// Follows the role of the havePodsWithAffinity lists of k8s.io/kubernetes/pkg/scheduler/backend/cache/snapshot.go.
import type { NodeInfo } from './nodeinfo.ts'
import { type NamespaceLabels, type PodInfo, type Term, termMatches } from './podinfo.ts'

/** How many there are, by the value of a label of their nodes. There are no zeros. */
export type Domains = ReadonlyMap<string, number>

/** How many of something there are on each node, and in each domain that somebody asked for. */
export class Tally {
  readonly #byNode = new Map<NodeInfo, number>()
  readonly #byKey = new Map<string, Map<string, number>>()

  get isEmpty(): boolean {
    return this.#byNode.size === 0
  }

  at(node: NodeInfo): number {
    return this.#byNode.get(node) ?? 0
  }

  add(node: NodeInfo, amount: number): void {
    change(this.#byNode, node, amount)
    for (const [key, domains] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined) change(domains, value, amount)
    }
  }

  domains(key: string): Domains {
    let domains = this.#byKey.get(key)
    if (domains) return domains
    domains = new Map()
    for (const [node, amount] of this.#byNode) {
      const value = node.labels[key]
      if (value !== undefined) change(domains, value, amount)
    }
    this.#byKey.set(key, domains)
    return domains
  }
}

function change<K>(counts: Map<K, number>, key: K, amount: number): void {
  const sum = (counts.get(key) ?? 0) + amount
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}

/** Pods of the same namespace with the same labels. */
export interface PodGroup {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** About to go. */
  readonly isLeaving: boolean
  readonly tally: Tally
}

/** Pods that say the same about others. */
export interface TermRow {
  readonly term: Term
  /** 1 for what is demanded. */
  readonly weight: number
  readonly tally: Tally
}

type Rows = Map<string, TermRow>

export class PodIndex {
  readonly #groups = new Map<string, Map<string, PodGroup>>()
  readonly affinity: Rows = new Map()
  readonly antiAffinity: Rows = new Map()
  readonly preferred: Rows = new Map()
  readonly avoided: Rows = new Map()

  /** A pod came to the node, or went. */
  change(node: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
    this.#changeGroup(node, pod, sign)
    for (const term of pod.affinity) changeRow(this.affinity, { term, weight: 1 }, node, sign)
    for (const term of pod.antiAffinity) changeRow(this.antiAffinity, { term, weight: 1 }, node, sign)
    for (const one of pod.preferred) changeRow(this.preferred, one, node, sign)
    for (const one of pod.avoided) changeRow(this.avoided, one, node, sign)
  }

  groupsIn(namespace: string): Iterable<PodGroup> {
    return this.#groups.get(namespace)?.values() ?? NONE
  }

  /** The groups that a term means. */
  groupsOf(term: Term, labelsOf: NamespaceLabels): PodGroup[] {
    const found: PodGroup[] = []
    const namespaces = term.namespaceSelector === undefined ? term.namespaces : this.#groups.keys()
    for (const namespace of namespaces) {
      for (const group of this.groupsIn(namespace)) if (termMatches(term, group, labelsOf)) found.push(group)
    }
    return found
  }

  #changeGroup(node: NodeInfo, { namespace, labels, pod, signature }: PodInfo, sign: 1 | -1): void {
    let inNamespace = this.#groups.get(namespace)
    if (!inNamespace) this.#groups.set(namespace, (inNamespace = new Map()))
    const isLeaving = pod.metadata.deletionTimestamp !== undefined
    const key = isLeaving ? `-${signature}` : signature
    let group = inNamespace.get(key)
    if (!group) inNamespace.set(key, (group = { namespace, labels, isLeaving, tally: new Tally() }))
    group.tally.add(node, sign)
    if (!group.tally.isEmpty) return
    inNamespace.delete(key)
    if (inNamespace.size === 0) this.#groups.delete(namespace)
  }
}

function changeRow(rows: Rows, { term, weight }: Omit<TermRow, 'tally'>, node: NodeInfo, sign: 1 | -1): void {
  const key = `${weight} ${term.key}`
  let row = rows.get(key)
  if (!row) rows.set(key, (row = { term, weight, tally: new Tally() }))
  row.tally.add(node, sign)
  if (row.tally.isEmpty) rows.delete(key)
}

const NONE: readonly never[] = []
