// What a Deployment says of its ReplicaSets and of its progress. Follows k8s.io/kubernetes/pkg/controller/deployment
// (progress.go, sync.go, util).
import { type Clock, timeOf } from '../../client/clock.ts'
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../client/kinds/apps.v1.gen.ts'
import { counted } from '../../client/statuswrite.ts'
import { maxUnavailable, replicasOf, totalAvailable, totalReplicas } from './sizes.ts'

/** "Never": how kubectl and clients of old versions say that there is no limit. */
const NO_LIMIT = 2 ** 31 - 1
const PROGRESSING = 'Progressing'
const FAILURE = 'ReplicaFailure'

type Conditions = readonly DeploymentCondition[]

/** Type, status, reason, message. */
export type Told = readonly [type: string, status: string, reason: string, message: string]

const conditionOf = (conditions: Conditions, type: string): DeploymentCondition | undefined =>
  conditions.find((one) => one.type === type)

const without = (conditions: Conditions, type: string): Conditions =>
  conditions.filter((one) => one.type !== type)

/** One of the same status and reason stays as it is; the time of transition changes with the status only. */
export function withCondition(conditions: Conditions, told: Told, clock: Clock): Conditions {
  const [type, status, reason, message] = told
  const before = conditionOf(conditions, type)
  if (before?.status === status && before.reason === reason) return conditions
  const now = timeOf(clock)
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now
  return [
    ...without(conditions, type),
    { type, status, lastUpdateTime: now, lastTransitionTime, reason, message },
  ]
}

export const progressCondition = ({ status }: Deployment): DeploymentCondition | undefined =>
  conditionOf(status.conditions ?? [], PROGRESSING)

export const hasDeadline = ({ spec: { progressDeadlineSeconds: seconds } }: Deployment): boolean =>
  seconds !== undefined && seconds !== NO_LIMIT

export const historyLimit = ({ spec: { revisionHistoryLimit: limit } }: Deployment): number =>
  limit === undefined || limit === NO_LIMIT ? Infinity : limit

/** The status with this told of the progress as well. */
export function withProgress(
  deployment: Deployment,
  clock: Clock,
  ...told: [string, string, string]
): DeploymentStatus {
  const conditions = withCondition(deployment.status.conditions ?? [], [PROGRESSING, ...told], clock)
  return { ...deployment.status, conditions: [...conditions] }
}

/** What is to be told of a pause that began or ended; undefined for nothing. A deadline that passed stays told. */
export function pauseChange(deployment: Deployment): [string, string, string] | undefined {
  if (!hasDeadline(deployment)) return undefined
  const reason = progressCondition(deployment)?.reason
  if (reason === 'ProgressDeadlineExceeded') return undefined
  const isTold = reason === 'DeploymentPaused'
  const isPaused = deployment.spec.paused === true
  if (isPaused === isTold) return undefined
  return isPaused
    ? ['Unknown', 'DeploymentPaused', 'Deployment is paused']
    : ['Unknown', 'DeploymentResumed', 'Deployment is resumed']
}

export interface Sets {
  readonly newSet: ReplicaSet | undefined
  readonly oldSets: readonly ReplicaSet[]
}

const all = ({ newSet, oldSets }: Sets): readonly ReplicaSet[] => (newSet ? [...oldSets, newSet] : oldSets)

/** Counts and availability, whatever the deployment is doing. */
export function plainStatus(deployment: Deployment, sets: Sets, clock: Clock): DeploymentStatus {
  const every = all(sets)
  const available = totalAvailable(every)
  const isAvailable = available >= replicasOf(deployment) - maxUnavailable(deployment)
  const told: Told = isAvailable
    ? ['Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.']
    : ['Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.']
  const terminating = terminatingReplicas(every)
  return {
    observedGeneration: counted(deployment.metadata.generation ?? 0),
    replicas: counted(sum(every, ({ status }) => status.replicas)),
    updatedReplicas: counted(sets.newSet?.status.replicas ?? 0),
    readyReplicas: counted(sum(every, ({ status }) => status.readyReplicas)),
    availableReplicas: counted(available),
    unavailableReplicas: counted(Math.max(0, totalReplicas(every) - available)),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(deployment.status.collisionCount === undefined
      ? {}
      : { collisionCount: deployment.status.collisionCount }),
    conditions: [...withCondition(deployment.status.conditions ?? [], told, clock)],
  }
}

