// How a simulated container behaves: as its pod's annotations declare, else as a healthy container would.
//
//   simulate.dinghy.dev/start-after: 2s           how long starting takes, as a pull of the image would (0s)
//   simulate.dinghy.dev/ready-after: 3s           how long after its start it is ready (its readiness probe's initial delay)
//   simulate.dinghy.dev/ready: "false"            it is never ready, for as long as this stands
//   simulate.dinghy.dev/run-for: 5s               it ends by itself (as its program does, see programs.ts; where that is
//                                                 not known: init containers at once, containers of Jobs after 1s)
//   simulate.dinghy.dev/exit-code: "1"            how it ends then (0)
//   simulate.dinghy.dev/failures: "2"             only its first 2 runs end that way; the next one is healthy
//   simulate.dinghy.dev/stop-after: 10s           how long it takes to end when it is told to (0s); its grace period bounds it
//   simulate.dinghy.dev/liveness-fails-after: 4s  from then on its liveness probe fails
//   simulate.dinghy.dev/image: missing            its image cannot be pulled, for as long as this stands
//
// What it prints and uses is declared the same way: see logs.ts and usage.ts.
// With ".NAME" behind the key, it holds for the container of this name alone, and before what is said of all.
// What does not parse is as if it were not there.
import { controllerOf } from '../client/ownership.ts'
import type { Container, Pod } from '../client/kinds/core.v1.gen.ts'
import { parseDuration } from '../machinery/duration.ts'
import type { Program } from './programs.ts'

export const SIMULATE = 'simulate.dinghy.dev/'

/** Times in ms. */
export interface Behaviour {
  readonly startAfter: number
  readonly readyAfter: number
  readonly canBeReady: boolean
  /** Infinity: it runs until it is stopped. */
  readonly runFor: number
  readonly exitCode: number
  /** How long its hook sleeps before it is told to end. */
  readonly hookBeforeStop: number
  readonly stopAfter: number
  /** How it ends when it is told to. */
  readonly stopCode: number
  /** Infinity: it stays alive. */
  readonly livenessFailsAfter: number
  readonly isImageMissing: boolean
}

/** Which of a pod's containers: those that prepare it end by themselves, ephemeral ones come later, to look at others. */
export type Role = 'init' | 'sidecar' | 'app' | 'ephemeral'

/** Containers of Jobs work for this long where nothing else is said, so that they are seen running. */
const JOB_RUN_MS = 1000
const NANOSECONDS_PER_MS = 1_000_000n
const MAX_EXIT_CODE = 255

/** What the pod's annotations say of this container. */
export function declared(
  { metadata: { annotations } }: Pod,
  { name }: Container,
  what: string,
): string | undefined {
  return annotations?.[`${SIMULATE}${what}.${name}`] ?? annotations?.[`${SIMULATE}${what}`]
}

/** Who runs: a container in its run after so many restarts, and what its program comes to, where that is known. */
export interface Runner {
  readonly container: Container
  readonly role: Role
  readonly restarts: number
  readonly program: Program | undefined | null
}

/** How the container behaves. What its pod declares of its end stands before what its program does. */
export function behaviourOf(pod: Pod, { container, role, restarts, program: known }: Runner): Behaviour {
  const said = (what: string): string | undefined => declared(pod, container, what)
  const failures = integerOf(said('failures'), Infinity)
  const isOver = restarts >= failures
  const exitCode = integerOf(said('exit-code'), failures === Infinity ? 0 : 1)
  const program = ['run-for', 'exit-code', 'failures'].some((what) => said(what) !== undefined)
    ? undefined
    : (known ?? undefined)
  return {
    startAfter: msOf(said('start-after'), 0),
    readyAfter: msOf(said('ready-after'), (container.readinessProbe?.initialDelaySeconds ?? 0) * 1000),
    canBeReady: said('ready') !== 'false',
    runFor: isOver
      ? ownRun(pod, role)
      : (program?.runFor ?? msOf(said('run-for'), failing(failures, exitCode) ? 0 : ownRun(pod, role))),
    exitCode: isOver ? 0 : (program?.exitCode ?? exitCode),
    stopCode: program?.stopCode ?? 0,
    hookBeforeStop: (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000,
    stopAfter: msOf(said('stop-after'), 0),
    livenessFailsAfter: container.livenessProbe ? msOf(said('liveness-fails-after'), Infinity) : Infinity,
    isImageMissing: said('image') === 'missing',
  }
}

/** Whoever declares a failure means it to happen. */
const failing = (failures: number, exitCode: number): boolean => failures < Infinity || exitCode !== 0

function ownRun(pod: Pod, role: Role): number {
  if (role === 'init') return 0
  return role === 'app' && controllerOf(pod)?.kind === 'Job' ? JOB_RUN_MS : Infinity
}

export function msOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  try {
    const ms = Number(parseDuration(text) / NANOSECONDS_PER_MS)
    return ms >= 0 ? ms : otherwise
  } catch {
    return otherwise
  }
}

function integerOf(text: string | undefined, otherwise: number): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return otherwise
  return otherwise === Infinity ? Number(text) : Math.min(Number(text), MAX_EXIT_CODE)
}
