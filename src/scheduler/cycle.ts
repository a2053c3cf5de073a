// One pod, one cycle: the nodes that will do, the best of them. Nothing in here waits or writes.
// Follows k8s.io/kubernetes/pkg/scheduler/schedule_one.go.
import type { ClusterView } from './clusterview.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { NodeInfo } from './nodeinfo.ts'
import { MeteredFilter, MeteredScore, statusOf } from './metered.ts'
import { Memory } from './pernode.ts'
import { type FilterWork, isRejection, type Rejection, type ScoreWork } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'
import type { CycleMeter } from './pointmetrics.ts'
import { PLUGIN_POINTS } from './config/points.ts'
import type { Profile } from './profile.ts'

/** As upstream: so many are always looked for, and at least this part of a large cluster. */
const MIN_FEASIBLE = 100
const MIN_PERCENTAGE = 5

/** How many nodes that will do are enough to choose from. `percentage` 0: the more nodes there are, the smaller the part. */
export function enough(nodes: number, percentage: number): number {
  if (nodes < MIN_FEASIBLE || percentage >= 100) return nodes
  const part = percentage > 0 ? percentage : Math.max(MIN_PERCENTAGE, 50 - Math.trunc(nodes / 125))
  return Math.max(MIN_FEASIBLE, Math.trunc((nodes * part) / 100))
}

/** Pods that others made room for, by the node that they are waiting for. */
export type Nominated = (node: string) => readonly PodInfo[]

export interface CycleParts {
  readonly cluster: ClusterView
  readonly profile: Pick<Profile, 'filters' | 'scores' | 'percentage' | 'preemption'>
  readonly nominated: Nominated
  readonly meter: CycleMeter
  /** From 0 to 1. */
  random(): number
}

export type Found = { readonly node: NodeInfo } | { readonly diagnosis: Diagnosis }

/** The nodes that will do, and why the others that were looked at will not. */
export interface Looked {
  readonly feasible: readonly NodeInfo[]
  readonly diagnosis: Diagnosis
}

/** The filters that have something to say about the pod; a rejection where no node will do. */
export function prepareFilters(
  pod: PodInfo,
  { cluster, profile, meter }: CycleParts,
): readonly FilterWork[] | Rejection {
  const works: FilterWork[] = []
  for (const { name, filter } of profile.filters) {
    const since = meter.isTimed ? performance.now() : 0
    const work = filter?.(pod, cluster)
    const rejection = work && isRejection(work) ? work : undefined
    if (PLUGIN_POINTS.get(name)?.includes('preFilter')) {
      if (work) meter.counter(name, 'PreFilter').count++
      if (meter.isTimed) meter.plugin(name, 'PreFilter', work ? statusOf(rejection) : 'Skip', since)
    }
    if (rejection) return rejection
    if (work) works.push(new MeteredFilter(work as FilterWork, name, meter))
  }
  return works
}

export function rejectionOf(works: readonly FilterWork[], node: NodeInfo): Rejection | undefined {
  for (const work of works) {
    const rejection = work.filter(node)
    if (rejection) return rejection
  }
  return undefined
}

/** Does the node do also when those are on it that others made room for? */
export function rejectionWithNominated(
  pod: PodInfo,
  works: readonly FilterWork[],
  node: NodeInfo,
  nominated: Nominated,
): Rejection | undefined {
  const others = nominated(node.name).filter(
    ({ uid, priority }) => uid !== pod.uid && priority >= pod.priority,
  )
  if (others.length === 0) return rejectionOf(works, node)
  for (const other of others) tryOut(works, node, other, 1)
  const rejection = rejectionOf(works, node)
  for (const other of others) tryOut(works, node, other, -1)
  // They may never come: what the pod needs of its neighbours has to be there without them.
  return rejection ?? rejectionOf(works, node)
}

/** Puts a pod onto a node, or takes it away, for the filters alone. */
export function tryOut(works: readonly FilterWork[], node: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
  if (sign === 1) node.add(pod)
  else node.remove(pod.uid)
  for (const work of works) work.changed?.(node, pod, sign)
}

/** A score that has something to say about the pod. */
interface PreparedScore {
  readonly name: string
  readonly weight: number
  readonly work: ScoreWork
}

export class Cycle {
  readonly #parts: CycleParts
  /** Where the next pod's search begins, so that all nodes have their turn. */
  #start = 0
  readonly #rejections = new Memory<Rejection | undefined>()
  readonly #ownScores = new Memory<number>()

  constructor(parts: CycleParts) {
    this.#parts = parts
  }

  run(pod: PodInfo): Found {
    const { feasible, diagnosis } = this.look(pod)
    return feasible.length === 0 ? { diagnosis } : { node: this.choose(pod, feasible) }
  }

