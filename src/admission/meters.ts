// What admission takes: each plugin, each of its two steps, each webhook. Numbers until somebody asks for text.
// Follows k8s.io/apiserver/pkg/admission/metrics. Clocks are read once a request: what a plugin takes is looked at again
// when some time has passed since, and stands for the runs between, so that few requests are all measured, and of many some.
import { familyText, Histogram, histogramText, type Labels } from '../machinery/exposition.ts'
import type { Operation } from './plugin.ts'

const SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5]
const HOOK_SECONDS = [...SECONDS, 10, 25]
/** Runs of a step that come this soon after one that was measured are taken to be like it. */
const REST_MS = 100
/** Names of webhooks are users'; a bound all the same. */
const MAX_SERIES = 5000
/** Codes beyond are told as this one, as upstream. */
const MAX_CODE = 600

export type StepType = 'admit' | 'validate'

/** How a webhook's call went. */
export interface HookOutcome {
  readonly code: number
  readonly rejected: boolean
  /** Why the request was refused, in upstream's words. */
  readonly fault?: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error' | undefined
  readonly failedOpen?: boolean
  readonly tookMs: number
}

/** A webhook that is called for an operation. `type` is upstream's: "admit", and "validating". */
export interface HookCall {
  readonly name: string
  readonly type: 'admit' | 'validating'
  readonly operation: Operation
}

class Distributions {
  readonly #bounds: readonly number[]
  readonly #all = new Map<string, readonly [Labels, Histogram]>()

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  /** Beyond the bound on series one that is not told of. */
  of(labels: Labels): Histogram {
    const key = Object.values(labels).join(' ')
    const known = this.#all.get(key)
    if (known) return known[1]
    const made = new Histogram(this.#bounds)
    if (this.#all.size < MAX_SERIES) this.#all.set(key, [labels, made])
    return made
  }

  rows(): Iterable<readonly [Labels, Histogram]> {
    return this.#all.values()
  }
}

class Counts {
  readonly #all = new Map<string, { readonly labels: Labels; count: number }>()

  add(labels: Labels): void {
    const key = Object.values(labels).join(' ')
    const known = this.#all.get(key)
    if (known) known.count++
    else if (this.#all.size < MAX_SERIES) this.#all.set(key, { labels, count: 1 })
  }

  *samples(): Generator<readonly [Labels, number]> {
    for (const { labels, count } of this.#all.values()) yield [labels, count]
  }
}

export class AdmissionMeters {
  readonly plugins = new Distributions(SECONDS)
  readonly steps = new Distributions(SECONDS)
  readonly #hooks = new Distributions(HOOK_SECONDS)
  readonly #calls = new Counts()
  readonly #rejections = new Counts()
  readonly #openings = new Counts()

  /** A webhook has been called, or could not be. */
  called({ name, type, operation }: HookCall, outcome: HookOutcome): void {
    const { rejected, fault, tookMs } = outcome
    const code = String(Math.min(outcome.code, MAX_CODE))
    const place = { name, type, operation }
    this.#hooks.of({ ...place, rejected: String(rejected) }).observe(tookMs / 1000)
    this.#calls.add({ ...place, code, rejected: String(rejected) })
    if (fault) this.#rejections.add({ ...place, error_type: fault, rejection_code: code })
    if (outcome.failedOpen) this.#openings.add({ name, type })
  }

  /** In Prometheus' format. */
  text(): string {
    const histogram = (name: string, help: string, distributions: Distributions): string =>
      histogramText(`apiserver_admission_${name}_admission_duration_seconds`, help, told(distributions))
    const counter = (name: string, help: string, counts: Counts): string =>
      familyText({ type: 'counter', name: `apiserver_admission_${name}`, help }, counts.samples())
    return [
      histogram('step', 'What the steps of admission take.', this.steps),
      histogram('controller', 'What admission plugins take.', this.plugins),
      histogram('webhook', 'What admission webhooks take.', this.#hooks),
      counter('webhook_request_total', 'Calls of webhooks by their outcome.', this.#calls),
      counter(
        'webhook_rejection_count',
        'Requests that webhooks refused, or that could not be judged.',
        this.#rejections,
      ),
      counter('webhook_fail_open_count', 'Webhooks that failed and may.', this.#openings),
    ].join('')
  }
}

/** Those that have counted something. */
const told = (distributions: Distributions): (readonly [Labels, Histogram])[] =>
  [...distributions.rows()].filter(([, { counts }]) => counts.some((count) => count > 0))

/** One step of one kind of requests: all plugins that look at them. */
export class StepMeter {
  readonly #meters: AdmissionMeters
  readonly #labels: { readonly type: StepType; readonly operation: Operation }
  readonly #passed: Histogram
  readonly #plugins: readonly Histogram[]
  readonly #names: readonly string[]
  #pending = 0
  #measuredAt = -Infinity

  constructor(
    meters: AdmissionMeters,
    { type, operation, names }: { type: StepType; operation: Operation; names: readonly string[] },
  ) {
    this.#meters = meters
    this.#labels = { type, operation }
    this.#names = names
    this.#passed = meters.steps.of({ type, operation, rejected: 'false' })
    this.#plugins = names.map((name) => meters.plugins.of({ name, type, operation, rejected: 'false' }))
  }

  /** A run begins: for how many it is measured; 0: it is not. */
  begins(now: number): number {
    this.#pending++
    if (now - this.#measuredAt < REST_MS) return 0
    const weight = this.#pending
    this.#pending = 0
    this.#measuredAt = now
    return weight
  }

  /** The plugin at this place is done, in a run that is measured. */
  pluginPassed(index: number, tookMs: number, weight: number): void {
    this.#plugins[index]?.observe(tookMs / 1000, weight)
  }

  passed(tookMs: number, weight: number): void {
    this.#passed.observe(tookMs / 1000, weight)
  }

  /** The plugin at this place refused the request; every one of these counts, and for itself alone. */
  refused(index: number, { pluginMs, stepMs }: { pluginMs: number; stepMs: number }, weight: number): void {
    // The others that the run would have stood for are still to be told of.
    this.#pending += weight === 0 ? -1 : weight - 1
    const labels = { ...this.#labels, rejected: 'true' }
    const name = this.#names[index] ?? ''
    this.#meters.plugins.of({ name, ...labels }).observe(pluginMs / 1000)
    this.#meters.steps.of(labels).observe(stepMs / 1000)
  }
}
