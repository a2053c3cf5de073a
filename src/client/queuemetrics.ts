// workqueue_* for Prometheus, under upstream's names, as plain numbers until somebody asks.
// Follows k8s.io/component-base/metrics/prometheus/workqueue.
import { exponential, Histogram } from './histogram.ts'
import type { QueueMetrics } from './queue.ts'

/** Upstream's: ten of them, each ten times the one before. */
const BOUNDS = exponential(1e-8, 10, 10)

class QueueNumbers implements QueueMetrics {
  adds = 0
  length = 0
  retries = 0
  readonly waits = new Histogram(BOUNDS)
  readonly works = new Histogram(BOUNDS)

  added(): void {
    this.adds++
  }
  depth(length: number): void {
    this.length = length
  }
  waited(seconds: number): void {
    this.waits.observe(seconds)
  }
  worked(seconds: number): void {
    this.works.observe(seconds)
  }
  retried(): void {
    this.retries++
  }
}

/** The queues of one process, by name. */
export class QueuesMetrics {
  readonly #queues = new Map<string, QueueNumbers>()

  of(name: string): QueueMetrics {
    let queue = this.#queues.get(name)
    if (!queue) this.#queues.set(name, (queue = new QueueNumbers()))
    return queue
  }

  /** In Prometheus' text format. */
  text(): string {
    return [
      this.#numbers('workqueue_adds_total', 'counter', ({ adds }) => adds),
      this.#numbers('workqueue_depth', 'gauge', ({ length }) => length),
      this.#numbers('workqueue_retries_total', 'counter', ({ retries }) => retries),
      this.#histograms('workqueue_queue_duration_seconds', ({ waits }) => waits),
      this.#histograms('workqueue_work_duration_seconds', ({ works }) => works),
    ]
      .flat()
      .map((line) => `${line}\n`)
      .join('')
  }

  #numbers(name: string, type: string, value: (queue: QueueNumbers) => number): string[] {
    const lines = [...this.#queues].map(([queue, numbers]) => `${name}{name="${queue}"} ${value(numbers)}`)
    return [`# TYPE ${name} ${type}`, ...lines]
  }

  #histograms(name: string, histogram: (queue: QueueNumbers) => Histogram): string[] {
    const lines = [...this.#queues].flatMap(([queue, numbers]) =>
      histogram(numbers).lines(name, `name="${queue}"`),
    )
    return [`# TYPE ${name} histogram`, ...lines]
  }
}
