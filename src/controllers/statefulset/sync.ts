// StatefulSets: pods that keep their names and volumes, made, updated and ended in order or all at once.
// Follows k8s.io/kubernetes/pkg/controller/statefulset (stateful_set.go, stateful_set_control.go).
import { type Api, isAlreadyExists } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import { Expectations } from '../../client/expectations.ts'
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { claim, controlledOrOrphans, indexByController } from '../../client/ownership.ts'
import { slowStart } from '../../client/podcontrol.ts'
import { isPodReady, isPodTerminal, nextAvailability } from '../../client/podstate.ts'
import { podHandler } from '../../client/podwatch.ts'
import type { WorkQueue } from '../../client/queue.ts'
import { keyOf } from '../../client/resource.ts'
import {
  CONTROLLER_REVISIONS,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  STATEFUL_SETS,
} from '../../client/resources.ts'
import { listRevisions, truncateHistory, updateRevision } from '../../client/revisions.ts'
import { selectsLabels } from '../../client/selects.ts'
import { counted, isSameStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { onceSynced } from '../../client/synced.ts'
import { Written } from '../../client/written.ts'
import { isMember, revisionOf } from './identity.ts'
import { Members } from './members.ts'
import {
  completed,
  isAvailable,
  isCreated,
  isParallel,
  isTerminating,
  outdatedNow,
  type Plan,
  planOf,
  type Revisions,
  statusOf,
} from './plan.ts'

/** As upstream's --concurrent-statefulset-syncs. */
const WORKERS = 5
const HISTORY_LIMIT = 10
const REVISION_HASH_LABEL = 'controller.kubernetes.io/hash'

interface Parts {
  readonly api: Api
  readonly clock: Clock
  readonly queue: WorkQueue
  readonly members: Members
  readonly sets: Reader<StatefulSet>
  readonly pods: Reader<Pod>
  readonly revisions: Reader<ControllerRevision>
  readonly written: Written
}

export function statefulSetController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'statefulset')
  const sets = informers.of(STATEFUL_SETS)
  const pods = indexByController(informers.of(PODS))
  const revisions = indexByController(informers.of(CONTROLLER_REVISIONS))
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
  const recorder = context.recorder.as({ component: 'statefulset-controller' })
  const parts: Parts = {
    api,
    clock,
    queue,
    members: new Members(api, recorder, claims.reader),
    sets: sets.reader,
    pods: pods.reader,
    revisions: revisions.reader,
    written: new Written(),
  }
  const wake = (set: StatefulSet): void => queue.add(keyOf(set))
  sets.handle({ added: wake, updated: wake, deleted: (set) => parts.written.forget(keyOf(set)) })
  pods.handle(
    podHandler({
      owners: sets,
      queue,
      expectations: new Expectations(clock),
      selects: (set, labels) => selectsLabels(set.spec.selector, labels),
      changed: (set, pod, before) => {
        const { minReadySeconds = 0 } = set.spec
        if (minReadySeconds > 0 && isPodReady(pod) && !isPodReady(before)) {
          queue.addAfter(keyOf(set), minReadySeconds * 1000)
        }
      },
    }),
  )
  const reconcile = (key: string): Promise<void> => sync(parts, key)
  const options = { name: 'statefulset-controller', queue, workers, reconcile, log }
  return onceSynced([sets, pods, revisions, claims], options)
}

