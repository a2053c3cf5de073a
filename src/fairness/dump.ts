// What levels, queues and requests are like at this moment, as tables of text for an operator; loaded when asked for.
// Follows k8s.io/apiserver/pkg/util/flowcontrol/apf_controller_debug.go.
import type { Fairness } from './fairness.ts'
import { FlowPass } from './flow.ts'
import type { LevelState } from './levels.ts'
import type { Queue, QueuedRequest } from './queue.ts'

const LEVEL_COLUMNS = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
]
const QUEUE_COLUMNS = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
]
const REQUEST_COLUMNS = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
]
const DETAIL_COLUMNS = [
  'UserName',
  'Verb',
  'APIPath',
  'Namespace',
  'Name',
  'APIVersion',
  'Resource',
  'SubResource',
]

/** The table of this name (the end of its path), or undefined where there is none. `details`: who asks for what, too. */
export function dump(fairness: Fairness, name: string, details: boolean): string | undefined {
  const levels = [...fairness.levels.all()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
  switch (name) {
    case 'dump_priority_levels':
      return table([LEVEL_COLUMNS, ...levels.map(levelRow)])
    case 'dump_queues':
      return table([QUEUE_COLUMNS, ...levels.flatMap(queueRows)])
    case 'dump_requests':
      return table([
        details ? [...REQUEST_COLUMNS, ...DETAIL_COLUMNS] : REQUEST_COLUMNS,
        ...levels.flatMap((level) => requestRows(level, details)),
      ])
    default:
      return undefined
  }
}

type Row = readonly (string | number | boolean)[]

function levelRow({ spec, queues, isQuiescing }: LevelState): Row {
  const active = queues.queues.filter((queue) => queue && queue.waiting.length > 0).length
  const { isIdle, waiting, executing, dispatched, rejected, cancelled } = queues
  return [spec.name, active, isIdle, isQuiescing, waiting, executing, dispatched, rejected, 0, cancelled]
}

function queueRows({ spec, queues }: LevelState): Row[] {
  const length = Math.max(spec.queuing.queues, queues.queues.length)
  return Array.from({ length: Math.max(length, 0) }, (_, index) => {
    const queue = queues.queues[index]
    if (!queue) return [spec.name, index, 0, 0, 0, seatSeconds(0), 0, 0, seatSeconds(0)]
    const { waiting, executing, seatsInUse, nextDispatchR, initialSeatsWaiting, seatsWaiting } = queue
    const work = seatSeconds(queue.workWaiting)
    const sums = [initialSeatsWaiting, seatsWaiting, work]
    return [
      spec.name,
      index,
      waiting.length,
      executing.length,
      seatsInUse,
      seatSeconds(nextDispatchR),
      ...sums,
    ]
  })
}

function requestRows(level: LevelState, details: boolean): Row[] {
  const row = (queue: number, place: number, request: QueuedRequest): Row =>
    requestRow([level.spec.name, request.meter.schema, queue, place], request, details)
  const inQueue = (queue: Queue): Row[] => [
    ...[...queue.waiting].map((request, place) => row(queue.index, place, request)),
    ...[...queue.executing].map((request) => row(queue.index, -1, request)),
  ]
  return [
    ...level.queues.queues.flatMap((queue) => (queue ? inQueue(queue) : [])),
    ...[...level.queues.queueless].map((request) => row(-1, -1, request)),
  ]
}

function requestRow(place: Row, request: QueuedRequest, details: boolean): Row {
  const { distinguisher, arrivedAt, startedAt, initialSeats, finalSeats, additionalMs } = request
  const started = startedAt === 0 ? '0001-01-01T00:00:00Z' : timeText(startedAt)
  const latency = additionalMs === 0 ? '0s' : `${additionalMs}ms`
  const row = [...place, distinguisher, timeText(arrivedAt), initialSeats, finalSeats, latency, started]
  if (!details || !(request instanceof FlowPass)) return row
  const { user, info } = request
  const { verb, path, namespace, name, group, version, resource, subresource } = info
  const apiVersion = group === '' ? version : `${group}/${version}`
  return [...row, user.name, verb, path, namespace, name, apiVersion, resource, subresource]
}

const seatSeconds = (seconds: number): string => `${Math.max(0, seconds).toFixed(8)}ss`

/** Of the monotonic clock, in ms. */
const timeText = (at: number): string => new Date(performance.timeOrigin + at).toISOString()

/** Narrower columns than this are widened. */
const MIN_WIDTH = 8

/** Columns as wide as their widest cell and a space; the last as it is. */
function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : `${cell}`)))
  const widths = (cells[0] ?? []).map((_, i) =>
    Math.max(MIN_WIDTH, ...cells.map((row) => (row[i] ?? '').length + 1)),
  )
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join('')
  return cells.map((row) => `${line(row)}\n`).join('')
}
