// One round: everything that is measured of one server, on fresh folders. The other server does not run meanwhile.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { BenchOptions } from './options.ts'
import { extensions } from './extensions.ts'
import { flooded } from './flood.ts'
import type { Machine } from './machine.ts'
import { type Findings, LOADGEN_KEYS, RATES } from './measures.ts'
import { PHASES, Workload } from './phases.ts'
import { cpuTime, residentMemory } from './processes.ts'
import { rights } from './rights.ts'
import { type Contender, type Server, withServer } from './servers.ts'

const IDLE_MS = 2_000
const LATER_MS = 10_000
const run = promisify(execFile)

export interface Round {
  readonly contender: Contender
  readonly options: BenchOptions
  readonly machine: Machine
  /** A folder for temporary files. */
  readonly work: string
  /** Upstream's load generator; undefined: rates are measured by our own client. */
  readonly loadgen: string | undefined
}

export async function measure(round: Round): Promise<Findings> {
  const { only } = round.options
  const found: Findings = {}
  for (const [part, work] of Object.entries(PARTS))
    if (only.length === 0 || only.includes(part)) Object.assign(found, await work(round))
  return found
}

const PARTS: Readonly<Record<string, (round: Round) => Promise<Findings>>> = {
  start: startAndMemory,
  rates: async (round) => (round.loadgen === undefined ? {} : ratesByLoadgen(round)),
  cpu: cpuAndRates,
  rules: podRules,
  flood: flooded,
  rights,
  operators: forOperators,
}

/** Of our own code alone, in a process without a server. */
async function podRules({ contender, machine }: Round): Promise<Findings> {
  if (contender.name !== 'dinghy') return {}
  await machine.look(`${contender.name}: the rules of a pod`)
  const { stdout } = await run(process.execPath, ['tools/run.js', 'bench/podrules.ts'])
  return JSON.parse(stdout) as Findings
}

/** Server-side apply, definitions and a webhook, on a fresh server, by our own client. */
async function forOperators({ contender, machine, work }: Round): Promise<Findings> {
  await machine.look(`${contender.name}: applies, definitions, a webhook`)
  return withServer(contender, work, extensions)
}

/** Ready times, and memory before and after as many pods as the table says. */
async function startAndMemory(round: Round): Promise<Findings> {
  const { contender, machine, work, options } = round
  const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  await machine.look(`${contender.name}: start and memory`)
  return withServer(contender, work, async (server, folder) => {
    await later(IDLE_MS)
    const found: Findings = { ready_first: server.readyMs, rss_idle: memoryOf(server) }
    await load(round, server, options)
    found['rss_loaded'] = memoryOf(server)
    await later(LATER_MS)
    found['rss_later'] = memoryOf(server)
    await server.stop()
    const again = await contender.start(folder)
    await again.stop()
    return { ...found, ready_second: again.readyMs }
  })
}

async function load(round: Round, server: Server, options: BenchOptions): Promise<void> {
  if (round.loadgen !== undefined) {
    await run(round.loadgen, [...loadgenArguments(server, options), '-phases', 'create'])
    return
  }
  const workload = new Workload(server, options)
  await workload.prepare()
  await workload.run('create')
  workload.close()
}

const memoryOf = (server: Server): number =>
  server.programs.reduce((sum, { pid }) => sum + residentMemory(pid), 0)

const LOADGEN_PHASES = 'create,get,list,patch,apply,watch,delete'

function loadgenArguments(server: Server, { pods, watchers, events }: BenchOptions): string[] {
  const sizes = ['-pods', String(pods), '-watchers', String(watchers), '-events', String(events)]
  return ['-kubeconfig', server.kubeconfig, ...sizes]
}

/** What a server that has just started is asked first; it is asked the same again when it is warm. */
const COLD_PHASES = 'create,get,patch,apply'

/** All phases by upstream's client, once with JSON and once with protobuf, each on a fresh server. */
async function ratesByLoadgen(round: Round): Promise<Findings> {
  const found: Findings = {}
  for (const form of ['json', 'proto']) {
    await round.machine.look(`${round.contender.name}: rates, ${form}`)
    await withServer(round.contender, round.work, async (server) => {
      const rates = (phases: string): Promise<Findings> => ratesOf(round, server, ['-phases', phases], form)
      const cold = await rates(COLD_PHASES)
      for (const [key, value] of Object.entries(cold)) found[`${form}_cold_${key}`] = value
      const warm = await rates(LOADGEN_PHASES)
      for (const [key, value] of Object.entries(warm)) found[`${form}_${key}`] = value
      if (form === 'json') found['rss_end'] = memoryOf(server)
    })
  }
  return found
}

async function ratesOf(round: Round, server: Server, phases: string[], form: string): Promise<Findings> {
  const args = [...loadgenArguments(server, round.options), ...phases]
  if (form === 'proto') args.push('-proto')
  const { stdout } = await run(round.loadgen as string, args)
  const reported = JSON.parse(stdout) as Record<string, number>
  const found: Findings = {}
  for (const key of RATES) {
    const value = reported[LOADGEN_KEYS[key] ?? `${key}_per_s`]
    if (value !== undefined) found[key] = value
  }
  return found
}

const OWN_RATES: Readonly<Record<string, string>> = { selector: 'list_selector', paged: 'list_paged' }

/** CPU time of single phases, driven by our own client; their rates too where nothing better tells them. */
async function cpuAndRates(round: Round): Promise<Findings> {
  await round.machine.look(`${round.contender.name}: CPU time`)
  return withServer(round.contender, round.work, async (server) => {
    const workload = new Workload(server, round.options)
    await workload.prepare()
    const found: Findings = {}
    for (const phase of PHASES) {
      const before = server.programs.map(({ pid }) => cpuTime(pid))
      const { operations, perSecond } = await workload.run(phase)
      const after = server.programs.map(({ pid }) => cpuTime(pid))
      const spent = (of: 'main' | 'others'): number =>
        after.reduce((sum, now, i) => sum + now[of] - (before[i]?.[of] ?? 0), 0) / operations
      found[`cpu_${phase}`] = spent('main') + spent('others')
      if (server.programs.length === 1) found[`cpu_${phase}_main`] = spent('main')
      if (round.loadgen === undefined) found[`json_${OWN_RATES[phase] ?? phase}`] = perSecond
    }
    workload.close()
    return found
  })
}
