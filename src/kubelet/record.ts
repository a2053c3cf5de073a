// What a simulated node remembers of a pod: the state of its containers, in ms. A node that starts again reads it back
// from the pod's status. Follows the role of the container runtime's memory in k8s.io/kubernetes/pkg/kubelet/container.
import type { Container, ContainerStatus, Pod } from '../client/kinds/core.v1.gen.ts'
import type { Role } from './behaviour.ts'
import type { Disk, Program } from './programs.ts'

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
  readonly container: Container
  readonly role: Role
  phase: 'waiting' | 'running' | 'ended'
  /** While it waits. */
  reason: string
  message: string
  /** When it may start; undefined until its turn has come. */
  startAt: number | undefined
  startedAt: number
  ready: boolean
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
  /** Since when its liveness probe fails by what its files are. */
  failsSince: number | undefined
  /** Of this run alone; undefined as long as nobody looked. */
  files: Disk | undefined
}

export interface PodRecord {
  readonly uid: string
  readonly startedAt: number
  readonly ip: string
  readonly containers: readonly ContainerRecord[]
  /** Of its emptyDir volumes; undefined as long as nobody looked. */
  files: Disk | undefined
  readonly nodeFiles: Disk
  /** Why the pod as a whole has failed: "DeadlineExceeded". */
  failure: { readonly reason: string; readonly message: string } | undefined
  /** Since when each condition is as it is. */
  readonly conditions: Map<string, { readonly status: string; readonly since: number }>
}

/** The id of one run of a container. */
export const runId = (uid: string, name: string, restarts: number): string =>
  `dinghy-simulated://${uid}/${name}/${restarts}`

/** A pod that has just come to the node, or that was on it when the node started again. */
export function recordOf(pod: Pod, ip: string, now: number, nodeFiles: Disk = new Map()): PodRecord {
  const uid = pod.metadata.uid ?? ''
  const { initContainers = [], containers } = pod.spec
  const { status } = pod
  const known = new Map<string, ContainerStatus>()
  for (const one of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
    known.set(one.name, one)
  return {
    uid,
    startedAt: ms(status.startTime, now),
    ip: status.podIP ?? ip,
    containers: [
      ...initContainers.map((one) =>
        restored(one, one.restartPolicy === 'Always' ? 'sidecar' : 'init', known),
      ),
      ...containers.map((one) => restored(one, 'app', known)),
    ],
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

const ms = (time: string | undefined, otherwise: number): number =>
  time === undefined ? otherwise : Date.parse(time)

function restored(
  container: Container,
  role: Role,
  known: ReadonlyMap<string, ContainerStatus>,
): ContainerRecord {
  const record: ContainerRecord = {
    container,
    role,
    phase: 'waiting',
    reason: '',
    message: '',
    startAt: undefined,
    startedAt: 0,
    ready: false,
    stopping: undefined,
    ended: undefined,
    last: undefined,
    restarts: 0,
    program: null,
    changes: 0,
    failsSince: undefined,
    files: undefined,
  }
  const status = known.get(container.name)
  if (!status) return record
  record.restarts = status.restartCount
  record.ready = status.ready
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
