// Whom to send away so that a more important pod fits: as few as can be, the least important, no budget broken if it can
// be helped. Follows k8s.io/kubernetes/pkg/scheduler/framework/preemption and plugins/defaultpreemption.
import type { PodDisruptionBudget } from '../client/kinds/policy.v1.gen.ts'
import { type CycleParts, prepareFilters, rejectionOf, tryOut } from './cycle.ts'
import { type Diagnosis, histogram } from './diagnosis.ts'
import type { NodeInfo } from './nodeinfo.ts'
import type { FilterWork, Rejection } from './plugin.ts'
import { type PodInfo, selectorOrNothing } from './podinfo.ts'

const NOT_HELPFUL: Rejection = {
  plugin: 'DefaultPreemption',
  reasons: ['Preemption is not helpful for scheduling'],
  isFinal: true,
}
const NO_VICTIMS: Rejection = {
  plugin: 'DefaultPreemption',
  reasons: ['No preemption victims found for incoming pod'],
  isFinal: true,
}

export interface Candidate {
  readonly node: NodeInfo
  /** The most important first. */
  readonly victims: readonly PodInfo[]
  /** How many of them a budget would have kept. */
  readonly violations: number
}

export type Preemption = { readonly candidate: Candidate } | { readonly message: string }

/** The most important first; of equals, who was there longest. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  return startOf(a) - startOf(b)
}

const startOf = ({ pod: { status, metadata } }: PodInfo): number =>
  Date.parse(status.startTime ?? metadata.creationTimestamp ?? '') || Infinity

/** The nodes where others could make room, or why there is none. */
export type Candidates = { readonly candidates: readonly Candidate[] } | { readonly message: string }

/** Looks for the node where it hurts least. */
export function preempt(pod: PodInfo, diagnosis: Diagnosis, parts: CycleParts): Preemption {
  const found = candidatesFor(pod, diagnosis, parts)
  if ('message' in found) return found
  return { candidate: leastHarm(found.candidates) as Candidate }
}

export function candidatesFor(pod: PodInfo, diagnosis: Diagnosis, parts: CycleParts): Candidates {
  const refusal = notEligible(pod, parts)
  if (refusal !== undefined) return { message: refusal }
  const works = prepareFilters(pod, parts)
  const { nodes } = parts.cluster
  const outcomes: Rejection[] = []
  const candidates: Candidate[] = []
  const { minCandidateNodesPercentage = 0, minCandidateNodesAbsolute = 0 } = parts.profile.preemption ?? {}
  const wanted = Math.max(
    minCandidateNodesAbsolute,
    Math.trunc((nodes.length * minCandidateNodesPercentage) / 100),
  )
  const offset = Math.trunc(parts.random() * nodes.length)
  for (let i = 0; i < nodes.length && candidates.length < wanted; i++) {
    const node = nodes[(offset + i) % nodes.length] as NodeInfo
    const rejection = diagnosis.overall ?? diagnosis.rejections.get(node.name)
    if ('reasons' in works || rejection === undefined || rejection.isFinal) {
      outcomes.push(NOT_HELPFUL)
      continue
    }
    const found = victimsOn(node, pod, works, parts)
    if ('reasons' in found) outcomes.push(found)
    else if (found.victims.length > 0) candidates.push(found)
  }
  if (candidates.length > 0) return { candidates }
  return { message: `0/${nodes.length} nodes are available: ${histogram(outcomes)}.` }
}

function notEligible({ pod, priority }: PodInfo, { cluster }: CycleParts): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = cluster.node(pod.status.nominatedNodeName ?? '')
  const isMakingRoom =
    nominated && [...nominated.pods.values()].some((other) => other.priority < priority && isLeaving(other))
  return isMakingRoom ? 'not eligible due to a terminating pod on the nominated node.' : undefined
}

const isLeaving = ({ pod }: PodInfo): boolean =>
  pod.metadata.deletionTimestamp !== undefined &&
  pod.status.conditions?.some(
    ({ type, reason }) => type === 'DisruptionTarget' && reason === 'PreemptionByScheduler',
  ) === true

/** Takes away all who are less important, then lets as many as fit come back; leaves the node as it was. */
function victimsOn(
  node: NodeInfo,
  pod: PodInfo,
  works: readonly FilterWork[],
  parts: CycleParts,
): Candidate | Rejection {
  const weaker = [...node.pods.values()].filter(({ priority }) => priority < pod.priority)
  if (weaker.length === 0) return NO_VICTIMS
  for (const other of weaker) tryOut(works, node, other, -1)
  const still = rejectionOf(works, node)
  const victims: PodInfo[] = []
  let violations = 0
  if (!still) {
    const { violating, others } = byBudgets(weaker, (namespace) => parts.cluster.sources.budgetsIn(namespace))
    const isSpared = (other: PodInfo): boolean => {
      tryOut(works, node, other, 1)
      if (!rejectionOf(works, node)) return true
      tryOut(works, node, other, -1)
      victims.push(other)
      return false
    }
    for (const other of violating) if (!isSpared(other)) violations++
    for (const other of others) isSpared(other)
  }
  for (const other of still ? weaker : victims) tryOut(works, node, other, 1)
  if (still) return still
  return { node, victims: victims.sort(byImportance), violations }
}

/** Those whom a budget keeps, and the others, each the most important first. */
export function byBudgets(
  pods: readonly PodInfo[],
  budgetsIn: (namespace: string) => readonly PodDisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = new Map<PodDisruptionBudget, number>()
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of [...pods].sort(byImportance)) {
    let isKept = false
    for (const budget of budgetsIn(pod.namespace)) {
      const { selector } = budget.spec
      const name = pod.pod.metadata.name ?? ''
      const isSelected = selector !== undefined && Object.keys(pod.labels).length > 0 && !isEmpty(selector)
      if (!isSelected || !selectorOrNothing(selector).matches(pod.labels)) continue
      if (budget.status.disruptedPods && Object.hasOwn(budget.status.disruptedPods, name)) continue
      const allowed = (left.get(budget) ?? budget.status.disruptionsAllowed) - 1
      left.set(budget, allowed)
      if (allowed < 0) isKept = true
    }
    ;(isKept ? violating : others).push(pod)
  }
  return { violating, others }
}

const isEmpty = ({
  matchLabels,
  matchExpressions,
}: NonNullable<PodDisruptionBudget['spec']['selector']>): boolean =>
  Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) === 0

/** Upstream's order of harm; each is a number, the less the better. */
const HARMS: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? -Infinity,
  // Priorities may be negative; shifted, fewer victims count less.
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  ({ victims }) => victims.length,
  ({ victims }) => {
    const highest = victims[0]?.priority
    return -Math.min(...victims.filter(({ priority }) => priority === highest).map(startOf))
  },
]

export function leastHarm(candidates: readonly Candidate[]): Candidate | undefined {
  let best = [...candidates]
  for (const harm of HARMS) {
    if (best.length <= 1) break
    const least = best.reduce((min, one) => Math.min(min, harm(one)), Infinity)
    best = best.filter((one) => harm(one) === least)
  }
  return best[0]
}
