// Pods of one kind spread over zones and nodes. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go, common.go, plugin.go).
import type { TopologySpreadConstraint } from '../../client/kinds/core.v1.gen.ts'
import { controllerOf } from '../../client/ownership.ts'
import { type LabelSelector, NOTHING, selectorOf, selectorOfMap } from '../../machinery/labels.ts'
import type { ClusterView } from '../clusterview.ts'
import { DEFAULT_ARGS, type PluginArgs } from '../config/args.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import {
  type ClusterEvent,
  type FilterWork,
  MAX_SCORE,
  type Plugin,
  type Rejection,
  type ScoreWork,
} from '../plugin.ts'
import { type PodInfo, selectorOrNothing } from '../podinfo.ts'
import { nodeLabelsChanged, ownLabelsChanged, podsOf } from './hints.ts'
import {
  type Constraint,
  constraintOf,
  constraintsOf,
  countAt,
  type DomainCounts,
  groupsOf,
  IndexedCounts,
  SummedCounts,
} from './spreadcounts.ts'

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

class SpreadFilter implements FilterWork {
  readonly #pod: PodInfo
  readonly #constraints: readonly Constraint[]
  readonly #counts: readonly DomainCounts[]
  readonly #own: readonly number[]
  readonly #keys: readonly string[]

  constructor(pod: PodInfo, constraints: readonly Constraint[], cluster: ClusterView) {
    this.#pod = pod
    this.#constraints = constraints
    this.#keys = constraints.map(({ key }) => key)
    this.#own = constraints.map(({ selector }) => (selector.matches(pod.labels) ? 1 : 0))
    const onAll = this.#keys.every((key) => cluster.valuesOf(key).onAll)
    this.#counts = constraints.map((one) => {
      const groups = groupsOf(pod.namespace, one.selector, cluster)
      if (onAll && one.counts === undefined)
        return new IndexedCounts(groups, cluster.valuesOf(one.key).values, one.key)
      const nodes = cluster.nodes.filter((node) => hasAll(node, this.#keys) && one.counts?.(node) !== false)
      return new SummedCounts(groups, nodes, one.key)
    })
  }

