// Constraints of spreading, and how many pods each domain has in their sense.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread/common.go.
import type { TopologySpreadConstraint } from '../../client/kinds/core.v1.gen.ts'
import { type LabelSelector, selectorOf } from '../../machinery/labels.ts'
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { PodGroup } from '../podindex.ts'
import { type PodInfo, selectorOrNothing } from '../podinfo.ts'
import { requiredNodes } from './nodeselection.ts'
import { SCHEDULING_EFFECTS, untolerated } from './tolerates.ts'

export interface Constraint {
  readonly key: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: LabelSelector
  /** Whether the node's pods count; undefined: those of all nodes do. */
  readonly counts: ((node: NodeInfo) => boolean) | undefined
}

export function constraintOf(pod: PodInfo, one: TopologySpreadConstraint): Constraint {
  const tolerations = pod.pod.spec.tolerations ?? []
  const selects = one.nodeAffinityPolicy === 'Ignore' ? undefined : requiredNodes(pod.pod)
  const honorsTaints = one.nodeTaintsPolicy === 'Honor'
  let selector = selectorOrNothing(one.labelSelector)
  const ownKeys = (one.matchLabelKeys ?? []).filter((key) => pod.labels[key] !== undefined)
  if (ownKeys.length > 0) {
    const own = ownKeys.map((key) => ({ key, operator: 'in' as const, values: [pod.labels[key] as string] }))
    selector = selectorOf([...selector.requirements, ...own])
  }
  const counts = ({ node, taints }: NodeInfo): boolean =>
    selects?.(node) !== false &&
    (!honorsTaints || taints.length === 0 || !untolerated(taints, tolerations, SCHEDULING_EFFECTS))
  return {
    key: one.topologyKey,
    maxSkew: one.maxSkew,
    minDomains: one.minDomains ?? 1,
    selector,
    counts: selects || honorsTaints ? counts : undefined,
  }
}

export const constraintsOf = (pod: PodInfo, action: string): Constraint[] =>
  (pod.pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((one) => constraintOf(pod, one))

/** The pods that are spread, but for those that are about to go. */
export function groupsOf(namespace: string, selector: LabelSelector, { pods }: ClusterView): PodGroup[] {
  const found: PodGroup[] = []
  for (const group of pods.groupsIn(namespace)) {
    if (!group.isLeaving && selector.matches(group.labels)) found.push(group)
  }
  return found
}

export function countAt(groups: readonly PodGroup[], node: NodeInfo): number {
  let count = 0
  for (const { tally } of groups) count += tally.at(node)
  return count
}

/** How many pods each domain has. */
export interface DomainCounts {
  /** Domains, those without a pod included. */
  readonly size: number
  of(value: string): number
  /** What the domain with the fewest has. */
  least(): number
  /** One more in this domain, or one less. */
  tryOut(value: string, sign: 1 | -1): void
}

/** Out of what the index of pods has counted already: for constraints that all nodes count for. */
export class IndexedCounts implements DomainCounts {
  readonly #domains: readonly ReadonlyMap<string, number>[]
  readonly #values: ReadonlySet<string>
  readonly #tried = new Map<string, number>()
  #least: number | undefined

  constructor(groups: readonly PodGroup[], values: ReadonlySet<string>, key: string) {
    this.#domains = groups.map(({ tally }) => tally.domains(key))
    this.#values = values
  }

  get size(): number {
    return this.#values.size
  }

  of(value: string): number {
    let count = this.#tried.size === 0 ? 0 : (this.#tried.get(value) ?? 0)
    for (const domains of this.#domains) count += domains.get(value) ?? 0
    return count
  }

  least(): number {
    return (this.#least ??= this.#findLeast())
  }

  tryOut(value: string, sign: 1 | -1): void {
    this.#tried.set(value, (this.#tried.get(value) ?? 0) + sign)
    this.#least = undefined
  }

  #findLeast(): number {
    let known = this.#tried.size
    for (const { size } of this.#domains) known += size
    // Then some domain has none.
    if (known < this.#values.size) return 0
    let least = Infinity
    for (const value of this.#values) {
      const count = this.of(value)
      if (count === 0) return 0
      if (count < least) least = count
    }
    return least
  }
}

/** Node by node: for constraints that only some nodes count for. */
export class SummedCounts implements DomainCounts {
  readonly #sums = new Map<string, number>()
  #least: number | undefined

  constructor(groups: readonly PodGroup[], nodes: readonly NodeInfo[], key: string) {
    for (const node of nodes) {
      const value = node.labels[key]
      if (value !== undefined) this.#sums.set(value, (this.#sums.get(value) ?? 0) + countAt(groups, node))
    }
  }

  get size(): number {
    return this.#sums.size
  }

  of(value: string): number {
    return this.#sums.get(value) ?? 0
  }

  least(): number {
    if (this.#least !== undefined) return this.#least
    let least = Infinity
    for (const count of this.#sums.values()) if (count < least) least = count
    return (this.#least = least)
  }

  tryOut(value: string, sign: 1 | -1): void {
    this.#sums.set(value, (this.#sums.get(value) ?? 0) + sign)
    this.#least = undefined
  }
}
