// What a pod's status says to its controller, and which pods to part with first.
// Follows k8s.io/kubernetes/pkg/api/v1/pod and ActivePodsWithRanks of k8s.io/kubernetes/pkg/controller.
import type { Pod, PodCondition } from './kinds/core.v1.gen.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const NANOSECONDS_PER_MS = 1_000_000

export const podCondition = (pod: Pod, type: string): PodCondition | undefined =>
  pod.status.conditions?.find((condition) => condition.type === type)

export const isPodReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True'

/** Ready for `minReadySeconds` at `now` (ms since 1970). */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  if (!isPodReady(pod)) return false
  return minReadySeconds <= 0 || availableIn(pod, minReadySeconds, now) === 0
}

/** How many ms a ready pod still has to be ready for; undefined where the pod does not say since when it is. */
function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const since = podCondition(pod, 'Ready')?.lastTransitionTime
  return since === undefined ? undefined : Math.max(0, Date.parse(since) + minReadySeconds * 1000 - now)
}

/** How many ms until the next of these pods is available; undefined where none is on its way. */
export function nextAvailability(
  pods: readonly Pod[],
  minReadySeconds: number,
  now: number,
): number | undefined {
  let next: number | undefined
  for (const pod of pods) {
    if (minReadySeconds <= 0 || !isPodReady(pod)) continue
    const ms = availableIn(pod, minReadySeconds, now)
    if (ms !== undefined && ms > 0 && (next === undefined || ms < next)) next = ms
  }
  return next
}

export const isPodTerminal = ({ status: { phase } }: Pod): boolean =>
  phase === 'Succeeded' || phase === 'Failed'

/** Neither over nor about to be. */
export const isPodActive = (pod: Pod): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined

export const isPodTerminating = (pod: Pod): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** What `rankForDeletion` compares, read once per pod. */
interface Ranked {
  readonly pod: Pod
  readonly isAssigned: boolean
  readonly phase: number
  readonly isReady: boolean
  readonly cost: number
  readonly neighbours: number
  /** ms since 1970; NaN where unknown. */
  readonly readyAt: number
  readonly restarts: number
  readonly sidecarRestarts: number
  readonly createdAt: number
}

/**
 * The pods, those to delete first in front: not assigned, pending, not ready, cheap to delete, crowded on their node, ready
 * or alive for a short time, restarted often. `neighbours` tells how many active pods of the same family are on a node.
 */
export function rankForDeletion(
  pods: readonly Pod[],
  neighbours: (node: string) => number,
  now: number,
): Pod[] {
  return pods
    .map((pod) => rankedOf(pod, neighbours))
    .sort((a, b) => compareRanked(a, b, now))
    .map(({ pod }) => pod)
}

function rankedOf(pod: Pod, neighbours: (node: string) => number): Ranked {
  const { nodeName = '' } = pod.spec
  const isReady = isPodReady(pod)
  return {
    pod,
    isAssigned: nodeName !== '',
    phase: PHASES[pod.status.phase ?? ''] ?? 0,
    isReady,
    cost: deletionCost(pod.metadata.annotations?.[DELETION_COST]),
    neighbours: neighbours(nodeName),
    readyAt: isReady ? Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '') : NaN,
    restarts: maxRestarts(pod, 'containerStatuses', () => true),
    sidecarRestarts: maxRestarts(pod, 'initContainerStatuses', (name) => isSidecar(pod, name)),
    createdAt: Date.parse(pod.metadata.creationTimestamp ?? ''),
  }
}

function compareRanked(a: Ranked, b: Ranked, now: number): number {
  if (a.isAssigned !== b.isAssigned) return a.isAssigned ? 1 : -1
  if (a.phase !== b.phase) return a.phase - b.phase
  if (a.isReady !== b.isReady) return a.isReady ? 1 : -1
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.neighbours !== b.neighbours) return b.neighbours - a.neighbours
  if (a.isReady && !Object.is(a.readyAt, b.readyAt)) return compareAges(a, b, now, 'readyAt')
  if (a.restarts !== b.restarts) return b.restarts - a.restarts
  if (a.sidecarRestarts !== b.sidecarRestarts) return b.sidecarRestarts - a.sidecarRestarts
  return Object.is(a.createdAt, b.createdAt) ? 0 : compareAges(a, b, now, 'createdAt')
}

/** The younger first, an unknown age before all. Ages of one order of magnitude are equal: then it is as good as by lot. */
function compareAges(a: Ranked, b: Ranked, now: number, of: 'readyAt' | 'createdAt'): number {
  if (Number.isNaN(a[of]) || Number.isNaN(b[of])) return Number.isNaN(a[of]) ? -1 : 1
  const difference = magnitude(now - a[of]) - magnitude(now - b[of])
  if (difference !== 0) return difference
  return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1
}

const magnitude = (ms: number): number => (ms > 0 ? Math.trunc(Math.log2(ms * NANOSECONDS_PER_MS)) : -1)

/** A signed 32 bit integer without leading zeros; anything else counts as 0, as upstream ignores what does not parse. */
function deletionCost(text: string | undefined): number {
  if (text === undefined || !/^(0|-?[1-9]\d{0,9})$/.test(text)) return 0
  const cost = Number(text)
  return cost === (cost | 0) ? cost : 0
}

const isSidecar = ({ spec }: Pod, name: string): boolean =>
  spec.initContainers?.some((one) => one.name === name && one.restartPolicy === 'Always') === true

function maxRestarts(
  { status }: Pod,
  of: 'containerStatuses' | 'initContainerStatuses',
  counts: (name: string) => boolean,
): number {
  return (status[of] ?? []).reduce(
    (most, { name, restartCount }) => (counts(name) ? Math.max(most, restartCount) : most),
    0,
  )
}
