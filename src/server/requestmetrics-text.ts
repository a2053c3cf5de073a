// What was counted of requests, as Prometheus' text: made when somebody asks, loaded then.
// Names and labels follow k8s.io/apiserver/pkg/endpoints/metrics and pkg/endpoints/filters/metrics.go.
import { type Distribution, familyText, histogramText, type Labels } from '../machinery/exposition.ts'
import type { Outcomes, RequestMetrics } from './requestmetrics.ts'

const PREFIX = 'apiserver_'

export const requestText = (metrics: RequestMetrics): string =>
  [...ofSeries(metrics), ...ofStages(metrics), ...ofPlaces(metrics)].join('')

function ofSeries({ series }: RequestMetrics): string[] {
  const all = [...series.values()]
  const totals = all.flatMap(({ labels, dryRun, codes }) =>
    [...codes].map(([code, count]): [Labels, number] => [
      { ...labels, dry_run: dryRun, code: String(code) },
      count,
    ]),
  )
  const answered = all.filter(({ seconds }) => seconds.counts.some((count) => count > 0))
  const meant = answered.filter(({ dryRun }) => dryRun === '')
  return [
    counter('request_total', 'Requests by verb, resource and code.', totals),
    histogram(
      'request_duration_seconds',
      'Latency by verb and resource.',
      answered.map(({ labels, dryRun, seconds }) => [{ ...labels, dry_run: dryRun }, seconds]),
    ),
    histogram(
      'request_sli_duration_seconds',
      'Latency without what was spent waiting for a turn and for webhooks.',
      meant.map(({ labels, sliSeconds }) => [labels, sliSeconds]),
    ),
    histogram(
      'response_sizes',
      'Bytes of answers to reads.',
      all.flatMap(({ labels, answerBytes }) => (answerBytes ? [[labels, answerBytes] as const] : [])),
    ),
  ]
}

function ofStages({ filters, authentication, authorization, users }: RequestMetrics): string[] {
  const stages = [...filters].map(([filter, seconds]): [Labels, Distribution] => [{ filter }, seconds])
  return [
    histogram('request_filter_duration_seconds', 'Time that requests spent in stages of the chain.', stages),
    ...outcomesText(['authentication_attempts', 'authentication_duration_seconds'], authentication),
    familyText(
      { type: 'counter', name: 'authenticated_user_requests', help: 'Requests by the sort of their user.' },
      [...users].map(([username, count]) => [{ username }, count]),
    ),
    ...outcomesText(['authorization_attempts_total', 'authorization_duration_seconds'], authorization),
  ]
}

function ofPlaces({ bodies, terminations, longRunning, deprecated }: RequestMetrics): string[] {
  return [
    counter(
      'request_terminations_total',
      'Requests that the server ended to protect itself.',
      terminations.samples(),
    ),
    gauge('longrunning_requests', 'Watches that are open.', longRunning.samples()),
    gauge(
      'requested_deprecated_apis',
      'Places that clients should leave behind and have asked for.',
      deprecated.samples(),
    ),
    histogram(
      'request_body_size_bytes',
      'Bytes of bodies of writes.',
      [...bodies.values()].map(({ labels, bytes }) => [labels, bytes]),
    ),
  ]
}

function outcomesText([total, seconds]: readonly [string, string], { seconds: known }: Outcomes): string[] {
  const rows = [...known].map(([result, histogram]): [Labels, Distribution] => [{ result }, histogram])
  const totals = rows.map(([labels, { counts }]): [Labels, number] => [
    labels,
    counts.reduce((sum, count) => sum + count, 0),
  ])
  return [
    familyText({ type: 'counter', name: total, help: 'Attempts by their outcome.' }, totals),
    histogramText(seconds, 'Their durations.', rows),
  ]
}

const counter = (name: string, help: string, samples: Iterable<readonly [Labels, number]>): string =>
  familyText({ type: 'counter', name: PREFIX + name, help }, samples)

const gauge = (name: string, help: string, samples: Iterable<readonly [Labels, number]>): string =>
  familyText({ type: 'gauge', name: PREFIX + name, help }, samples)

const histogram = (name: string, help: string, rows: Iterable<readonly [Labels, Distribution]>): string =>
  histogramText(PREFIX + name, help, rows)