  changed(node: NodeInfo, other: PodInfo, sign: 1 | -1): void {
    if (!hasAll(node, this.#keys) || other.pod.metadata.deletionTimestamp !== undefined) return
    if (other.namespace !== this.#pod.namespace) return
    this.#constraints.forEach(({ key, selector, counts }, i) => {
      if (counts?.(node) !== false && selector.matches(other.labels))
        this.#counts[i]?.tryOut(node.labels[key] as string, sign)
    })
  }

  filter(node: NodeInfo): Rejection | undefined {
    for (let i = 0; i < this.#constraints.length; i++) {
      const { key, maxSkew, minDomains } = this.#constraints[i] as Constraint
      const counts = this.#counts[i] as DomainCounts
      const value = node.labels[key]
      if (value === undefined) return NO_LABEL
      // Of fewer domains than are wanted, one that is still to come has none.
      const least = counts.size < minDomains ? 0 : counts.least()
      if (counts.of(value) + (this.#own[i] as number) - least > maxSkew) return MISMATCH
    }
    return undefined
  }
}

const hasAll = (node: NodeInfo, keys: readonly string[]): boolean =>
  keys.every((key) => node.labels[key] !== undefined)

/** What upstream spreads by where the pod says nothing: softly, over nodes and zones. */
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: ZONE, maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
]

/** What is said of pods that say nothing themselves, of them and their siblings. */
function defaults(
  pod: PodInfo,
  cluster: ClusterView,
  constraints: readonly TopologySpreadConstraint[],
): Constraint[] {
  if (constraints.length === 0) return []
  const selector = siblings(pod, cluster)
  return selector === undefined ? [] : constraints.map((one) => ({ ...constraintOf(pod, one), selector }))
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

/** `system`: the defaults are upstream's own, and ask of nodes no label that they have not. */
interface Defaults {
  readonly constraints: readonly TopologySpreadConstraint[]
  readonly system: boolean
}

const constraintsFor = (pod: PodInfo, cluster: ClusterView, action: string, { constraints }: Defaults) =>
  (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0
    ? constraintsOf(pod, action)
    : defaults(
        pod,
        cluster,
        constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action),
      )

function scoreWork(
  pod: PodInfo,
  cluster: ClusterView,
  nodes: readonly NodeInfo[],
  settings: Defaults,
): ScoreWork | undefined {
  const constraints = constraintsFor(pod, cluster, 'ScheduleAnyway', settings)
  if (constraints.length === 0) return undefined
  const keys = constraints.map(({ key }) => key)
  // Nodes without the keys are the last resort.
  const needsAll = (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0 || !settings.system
  const isIgnored = (node: NodeInfo): boolean => needsAll && !hasAll(node, keys)
  const eligible = needsAll ? nodes.filter((node) => !isIgnored(node)) : nodes
  const counters = constraints.map((one) => counterOf(pod, one, cluster, eligible))
  return {
    score: (node) => {
      if (isIgnored(node)) return 0
      let score = 0
      for (let i = 0; i < constraints.length; i++) {
        const { key, maxSkew } = constraints[i] as Constraint
        const value = node.labels[key]
        if (value === undefined) continue
        const { weight, count } = counters[i] as Counter
        score += count(node, value) * weight + (maxSkew - 1)
      }
      return Math.round(score)
    },
    normalize: (scores, all) => invert(scores, needsAll ? all.map(isIgnored) : undefined),
  }
}

interface Counter {
  /** The more domains, the more. */
  readonly weight: number
  count(node: NodeInfo, value: string): number
}

/** Each node is a domain of its own where names of hosts are asked for; other domains are counted as a whole. */
function counterOf(
  pod: PodInfo,
  { key, selector, counts }: Constraint,
  cluster: ClusterView,
  eligible: readonly NodeInfo[],
): Counter {
  const groups = groupsOf(pod.namespace, selector, cluster)
  if (key === HOSTNAME)
    return { weight: Math.log(eligible.length + 2), count: (node) => countAt(groups, node) }
  const values = new Set<string>()
  for (const { labels } of eligible) {
    const value = labels[key]
    if (value !== undefined) values.add(value)
  }
  const weight = Math.log(values.size + 2)
  if (values.size === 0) return { weight, count: () => 0 }
  const sums =
    counts === undefined
      ? new IndexedCounts(groups, values, key)
      : new SummedCounts(groups, cluster.nodes.filter(counts), key)
  return { weight, count: (_, value) => sums.of(value) }
}

/** The fewer the better; those that are ignored get nothing. */
function invert(scores: number[], ignored: readonly boolean[] | undefined): void {
  let min = Infinity
  let max = 0
  for (let i = 0; i < scores.length; i++) {
    if (ignored?.[i]) continue
    min = Math.min(min, scores[i] as number)
    max = Math.max(max, scores[i] as number)
  }
  for (let i = 0; i < scores.length; i++) {
    if (ignored?.[i]) scores[i] = 0
    else
      scores[i] = max === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (max + min - (scores[i] as number))) / max)
  }
}

function mayHelp(event: ClusterEvent, pod: PodInfo): boolean {
  if (event.kind === 'self') return ownLabelsChanged(event, pod)
  const constraints = constraintsOf(pod, 'DoNotSchedule')
  if (event.kind === 'node-gone' || (event.kind === 'node' && nodeLabelsChanged(event))) {
    const labels = event.node.metadata.labels ?? {}
    return constraints.every(({ key }) => labels[key] !== undefined)
  }
  const [other, before] = podsOf(event)
  if (other?.namespace !== pod.namespace) return false
  const isMeant = (one: PodInfo): boolean => constraints.some(({ selector }) => selector.matches(one.labels))
  // What the defaults mean hangs on other objects: any sibling may do.
  if (constraints.length === 0) return true
  return before === undefined ? isMeant(other) : isMeant(other) || isMeant(before)
}

export function podTopologySpreadWith({
  defaultConstraints,
  defaultingType,
}: PluginArgs['PodTopologySpread']): Plugin {
  const system = defaultingType === 'System'
  const settings: Defaults = { system, constraints: system ? SYSTEM_DEFAULTS : defaultConstraints }
  return {
    name: NAME,
    filter: (pod, cluster) => {
      const constraints = constraintsFor(pod, cluster, 'DoNotSchedule', settings)
      return constraints.length === 0 ? undefined : new SpreadFilter(pod, constraints, cluster)
    },
    score: { weight: 2, prepare: (pod, cluster, nodes) => scoreWork(pod, cluster, nodes, settings) },
    mayHelp,
  }
}

export const podTopologySpread = podTopologySpreadWith(DEFAULT_ARGS.PodTopologySpread)
