// What priority and fairness has counted, as Prometheus' text: made when somebody asks, loaded then.
// Names and labels follow k8s.io/apiserver/pkg/util/flowcontrol/metrics and pkg/endpoints/metrics.
import {
  type Distribution,
  type Family,
  familyText,
  histogramText,
  type Labels,
  type Samples,
} from '../machinery/exposition.ts'
import type { Fairness } from './fairness.ts'
import type { LevelState } from './levels.ts'
import { type FlowMeter, type KindMeters, REASONS } from './meters.ts'

const PREFIX = 'apiserver_flowcontrol_'

/** Everything that is known of levels and flows. */
export function fairnessText(fairness: Fairness): string {
  const { now } = fairness
  const levels = [...fairness.levels.all()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
  const flows = [...fairness.meters].filter(
    ({ dispatched, rejections }) => dispatched > 0 || rejections.size > 0,
  )
  const limited = flows.filter(({ level }) => fairness.levels.get(level)?.spec.isExempt === false)
  return [
    ...levelGauges(levels),
    ...dispatchGauges(levels),
    family('gauge', 'seat_fair_frac', 'Share of what each level could use that it gets.', [
      [{}, fairness.levels.fraction],
    ]),
    ...levelHistograms(levels, now),
    ...flowCounts(flows, limited),
    ...flowHistograms(flows, limited),
    kindsText(fairness.kinds, now),
  ].join('')
}

/** Requests by their kind: the one thing that plain limits tell of too. */
export function kindsText(kinds: KindMeters, now: number): string {
  const rows = (['executing', 'waiting'] as const).flatMap((phase) =>
    (['mutating', 'readOnly'] as const).map((kind) => ({ phase, kind, meter: kinds[phase][kind] })),
  )
  const highest = (wanted: 'executing' | 'waiting'): [Labels, number][] =>
    rows
      .filter(({ phase }) => phase === wanted)
      .map(({ kind, meter }) => [{ request_kind: kind }, meter.highest(now)])
  const shares = rows.map(({ phase, kind, meter }): [Labels, Distribution] => [
    { phase, request_kind: kind },
    meter.shares.read(now),
  ])
  const inFlight = 'Most requests of a kind at a time, in the last second.'
  const inQueue = 'Most waiting requests of a kind at a time, in the last second.'
  return (
    family('gauge', 'apiserver_current_inflight_requests', inFlight, highest('executing')) +
    family('gauge', 'apiserver_current_inqueue_requests', inQueue, highest('waiting')) +
    histogram(
      'read_vs_write_current_requests',
      'Requests of a kind, as a share of their limit, over time.',
      shares,
    )
  )
}

function levelGauges(levels: readonly LevelState[]): string[] {
  const gauge = (name: string, help: string, value: (level: LevelState) => number): string =>
    family(
      'gauge',
      name,
      help,
      levels.map((level) => [labelsOf(level), value(level)]),
    )
  return [
    gauge('nominal_limit_seats', 'Seats by the share of the level.', ({ limits }) => limits.nominal),
    gauge('lower_limit_seats', 'Fewest seats that lending leaves.', ({ limits }) => limits.min),
    gauge('upper_limit_seats', 'Most seats with what may be borrowed.', ({ limits }) => limits.max),
    gauge('current_limit_seats', 'Seats now.', ({ current }) => current ?? 0),
    gauge(
      'demand_seats_high_watermark',
      'Most seats wanted in the last period.',
      (l) => l.demand.highWatermark,
    ),
    gauge('demand_seats_average', 'Seats wanted on average in the last period.', (l) => l.demand.average),
    gauge('demand_seats_stdev', 'Their standard deviation.', (l) => l.demand.deviation),
    gauge('demand_seats_smoothed', 'Seats wanted, smoothed.', (l) => l.demand.smoothed),
    gauge('target_seats', 'Seats that the level was to have.', ({ target }) => target),
    gauge('current_r', 'Progress of the level, in seat-seconds a queue.', ({ queues }) => queues.progress),
  ]
}

function dispatchGauges(levels: readonly LevelState[]): string[] {
  const samples: [Labels, NonNullable<LevelState['meter']['dispatch']>][] = levels.flatMap((level) =>
    level.meter.dispatch ? [[labelsOf(level), level.meter.dispatch]] : [],
  )
  type Read = (dispatch: (typeof samples)[number][1]) => number
  const gauge = (name: string, help: string, read: Read): string =>
    family(
      'gauge',
      name,
      help,
      samples.map(([labels, dispatch]) => [labels, read(dispatch)]),
    )
  const bounds = (name: string, help: string, min: Read, max: Read): string =>
    family(
      'gauge',
      name,
      help,
      samples.flatMap(([labels, dispatch]) => [
        [{ ...labels, bound: 'max' }, max(dispatch)],
        [{ ...labels, bound: 'min' }, min(dispatch)],
      ]),
    )
  const starts = 'Where, at the last dispatch, the queues stood in which something waited'
  return [
    gauge('dispatch_r', 'Progress of the level at its last dispatch.', ({ r }) => r),
    gauge('latest_s', 'Where the queue of the last dispatch stood.', ({ s }) => s),
    bounds(
      'next_s_bounds',
      `${starts}.`,
      ({ minS }) => minS,
      ({ maxS }) => maxS,
    ),
    bounds(
      'next_discounted_s_bounds',
      `${starts}, less the work under way.`,
      ({ minDiscounted }) => minDiscounted,
      ({ maxDiscounted }) => maxDiscounted,
    ),
  ]
}

function levelHistograms(levels: readonly LevelState[], now: number): string[] {
  const rows = (labels: Labels, read: (meter: LevelState['meter']) => { read(now: number): Distribution }) =>
    levels.map((level): [Labels, Distribution] => [
      { ...labels, ...labelsOf(level) },
      read(level.meter).read(now),
    ])
  return [
    histogram(
      'priority_level_seat_utilization',
      'Seats taken, as a share of those there are, over time.',
      rows({ phase: 'executing' }, ({ seats }) => seats),
    ),
    histogram(
      'priority_level_request_utilization',
      'Requests, as a share of the limit for them, over time.',
      [
        ...rows({ phase: 'executing' }, ({ executing }) => executing),
        ...rows({ phase: 'waiting' }, ({ waiting }) => waiting),
      ],
    ),
    histogram(
      'demand_seats',
      'Seats wanted, as a share of those there are, over time.',
      rows({}, ({ demanded }) => demanded),
    ),
  ]
}

function flowCounts(flows: readonly FlowMeter[], limited: readonly FlowMeter[]): string[] {
  const of = (
    among: readonly FlowMeter[],
    [type, name, help]: readonly [Family['type'], string, string],
    value: (flow: FlowMeter) => number,
  ): string =>
    family(
      type,
      name,
      help,
      among.map((flow) => [labelsOf(flow), value(flow)]),
    )
  const rejected = flows.flatMap((flow): [Labels, number][] =>
    REASONS.flatMap((reason): [Labels, number][] => {
      const count = flow.rejections.get(reason)
      return count === undefined ? [] : [[{ ...labelsOf(flow), reason }, count]]
    }),
  )
  const tried = limited.filter(({ noAccommodation }) => noAccommodation > 0)
  return [
    family('counter', 'rejected_requests_total', 'Requests refused.', rejected),
    of(flows, ['counter', 'dispatched_requests_total', 'Requests let in.'], (f) => f.dispatched),
    of(flows, ['gauge', 'current_executing_requests', 'Requests being worked on.'], (f) => f.executing),
    of(flows, ['gauge', 'current_executing_seats', 'Seats that they take.'], (f) => f.seatsInUse),
    of(limited, ['gauge', 'current_inqueue_requests', 'Requests that wait.'], (f) => f.inQueue),
    of(limited, ['gauge', 'current_inqueue_seats', 'Seats that they will take.'], (f) => f.seatsInQueue),
    of(
      tried,
      ['counter', 'request_dispatch_no_accommodation_total', 'Times that the next request was too wide.'],
      (f) => f.noAccommodation,
    ),
  ]
}

function flowHistograms(flows: readonly FlowMeter[], limited: readonly FlowMeter[]): string[] {
  const rows = (among: readonly FlowMeter[], labels: Labels, read: (flow: FlowMeter) => Distribution) =>
    among
      .map((flow): [Labels, Distribution] => [{ ...labelsOf(flow), ...labels }, read(flow)])
      .filter(([, { counts }]) => counts.some((count) => count > 0))
  return [
    histogram('request_wait_duration_seconds', 'Time spent waiting.', [
      ...rows(limited, { execute: 'true' }, ({ waited }) => waited),
      ...rows(limited, { execute: 'false' }, ({ waitedInVain }) => waitedInVain),
    ]),
    histogram('request_execution_seconds', 'Time spent working; of watches, until they have begun.', [
      ...rows(flows, { type: 'regular' }, ({ executed }) => executed),
      ...rows(flows, { type: 'watch' }, ({ initialized }) => initialized),
    ]),
    histogram(
      'request_queue_length_after_enqueue',
      'Length of the queue, with each request that came into it.',
      rows(limited, {}, ({ queueLength }) => queueLength),
    ),
    histogram(
      'work_estimated_seats',
      'Seats that requests were reckoned to take.',
      rows(flows, {}, ({ seats }) => seats),
    ),
    histogram(
      'watch_count_samples',
      'Watches that hear of a write.',
      rows(flows, {}, ({ watches }) => watches),
    ),
  ]
}

const labelsOf = (of: LevelState | FlowMeter): Labels =>
  'spec' in of ? { priority_level: of.spec.name } : { flow_schema: of.schema, priority_level: of.level }

function family(type: Family['type'], name: string, help: string, samples: Samples): string {
  return familyText({ type, name: name.startsWith('apiserver_') ? name : PREFIX + name, help }, samples)
}

const histogram = (name: string, help: string, rows: readonly (readonly [Labels, Distribution])[]): string =>
  histogramText(PREFIX + name, help, rows)
