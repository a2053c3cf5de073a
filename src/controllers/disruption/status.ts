// How many pods of a budget may be disturbed. Follows k8s.io/kubernetes/pkg/controller/disruption.
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { Condition } from '../../client/kinds/meta.v1.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../client/kinds/policy.v1.gen.ts'
import { isPodReady } from '../../client/podstate.ts'
import { scaled } from '../../client/scaled.ts'

/** As upstream: a pod whose eviction was let through is gone by then, or it will not go. */
const DELETION_MS = 120_000

export interface Expected {
  readonly pods: number
  readonly healthy: number
}

/** `scale` is how many pods the controllers of the selected pods want. */
export function expectedOf({ spec }: PodDisruptionBudget, pods: number, scale: number): Expected {
  const { maxUnavailable, minAvailable } = spec ?? {}
  if (maxUnavailable !== undefined)
    return { pods: scale, healthy: Math.max(0, scale - scaled(maxUnavailable, scale, 'up')) }
  if (typeof minAvailable === 'number') return { pods, healthy: minAvailable }
  if (minAvailable !== undefined) return { pods: scale, healthy: scaled(minAvailable, scale, 'up') }
  return { pods: 0, healthy: 0 }
}

/** Whether the budget is a share of what controllers want. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'

export interface NextStatus {
  readonly status: PodDisruptionBudgetStatus
  /** When an eviction runs out of time, in ms since 1970. */
  readonly recheckAt: number | undefined
  /** Pods that were to be evicted and are still there. */
  readonly overdue: readonly Pod[]
}

/** `now` in ms since 1970. */
export function nextStatus(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  expected: Expected,
  now: number,
): NextStatus {
  const before = budget.status?.disruptedPods ?? {}
  const here = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const evicted = here.filter(({ metadata }) => before[metadata.name ?? ''] !== undefined)
  const dueOf = (pod: Pod): number => Date.parse(before[pod.metadata.name ?? ''] ?? '') + DELETION_MS
  const waiting = evicted.filter((pod) => dueOf(pod) >= now)
  const isLeaving = new Set(waiting)
  const currentHealthy = here.filter((pod) => isPodReady(pod) && !isLeaving.has(pod)).length
  const allowed = expected.pods > 0 ? Math.max(0, currentHealthy - expected.healthy) : 0
  const disruptedPods = Object.fromEntries(
    waiting.map(({ metadata: { name = '' } }) => [name, before[name] ?? '']),
  )
  const generation = budget.metadata.generation ?? 0
  const status = {
    currentHealthy,
    desiredHealthy: expected.healthy,
    expectedPods: expected.pods,
    disruptionsAllowed: allowed,
    ...(waiting.length > 0 ? { disruptedPods } : {}),
    observedGeneration: generation,
    conditions: withCondition(budget.status?.conditions ?? [], conditionOf(allowed, generation), now),
  }
  const recheckAt = waiting.length > 0 ? Math.min(...waiting.map(dueOf)) : undefined
  return { status, recheckAt, overdue: evicted.filter((pod) => !isLeaving.has(pod)) }
}

type Told = Omit<Condition, 'lastTransitionTime'>

const conditionOf = (allowed: number, observedGeneration: number): Told => ({
  type: 'DisruptionAllowed',
  status: allowed > 0 ? 'True' : 'False',
  reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
  message: '',
  observedGeneration,
})

/** What is told when nothing could be counted: nobody may evict then. */
export const failedCondition = (message: string, observedGeneration: number): Told => ({
  type: 'DisruptionAllowed',
  status: 'False',
  reason: 'SyncFailed',
  message,
  observedGeneration,
})

/** With this condition in the place of the one of its type. */
export function withCondition(conditions: readonly Condition[], told: Told, now: number): Condition[] {
  const before = conditions.find(({ type }) => type === told.type)
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`
  const lastTransitionTime = before?.status === told.status ? before.lastTransitionTime : time
  return [...conditions.filter(({ type }) => type !== told.type), { ...told, lastTransitionTime }]
}
