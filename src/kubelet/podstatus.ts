// The status of a pod on a simulated node, out of what the node remembers.
// Follows k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses) and status/generate.go.
import type {
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
} from '../client/kinds/core.v1.gen.ts'
import { addQuantities, formatQuantity, type Quantity } from '../machinery/quantity.ts'
import { type ContainerRecord, type Ended, type PodRecord, runId } from './record.ts'
import { grantedPod, resizeConditions } from './resizing.ts'
import { sequelOf } from './restarts.ts'
import { requestsOf } from './room.ts'

/** Addresses of the pod's node. */
export interface HostAddress {
  readonly ip: string
}

export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** What the node writes: conditions of others stay, as the patch merges them. Remembers since when conditions hold. */
export function podStatus(pod: Pod, record: PodRecord, host: HostAddress, now: number): PodStatus {
  const phase = phaseOf(pod, record)
  const inits = record.containers.filter(({ role }) => role === 'init' || role === 'sidecar')
  const apps = record.containers.filter(({ role }) => role === 'app')
  const ephemeral = record.containers.filter(({ role }) => role === 'ephemeral')
  const ip = pod.spec.hostNetwork ? host.ip : record.ip
  return {
    phase,
    conditions: conditionsOf({ pod, record, phase, inits, apps, now }),
    hostIP: host.ip,
    hostIPs: [{ ip: host.ip }],
    podIP: ip,
    podIPs: [{ ip }],
    startTime: timeText(record.startedAt),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    ...(record.failure ?? {}),
    // DEVIATION: of pods that ask for none as a whole the kubelet tells what its containers come to.
    ...(record.resources ? podLevel(record.resources, grantedPod(pod, record)) : {}),
    ...(inits.length === 0
      ? {}
      : { initContainerStatuses: inits.map((one) => containerStatus(one, record)) }),
    containerStatuses: apps.map((one) => containerStatus(one, record)),
    ...(ephemeral.length === 0
      ? {}
      : { ephemeralContainerStatuses: ephemeral.map((one) => containerStatus(one, record)) }),
  }
}

function podLevel(resources: ResourceRequirements, granted: Pod): Partial<PodStatus> {
  const totals = new Map<string, Quantity>()
  for (const list of requestsOf(granted.spec))
    for (const [name, one] of list) {
      const known = totals.get(name)
      totals.set(name, known ? addQuantities(known, one) : one)
    }
  return {
    allocatedResources: Object.fromEntries([...totals].map(([name, one]) => [name, formatQuantity(one)])),
    resources,
  }
}

/** A container that may start again counts as running. */
export function phaseOf(pod: Pod, { containers, failure, restartsAll }: PodRecord): string {
  if (failure) return 'Failed'
  const apps = containers.filter(({ role }) => role === 'app')
  const inits = containers.filter(({ role }) => role === 'init')
  const failedInits = inits.filter(({ phase, ended }) => phase === 'ended' && ended?.exitCode !== 0)
  if (failedInits.length > 0 && !restartsAll)
    return failedInits.some((one) => sequelOf(pod, one) === 'none') ? 'Failed' : 'Pending'
  if (inits.some(({ phase, last }) => phase === 'running' || (phase === 'waiting' && !last))) return 'Pending'
  if (apps.every(({ phase }) => phase === 'ended')) {
    const isEnding = pod.metadata.deletionTimestamp !== undefined
    const comesBack = restartsAll || apps.some((one) => sequelOf(pod, one) !== 'none')
    const runs = containers.some(({ phase, role }) => phase === 'running' && role !== 'ephemeral')
    if (runs || (comesBack && !isEnding)) return 'Running'
    return apps.some(({ ended }) => ended?.exitCode !== 0) ? 'Failed' : 'Succeeded'
  }
  const begun = apps.some(({ phase, last }) => phase !== 'waiting' || last !== undefined)
  if (begun)
    return apps.some(({ phase, last }) => phase === 'waiting' && last === undefined) ? 'Pending' : 'Running'
  return 'Pending'
}

function containerStatus(one: ContainerRecord, record: PodRecord): ContainerStatus {
  const { container, phase, restarts, ended, last, ready, role } = one
  const isRunning = phase === 'running'
  const image = (isRunning ? one.image : container.image) ?? ''
  // Between two runs it waits, and what ended is its last state.
  const between = phase === 'ended' && one.startAt !== undefined
  const before = between ? ended : last
  const hasRun = isRunning || ended !== undefined
  return {
    name: container.name,
    state: between ? waiting(one) : stateOf(one, record),
    lastState: before ? { terminated: terminated(before) } : {},
    ready: role === 'init' ? phase === 'ended' && ended?.exitCode === 0 : isRunning && ready,
    restartCount: restarts,
    image,
    imageID: hasRun ? `dinghy-simulated://${image}` : '',
    ...(hasRun ? { containerID: ended?.id ?? runId(record.uid, container.name, restarts) } : {}),
    ...(role === 'ephemeral' ? {} : { started: isRunning && role !== 'init' && one.started }),
    ...(hasRun && container.resources?.requests ? { allocatedResources: container.resources.requests } : {}),
    ...(hasRun && role !== 'ephemeral'
      ? { resources: (isRunning ? one.resources : container.resources) ?? {} }
      : {}),
  }
}

