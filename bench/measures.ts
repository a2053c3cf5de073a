// What is measured, in which unit, and what the ratio is meant to reach. Every measure is a name and a number; the
// table is made of these rows.

export type Better = 'more' | 'less'

export interface Measure {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly better: Better
  /** How many times as good as upstream it is meant to be; undefined: shown only. */
  readonly target?: number
  /** What ours may be at most, whatever upstream's is. */
  readonly limit?: number
}

/** What one round found, by the measures' keys. */
export type Findings = Record<string, number>

const rates = (prefix: string, form: string): Measure[] =>
  [
    { key: 'cold_create', title: 'create, 32 at a time, just started', target: 2 },
    { key: 'cold_create1', title: 'create, one after another, just started', target: 2 },
    { key: 'cold_get', title: 'get, just started', target: 2 },
    { key: 'cold_patch', title: 'strategic merge patch, just started', target: 2 },
    { key: 'cold_apply', title: 'server-side apply of a ConfigMap, just started', target: 2 },
    { key: 'create', title: 'create, 32 at a time', target: 2 },
    { key: 'create1', title: 'create, one after another', target: 2 },
    { key: 'get', title: 'get', target: 2 },
    { key: 'list', title: 'LIST of the pods', target: 4 },
    { key: 'list_rv0', title: 'LIST at resourceVersion 0', target: 4 },
    { key: 'list_selector', title: 'LIST by label, nothing found' },
    { key: 'list_paged', title: 'LIST in pages of 500' },
    { key: 'patch', title: 'strategic merge patch', target: 2 },
    { key: 'apply', title: 'server-side apply of a ConfigMap', target: 2 },
    { key: 'watch', title: 'events to watchers', target: 2 },
    { key: 'delete', title: 'delete' },
  ].map((row) => ({
    ...row,
    key: prefix + row.key,
    title: `${row.title}, ${form}`,
    unit: '/s',
    better: 'more',
  }))

/** Upstream's client reports these under other names. */
export const LOADGEN_KEYS: Readonly<Record<string, string>> = { watch: 'watch_delivered_per_s' }

export const RATES: readonly string[] = rates('', '').map(({ key }) => key)

const less = (key: string, title: string, unit: string, target?: number): Measure => ({
  key,
  title,
  unit,
  better: 'less',
  ...(target === undefined ? {} : { target }),
})

const WHO: Readonly<Record<string, string>> = {
  admin: 'an administrator',
  user: 'a service account',
}

const CPU_TITLES: Readonly<Record<string, string>> = {
  create: 'create',
  get: 'get',
  list: 'LIST of the pods',
  selector: 'LIST by label, nothing found',
  paged: 'LIST in pages of 500',
  patch: 'strategic merge patch',
  apply: 'server-side apply of a Deployment',
  watch: 'an event to a watcher',
  delete: 'delete',
}

/** What kubectl asks while 64 clients list without end. */
const FLOOD: readonly Measure[] = ['admin', 'user'].flatMap((who) => [
  less(`idle_${who}_p99`, `p99 of ${WHO[who]}'s requests, nobody else there`, 'ms'),
  less(`flood_${who}_p99`, `p99 of ${WHO[who]}'s requests, 64 clients that list`, 'ms'),
  less(`flood_${who}_times`, 'that is so many times as long', '×'),
  less(`flood_${who}_lost`, 'requests that failed, events that did not come', ''),
])

/** All rows of the table, in order. */
export function measures(phases: readonly string[]): Measure[] {
  return [
    ...rates('json_', 'JSON'),
    ...rates('proto_', 'protobuf'),
    less('ready_first', 'ready from exec, empty folder', 'ms', 8),
    less('ready_second', 'ready from exec, with the data', 'ms', 8),
    less('rss_idle', 'resident memory, idle', 'MiB', 3),
    less('rss_loaded', 'resident memory, just loaded', 'MiB', 3),
    less('rss_later', 'resident memory, loaded, 10 s later', 'MiB', 3),
    less('rss_end', 'resident memory after all phases', 'MiB'),
    ...phases.flatMap((phase) => [
      less(`cpu_${phase}`, `CPU: ${CPU_TITLES[phase] ?? phase}`, 'ms/op'),
      less(`cpu_${phase}_main`, `of that on the main thread`, 'ms/op'),
    ]),
    { ...less('pod_rules', 'validation and defaults of a pod', 'µs'), limit: 60 },
    ...FLOOD,
    less('create_bare', "CPU: a service account's create, no plugins, few bindings", 'ms/op'),
    less('create_plain', 'the same with all plugins', 'ms/op'),
    less('create_bound', 'the same with all plugins and 5,000 bindings', 'ms/op'),
  ]
}

const SSA: Measure = {
  key: 'ssa',
  title: 'server-side apply of a Deployment',
  unit: '/s',
  better: 'more',
  target: 2,
}

/** What operators' tools ask for; rows of a table of its own. */
export const EXTENSIONS: readonly Measure[] = [
  { ...SSA, key: 'ssa_cold', title: `${SSA.title}, just started` },
  SSA,
  less('definitions', '200 definitions, until their resources are served', 'ms', 3),
  { ...less('hook', 'what a webhook that allows adds to a create', 'ms'), limit: 1.5 },
]

/** Middle of the values; of two middles their mean. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The median of each measure over all rounds. */
export function medians(rounds: readonly Findings[]): Findings {
  const keys = new Set(rounds.flatMap((round) => Object.keys(round)))
  const result: Findings = {}
  for (const key of keys) result[key] = median(rounds.flatMap((round) => round[key] ?? []))
  return result
}

/** How many times as good `ours` is; undefined where one was not measured. */
export function ratio(measure: Measure, ours: Findings, theirs: Findings): number | undefined {
  const [mine, other] = [ours[measure.key], theirs[measure.key]]
  // Of nothing beside nothing there is no ratio.
  if (mine === undefined || other === undefined || (mine === 0 && other === 0)) return undefined
  return measure.better === 'more' ? mine / other : other / mine
}
