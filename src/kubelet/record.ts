// What a simulated node remembers of a pod: the state of its containers, in ms. A node that starts again reads it back
// from the pod's status. Follows the role of the container runtime's memory in k8s.io/kubernetes/pkg/kubelet/container.
import type { Container, ContainerStatus, Pod, ResourceRequirements } from '../client/kinds/core.v1.gen.ts'
import type { Role } from './behaviour.ts'
import type { Disk, Program } from './programs.ts'
import { isSameResources, notesOf, type Resizing } from './resizenotes.ts'

export interface Ended {
  readonly exitCode: number
  readonly reason: string
  readonly startedAt: number
  readonly endedAt: number
  /** Of the run that ended. */
  readonly id: string
  /** What its program left to be said. */
  readonly message?: string
}

export interface ContainerRecord {
  /** As its pod defines it now, with the resources that the node has granted. */
  container: Container
  readonly role: Role
  /** That it runs with, or ran with last. */
  image: string | undefined
  /** That it runs with. */
  resources: ResourceRequirements | undefined
  /** Told to end because its definition is another: it comes back, whatever its policy. */
  isRedefined: boolean
  phase: 'waiting' | 'running' | 'ended'
  /** While it waits. */
  reason: string
  message: string
  /** When it may start; undefined until its turn has come. */
  startAt: number | undefined
  startedAt: number
  ready: boolean
  /** Its startup probe has succeeded, or it has none. */
  started: boolean
  /** Told to end, since when, and within how many ms. */
  stopping: { readonly at: number; readonly graceMs: number } | undefined
  ended: Ended | undefined
  /** How the run before this one ended. */
  last: Ended | undefined
  restarts: number
  /** What its command comes to in this run; null until it was looked at, undefined where nobody can tell. */
  program: Program | undefined | null
  /** So many of the program's changes to files have happened. */
  changes: number
  /** Since when its startup probe, or its liveness probe, fails by what its files are. */
  failsSince: number | undefined
  /** Of this run alone; undefined as long as nobody looked. */
  files: Disk | undefined
}

export interface PodRecord {
  readonly uid: string
  readonly startedAt: number
  readonly ip: string
  containers: readonly ContainerRecord[]
  /** What the node has granted the pod as a whole. */
  resources: ResourceRequirements | undefined
  /** What was told of a change of resources that is not through. */
  resizing?: Resizing | undefined
  /** A rule of a container has it that all start anew: what runs is ended first. */
  restartsAll: boolean
  /** Of its emptyDir volumes; undefined as long as nobody looked. */
  files: Disk | undefined
  readonly nodeFiles: Disk
  /** Why the pod as a whole has failed: "DeadlineExceeded". */
  failure: { readonly reason: string; readonly message: string } | undefined
  /** A volume is not there: no container is made. */
  isUnmounted?: boolean
  /** Containers that cannot be made, with the reason. */
  faults?: ReadonlyMap<string, string> | undefined
  /** Since when each condition is as it is. */
  readonly conditions: Map<string, { readonly status: string; readonly since: number }>
}

/** What the kubelet tells of a pod. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** The container that it is about. */
  readonly container?: ContainerRecord
}

/** The id of one run of a container. */
export const runId = (uid: string, name: string, restarts: number): string =>
  `dinghy-simulated://${uid}/${name}/${restarts}`

/** A pod that has just come to the node, or that was on it when the node started again. */
export function recordOf(pod: Pod, ip: string, now: number, nodeFiles: Disk = new Map()): PodRecord {
  const uid = pod.metadata.uid ?? ''
  const { status } = pod
  return {
    resources:
      status.resources && status.allocatedResources
        ? grantedOf(pod.spec.resources, status)
        : pod.spec.resources,
    resizing: notesOf(pod, (time) => ms(time, now)),
    uid,
    startedAt: ms(status.startTime, now),
    ip: status.podIP ?? ip,
    containers: containersOf(pod, []),
    restartsAll: false,
    files: undefined,
    nodeFiles,
    failure: undefined,
    conditions: new Map(
      (status.conditions ?? []).map((one) => [
        one.type,
        { status: one.status, since: ms(one.lastTransitionTime, now) },
      ]),
    ),
  }
}

