// What the scheduler writes: bindings, why a pod waits, who has to go.
// Follows k8s.io/kubernetes/pkg/scheduler (schedule_one.go, framework/plugins/defaultbinder, framework/preemption/executor.go).
import { type Api, isNotFound } from '../client/api.ts'
import { type Clock, sleep, timeOf } from '../client/clock.ts'
import type { EventRecorder } from '../client/recorder.ts'
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../client/resources.ts'
import type { Extender } from './extenders.ts'
import type { NodeInfo } from './nodeinfo.ts'
import { isBound, type Plan, planFor, podVolumes } from './plugins/podvolumes.ts'
import type { PodInfo } from './podinfo.ts'
import type { ObjectSources } from './sources.ts'

export interface Writing {
  readonly api: Api
  readonly clock: Clock
  readonly recorder: EventRecorder
  readonly sources: ObjectSources
  /** "default-scheduler" */
  readonly schedulerName: string
  /** How long volumes that are being made are waited for. */
  readonly bindTimeoutMs: number
}

const VOLUMES_POLL_MS = 200

const placeOf = ({ pod: { metadata } }: PodInfo) => ({
  namespace: metadata.namespace,
  name: metadata.name ?? '',
})

/** Rejects where the pod cannot be bound. */
export async function bind(
  pod: PodInfo,
  node: NodeInfo,
  { api, recorder }: Writing,
  binder: Extender | undefined,
): Promise<void> {
  const isBound = binder !== undefined && (await boundBy(binder, pod, node))
  if (!isBound) await bindPod(pod, node, api)
  const message = `Successfully assigned ${pod.key} to ${node.name}`
  recorder.event({ resource: PODS, object: pod.pod }, 'Normal', 'Scheduled', message)
}

/** Whether the extender bound it: one that may be ignored, and does not answer, leaves it to us. */
async function boundBy(binder: Extender, pod: PodInfo, node: NodeInfo): Promise<boolean> {
  try {
    await binder.bind(pod, node)
    return true
  } catch (error) {
    if (binder.isIgnorable) return false
    throw error
  }
}

async function bindPod(pod: PodInfo, node: NodeInfo, api: Api): Promise<void> {
  const { namespace, name } = placeOf(pod)
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, uid: pod.uid, ...(namespace === undefined ? {} : { namespace }) },
    target: { kind: 'Node', name: node.name },
  }
  await api.post(PODS, { namespace, name, subresource: 'binding' }, binding)
}

/** Ties the pod's volumes to its claims, and waits for those that are being made. Rejects where there are none any more. */
export async function bindVolumes(
  pod: PodInfo,
  node: NodeInfo,
  writing: Writing,
  signal: AbortSignal,
): Promise<void> {
  if (!pod.pod.spec.volumes?.some((one) => one.persistentVolumeClaim ?? one.ephemeral)) return
  const { sources, clock } = writing
  const found = podVolumes(pod.pod, sources)
  if (typeof found === 'string') throw new Error(found)
  if (found.waiting.length === 0) return
  const plans = planFor(found.waiting, node, sources)
  if (typeof plans === 'string') throw new Error(`no volumes for ${pod.key} on ${node.name} any more`)
  await Promise.all(plans.map((plan) => order(plan, node, writing.api)))
  const isDone = ({ claim: { metadata } }: Plan): boolean => {
    const now = sources.claim(metadata.namespace ?? '', metadata.name ?? '')
    return now !== undefined && isBound(now)
  }
  const end = clock.now() + writing.bindTimeoutMs
  while (!plans.every(isDone)) {
    if (signal.aborted || clock.now() > end) throw new Error('binding volumes: context deadline exceeded')
    await sleep(clock, VOLUMES_POLL_MS, signal)
  }
}

/** Ties a volume to its claim, or asks for one to be made on the node; the volume controllers do the rest. */
async function order({ claim, volume }: Plan, node: NodeInfo, api: Api): Promise<void> {
  const { namespace, name = '', uid, resourceVersion } = claim.metadata
  if (!volume) {
    const annotations = { 'volume.kubernetes.io/selected-node': node.name }
    await api.patch(
      PERSISTENT_VOLUME_CLAIMS,
      { namespace, name },
      { metadata: { annotations } },
      { type: 'merge' },
    )
    return
  }
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion }
  await api.update(PERSISTENT_VOLUMES, {
    ...volume,
    metadata: {
      ...volume.metadata,
      annotations: { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' },
    },
    spec: { ...volume.spec, claimRef },
  })
}

export interface Failure {
  readonly reason: 'Unschedulable' | 'SchedulerError'
  readonly message: string
  /** Where room is being made; '' takes back what was said before. */
  readonly nominatedNode?: string
}

/** Says on the pod, and in an event, why it waits. A pod that is gone needs no answer. */
export async function reportFailure(
  pod: PodInfo,
  failure: Failure,
  { api, recorder, clock }: Writing,
): Promise<void> {
  const { reason, message, nominatedNode } = failure
  recorder.event({ resource: PODS, object: pod.pod }, 'Warning', 'FailedScheduling', message)
  const known = pod.pod.status.conditions?.find(({ type }) => type === 'PodScheduled')
  const isSaid = known?.status === 'False' && known.reason === reason && known.message === message
  if (isSaid && (nominatedNode === undefined || nominatedNode === (pod.pod.status.nominatedNodeName ?? '')))
    return
  const since = known?.status === 'False' ? known.lastTransitionTime : undefined
  const { generation } = pod.pod.metadata
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime: since ?? timeOf(clock),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  const status = {
    conditions: [condition],
    ...(nominatedNode === undefined
      ? {}
      : { nominatedNodeName: nominatedNode === '' ? null : nominatedNode }),
  }
  await ignoreGone(
    api.patch(
      PODS,
      { ...placeOf(pod), subresource: 'status' },
      { metadata: { uid: pod.uid }, status },
      { type: 'strategic' },
    ),
  )
}

/** Sends a pod away for a more important one, and says so on it before. */
export async function evict(
  victim: PodInfo,
  preemptor: PodInfo,
  node: NodeInfo,
  writing: Writing,
): Promise<void> {
  const { api, clock, recorder, schedulerName } = writing
  if (victim.pod.metadata.deletionTimestamp !== undefined) return
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timeOf(clock),
  }
  const body = { metadata: { uid: victim.uid }, status: { conditions: [condition] } }
  await ignoreGone(
    api.patch(PODS, { ...placeOf(victim), subresource: 'status' }, body, { type: 'strategic' }),
  )
  await ignoreGone(api.delete(PODS, placeOf(victim), { preconditions: { uid: victim.uid } }))
  const message = `Preempted by pod ${preemptor.uid} on node ${node.name}`
  recorder.event({ resource: PODS, object: victim.pod }, 'Normal', 'Preempted', message)
}

async function ignoreGone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