const sum = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined): number =>
  sets.reduce((total, set) => total + (count(set) ?? 0), 0)

/** Unknown where one of the sets was looked at by a controller that does not count them. */
function terminatingReplicas(sets: readonly ReplicaSet[]): number | undefined {
  const looked = sets.filter(({ status }) => (status.observedGeneration ?? 0) > 0)
  if (looked.some(({ status }) => status.terminatingReplicas === undefined)) return undefined
  return sum(sets, ({ status }) => status.terminatingReplicas)
}

/** The status while a rollout goes on: progress, its end, or that the deadline has passed; failures of the sets. */
export function rolloutStatus(deployment: Deployment, sets: Sets, clock: Clock): DeploymentStatus {
  const status = plainStatus(deployment, sets, clock)
  let conditions: Conditions = status.conditions ?? []
  const before = progressCondition(deployment)
  const isOver =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === 'NewReplicaSetAvailable'
  if (!hasDeadline(deployment)) conditions = without(conditions, PROGRESSING)
  else if (!isOver) conditions = judged(deployment, sets, { ...status, conditions: [...conditions] }, clock)
  return { ...status, conditions: [...withFailure(conditions, sets)] }
}

function judged(
  deployment: Deployment,
  { newSet }: Sets,
  status: DeploymentStatus,
  clock: Clock,
): Conditions {
  const conditions = status.conditions ?? []
  const subject = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`
    return withCondition(conditions, [PROGRESSING, 'True', 'NewReplicaSetAvailable', message], clock)
  }
  if (hasProgressed(deployment.status, status)) {
    // Told anew each time: the deadline counts from the last progress.
    const now = timeOf(clock)
    const before = conditionOf(conditions, PROGRESSING)
    return [
      ...without(conditions, PROGRESSING),
      {
        type: PROGRESSING,
        status: 'True',
        lastUpdateTime: now,
        lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : now,
        reason: 'ReplicaSetUpdated',
        message: `${subject} is progressing.`,
      },
    ]
  }
  if (!isTimedOut(deployment, conditions, clock)) return conditions
  const message = `${subject} has timed out progressing.`
  return withCondition(conditions, [PROGRESSING, 'False', 'ProgressDeadlineExceeded', message], clock)
}

/** All replicas are of the new template and available, and no others are there. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment)
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function isTimedOut(deployment: Deployment, conditions: Conditions, clock: Clock): boolean {
  const condition = conditionOf(conditions, PROGRESSING)
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false
  return condition.reason === 'ProgressDeadlineExceeded' || deadline(deployment, condition) < clock.now()
}

const deadline = ({ spec }: Deployment, { lastUpdateTime = '' }: DeploymentCondition): number =>
  Date.parse(lastUpdateTime) + (spec.progressDeadlineSeconds ?? 0) * 1000

/** In how many ms to look whether the deadline has passed; undefined where none can. */
export function nextProgressCheck(
  deployment: Deployment,
  status: DeploymentStatus,
  now: number,
): number | undefined {
  const condition = progressCondition(deployment)
  if (!hasDeadline(deployment) || condition === undefined || isComplete(deployment, status)) return undefined
  if (condition.reason === 'ProgressDeadlineExceeded') return undefined
  return Math.max(0, deadline(deployment, condition) - now) + 1000
}

function withFailure(conditions: Conditions, sets: Sets): Conditions {
  for (const set of [...(sets.newSet ? [sets.newSet] : []), ...sets.oldSets]) {
    const failure = set.status.conditions?.find(({ type }) => type === FAILURE)
    if (failure === undefined) continue
    const before = conditionOf(conditions, FAILURE)
    if (before?.status === failure.status && before.reason === failure.reason) return conditions
    return [...without(conditions, FAILURE), { ...failure, lastUpdateTime: failure.lastTransitionTime }]
  }
  return without(conditions, FAILURE)
}
