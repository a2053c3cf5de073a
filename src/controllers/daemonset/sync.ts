// DaemonSets: one pod on every node that they are for. Follows k8s.io/kubernetes/pkg/controller/daemon.
import { type Api, isNotFound } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import { Expectations } from '../../client/expectations.ts'
import type { ControllerRevision, DaemonSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Node, Pod } from '../../client/kinds/core.v1.gen.ts'
import { claim, controlledOrOrphans, indexByController } from '../../client/ownership.ts'
import { isNamespaceTerminating, PodControl, slowStart } from '../../client/podcontrol.ts'
import { isPodReady } from '../../client/podstate.ts'
import { podHandler } from '../../client/podwatch.ts'
import type { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { keyOf } from '../../client/resource.ts'
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from '../../client/resources.ts'
import { listRevisions, truncateHistory, updateRevision } from '../../client/revisions.ts'
import { selectsLabels } from '../../client/selects.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { onceSynced } from '../../client/synced.ts'
import { canonical } from '../../client/templatehash.ts'
import { Written } from '../../client/written.ts'
import { FailureBackoff } from './backoff.ts'
import { fitOf, HASH_LABEL, nodeOf, podFor } from './daemonpods.ts'
import { byNode, type Changes, missingAndSurplus, type Seen, statusOf, updateStep } from './plan.ts'

/** As upstream's --concurrent-daemonset-syncs. */
const WORKERS = 2
/** As upstream's BurstReplicas: so many pods at once. */
const BURST = 250
const HISTORY_LIMIT = 10

interface Parts {
  readonly api: Api
  readonly clock: Clock
  readonly recorder: EventRecorder
  readonly control: PodControl
  readonly queue: WorkQueue
  readonly expectations: Expectations
  readonly failures: FailureBackoff
  readonly written: Written
  readonly sets: Reader<DaemonSet>
  readonly pods: Reader<Pod>
  readonly nodes: Reader<Node>
  readonly revisions: Reader<ControllerRevision>
}

export function daemonSetController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'daemonset')
  const sets = informers.of(DAEMON_SETS)
  const pods = indexByController(informers.of(PODS))
  const revisions = indexByController(informers.of(CONTROLLER_REVISIONS))
  const nodes = informers.of(NODES)
  const recorder = context.recorder.as({ component: 'daemonset-controller' })
  const parts: Parts = {
    api,
    clock,
    recorder,
    control: new PodControl(api, recorder),
    queue,
    expectations: new Expectations(clock),
    failures: new FailureBackoff(clock),
    written: new Written(),
    sets: sets.reader,
    pods: pods.reader,
    nodes: nodes.reader,
    revisions: revisions.reader,
  }
  const wake = (set: DaemonSet): void => queue.add(keyOf(set))
  sets.handle({
    added: wake,
    updated: wake,
    deleted: (set) => {
      parts.expectations.forget(keyOf(set))
      parts.written.forget(keyOf(set))
    },
  })
  pods.handle(
    podHandler({
      owners: sets,
      queue,
      expectations: parts.expectations,
      selects: (set, labels) => selectsLabels(set.spec.selector, labels),
      changed: (set, pod, before) => {
        const { minReadySeconds = 0 } = set.spec
        if (minReadySeconds > 0 && isPodReady(pod) && !isPodReady(before)) {
          queue.addAfter(keyOf(set), minReadySeconds * 1000)
        }
      },
    }),
  )
  const wakeAll = (): void => sets.reader.list().forEach(wake)
  nodes.handle({
    added: wakeAll,
    updated: (node, before) => {
      if (placement(node) !== placement(before)) wakeAll()
    },
    deleted: wakeAll,
  })
  const reconcile = (key: string): Promise<void> => sync(parts, key)
  const options = { name: 'daemonset-controller', queue, workers, reconcile, log }
  return onceSynced([sets, pods, revisions, nodes], options)
}

/** What of a node decides which pods it may have. */
const placement = ({ metadata, spec }: Node): string => canonical([metadata.labels, spec.taints])

