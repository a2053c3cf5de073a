// What single rules and single steps of cycles took, and how often each rule was asked, for Prometheus. Steps are timed
// always, rules in one cycle of ten, as upstream does; answers that are remembered are no evaluations.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/runtime (instrumented_plugins.go, framework.go) and pkg/scheduler/metrics.
import { exponential, Histogram } from '../client/histogram.ts'
import { escaped, family } from './metricstext.ts'

export type PointStatus = 'Success' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip' | 'Error'

export interface Counter {
  count: number
}

/** Upstream's, in seconds. */
const POINT_BOUNDS = exponential(0.0001, 2, 12)
const PLUGIN_BOUNDS = exponential(0.00001, 1.5, 20)
/** One cycle in so many is timed rule by rule. */
const SAMPLED = 10

export const secondsSince = (at: number): number => (performance.now() - at) / 1000

export class PointMetrics {
  readonly #points = new Map<string, Histogram>()
  readonly #plugins = new Map<string, Histogram>()
  readonly #evaluations = new Map<string, Counter>()

  /** A step of a cycle is over: "Filter", of all its rules. */
  point(profile: string, point: string, status: PointStatus, seconds: number): void {
    const labels = `extension_point="${point}",profile="${escaped(profile)}",status="${status}"`
    histogramOf(this.#points, labels, POINT_BOUNDS).observe(seconds)
  }

  /** A rule has answered once. */
  plugin(plugin: string, point: string, status: PointStatus, seconds: number): void {
    const labels = `extension_point="${point}",plugin="${plugin}",status="${status}"`
    histogramOf(this.#plugins, labels, PLUGIN_BOUNDS).observe(seconds)
  }

  /** To be counted up each time when the rule is asked. */
  evaluations(profile: string, plugin: string, point: string): Counter {
    const labels = `extension_point="${point}",plugin="${plugin}",profile="${escaped(profile)}"`
    let known = this.#evaluations.get(labels)
    if (!known) this.#evaluations.set(labels, (known = { count: 0 }))
    return known
  }

  lines(): string[] {
    return [
      ...family(
        'framework_extension_point_duration_seconds',
        'histogram',
        'Time of one step of a cycle, of all rules together.',
        (name) => [...this.#points].flatMap(([labels, times]) => times.lines(name, labels)),
      ),
      ...family(
        'plugin_execution_duration_seconds',
        'histogram',
        'Time of one rule, in one cycle of ten.',
        (name) => [...this.#plugins].flatMap(([labels, times]) => times.lines(name, labels)),
      ),
      ...family('plugin_evaluation_total', 'counter', 'How often a rule was asked.', (name) =>
        [...this.#evaluations].map(([labels, { count }]) => `${name}{${labels}} ${count}`),
      ),
    ]
  }
}

export function histogramOf(
  known: Map<string, Histogram>,
  labels: string,
  bounds: readonly number[],
): Histogram {
  let found = known.get(labels)
  if (!found) known.set(labels, (found = new Histogram(bounds)))
  return found
}

/** What one profile's cycles are measured by. */
export class CycleMeter {
  readonly #metrics: PointMetrics
  readonly #profile: string
  readonly #counters = new Map<string, Counter>()
  #cycles = 0
  /** Whether rules are timed one by one in this cycle. */
  isTimed = false

  constructor(metrics: PointMetrics, profile: string) {
    this.#metrics = metrics
    this.#profile = profile
  }

  /** A cycle begins. */
  begin(): void {
    this.isTimed = this.#cycles++ % SAMPLED === 0
  }

  point(point: string, status: PointStatus, since: number): void {
    this.#metrics.point(this.#profile, point, status, secondsSince(since))
  }

  plugin(plugin: string, point: string, status: PointStatus, since: number): void {
    this.#metrics.plugin(plugin, point, status, secondsSince(since))
  }

  /** The counter of a rule at a point, for good. */
  counter(plugin: string, point: string): Counter {
    const key = `${point} ${plugin}`
    let known = this.#counters.get(key)
    if (!known) {
      known = this.#metrics.evaluations(this.#profile, plugin, point)
      this.#counters.set(key, known)
    }
    return known
  }
}
