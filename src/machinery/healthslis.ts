// /metrics/slis: how checks of a part's health ended, for Prometheus: the last time, and how often in all.
// Follows k8s.io/component-base/metrics/prometheus/slis.

const NAMES = { now: 'kubernetes_healthcheck', total: 'kubernetes_healthchecks_total' } as const

export class HealthSlis {
  readonly #last = new Map<string, boolean>()
  readonly #times = new Map<string, number>()

  /** `type`: the endpoint that was asked, "healthz". */
  observe(name: string, type: string, isGood: boolean): void {
    const labels = `name="${name}",type="${type}"`
    this.#last.set(labels, isGood)
    const ended = `name="${name}",status="${isGood ? 'success' : 'error'}",type="${type}"`
    this.#times.set(ended, (this.#times.get(ended) ?? 0) + 1)
  }

  text(): string {
    const lines = (name: string, type: string, help: string, values: readonly string[]): string[] =>
      values.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values]
    const last = [...this.#last].map(([labels, isGood]) => `${NAMES.now}{${labels}} ${isGood ? 1 : 0}`)
    const times = [...this.#times].map(([labels, count]) => `${NAMES.total}{${labels}} ${count}`)
    return [
      ...lines(NAMES.now, 'gauge', 'How a check of health ended the last time: 1 is well.', last.sort()),
      ...lines(NAMES.total, 'counter', 'Checks of health, by how they ended.', times.sort()),
      ...lines('process_start_time_seconds', 'gauge', 'When this process began, in seconds since 1970.', [
        `process_start_time_seconds ${performance.timeOrigin / 1000}`,
      ]),
      '',
    ].join('\n')
  }
}