async function sync(parts: Parts, key: string): Promise<void> {
  const { api, clock, expectations, written } = parts
  const set = parts.sets.get(key)
  if (set === undefined || written.isNewerThan(set)) return
  if (canonical(set.spec.selector) === '{}') {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
    parts.recorder.event({ resource: DAEMON_SETS, object: set }, 'Warning', 'SelectingAll', message)
    return
  }
  if (set.metadata.deletionTimestamp !== undefined) return
  const selects = (labels: Readonly<Record<string, string>>): boolean =>
    selectsLabels(set.spec.selector, labels)
  const owner = { resource: DAEMON_SETS, object: set }
  const history = { api, owner, revisions: parts.revisions, selects }
  const known = await listRevisions(history)
  const { revision, collisions } = await updateRevision(history, known, {
    template: set.spec.template,
    annotations: set.metadata.annotations ?? {},
    collisions: set.status.collisionCount ?? 0,
    hashLabel: HASH_LABEL,
  })
  const hash = revision.metadata.labels?.[HASH_LABEL] ?? revision.metadata.name ?? ''
  const matches = (pod: Pod): boolean => selects(pod.metadata.labels ?? {})
  const isUpToDate = expectations.satisfied(key)
  const pods = await claim({ api, owner, resource: PODS, matches }, controlledOrOrphans(parts.pods, set))
  const now = clock.now()
  const seen: Seen = { set, nodes: parts.nodes.list(), pods: byNode(pods), hash, now, fit: fitOf(set) }
  const error = isUpToDate ? await act(parts, seen) : undefined
  await writeStatus(parts, seen, statusOf(seen, collisions, isUpToDate))
  if (error !== undefined) throw error
  const live = new Set([hash, ...pods.map(({ metadata }) => metadata.labels?.[HASH_LABEL])])
  await truncateHistory(
    api,
    known.filter(({ metadata }) => metadata.name !== revision.metadata.name),
    set.spec.revisionHistoryLimit ?? HISTORY_LIMIT,
    ({ metadata }) => live.has(metadata.labels?.[HASH_LABEL]),
  )
}

async function writeStatus(
  { api, queue, written }: Parts,
  { set }: Seen,
  status: DaemonSet['status'],
): Promise<void> {
  if (!isSameStatus(status, set.status)) {
    written.note(await api.updateStatus(DAEMON_SETS, { ...set, status }))
  }
  const { minReadySeconds = 0 } = set.spec
  if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0)) {
    queue.addAfter(keyOf(set), minReadySeconds * 1000)
  }
}

/** Returns the first failure. An update goes on once nothing else is to be done: what was done is seen first. */
async function act(parts: Parts, seen: Seen): Promise<unknown> {
  const changes = missingAndSurplus(seen)
  const over = endableNow(parts, seen, changes.over)
  const first = { ...changes, end: [...over, ...changes.end] }
  if (first.create.length + first.end.length > 0) return apply(parts, seen, first)
  if (seen.set.spec.updateStrategy.type !== 'RollingUpdate') return undefined
  const step = updateStep(seen)
  return step.create.length + step.end.length > 0 ? apply(parts, seen, step) : undefined
}

/** Failed pods whose node has waited for long enough, and those that ended though they never should. */
function endableNow({ failures, queue, recorder }: Parts, { set }: Seen, over: readonly Pod[]): Pod[] {
  const about = { resource: DAEMON_SETS, object: set }
  return over.filter((pod) => {
    const { namespace, name } = pod.metadata
    const where = `daemon pod ${namespace}/${name} on node ${nodeOf(pod)}`
    if (pod.status.phase === 'Succeeded') {
      const message = `Found succeeded ${where}, will try to delete it`
      recorder.event(about, 'Normal', 'SucceededDaemonPod', message)
      return true
    }
    const wait = failures.failed(`${set.metadata.uid}/${set.status.observedGeneration ?? 0}/${nodeOf(pod)}`)
    if (wait > 0) {
      queue.addAfter(keyOf(set), wait)
      return false
    }
    recorder.event(about, 'Warning', 'FailedDaemonPod', `Found failed ${where}, will try to kill it`)
    return true
  })
}

async function apply(parts: Parts, { set, hash }: Seen, changes: Omit<Changes, 'over'>): Promise<unknown> {
  const { control, expectations } = parts
  const create = changes.create.slice(0, BURST)
  const end = changes.end.slice(0, BURST)
  const key = keyOf(set)
  const owner = { resource: DAEMON_SETS, object: set }
  expectations.expect(key, create.length, end.map(keyOf))
  const made = await slowStart(create.length, async (index) => {
    try {
      await control.create(podFor(set, create[index] as string, hash), owner)
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error
    }
  })
  for (let missing = create.length - made.successes; missing > 0; missing--) expectations.creationSeen(key)
  let failure = made.error
  await Promise.all(
    end.map(async (pod) => {
      try {
        await control.delete(pod, owner)
      } catch (error) {
        expectations.deletionSeen(key, keyOf(pod))
        if (!isNotFound(error)) failure ??= error
      }
    }),
  )
  return failure
}
