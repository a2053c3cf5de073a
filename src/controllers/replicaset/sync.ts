// As many pods as an object asks for: the loop that ReplicaSets and ReplicationControllers share.
// Follows k8s.io/kubernetes/pkg/controller/replicaset/replica_set.go.
import { type Api, isNotFound } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import { Expectations } from '../../client/expectations.ts'
import type { ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import {
  claim,
  controlledBy,
  controlledOrOrphans,
  controllerOf,
  indexByController,
  isControlledBy,
  type Owner,
} from '../../client/ownership.ts'
import {
  isNamespaceTerminating,
  messageOf,
  PodControl,
  podOfTemplate,
  slowStart,
} from '../../client/podcontrol.ts'
import {
  isPodActive,
  isPodReady,
  isPodTerminating,
  nextAvailability,
  rankForDeletion,
} from '../../client/podstate.ts'
import { podHandler } from '../../client/podwatch.ts'
import type { WorkQueue } from '../../client/queue.ts'
import { keyOf, type Resource } from '../../client/resource.ts'
import { PODS } from '../../client/resources.ts'
import { isSameStatus, writeStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { onceSynced } from '../../client/synced.ts'
import { replicaStatus } from './status.ts'

/** As upstream's BurstReplicas: so many pods at once, then a look at what became of them. */
const BURST = 500
/** As upstream's --concurrent-replicaset-syncs and --concurrent-rc-syncs. */
const WORKERS = 5

/** What tells the kinds apart. Both are of ReplicaSet's shape but for their selectors. */
export interface ReplicaKind {
  /** "replicaset-controller" */
  readonly name: string
  /** Who the events are from. */
  readonly component: string
  readonly resource: Resource<ReplicaSet>
  selects(set: ReplicaSet, labels: Readonly<Record<string, string>>): boolean
  /** Whether the status tells how many pods are terminating. */
  readonly countsTerminating: boolean
}

interface Parts {
  readonly kind: ReplicaKind
  readonly api: Api
  readonly clock: Clock
  readonly control: PodControl
  readonly queue: WorkQueue
  readonly expectations: Expectations
  readonly sets: Reader<ReplicaSet>
  readonly pods: Reader<Pod>
}

/** The controller of one of the kinds. */
export function replicaController(
  context: ControllerContext,
  kind: ReplicaKind,
  workers = WORKERS,
): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, kind.resource.kind.toLowerCase())
  const expectations = new Expectations(clock)
  const sets = indexByController(informers.of(kind.resource))
  const pods = indexByController(informers.of(PODS))
  const control = new PodControl(api, context.recorder.as({ component: kind.component }))
  sets.handle({
    added: (set) => queue.add(keyOf(set)),
    updated: (set) => queue.add(keyOf(set)),
    deleted: (set) => {
      expectations.forget(keyOf(set))
      queue.add(keyOf(set))
    },
  })
  pods.handle(
    podHandler({
      owners: sets,
      queue,
      expectations,
      selects: (set, labels) => kind.selects(set, labels),
      changed: (set, pod, before) => {
        const { minReadySeconds = 0 } = set.spec
        if (minReadySeconds > 0 && isPodReady(pod) && !isPodReady(before)) {
          queue.addAfter(keyOf(set), minReadySeconds * 1000)
        }
      },
    }),
  )
  const parts = { kind, api, clock, control, queue, expectations, sets: sets.reader, pods: pods.reader }
  const reconcile = (key: string): Promise<void> => sync(parts, key)
  return onceSynced([sets, pods], { name: kind.name, queue, workers, reconcile, log })
}

async function sync(parts: Parts, key: string): Promise<void> {
  const { kind, api, clock, queue, expectations } = parts
  const set = parts.sets.get(key)
  if (set === undefined) return expectations.forget(key)
  const isUpToDate = expectations.satisfied(key)
  const selects = (pod: Pod): boolean => kind.selects(set, pod.metadata.labels ?? {})
  const pods = controlledOrOrphans(parts.pods, set)
  const owner = { resource: kind.resource, object: set }
  const active = await claim({ api, owner, resource: PODS, matches: selects }, pods.filter(isPodActive))
  const failure =
    isUpToDate && set.metadata.deletionTimestamp === undefined
      ? await manage(parts, set, active).then(() => undefined, messageOf)
      : undefined
  const terminating = pods.filter((pod) => isPodTerminating(pod) && isControlledBy(pod, set) && selects(pod))
  const status = replicaStatus(
    set,
    {
      active,
      ...(kind.countsTerminating ? { terminating } : {}),
      ...(failure === undefined ? {} : { failure }),
    },
    clock,
  )
  if (!isSameStatus(status, set.status)) await writeStatus(api, kind.resource, set, status)
  if (failure !== undefined) throw new Error(failure)
  if (status.readyReplicas !== status.availableReplicas) awaitAvailability(queue, clock, set, active)
}

function awaitAvailability(queue: WorkQueue, clock: Clock, set: ReplicaSet, pods: readonly Pod[]): void {
  const { minReadySeconds = 0 } = set.spec
  const next = nextAvailability(pods, minReadySeconds, clock.now()) ?? minReadySeconds * 1000
  queue.addAfter(keyOf(set), next)
}

async function manage(parts: Parts, set: ReplicaSet, active: readonly Pod[]): Promise<void> {
  const difference = active.length - (set.spec.replicas ?? 1)
  if (difference < 0) await makePods(parts, set, Math.min(-difference, BURST))
  if (difference > 0)
    await endPods(parts, set, victims(parts, set, active).slice(0, Math.min(difference, BURST)))
}

async function makePods(
  { kind, control, expectations }: Parts,
  set: ReplicaSet,
  count: number,
): Promise<void> {
  const { template } = set.spec
  if (template === undefined) return
  const key = keyOf(set)
  const owner: Owner = { resource: kind.resource, object: set }
  expectations.expect(key, count)
  const { successes, error } = await slowStart(count, async () => {
    try {
      await control.create(podOfTemplate(template, owner), owner)
    } catch (error) {
      // Every further creation would fail as well, and nobody wants to hear of it.
      if (!isNamespaceTerminating(error)) throw error
    }
  })
  for (let missing = count - successes; missing > 0; missing--) expectations.creationSeen(key)
  if (error !== undefined) throw error
}

async function endPods(parts: Parts, set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
  const { kind, control, expectations } = parts
  const key = keyOf(set)
  expectations.expect(key, 0, pods.map(keyOf))
  const results = await Promise.allSettled(
    pods.map(async (pod) => {
      try {
        await control.delete(pod, { resource: kind.resource, object: set })
      } catch (error) {
        expectations.deletionSeen(key, keyOf(pod))
        if (!isNotFound(error)) throw error
      }
    }),
  )
  const failed = results.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** In the order in which they should go. Pods of sets of the same owner crowd a node just as well: a rollout is one workload. */
function victims({ sets, pods, kind, clock }: Parts, set: ReplicaSet, active: readonly Pod[]): Pod[] {
  const uid = controllerOf(set)?.uid
  const family = uid === undefined ? [] : controlledBy(sets, { metadata: { uid } })
  const nodes = new Map<string, number>()
  for (const related of family) {
    for (const pod of pods.inNamespace(related.metadata.namespace ?? '')) {
      if (!isPodActive(pod) || !kind.selects(related, pod.metadata.labels ?? {})) continue
      nodes.set(pod.spec.nodeName ?? '', (nodes.get(pod.spec.nodeName ?? '') ?? 0) + 1)
    }
  }
  return rankForDeletion(active, (node) => nodes.get(node) ?? 0, clock.now())
}