async function sync(parts: Parts, key: string): Promise<void> {
  const { api, clock, queue, written } = parts
  const set = parts.sets.get(key)
  if (set === undefined || written.isNewerThan(set)) return
  const selects = (labels: Readonly<Record<string, string>>): boolean =>
    selectsLabels(set.spec.selector, labels)
  const owner = { resource: STATEFUL_SETS, object: set }
  const history = { api, owner, revisions: parts.revisions, selects }
  const known = await listRevisions(history)
  const matches = (pod: Pod): boolean => selects(pod.metadata.labels ?? {}) && isMember(set, pod)
  const pods = await claim({ api, owner, resource: PODS, matches }, controlledOrOrphans(parts.pods, set))
  const { revision: update, collisions } = await updateRevision(history, known, {
    template: set.spec.template,
    annotations: set.metadata.annotations ?? {},
    collisions: set.status.collisionCount ?? 0,
    hashLabel: REVISION_HASH_LABEL,
  })
  const current = known.find(({ metadata }) => metadata.name === set.status.currentRevision) ?? update
  const revisions = { current, update, collisions }
  const { status, error } = await act(parts, set, pods, revisions)
  const told = completed(set, status)
  if (!isSameStatus(told, set.status)) {
    written.note(await api.updateStatus(STATEFUL_SETS, { ...set, status: told }))
  }
  if (error !== undefined) throw error
  const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)])
  const limit = set.spec.revisionHistoryLimit ?? HISTORY_LIMIT
  await truncateHistory(api, known, limit, ({ metadata }) => live.has(metadata.name))
  if ((told.readyReplicas ?? 0) === (told.availableReplicas ?? 0)) return
  const { minReadySeconds = 0 } = set.spec
  const next = nextAvailability(pods, minReadySeconds, clock.now())
  queue.addAfter(key, next ?? minReadySeconds * 1000)
}

/** The status of what was there, with what was done; the first failure does not hide it. */
async function act(
  parts: Parts,
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
): Promise<{ status: StatefulSetStatus; error?: unknown }> {
  const now = parts.clock.now()
  const status = statusOf(set, pods, revisions, now)
  if (set.metadata.deletionTimestamp !== undefined) return { status }
  try {
    const ended = await advance(parts, set, planOf(set, pods, revisions, now), revisions)
    return { status: { ...status, currentReplicas: counted((status.currentReplicas ?? 0) - ended) } }
  } catch (error) {
    return { status, error }
  }
}

/** Brings the set one step on. Returns how many pods went for an update. */
async function advance(parts: Parts, set: StatefulSet, plan: Plan, { update }: Revisions): Promise<number> {
  const { members } = parts
  const { replicas, condemned } = plan
  if (await forAll(set, replicas, (pod) => processReplica(parts, set, pod))) return 0
  await forAll(set, condemned, async (pod) => {
    await members.settleClaims(set, pod)
    return false
  })
  if (await forAll(set, condemned, (pod) => processCondemned(parts, set, plan, pod))) return 0
  const outdated = outdatedNow(set, replicas, update.metadata.name ?? '', parts.clock.now())
  for (const pod of outdated) await members.end(set, pod)
  return outdated.length
}

/** One after the other until one is to be waited for, which is told; or all of them, whatever they say. */
async function forAll(
  set: StatefulSet,
  pods: readonly Pod[],
  process: (pod: Pod) => Promise<boolean>,
): Promise<boolean> {
  if (isParallel(set)) {
    const { error } = await slowStart(pods.length, (index) => process(pods[index] as Pod))
    if (error !== undefined) throw error
    return false
  }
  for (const pod of pods) if (await process(pod)) return true
  return false
}

/** Whether this pod is to be waited for. */
async function processReplica({ members, clock }: Parts, set: StatefulSet, pod: Pod): Promise<boolean> {
  if (isPodTerminal(pod)) {
    if (!isTerminating(pod)) await members.end(set, pod)
    return true
  }
  if (!isCreated(pod)) {
    if (members.awaitsClaims(set, pod)) return true
    // Made already, and the copy does not show it yet: the news of it leads to the next pass.
    await members.create(set, pod).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
    return true
  }
  if (pod.status.phase === 'Pending') await members.makeClaims(set, pod)
  if (!isParallel(set)) {
    const isUp = pod.status.phase === 'Running' && isAvailable(set, pod, clock.now())
    if (isTerminating(pod) || !isUp) return true
  }
  await members.correct(set, pod)
  return false
}

async function processCondemned(parts: Parts, set: StatefulSet, plan: Plan, pod: Pod): Promise<boolean> {
  if (isTerminating(pod)) return true
  const isUp = pod.status.phase === 'Running' && isAvailable(set, pod, parts.clock.now())
  if (!isUp && !isParallel(set) && pod !== plan.firstUnavailable) return true
  await parts.members.end(set, pod)
  return true
}
