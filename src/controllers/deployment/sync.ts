// Deployments: ReplicaSets of old and new templates, and the way from the one to the other.
// Follows k8s.io/kubernetes/pkg/controller/deployment (deployment_controller.go, rolling.go, recreate.go, rollback.go).
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import type { Handler } from '../../client/informer.ts'
import type { Deployment, ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import {
  claim,
  controlledBy,
  controlledOrOrphans,
  controllerOf,
  indexByController,
  resolveController,
  selecting,
} from '../../client/ownership.ts'
import { isPodTerminal } from '../../client/podstate.ts'
import { keyOf } from '../../client/resource.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../client/resources.ts'
import { selectsLabels } from '../../client/selects.ts'
import { onceSynced } from '../../client/synced.ts'
import { canonical } from '../../client/templatehash.ts'
import { isSameTemplate, lastRevision, revisionOf, ROLLBACK_TO, rollbackTo, rolledBack } from './revisions.ts'
import { type Parts, Run } from './run.ts'
import {
  isActive,
  isRolling,
  newSetSize,
  replicasOf,
  scaledSizes,
  shrunkOldSets,
  wasScaled,
} from './sizes.ts'
import {
  isComplete,
  nextProgressCheck,
  pauseChange,
  plainStatus,
  rolloutStatus,
  type Sets,
  withProgress,
} from './status.ts'

/** As upstream's --concurrent-deployment-syncs. */
const WORKERS = 5

export function deploymentController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'deployment')
  const deployments = informers.of(DEPLOYMENTS)
  const sets = indexByController(informers.of(REPLICA_SETS))
  const pods = indexByController(informers.of(PODS))
  const recorder = context.recorder.as({ component: 'deployment-controller' })
  const parts: Parts = {
    api,
    clock,
    recorder,
    queue,
    deployments: deployments.reader,
    sets: sets.reader,
    pods: pods.reader,
  }
  const wake = (deployment: Deployment): void => queue.add(keyOf(deployment))
  deployments.handle({ added: wake, updated: wake, deleted: wake })
  sets.handle(setHandler(parts))
  pods.handle({ deleted: (pod) => podDeleted(parts, pod) })
  const reconcile = (key: string): Promise<void> => sync(parts, key)
  const options = { name: 'deployment-controller', queue, workers, reconcile, log }
  return onceSynced([deployments, sets, pods], options)
}

const selects = ({ spec }: Deployment, labels: Readonly<Record<string, string>>): boolean =>
  selectsLabels(spec.selector, labels)

function setHandler({ deployments, queue }: Parts): Handler<ReplicaSet> {
  const wakeOwner = (set: ReplicaSet): void => {
    const owner = resolveController(set, DEPLOYMENTS, deployments)
    if (owner) queue.add(keyOf(owner))
  }
  const offer = (set: ReplicaSet): void =>
    selecting(deployments, set, selects).forEach((key) => queue.add(key))
  return {
    added: (set) => (controllerOf(set) ? wakeOwner(set) : offer(set)),
    updated: (set, before) => {
      const isMoved = controllerOf(set)?.uid !== controllerOf(before)?.uid
      if (isMoved) wakeOwner(before)
      if (controllerOf(set)) wakeOwner(set)
      else if (isMoved || canonical(set.metadata.labels) !== canonical(before.metadata.labels)) offer(set)
    },
    deleted: wakeOwner,
  }
}

/** A Deployment that ends its old pods before it makes new ones waits for the last of them. */
function podDeleted({ deployments, sets, pods, queue }: Parts, pod: Pod): void {
  const set = resolveController(pod, REPLICA_SETS, sets)
  const deployment = set && resolveController(set, DEPLOYMENTS, deployments)
  if (deployment === undefined || isRolling(deployment)) return
  if (controlledBy(sets, deployment).every((one) => controlledBy(pods, one).length === 0)) {
    queue.add(keyOf(deployment))
  }
}

async function sync(parts: Parts, key: string): Promise<void> {
  const deployment = parts.deployments.get(key)
  if (deployment === undefined) return
  const run = new Run(parts, deployment)
  if (canonical(deployment.spec.selector) === '{}') return selectsAll(run)
  const owner = { resource: DEPLOYMENTS, object: deployment }
  const matches = (set: ReplicaSet): boolean => selects(deployment, set.metadata.labels ?? {})
  const candidates = controlledOrOrphans(parts.sets, deployment)
  const sets = await claim({ api: parts.api, owner, resource: REPLICA_SETS, matches }, candidates)
  if (deployment.metadata.deletionTimestamp !== undefined) {
    return syncStatus(run, await run.split(sets, false))
  }
  const change = pauseChange(deployment)
  if (change) await run.write(withProgress(deployment, parts.clock, ...change))
  if (deployment.spec.paused) return resize(run, sets)
  const revision = rollbackTo(deployment)
  if (revision !== undefined) return rollBack(run, sets, revision)
  if (wasScaled(deployment, sets)) return resize(run, sets)
  return isRolling(deployment) ? roll(run, sets) : recreate(run, sets)
}

