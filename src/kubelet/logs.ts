// What a simulated container prints: that it is simulated, what its pod declares, and how it ended. Nothing is kept of it:
// the lines of a run follow from when it began and ended.
//
//   simulate.dinghy.dev/log: text        printed at the start of each run, line by line
//   simulate.dinghy.dev/log-every: 5s    printed again and again while it runs
//
// Follows k8s.io/kubernetes/pkg/kubelet (validateContainerLogStatus) and kuberuntime/logs.
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { badRequest } from '../machinery/status.ts'
import { declared, msOf } from './behaviour.ts'
import type { ContainerRecord, Ended } from './record.ts'

/** As much of a log as a kubelet keeps is some ten MB; of what is repeated, the last so many repetitions are told. */
const MAX_REPETITIONS = 10_000
/** Nothing is repeated more often. */
const MIN_PERIOD_MS = 10

export interface LogOptions {
  readonly previous: boolean
  readonly follow: boolean
  readonly timestamps: boolean
  /** What is older is left out: ms since 1970. */
  readonly since: number
  readonly tail: number
  readonly limitBytes: number
}

export interface LogLine {
  /** ms since 1970 */
  readonly at: number
  readonly text: string
}

/** One run of a container. */
export interface Run {
  /** 1 is the first. */
  readonly number: number
  readonly startedAt: number
  readonly ended: Ended | undefined
}

/** The options of a PodLogOptions as a query, which the API server has checked. `now` in ms. */
export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const number = (key: string): number | undefined => {
    const text = query.get(key)
    return text === null || Number.isNaN(Number(text)) ? undefined : Number(text)
  }
  const seconds = number('sinceSeconds')
  const time = Date.parse(query.get('sinceTime') ?? '')
  return {
    previous: isTrue(query.get('previous')),
    follow: isTrue(query.get('follow')),
    timestamps: isTrue(query.get('timestamps')),
    since: seconds === undefined ? (Number.isNaN(time) ? -Infinity : time) : now - seconds * 1000,
    tail: number('tailLines') ?? Infinity,
    limitBytes: number('limitBytes') ?? Infinity,
  }
}

const isTrue = (text: string | null): boolean => text === 'true' || text === '1'

/** The run whose log is meant. Throws badRequest where there is none. */
export function runOf(pod: Pod, one: ContainerRecord, previous: boolean): Run {
  const { phase, ended, last, restarts, startedAt, reason } = one
  const names = `container ${JSON.stringify(one.container.name)} in pod ${JSON.stringify(pod.metadata.name)}`
  // Between two runs, the one that ended is the last, and the one that is told of.
  const isBetween = phase === 'ended' && one.startAt !== undefined
  if (previous) {
    const before = isBetween ? ended : last
    if (!before) throw badRequest(`previous terminated ${names} not found`)
    return { number: isBetween ? restarts + 1 : restarts, startedAt: before.startedAt, ended: before }
  }
  if (phase === 'running') return { number: restarts + 1, startedAt, ended: undefined }
  if (ended) return { number: restarts + 1, startedAt: ended.startedAt, ended }
  throw badRequest(`${names} is waiting to start: ${reason || 'ContainerCreating'}`)
}

/** All lines of the run until `now`, oldest first. */
export function linesOf(pod: Pod, { container }: ContainerRecord, run: Run, now: number): LogLine[] {
  const { namespace = '', name = '' } = pod.metadata
  const image = JSON.stringify(container.image ?? '')
  const what = `container ${container.name} of pod ${namespace}/${name}, run ${run.number}`
  const begins = `simulated: ${what}; nothing runs here, and image ${image} was not looked at`
  const lines: LogLine[] = [{ at: run.startedAt, text: begins }]
  const said = declared(pod, container, 'log')?.split('\n') ?? []
  for (const at of repetitions(run, periodOf(pod, container), now))
    for (const text of said) lines.push({ at, text })
  const { ended } = run
  if (ended)
    lines.push({ at: ended.endedAt, text: `simulated: ${what} ended with exit code ${ended.exitCode}` })
  return lines
}

/** When the next line comes while the container runs; Infinity: none by itself. */
export function nextLineAt(pod: Pod, { container }: ContainerRecord, run: Run, now: number): number {
  const period = periodOf(pod, container)
  if (run.ended || period === Infinity || declared(pod, container, 'log') === undefined) return Infinity
  return run.startedAt + (Math.floor((now - run.startedAt) / period) + 1) * period
}

function periodOf(pod: Pod, container: ContainerRecord['container']): number {
  return Math.max(MIN_PERIOD_MS, msOf(declared(pod, container, 'log-every'), Infinity))
}

function repetitions({ startedAt, ended }: Run, period: number, now: number): number[] {
  const until = Math.min(now, ended?.endedAt ?? Infinity)
  if (period === Infinity) return [startedAt]
  const count = Math.max(0, Math.floor((until - startedAt) / period))
  const first = Math.max(0, count - MAX_REPETITIONS + 1)
  return Array.from({ length: count - first + 1 }, (_, i) => startedAt + (first + i) * period)
}

/** The lines that were asked for. */
export function chosen(lines: readonly LogLine[], { since, tail }: LogOptions): readonly LogLine[] {
  const young = lines.filter(({ at }) => at >= since)
  return tail < young.length ? young.slice(young.length - tail) : young
}

export const printed = ({ at, text }: LogLine, { timestamps }: LogOptions): string =>
  `${timestamps ? `${new Date(at).toISOString().replace('Z', '000000Z')} ` : ''}${text}\n`