function stateOf(one: ContainerRecord, { containers }: PodRecord): ContainerState {
  if (one.phase === 'running') return { running: { startedAt: timeText(one.startedAt) } }
  if (one.ended) return { terminated: terminated(one.ended) }
  if (one.reason !== '') return waiting(one)
  const reason = containers.some(({ role }) => role === 'init' || role === 'sidecar')
    ? 'PodInitializing'
    : 'ContainerCreating'
  return { waiting: { reason } }
}

const waiting = ({ reason, message }: ContainerRecord): ContainerState => ({
  waiting: { ...(reason === '' ? {} : { reason }), ...(message === '' ? {} : { message }) },
})

const terminated = ({
  exitCode,
  reason,
  message,
  startedAt,
  endedAt,
  id,
}: Ended): ContainerState['terminated'] => ({
  exitCode,
  reason,
  ...(message === undefined ? {} : { message }),
  startedAt: timeText(startedAt),
  finishedAt: timeText(endedAt),
  containerID: id,
})

interface Facts {
  readonly pod: Pod
  readonly record: PodRecord
  readonly phase: string
  readonly inits: readonly ContainerRecord[]
  readonly apps: readonly ContainerRecord[]
  readonly now: number
}

type Verdict = Omit<PodCondition, 'type'>
const YES: Verdict = { status: 'True' }
const ALL_RESTARTING: Verdict = {
  status: 'True',
  reason: 'RestartAllContainersStarted',
  message: 'container exited with restart policy rule',
}

function conditionsOf(facts: Facts): PodCondition[] {
  const { pod, record, phase, now } = facts
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const containers = containersReady(facts)
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { status: isOver || record.isUnmounted ? 'False' : 'True' }],
    ['Initialized', initialized(facts)],
    ['Ready', containers.status === 'True' ? gatesReady(pod) : containers],
    ['ContainersReady', containers],
    // Another told of it first; which version of the pod it holds for is the node's to say.
    ['PodScheduled', YES],
  ]
  const { generation } = pod.metadata
  const all = [...verdicts, ...allRestarting(facts)].map(([type, verdict]) => {
    const known = record.conditions.get(type)
    const since = known?.status === verdict.status ? known.since : now
    record.conditions.set(type, { status: verdict.status, since })
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...verdict,
      lastTransitionTime: timeText(since),
    }
  })
  return [...all, ...resizeConditions(record, timeText)]
}

/** Of pods whose containers have a rule that restarts them all. */
function allRestarting({ record, phase }: Facts): [string, Verdict][] {
  const { containers, restartsAll } = record
  const hasRule = containers.some(({ container }) =>
    container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  )
  if (!hasRule) return []
  const verdict: Verdict =
    phase === 'Succeeded'
      ? { status: 'False', reason: 'PodCompleted' }
      : phase === 'Failed'
        ? { status: 'False', reason: 'PodFailed' }
        : restartsAll
          ? ALL_RESTARTING
          : { status: 'False' }
  return [['AllContainersRestarting', verdict]]
}

function initialized({ inits, phase }: Facts): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  const open = inits.filter(({ role, phase: at, ended, last }) =>
    role === 'sidecar' ? at === 'waiting' && !last : !(at === 'ended' && ended?.exitCode === 0),
  )
  if (open.length === 0) return YES
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${namesOf(open)}]`,
  }
}

function containersReady({ apps, inits, phase, record }: Facts): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed' || record.failure) return { status: 'False', reason: 'PodFailed' }
  const open = [...inits.filter(({ role }) => role === 'sidecar'), ...apps].filter((one) => !isReady(one))
  if (open.length === 0) return YES
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${namesOf(open)}]`,
  }
}

const isReady = ({ phase, ready }: ContainerRecord): boolean => phase === 'running' && ready

const namesOf = (records: readonly ContainerRecord[]): string =>
  records.map(({ container }) => container.name).join(' ')

/** Conditions that others must set before the pod is ready. */
function gatesReady(pod: Pod): Verdict {
  const unmet = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const status = pod.status.conditions?.find(({ type }) => type === conditionType)?.status
    if (status === 'True') return []
    const shown = JSON.stringify(conditionType)
    return [
      status === undefined
        ? `corresponding condition of pod readiness gate ${shown} does not exist.`
        : `the status of pod readiness gate ${shown} is not "True", but ${status}`,
    ]
  })
  return unmet.length === 0
    ? YES
    : { status: 'False', reason: 'ReadinessGatesNotReady', message: unmet.join(', ') }
}
