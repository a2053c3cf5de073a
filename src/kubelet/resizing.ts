// Pods that ask for other resources than they have: the node grants them where there is room, or later, and tells of it.
// Follows k8s.io/kubernetes/pkg/kubelet/allocation, pkg/kubelet/events/resize.go and status/status_manager.go.
import type {
  Container,
  Pod,
  PodCondition,
  PodSpec,
  ResourceRequirements,
} from '../client/kinds/core.v1.gen.ts'
import type { ContainerRecord, PodEvent, PodRecord } from './record.ts'
import { isSameResources, RESIZE_CONDITIONS } from './resizenotes.ts'
import type { NodeRoom } from './room.ts'

/** How soon a resize that is not granted is tried again, whatever else happens: as upstream. */
export const RESIZE_RETRY_MS = 180_000

type Resources = ResourceRequirements | undefined

/** Containers that are told of in a pod's spec with their resources. */
const isResizable = ({ role }: ContainerRecord): boolean => role !== 'ephemeral'

/** The pod with what the node has granted it, in place of what it asks for. */
export function grantedPod(pod: Pod, record: PodRecord): Pod {
  if (!asksOtherwise(pod, record)) return pod
  const granted = new Map(
    record.containers.filter(isResizable).map(({ container }) => [container.name, container]),
  )
  const of = (one: Container): Container => ({
    ...one,
    resources: granted.get(one.name)?.resources ?? one.resources,
  })
  const { containers, initContainers } = pod.spec
  const spec: PodSpec = { ...pod.spec, containers: containers.map(of), resources: record.resources }
  if (initContainers) spec.initContainers = initContainers.map(of)
  return { ...pod, spec }
}

/** Whether the pod asks for something else than the node has granted. */
function asksOtherwise({ spec }: Pod, record: PodRecord): boolean {
  const asked = [...(spec.initContainers ?? []), ...spec.containers]
  const granted = record.containers.filter(isResizable)
  return (
    !isSameResources(spec.resources, record.resources) ||
    asked.some(({ resources }, i) => !isSameResources(resources, granted[i]?.container.resources))
  )
}

/** Grants what the pod asks for where there is room; else what it had stays. Returns what is to be told. */
export function resize(
  pod: Pod,
  record: PodRecord,
  { room, allocatable }: { room: NodeRoom; allocatable: Readonly<Record<string, string>> },
  now: number,
): PodEvent[] {
  if (!asksOtherwise(pod, record)) {
    if (record.resizing) delete record.resizing.pending
    return []
  }
  if (pod.metadata.deletionTimestamp !== undefined || record.failure) return []
  const { generation } = pod.metadata
  const resizing = (record.resizing ??= {})
  const lack = room.resize(pod, allocatable)
  if (lack) {
    const { resource, requested, used, capacity } = lack
    const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
    const before = resizing.pending
    resizing.pending = { reason: 'Deferred', message, generation, since: before?.since ?? now }
    if (before && before.generation === generation) return []
    return [told('Warning', 'ResizeDeferred', `OutOf${resource}`, { pod, generation, error: message })]
  }
  grant(pod, record)
  delete resizing.pending
  resizing.inProgress = { generation, since: resizing.inProgress?.since ?? now }
  return [told('Normal', 'ResizeStarted', 'started', { pod, generation })]
}

function grant({ spec }: Pod, record: PodRecord): void {
  const asked = [...(spec.initContainers ?? []), ...spec.containers]
  record.resources = spec.resources
  record.containers.filter(isResizable).forEach((one, i) => {
    const resources = asked[i]?.resources
    if (resources) one.container = { ...one.container, resources }
  })
}

/** What is to be told once the containers have been looked at: whether all that run have what was granted. */
export function settle(pod: Pod, record: PodRecord, now: number): PodEvent[] {
  const isOpen = record.containers.some(
    (one) =>
      isResizable(one) && one.phase === 'running' && !isSameAmounts(one.resources, one.container.resources),
  )
  const known = record.resizing?.inProgress
  if (isOpen) {
    if (!known) (record.resizing ??= {}).inProgress = { generation: pod.metadata.generation, since: now }
    return []
  }
  if (!known) return []
  delete record.resizing?.inProgress
  const granted = grantedPod(pod, record)
  return [told('Normal', 'ResizeCompleted', 'completed', { pod: granted, generation: known.generation })]
}

/** How a running container gets what was granted: undefined: it has it; else with or without a new start. */
export function actuation({
  container,
  resources,
  role,
}: ContainerRecord): 'restart' | 'in place' | undefined {
  if (role === 'ephemeral' || container.resources === resources) return undefined
  const changed = (['cpu', 'memory'] as const).filter(
    (name) => !isSameAmount(name, resources, container.resources),
  )
  if (changed.length === 0) return undefined
  const policies = container.resizePolicy ?? []
  const restarts = changed.some((name) =>
    policies.some(
      ({ resourceName, restartPolicy }) => resourceName === name && restartPolicy === 'RestartContainer',
    ),
  )
  return restarts ? 'restart' : 'in place'
}

/** Conditions of a resize, and the end of those that were told before. */
export function resizeConditions(record: PodRecord, textOf: (ms: number) => string): PodCondition[] {
  return RESIZE_CONDITIONS.flatMap(([type, key]) => {
    const note = record.resizing?.[key]
    if (!note)
      return record.conditions.has(type) ? [{ type, $patch: 'delete' } as unknown as PodCondition] : []
    const { reason, message, generation, since } = note
    record.conditions.set(type, { status: 'True', since })
    return [
      {
        ...{ type, status: 'True' },
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        lastProbeTime: textOf(since),
        lastTransitionTime: textOf(since),
      },
    ]
  })
}

interface Summary {
  readonly pod: Pod
  readonly generation: number | undefined
  readonly error?: string
}

/** Told with the resources of all containers, keys in the order of upstream's. */
function told(
  type: PodEvent['type'],
  reason: string,
  how: string,
  { pod, generation, error }: Summary,
): PodEvent {
  const listOf = (containers: readonly Container[] | undefined): object[] | undefined =>
    containers?.length
      ? containers.map(({ name, resources }) => ({ name, resources: inOrder(resources) }))
      : undefined
  const summary = {
    initContainers: listOf(pod.spec.initContainers),
    containers: listOf(pod.spec.containers),
    generation: generation ?? 0,
    error,
  }
  return { type, reason, message: `Pod resize ${how}: ${JSON.stringify(summary)}` }
}

const inOrder = (resources: Resources): object => ({
  limits: sorted(resources?.limits),
  requests: sorted(resources?.requests),
  claims: resources?.claims,
})

const sorted = (list: Readonly<Record<string, string>> | undefined): object | undefined =>
  list && Object.fromEntries(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Amounts are as the server writes them, so the same ones are the same texts. */
const isSameAmount = (name: string, a: Resources, b: Resources): boolean =>
  a?.requests?.[name] === b?.requests?.[name] && a?.limits?.[name] === b?.limits?.[name]

const isSameAmounts = (a: Resources, b: Resources): boolean =>
  a === b || (isSameAmount('cpu', a, b) && isSameAmount('memory', a, b))
