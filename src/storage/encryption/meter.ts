// What is counted of values on their way into the store and out of it. Follows k8s.io/apiserver/pkg/storage/value/metrics.go.
import {
  exponentialBounds,
  familyText,
  Histogram,
  histogramText,
  type Labels,
} from '../../machinery/exposition.ts'

const SECONDS = exponentialBounds(5e-6, 2, 25)

export type Direction = 'from_storage' | 'to_storage'

/** One value turned, or not. */
export interface Turned {
  readonly key: string
  readonly direction: Direction
  /** Of the transformer; "unknown" where none fits. */
  readonly prefix: string
  readonly startedAt: number
  readonly fault?: string
}

export type Note = (turned: Turned) => void

export class TransformationMeter {
  readonly #resourceOf: (key: string) => string
  readonly #operations = new Map<string, { readonly labels: Labels; count: number }>()
  readonly #seconds = new Map<string, { readonly labels: Labels; readonly seconds: Histogram }>()

  /** `resourceOf` a key of the store: "secrets", "deployments.apps". */
  constructor(resourceOf: (key: string) => string) {
    this.#resourceOf = resourceOf
  }

  readonly note: Note = ({ key, direction, prefix, startedAt, fault }) => {
    const resource = this.#resourceOf(key)
    const status = fault === undefined ? 'OK' : codeOf(fault)
    const place = `${resource} ${direction} ${prefix} ${status}`
    let known = this.#operations.get(place)
    if (!known) {
      const labels = { resource, transformation_type: direction, transformer_prefix: prefix, status }
      this.#operations.set(place, (known = { labels, count: 0 }))
    }
    known.count++
    if (fault === undefined) this.#time(direction, prefix, performance.now() - startedAt)
  }

  #time(direction: Direction, prefix: string, ms: number): void {
    const place = `${direction} ${prefix}`
    let known = this.#seconds.get(place)
    if (!known) {
      const labels = { transformation_type: direction, transformer_prefix: prefix }
      this.#seconds.set(place, (known = { labels, seconds: new Histogram(SECONDS) }))
    }
    known.seconds.observe(ms / 1000)
  }

  /** For Prometheus. */
  text(): string {
    const operations = [...this.#operations.values()].map(({ labels, count }): [Labels, number] => [
      labels,
      count,
    ])
    const name = 'apiserver_storage_transformation'
    return (
      familyText(
        { type: 'counter', name: `${name}_operations_total`, help: 'Values turned, by what came of it.' },
        operations,
      ) +
      histogramText(
        `${name}_duration_seconds`,
        'How long that took.',
        [...this.#seconds.values()].map(({ labels, seconds }) => [labels, seconds]),
      )
    )
  }
}

/** A key service's word, or that it was not asked. */
const codeOf = (fault: string): string => /rpc error: code = (\w+)/.exec(fault)?.[1] ?? 'unknown-non-grpc'
