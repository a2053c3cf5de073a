// The findings as a table of text and as docs/benchmarks.md.
import { type Findings, type Measure, ratio } from './measures.ts'

export interface Compared {
  readonly ours: Findings
  /** Undefined where upstream was not measured. */
  readonly theirs: Findings | undefined
}

const HEAD = ['what', 'unit', 'kube-apiserver + etcd', 'dinghy', 'times as good', 'target']

/** Rows of what was measured, the head first. */
export function rowsOf(measures: readonly Measure[], { ours, theirs = {} }: Compared): string[][] {
  const rows = measures.flatMap((measure) => {
    const [mine, other] = [ours[measure.key], theirs[measure.key]]
    if (mine === undefined) return []
    const times = ratio(measure, ours, theirs)
    return [
      [
        measure.title,
        measure.unit,
        figure(other),
        figure(mine),
        timesText(times),
        goal(measure, mine, times),
      ],
    ]
  })
  return [HEAD, ...rows]
}

const timesText = (times: number | undefined): string => (times === undefined ? '–' : `${times.toFixed(1)}×`)

function goal({ target, limit, unit }: Measure, mine: number, times: number | undefined): string {
  if (limit !== undefined) return `≤ ${limit} ${unit}, ${mine <= limit ? 'met' : 'missed'}`
  if (target === undefined) return ''
  const met = times === undefined ? '' : times >= target ? ', met' : ', missed'
  return `≥ ${target}×${met}`
}

/** Three digits that matter. */
function figure(value: number | undefined): string {
  if (value === undefined) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

/** Columns of equal width, for a terminal. */
export function plainTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`
  const [head = [], ...rest] = rows
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '--:'))), ...rest.map(line)].join('\n')
}

/** One line, for those who watch a long run. */
export const plainFindings = (findings: Findings): string =>
  Object.entries(findings)
    .map(([key, value]) => `${key} ${figure(value)}`)
    .join(', ')