/** What the pod says of its containers now: images, resources, and containers that came later. */
export function redefine(pod: Pod, record: PodRecord): void {
  record.containers = containersOf(pod, record.containers)
}

function containersOf({ spec, status }: Pod, before: readonly ContainerRecord[]): ContainerRecord[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec
  const statuses = [status.initContainerStatuses, status.containerStatuses, status.ephemeralContainerStatuses]
  const one = (
    role: Role,
    container: Container,
    i: number,
    of: readonly ContainerRecord[],
  ): ContainerRecord => {
    const known = of[i]
    if (!known) return restored(container, role, statuses)
    // What it asks for beyond what it has is granted or not, see resizing.ts.
    const { resources } = known.container
    known.container = isSameResources(container.resources, resources)
      ? container
      : { ...container, resources }
    return known
  }
  const isApp = ({ role }: ContainerRecord): boolean => role === 'app'
  const isEphemeral = ({ role }: ContainerRecord): boolean => role === 'ephemeral'
  const inits = before.filter((known) => !isApp(known) && !isEphemeral(known))
  const apps = before.filter(isApp)
  const ephemeral = before.filter(isEphemeral)
  return [
    ...initContainers.map((each, i) =>
      one(each.restartPolicy === 'Always' ? 'sidecar' : 'init', each, i, inits),
    ),
    ...containers.map((each, i) => one('app', each, i, apps)),
    ...ephemeralContainers.map((each, i) => one('ephemeral', { ...each, resources: {} }, i, ephemeral)),
  ]
}

const ms = (time: string | undefined, otherwise: number): number =>
  time === undefined ? otherwise : Date.parse(time)

function restored(
  container: Container,
  role: Role,
  statuses: readonly (readonly ContainerStatus[] | undefined)[],
): ContainerRecord {
  const record: ContainerRecord = {
    container,
    role,
    image: container.image,
    resources: undefined,
    isRedefined: false,
    phase: 'waiting',
    reason: '',
    message: '',
    startAt: undefined,
    startedAt: 0,
    ready: false,
    started: false,
    stopping: undefined,
    ended: undefined,
    last: undefined,
    restarts: 0,
    program: null,
    changes: 0,
    failsSince: undefined,
    files: undefined,
  }
  const status = statuses.flatMap((list) => list ?? []).find(({ name }) => name === container.name)
  if (!status) return record
  record.container = { ...container, resources: grantedOf(container.resources, status) ?? {} }
  record.resources = status.resources
  record.restarts = status.restartCount
  record.image = status.image || container.image
  record.ready = status.ready
  record.started = status.started === true
  record.last = endedOf(status.lastState?.terminated)
  const { running, terminated } = status.state ?? {}
  if (running) {
    record.phase = 'running'
    record.startedAt = ms(running.startedAt, 0)
  } else if (terminated) {
    record.phase = 'ended'
    record.ended = endedOf(terminated)
  } else if (record.last) {
    // It waited for its next run.
    record.phase = 'ended'
    record.ended = record.last
  }
  return record
}

/** The server has what was granted: requests of their own, limits as they are in force. */
function grantedOf(
  asked: ResourceRequirements | undefined,
  { allocatedResources, resources }: Pick<ContainerStatus, 'allocatedResources' | 'resources'>,
): ResourceRequirements | undefined {
  if (!allocatedResources && !resources) return asked
  const granted: ResourceRequirements = { ...asked }
  const [requests, limits] = [allocatedResources ?? resources?.requests, resources?.limits]
  if (requests) granted.requests = requests
  if (limits) granted.limits = limits
  return granted
}

function endedOf(terminated: NonNullable<ContainerStatus['state']>['terminated']): Ended | undefined {
  if (!terminated) return undefined
  return {
    exitCode: terminated.exitCode,
    reason: terminated.reason ?? '',
    startedAt: ms(terminated.startedAt, 0),
    endedAt: ms(terminated.finishedAt, 0),
    id: terminated.containerID ?? '',
    ...(terminated.message === undefined ? {} : { message: terminated.message }),
  }
}
