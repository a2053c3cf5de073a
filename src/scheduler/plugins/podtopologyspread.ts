// Pods of one kind spread over zones and nodes. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go, common.go, plugin.go).
import type { TopologySpreadConstraint } from '../../client/kinds/core.v1.gen.ts'
import { controllerOf } from '../../client/ownership.ts'
import { type LabelSelector, NOTHING, selectorOf, selectorOfMap } from '../../machinery/labels.ts'
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import { type FilterWork, MAX_SCORE, type Plugin, type Rejection, type ScoreWork } from '../plugin.ts'
import { type PodInfo, selectorOrNothing } from '../podinfo.ts'
import { requiredNodes } from './nodeselection.ts'
import { SCHEDULING_EFFECTS, untolerated } from './tolerates.ts'

const NAME = 'PodTopologySpread'
const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'
const MISMATCH: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints"],
  isFinal: false,
}
const NO_LABEL: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  isFinal: true,
}

interface Constraint {
  readonly key: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: LabelSelector
  /** Whether the node's pods count. */
  counts(node: NodeInfo): boolean
}

function constraintOf(pod: PodInfo, one: TopologySpreadConstraint): Constraint {
  const tolerations = pod.pod.spec.tolerations ?? []
  const selects = requiredNodes(pod.pod)
  const honorsAffinity = one.nodeAffinityPolicy !== 'Ignore' && selects !== undefined
  const honorsTaints = one.nodeTaintsPolicy === 'Honor'
  let selector = selectorOrNothing(one.labelSelector)
  const ownKeys = (one.matchLabelKeys ?? []).filter((key) => pod.labels[key] !== undefined)
  if (ownKeys.length > 0) {
    const own = ownKeys.map((key) => ({ key, operator: 'in' as const, values: [pod.labels[key] as string] }))
    selector = selectorOf([...selector.requirements, ...own])
  }
  return {
    key: one.topologyKey,
    maxSkew: one.maxSkew,
    minDomains: one.minDomains ?? 1,
    selector,
    counts: ({ node, taints }) =>
      (!honorsAffinity || selects(node)) &&
      (!honorsTaints || !untolerated(taints, tolerations, SCHEDULING_EFFECTS)),
  }
}

