// How large each ReplicaSet of a Deployment shall be. Follows k8s.io/kubernetes/pkg/controller/deployment (rolling.go,
// sync.go, util).
import type { Deployment, ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import { scaled } from '../../client/scaled.ts'
import { byAge, countIn, DESIRED, MAX_REPLICAS } from './revisions.ts'

/** A set, and the size that it shall have. */
export interface Size {
  readonly set: ReplicaSet
  readonly replicas: number
}

export const replicasOf = ({ spec }: ReplicaSet | Deployment): number => spec.replicas ?? 1
export const isRolling = ({ spec }: Deployment): boolean => spec.strategy.type === 'RollingUpdate'
export const isActive = (set: ReplicaSet): boolean => replicasOf(set) > 0

export const totalReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + replicasOf(set), 0)
export const totalAvailable = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0)

/** Both bounds of a rolling update. They are never both 0: nothing would ever move. */
function bounds(deployment: Deployment): { surge: number; unavailable: number } {
  const { maxSurge, maxUnavailable } = deployment.spec.strategy.rollingUpdate ?? {}
  const replicas = replicasOf(deployment)
  const surge = scaled(maxSurge, replicas, 'up')
  const unavailable = scaled(maxUnavailable, replicas, 'down')
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export const maxSurge = (deployment: Deployment): number =>
  isRolling(deployment) ? bounds(deployment).surge : 0

export function maxUnavailable(deployment: Deployment): number {
  const replicas = replicasOf(deployment)
  return isRolling(deployment) && replicas > 0 ? Math.min(bounds(deployment).unavailable, replicas) : 0
}

/** The size of the new set: as much as the surge allows beside the others. */
export function newSetSize(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
  const replicas = replicasOf(deployment)
  if (!isRolling(deployment)) return replicas
  const room = replicas + maxSurge(deployment) - totalReplicas(sets)
  return room <= 0 ? current : current + Math.min(room, replicas - current)
}

/**
 * How a rolling update shrinks the old sets: first what is not available anyway, then what is above the number that must
 * stay available.
 */
export function shrunkOldSets(
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Size[] {
  const sets = oldSets.filter(isActive).sort(byAge)
  if (sets.length === 0) return []
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment)
  const newUnavailable = replicasOf(newSet) - (newSet.status.availableReplicas ?? 0)
  const excess = totalReplicas(sets) + replicasOf(newSet) - minAvailable - newUnavailable
  if (excess <= 0) return []
  const sizes = sets.map(replicasOf)
  take(sizes, excess, (index) => (sizes[index] ?? 0) - (sets[index]?.status.availableReplicas ?? 0))
  take(sizes, totalAvailable([...sets, newSet]) - minAvailable, (index) => sizes[index] ?? 0)
  return sets.map((set, index) => ({ set, replicas: sizes[index] ?? 0 })).filter(isChange)
}

/** Takes up to `count` away in all, from each in turn what it can spare. */
function take(sizes: number[], count: number, spare: (index: number) => number): void {
  let left = count
  for (let index = 0; index < sizes.length && left > 0; index++) {
    const taken = Math.min(left, Math.max(0, spare(index)))
    sizes[index] = (sizes[index] ?? 0) - taken
    left -= taken
  }
}

const isChange = ({ set, replicas }: Size): boolean => replicasOf(set) !== replicas

/**
 * The sizes after somebody changed the Deployment's replicas, or while it is paused: the only set that has pods gets them
 * all; several share the change by their sizes, so that a rollout is neither hastened nor turned back. `isProportional`:
 * the sets' annotations are to be renewed even where their sizes stay.
 */
export function scaledSizes(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): { sizes: Size[]; isProportional: boolean } {
  const only = activeOrLatest(newSet, oldSets)
  if (only)
    return {
      sizes: [{ set: only, replicas: replicasOf(deployment) }].filter(isChange),
      isProportional: false,
    }
  if (isSaturated(deployment, newSet)) {
    const sizes = oldSets.filter(isActive).map((set) => ({ set, replicas: 0 }))
    return { sizes, isProportional: false }
  }
  if (!isRolling(deployment)) return { sizes: [], isProportional: false }
  const sets = [...oldSets, ...(newSet ? [newSet] : [])].filter(isActive)
  return { sizes: proportionalSizes(deployment, sets), isProportional: true }
}

/** Undefined where several have pods. */
function activeOrLatest(
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const active = [...oldSets, ...(newSet ? [newSet] : [])].filter(isActive)
  if (active.length > 1) return undefined
  return active[0] ?? newSet ?? [...oldSets].sort(byAge).at(-1)
}

/** The new set has all replicas, all of them available. */
function isSaturated(deployment: Deployment, set: ReplicaSet | undefined): boolean {
  const replicas = replicasOf(deployment)
  return (
    set !== undefined &&
    replicasOf(set) === replicas &&
    countIn(set, DESIRED) === replicas &&
    (set.status.availableReplicas ?? 0) === replicas
  )
}

function proportionalSizes(deployment: Deployment, sets: readonly ReplicaSet[]): Size[] {
  const replicas = replicasOf(deployment)
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0
  const toAdd = allowed - totalReplicas(sets)
  const bySize = [...sets].sort(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byAge(b, a) : toAdd < 0 ? byAge(a, b) : 0),
  )
  let added = 0
  const sizes = bySize.map((set) => {
    const part = toAdd === 0 ? 0 : proportion(deployment, set, toAdd - added, toAdd)
    added += part
    return replicasOf(set) + part
  })
  const [first] = sizes
  // What rounding leaves over is the largest set's.
  if (first !== undefined) sizes[0] = Math.max(0, first + toAdd - added)
  return bySize.map((set, index) => ({ set, replicas: sizes[index] ?? 0 }))
}

function proportion(deployment: Deployment, set: ReplicaSet, left: number, toAdd: number): number {
  if (left === 0) return 0
  const part = fraction(deployment, set)
  return toAdd > 0 ? Math.min(part, left) : Math.max(part, left)
}

/** What the set grows by when it keeps its share. */
function fraction(deployment: Deployment, set: ReplicaSet): number {
  const size = replicasOf(set)
  if (replicasOf(deployment) === 0) return -size
  const before = countIn(set, MAX_REPLICAS) || (deployment.status.replicas ?? 0)
  if (before === 0) return 0
  return Math.round((size * (replicasOf(deployment) + maxSurge(deployment))) / before) - size
}

/** Whether the Deployment's replicas were changed since its sets were sized. */
export const wasScaled = (deployment: Deployment, sets: readonly ReplicaSet[]): boolean =>
  sets.filter(isActive).some((set) => {
    const desired = countIn(set, DESIRED)
    return desired !== undefined && desired !== replicasOf(deployment)
  })
