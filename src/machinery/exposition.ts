// Numbers that parts of the server count, and the text of them for Prometheus, which is made when somebody asks.
// Follows k8s.io/component-base/metrics and Prometheus' text format.

export type Labels = Readonly<Record<string, string>>
export type Samples = Iterable<readonly [Labels, number]>

/** What an exposition reads: counts by bucket (not summed up), then those above all bounds. */
export interface Distribution {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

export class Histogram implements Distribution {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number, weight = 1): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    ;(this.counts[bucket] as number) += weight
    this.sum += value * weight
  }
}

/** `count` bounds, each `factor` times the one before. */
export const exponentialBounds = (first: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Number((first * factor ** i).toPrecision(12)))

export interface Family {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
}

/** A family of counters or gauges; nothing where there are no samples. */
export function familyText({ type, name, help }: Family, samples: Samples): string {
  const lines = [...samples].map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`)
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

/** A family of histograms; nothing where there are no rows. */
export function histogramText(
  name: string,
  help: string,
  rows: Iterable<readonly [Labels, Distribution]>,
): string {
  const lines = [...rows].flatMap(([labels, distribution]) => histogramLines(name, labels, distribution))
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join('')}`
}

function histogramLines(name: string, labels: Labels, { bounds, counts, sum }: Distribution): string[] {
  let count = 0
  const buckets = counts.map((n, i) => {
    count += n
    return `${name}_bucket${labelText({ ...labels, le: String(bounds[i] ?? '+Inf') })} ${count}\n`
  })
  const own = labelText(labels)
  return [...buckets, `${name}_sum${own} ${sum}\n`, `${name}_count${own} ${count}\n`]
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))