  look(pod: PodInfo): Looked {
    const { cluster, meter } = this.#parts
    const nodes = cluster.nodes.length
    meter.begin()
    const since = performance.now()
    const works = prepareFilters(pod, this.#parts)
    meter.point('PreFilter', statusOf('reasons' in works ? works : undefined), since)
    if ('reasons' in works)
      return { feasible: [], diagnosis: { nodes, rejections: new Map(), overall: works } }
    const preferred = cluster.node(pod.pod.status.nominatedNodeName ?? '')
    if (preferred && !rejectionWithNominated(pod, works, preferred, this.#parts.nominated))
      return { feasible: [preferred], diagnosis: { nodes, rejections: new Map(), overall: undefined } }
    const { feasible, rejections } = this.#search(pod, works)
    return { feasible, diagnosis: { nodes, rejections, overall: undefined } }
  }

  /** The best of them; `more` is added to their scores, by their names. */
  choose(
    pod: PodInfo,
    feasible: readonly NodeInfo[],
    more: readonly ReadonlyMap<string, number>[] = [],
  ): NodeInfo {
    const [first] = feasible
    return first && feasible.length === 1 ? first : this.#best(feasible, this.#scores(pod, feasible, more))
  }

  #search(pod: PodInfo, works: readonly FilterWork[]) {
    const { cluster, nominated, profile, meter } = this.#parts
    const { nodes } = cluster
    const since = performance.now()
    const wanted = enough(nodes.length, profile.percentage)
    const feasible: NodeInfo[] = []
    const rejections = new Map<string, Rejection>()
    const judge = this.#judge(works)
    let looked = 0
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(this.#start + looked) % nodes.length] as NodeInfo
      const isWaitedFor = nominated(node.name).length > 0
      const rejection = isWaitedFor ? rejectionWithNominated(pod, works, node, nominated) : judge(node)
      if (rejection) rejections.set(node.name, rejection)
      else feasible.push(node)
    }
    this.#start = nodes.length === 0 ? 0 : (this.#start + looked) % nodes.length
    meter.point('Filter', 'Success', since)
    return { feasible, rejections }
  }

  /** The same as `rejectionOf`; what hangs on the node alone is remembered. */
  #judge(works: readonly FilterWork[]): (node: NodeInfo) => Rejection | undefined {
    const others = works.findIndex(({ key }) => key === undefined)
    const own = others < 0 ? works : works.slice(0, others)
    const rest = others < 0 ? [] : works.slice(others)
    const known = this.#rejections.of(own.map(({ key }) => key).join('\n'))
    const find = (node: NodeInfo): Rejection | undefined => rejectionOf(own, node)
    if (rest.length === 0) return (node) => known.get(node, find)
    return (node) => known.get(node, find) ?? rejectionOf(rest, node)
  }

  /** Of several that are equally good, any. */
  #best(nodes: readonly NodeInfo[], totals: Float64Array): NodeInfo {
    let best = nodes[0] as NodeInfo
    let bestScore = -Infinity
    let ties = 0
    for (let i = 0; i < nodes.length; i++) {
      const score = totals[i] as number
      if (score < bestScore) continue
      ties = score > bestScore ? 1 : ties + 1
      if (ties > 1 && this.#parts.random() * ties >= 1) continue
      best = nodes[i] as NodeInfo
      bestScore = score
    }
    return best
  }

  #scores(
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    more: readonly ReadonlyMap<string, number>[],
  ): Float64Array {
    const { meter } = this.#parts
    const totals = new Float64Array(nodes.length)
    const scores = new Array<number>(nodes.length)
    const works = this.#prepareScores(pod, nodes)
    const since = performance.now()
    const own = works.filter(({ work }) => work.key !== undefined)
    for (const { weight, work } of works) {
      if (work.key !== undefined) continue
      for (let i = 0; i < nodes.length; i++) scores[i] = work.score(nodes[i] as NodeInfo)
      work.normalize?.(scores, nodes)
      for (let i = 0; i < nodes.length; i++)
        totals[i] = (totals[i] as number) + weight * (scores[i] as number)
    }
    this.#addOwn(own, nodes, totals)
    for (const added of more)
      nodes.forEach(({ name }, i) => (totals[i] = (totals[i] as number) + (added.get(name) ?? 0)))
    meter.point('Score', 'Success', since)
    return totals
  }

  #prepareScores(pod: PodInfo, nodes: readonly NodeInfo[]): readonly PreparedScore[] {
    const { cluster, meter, profile } = this.#parts
    const found: PreparedScore[] = []
    const start = performance.now()
    for (const { name, weight, prepare } of profile.scores) {
      const since = meter.isTimed ? performance.now() : 0
      const work = prepare(pod, cluster, nodes)
      if (PLUGIN_POINTS.get(name)?.includes('preScore')) {
        if (work) meter.counter(name, 'PreScore').count++
        if (meter.isTimed) meter.plugin(name, 'PreScore', work ? 'Success' : 'Skip', since)
      }
      if (work) found.push({ name, weight, work: new MeteredScore(work, name, meter) })
    }
    meter.point('PreScore', 'Success', start)
    return found
  }

  /** Adds the scores that hang on the node alone, which are remembered. */
  #addOwn(own: readonly PreparedScore[], nodes: readonly NodeInfo[], totals: Float64Array): void {
    if (own.length === 0) return
    const known = this.#ownScores.of(
      own.map(({ name, weight, work: { key } }) => `${name} ${weight} ${key}`).join('\n'),
    )
    const find = (node: NodeInfo): number => {
      let sum = 0
      for (const { weight, work } of own) sum += weight * work.score(node)
      return sum
    }
    for (let i = 0; i < nodes.length; i++)
      totals[i] = (totals[i] as number) + known.get(nodes[i] as NodeInfo, find)
  }
}