async function selectsAll(run: Run): Promise<void> {
  const { metadata, status } = run.deployment
  const message = 'This deployment is selecting all pods. A non-empty selector is required.'
  run.event('Warning', 'SelectingAll', message)
  const generation = metadata.generation ?? 0
  if ((status.observedGeneration ?? 0) < generation)
    await run.write({ ...status, observedGeneration: generation })
}

async function syncStatus(run: Run, sets: Sets): Promise<void> {
  await run.write(plainStatus(run.deployment, sets, run.parts.clock))
}

async function syncRollout(run: Run, sets: Sets): Promise<void> {
  const { clock, queue } = run.parts
  const status = rolloutStatus(run.deployment, sets, clock)
  if (await run.write(status)) return
  const next = nextProgressCheck(run.deployment, status, clock.now())
  if (next !== undefined) queue.addAfter(keyOf(run.deployment), next)
}

/** No rollout: the Deployment is paused, or its replicas were changed. */
async function resize(run: Run, sets: readonly ReplicaSet[]): Promise<void> {
  const split = await run.split(sets, false)
  const { sizes, isProportional } = scaledSizes(run.deployment, split.newSet, split.oldSets)
  for (const size of sizes) await run.resize(size, isProportional)
  if (run.deployment.spec.paused && rollbackTo(run.deployment) === undefined) await run.cleanUp(split.oldSets)
  await syncStatus(run, split)
}

async function roll(run: Run, sets: readonly ReplicaSet[]): Promise<void> {
  const split = await run.split(sets, true)
  const newSet = split.newSet as ReplicaSet
  const { deployment } = run
  const all = [...split.oldSets, newSet]
  const current = replicasOf(newSet)
  const wanted =
    current > replicasOf(deployment) ? replicasOf(deployment) : newSetSize(deployment, all, current)
  if (wanted !== current) {
    await run.resize({ set: newSet, replicas: wanted })
    return syncRollout(run, split)
  }
  const shrunk = shrunkOldSets(deployment, newSet, split.oldSets)
  for (const size of shrunk) await run.resize(size)
  if (shrunk.length === 0 && isComplete(deployment, deployment.status)) await run.cleanUp(split.oldSets)
  await syncRollout(run, split)
}

async function recreate(run: Run, sets: readonly ReplicaSet[]): Promise<void> {
  let split = await run.split(sets, false)
  const active = split.oldSets.filter(isActive)
  for (const set of active) await run.resize({ set, replicas: 0 })
  if (active.length > 0 || runsOldPods(run, split)) return syncRollout(run, split)
  if (split.newSet === undefined) split = await run.split(sets, true)
  const newSet = split.newSet as ReplicaSet
  await run.resize({ set: newSet, replicas: replicasOf(run.deployment) })
  if (isComplete(run.deployment, run.deployment.status)) await run.cleanUp(split.oldSets)
  await syncRollout(run, split)
}

const runsOldPods = (run: Run, { oldSets }: Sets): boolean =>
  oldSets.some(
    (set) => set.status.replicas > 0 || controlledBy(run.parts.pods, set).some((pod) => !isPodTerminal(pod)),
  )

/** Back to the template of a revision, when the annotation of old clients asks for it; the annotation goes in any case. */
async function rollBack(run: Run, sets: readonly ReplicaSet[], asked: bigint): Promise<void> {
  const { newSet, oldSets } = await run.split(sets, true)
  const all = newSet ? [...oldSets, newSet] : oldSets
  const revision = asked === 0n ? lastRevision(all) : asked
  const target = revision === 0n ? undefined : all.find((set) => revisionOf(set) === revision)
  const { name } = run.deployment.metadata
  if (target === undefined) {
    const message =
      revision === 0n ? 'Unable to find last revision.' : 'Unable to find the revision to rollback to.'
    run.event('Warning', 'DeploymentRollbackRevisionNotFound', message)
    return writeWithoutRollback(run, run.deployment)
  }
  if (isSameTemplate(target.spec.template, run.deployment.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`
    run.event('Warning', 'DeploymentRollbackTemplateUnchanged', message)
    return writeWithoutRollback(run, run.deployment)
  }
  await writeWithoutRollback(run, rolledBack(run.deployment, target))
  run.event('Normal', 'DeploymentRollback', `Rolled back deployment "${name}" to revision ${revision}`)
}

async function writeWithoutRollback(run: Run, deployment: Deployment): Promise<void> {
  const { [ROLLBACK_TO]: _, ...annotations } = deployment.metadata.annotations ?? {}
  const metadata = { ...deployment.metadata, annotations }
  await run.parts.api.update(DEPLOYMENTS, { ...deployment, metadata })
}
