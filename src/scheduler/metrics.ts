// scheduler_* for Prometheus, under upstream's names, as plain numbers until somebody asks.
// Follows k8s.io/kubernetes/pkg/scheduler/metrics.
import { exponential, Histogram } from '../client/histogram.ts'
import { escaped, family } from './metricstext.ts'
import { histogramOf, PointMetrics } from './pointmetrics.ts'

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

/** How many pods wait, and how. */
export interface Pending {
  readonly active: number
  readonly backoff: number
  readonly unschedulable: number
  readonly gated: number
}

/** What the scheduler has of the cluster in mind. */
export interface CacheSize {
  readonly nodes: number
  readonly pods: number
  readonly assumed_pods: number
}

/** Upstream's, in seconds. */
const ATTEMPT_BOUNDS = exponential(0.001, 2, 15)
const SLI_BOUNDS = exponential(0.01, 2, 20)
const ATTEMPTS_BOUNDS = exponential(1, 2, 5)
const VICTIMS_BOUNDS = exponential(1, 2, 7)
/** From this many attempts on, pods count together. */
const MANY_ATTEMPTS = 15

/** What is looked at only when somebody asks. */
export interface SchedulerState {
  pending(): Pending
  cacheSize(): CacheSize
  /** What the queue counts. */
  queueLines(): readonly string[]
}

export class SchedulerMetrics {
  readonly #state: SchedulerState
  readonly #attempts = new Map<string, { count: number; readonly durations: Histogram }>()
  readonly #algorithm = new Histogram(ATTEMPT_BOUNDS)
  readonly #sli = new Map<string, Histogram>()
  readonly #podAttempts = new Histogram(ATTEMPTS_BOUNDS)
  readonly #victims = new Histogram(VICTIMS_BOUNDS)
  readonly #evictions = new Map<string, Histogram>()
  readonly points = new PointMetrics()
  #preemptions = 0

  constructor(state: SchedulerState) {
    this.#state = state
  }

  /** One cycle of a pod is over, with its binding where there is one. */
  attempted(profile: string, result: AttemptResult, seconds: number): void {
    const labels = `profile="${escaped(profile)}",result="${result}"`
    let known = this.#attempts.get(labels)
    if (!known) this.#attempts.set(labels, (known = { count: 0, durations: new Histogram(ATTEMPT_BOUNDS) }))
    known.count++
    known.durations.observe(seconds)
  }

  /** A node was found, or that there is none. */
  decided(seconds: number): void {
    this.#algorithm.observe(seconds)
  }

  /** A pod has its node, so long after its first attempt. */
  bound(attempts: number, seconds: number): void {
    const label = attempts > MANY_ATTEMPTS ? `${MANY_ATTEMPTS}+` : String(attempts)
    let known = this.#sli.get(label)
    if (!known) this.#sli.set(label, (known = new Histogram(SLI_BOUNDS)))
    known.observe(seconds)
    this.#podAttempts.observe(attempts)
  }

  /** Others were looked for that could make room; so many have to. */
  preempted(victims: number): void {
    this.#preemptions++
    if (victims > 0) this.#victims.observe(victims)
  }

  /** Those who had to make room were told to, or could not be told. */
  evicted(isGood: boolean, seconds: number): void {
    histogramOf(this.#evictions, `result="${isGood ? 'success' : 'error'}"`, SLI_BOUNDS).observe(seconds)
  }

  text(): string {
    const attempts = [...this.#attempts]
    return [
      ...family(
        'schedule_attempts_total',
        'counter',
        'Attempts to schedule pods, by how they ended.',
        (name) => attempts.map(([labels, { count }]) => `${name}{${labels}} ${count}`),
      ),
      ...family(
        'scheduling_attempt_duration_seconds',
        'histogram',
        'Time of an attempt, with the binding.',
        (name) => attempts.flatMap(([labels, { durations }]) => durations.lines(name, labels)),
      ),
      ...family('scheduling_algorithm_duration_seconds', 'histogram', 'Time of finding a node.', (name) =>
        this.#algorithm.lines(name, ''),
      ),
      ...family(
        'pod_scheduling_sli_duration_seconds',
        'histogram',
        'From the first attempt to the node.',
        (name) => [...this.#sli].flatMap(([label, times]) => times.lines(name, `attempts="${label}"`)),
      ),
      ...family('pod_scheduling_attempts', 'histogram', 'Attempts that a pod took.', (name) =>
        this.#podAttempts.lines(name, ''),
      ),
      ...family('preemption_attempts_total', 'counter', 'Times that room was looked for.', (name) => [
        `${name} ${this.#preemptions}`,
      ]),
      ...family('preemption_victims', 'histogram', 'Pods that had to make room.', (name) =>
        this.#victims.lines(name, ''),
      ),
      ...this.#evictionLines(),
      ...family('pending_pods', 'gauge', 'Pods that wait, by how.', (name) =>
        Object.entries(this.#state.pending()).map(([queue, count]) => `${name}{queue="${queue}"} ${count}`),
      ),
      ...family('cache_size', 'gauge', 'What is known of the cluster.', (name) =>
        Object.entries(this.#state.cacheSize()).map(([type, count]) => `${name}{type="${type}"} ${count}`),
      ),
      ...this.#state.queueLines(),
      ...this.points.lines(),
      '',
    ].join('\n')
  }

  #evictionLines(): string[] {
    const evictions = [...this.#evictions]
    return [
      ...family(
        'preemption_goroutines_duration_seconds',
        'histogram',
        'Time of telling pods to make room.',
        (name) => evictions.flatMap(([labels, times]) => times.lines(name, labels)),
      ),
      ...family(
        'preemption_goroutines_execution_total',
        'counter',
        'Times that pods were told to make room.',
        (name) => evictions.map(([labels, { count }]) => `${name}{${labels}} ${count}`),
      ),
    ]
  }
}
