// What brought pods into which queue, what events and the hints of rules took, for Prometheus.
// Follows k8s.io/kubernetes/pkg/scheduler/metrics and backend/queue.
import type { Histogram } from '../client/histogram.ts'
import { exponential } from '../client/histogram.ts'
import { escaped, family } from './metricstext.ts'
import { histogramOf } from './pointmetrics.ts'

export type QueueName = 'active' | 'backoff' | 'unschedulable'

/** Upstream's, in seconds. */
const EVENT_BOUNDS = exponential(0.0001, 2, 12)
const HINT_BOUNDS = exponential(0.00001, 1.5, 20)

export class QueueCounts {
  readonly #incoming = new Map<string, number>()
  readonly #events = new Map<string, Histogram>()
  readonly #hints = new Map<string, Histogram>()
  /** Rules that rejected pods, by their labels: those that do no more are told of with 0. */
  readonly #rejecting = new Set<string>()
  #afterFlush = 0

  incoming(queue: QueueName, event: string): void {
    const labels = `event="${event}",queue="${queue}"`
    this.#incoming.set(labels, (this.#incoming.get(labels) ?? 0) + 1)
  }

  handled(event: string, seconds: number): void {
    histogramOf(this.#events, `event="${event}"`, EVENT_BOUNDS).observe(seconds)
  }

  hinted(plugin: string, event: string, helps: boolean, seconds: number): void {
    const labels = `event="${event}",hint="${helps ? 'Queue' : 'QueueSkip'}",plugin="${plugin}"`
    histogramOf(this.#hints, labels, HINT_BOUNDS).observe(seconds)
  }

  scheduledAfterFlush(): void {
    this.#afterFlush++
  }

  /** `rejected`: of each pod that waits, its profile and who rejected it. */
  lines(rejected: Iterable<readonly [profile: string, plugins: ReadonlySet<string>]>): string[] {
    const waiting = new Map<string, number>()
    for (const [profile, plugins] of rejected) {
      for (const plugin of plugins) {
        const labels = `plugin="${plugin}",profile="${escaped(profile)}"`
        this.#rejecting.add(labels)
        waiting.set(labels, (waiting.get(labels) ?? 0) + 1)
      }
    }
    return [
      ...family('queue_incoming_pods_total', 'counter', 'What brought pods into which queue.', (name) =>
        [...this.#incoming].map(([labels, count]) => `${name}{${labels}} ${count}`),
      ),
      ...family('unschedulable_pods', 'gauge', 'Pods that wait, by the rules that rejected them.', (name) =>
        [...this.#rejecting].map((labels) => `${name}{${labels}} ${waiting.get(labels) ?? 0}`),
      ),
      ...family(
        'pod_scheduled_after_flush_total',
        'counter',
        'Pods that got their node after they were tried again without a reason.',
        (name) => [`${name} ${this.#afterFlush}`],
      ),
      ...family(
        'event_handling_duration_seconds',
        'histogram',
        'Time of telling an event to pods that wait.',
        (name) => [...this.#events].flatMap(([labels, times]) => times.lines(name, labels)),
      ),
      ...family(
        'queueing_hint_execution_duration_seconds',
        'histogram',
        'Time of asking a rule whether an event helps, of the first pod that waits.',
        (name) => [...this.#hints].flatMap(([labels, times]) => times.lines(name, labels)),
      ),
    ]
  }
}