const constraintsOf = (pod: PodInfo, action: string): Constraint[] =>
  (pod.pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((one) => constraintOf(pod, one))

function countMatching(node: NodeInfo, namespace: string, selector: LabelSelector): number {
  let count = 0
  for (const other of node.pods.values()) if (isCounted(other, namespace, selector)) count++
  return count
}

/** Pods that are about to go do not count. */
const isCounted = (other: PodInfo, namespace: string, selector: LabelSelector): boolean =>
  other.namespace === namespace &&
  other.pod.metadata.deletionTimestamp === undefined &&
  selector.matches(other.labels)

class SpreadFilter implements FilterWork {
  readonly #pod: PodInfo
  readonly #constraints: readonly Constraint[]
  /** For each constraint how many pods each domain has. */
  readonly #domains: readonly Map<string, number>[]
  #least: readonly number[] | undefined

  constructor(pod: PodInfo, constraints: readonly Constraint[], cluster: ClusterView) {
    this.#pod = pod
    this.#constraints = constraints
    this.#domains = constraints.map(() => new Map())
    for (const node of cluster.nodes) {
      if (!hasAllKeys(node, constraints)) continue
      constraints.forEach((one, i) => {
        if (one.counts(node)) this.#add(node, i, countMatching(node, pod.namespace, one.selector))
      })
    }
  }

  changed(node: NodeInfo, other: PodInfo, sign: 1 | -1): void {
    if (!hasAllKeys(node, this.#constraints)) return
    this.#constraints.forEach((one, i) => {
      if (one.counts(node) && isCounted(other, this.#pod.namespace, one.selector)) this.#add(node, i, sign)
    })
    this.#least = undefined
  }

  filter(node: NodeInfo): Rejection | undefined {
    this.#least ??= this.#constraints.map((one, i) => leastOf(this.#domains[i] as Map<string, number>, one))
    for (const [i, { key, maxSkew, selector }] of this.#constraints.entries()) {
      const value = node.labels[key]
      if (value === undefined) return NO_LABEL
      const own = selector.matches(this.#pod.labels) ? 1 : 0
      const count = this.#domains[i]?.get(value) ?? 0
      if (count + own - (this.#least[i] as number) > maxSkew) return MISMATCH
    }
    return undefined
  }

  #add(node: NodeInfo, i: number, amount: number): void {
    const { key } = this.#constraints[i] as Constraint
    const value = node.labels[key] as string
    const domains = this.#domains[i] as Map<string, number>
    domains.set(value, (domains.get(value) ?? 0) + amount)
  }
}

const hasAllKeys = (node: NodeInfo, constraints: readonly Constraint[]): boolean =>
  constraints.every(({ key }) => node.labels[key] !== undefined)

/** Of fewer domains than are wanted, one that is still to come has none. */
function leastOf(domains: ReadonlyMap<string, number>, { minDomains }: Constraint): number {
  if (domains.size < minDomains) return 0
  let least = Infinity
  for (const count of domains.values()) if (count < least) least = count
  return least
}

/** What upstream spreads by where the pod says nothing: softly, over nodes and zones, with its siblings. */
function defaults(pod: PodInfo, cluster: ClusterView): Constraint[] {
  const selector = siblings(pod, cluster)
  if (selector === undefined) return []
  const of = (key: string, maxSkew: number): Constraint => ({
    ...constraintOf(pod, { topologyKey: key, maxSkew, whenUnsatisfiable: 'ScheduleAnyway' }),
    selector,
  })
  return [of(HOSTNAME, 3), of(ZONE, 5)]
}

/** What selects the pod's siblings: its services, and its controller; undefined where there is neither. */
function siblings({ pod, namespace, labels }: PodInfo, { sources }: ClusterView): LabelSelector | undefined {
  const services = sources.servicesIn(namespace).flatMap(({ spec }) => {
    const { selector } = spec
    return selector && Object.keys(selector).length > 0 && selectorOfMap(selector).matches(labels)
      ? selectorOfMap(selector).requirements
      : []
  })
  const { kind = '', name = '' } = controllerOf(pod) ?? {}
  let own: LabelSelector = NOTHING
  if (kind === 'ReplicaSet') own = selectorOrNothing(sources.replicaSet(namespace, name)?.spec.selector)
  if (kind === 'StatefulSet') own = selectorOrNothing(sources.statefulSet(namespace, name)?.spec.selector)
  if (kind === 'ReplicationController') {
    const selector = sources.replicationController(namespace, name)?.spec.selector
    if (selector) own = selectorOfMap(selector)
  }
  const requirements = [...services, ...own.requirements]
  return requirements.length === 0 ? undefined : selectorOf(requirements)
}

function scoreWork(pod: PodInfo, cluster: ClusterView, nodes: readonly NodeInfo[]): ScoreWork | undefined {
  const isOwn = (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0
  const constraints = isOwn ? constraintsOf(pod, 'ScheduleAnyway') : defaults(pod, cluster)
  if (constraints.length === 0) return undefined
  // Nodes without the keys that the pod names itself are the last resort; the defaults make no such demand.
  const isIgnored = (node: NodeInfo): boolean => isOwn && !hasAllKeys(node, constraints)
  const eligible = nodes.filter((node) => !isIgnored(node))
  const counted = constraints.map((one) => domainCounts(pod, one, cluster, eligible))
  const weights = constraints.map(({ key }, i) =>
    Math.log((key === HOSTNAME ? eligible.length : (counted[i]?.size ?? 0)) + 2),
  )
  return {
    score: (node) => {
      if (isIgnored(node)) return 0
      let score = 0
      for (const [i, { key, selector, maxSkew }] of constraints.entries()) {
        const value = node.labels[key]
        if (value === undefined) continue
        const count = counted[i]?.get(value) ?? countMatching(node, pod.namespace, selector)
        score += count * (weights[i] as number) + (maxSkew - 1)
      }
      return Math.round(score)
    },
    normalize: (scores, all) => invert(scores, all, isIgnored),
  }
}

/** Nodes are counted one by one when they are scored; only other domains have to be summed up over all nodes. */
function domainCounts(
  pod: PodInfo,
  { key, selector, counts }: Constraint,
  cluster: ClusterView,
  nodes: readonly NodeInfo[],
): Map<string, number> | undefined {
  if (key === HOSTNAME) return undefined
  const domains = new Map<string, number>()
  for (const { labels } of nodes) if (labels[key] !== undefined) domains.set(labels[key], 0)
  if (domains.size === 0) return domains
  for (const node of cluster.nodes) {
    const value = node.labels[key]
    const known = value === undefined ? undefined : domains.get(value)
    if (value === undefined || known === undefined || !counts(node)) continue
    domains.set(value, known + countMatching(node, pod.namespace, selector))
  }
  return domains
}

/** The fewer the better. */
function invert(scores: number[], nodes: readonly NodeInfo[], isIgnored: (node: NodeInfo) => boolean): void {
  let min = Infinity
  let max = 0
  const ignored = nodes.map(isIgnored)
  scores.forEach((score, i) => {
    if (ignored[i]) return
    min = Math.min(min, score)
    max = Math.max(max, score)
  })
  for (let i = 0; i < scores.length; i++) {
    if (ignored[i]) scores[i] = 0
    else
      scores[i] = max === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (max + min - (scores[i] as number))) / max)
  }
}

export const podTopologySpread: Plugin = {
  name: NAME,
  filter: (pod, cluster) => {
    const constraints = constraintsOf(pod, 'DoNotSchedule')
    return constraints.length === 0 ? undefined : new SpreadFilter(pod, constraints, cluster)
  },
  score: { weight: 2, prepare: scoreWork },
  mayHelp: (event, pod) => {
    if (event.kind === 'volumes') return false
    return event.kind === 'node' || event.pod.namespace === pod.namespace
  },
}
