// Where the time of a phase goes: runs it against `dinghy up` under V8's profiler, and adds up stages and functions.
//
//	node tools/run.js bench/profile.ts -- PHASE [--pods N] [--top N] [--callers FUNCTION]
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { samplesOf } from './cpuprofile.ts'
import { type Phase, PHASES, Workload } from './phases.ts'
import { cpuTime, endAllAtExit } from './processes.ts'
import { dinghy, withServer } from './servers.ts'
import { callersOf, functionOf, isIdle, type Share, shares, stageOf } from './stages.ts'
import { plainTable } from './table.ts'

const INTERVAL_MICROSECONDS = 200

interface Ran {
  readonly operations: number
  readonly from: number
  readonly to: number
  /** ms of CPU, all threads and the main one. */
  readonly cpu: number
  readonly main: number
}

/** Microseconds of the clock that the profiler uses. */
const clock = (): number => Number(process.hrtime.bigint() / 1000n)

const size = (pods: number) => ({ pods, watchers: 100, events: 400 })

/** Warms the code up in a namespace of its own, then runs the phase. */
async function runPhase(phase: Phase, pods: number, work: string): Promise<Ran> {
  const flags = ['--cpu-prof', `--cpu-prof-interval=${INTERVAL_MICROSECONDS}`, `--cpu-prof-dir=${work}`]
  return withServer(dinghy(resolve('.'), flags), work, async (server) => {
    await warmUp(phase, new Workload(server, { pods: 1500, watchers: 20, events: 50 }))
    const workload = new Workload(server, size(pods))
    await workload.prepare()
    if (phase !== 'create') await workload.run('create')
    const pid = server.programs[0]?.pid ?? 0
    const [before, from] = [cpuTime(pid), clock()]
    const { operations } = await workload.run(phase)
    const [after, to] = [cpuTime(pid), clock()]
    workload.close()
    const main = after.main - before.main
    return { operations, from, to, main, cpu: main + after.others - before.others }
  })
}

async function warmUp(phase: Phase, workload: Workload): Promise<void> {
  await workload.prepare()
  await workload.run('create')
  if (phase !== 'create') await workload.run(phase)
  workload.close()
}

/** `main`: ms of the main thread for one operation. The profiler counts waiting for a processor too; the clock of CPU does not. */
function tableOf(parts: readonly Share[], main: number, top: number): string {
  const all = parts.reduce((sum, { microseconds }) => sum + microseconds, 0)
  const rows = parts.slice(0, top).map(({ name, microseconds }) => {
    const share = microseconds / all
    return [name, '', (share * main * 1000).toFixed(1), `${(100 * share).toFixed(1)} %`]
  })
  return plainTable([['', '', 'µs/op', 'share'], ...rows])
}

async function main(): Promise<void> {
  const [phase, ...rest] = process.argv.slice(2)
  if (!PHASES.includes(phase as Phase)) return void console.log(`usage: profile.ts -- ${PHASES.join('|')}`)
  const number = (name: string, otherwise: number): number => {
    const at = rest.indexOf(name)
    return at < 0 ? otherwise : Number(rest[at + 1])
  }
  endAllAtExit()
  const work = mkdtempSync(join(tmpdir(), 'dinghy-profile-'))
  try {
    const { operations, from, to, cpu, main } = await runPhase(phase as Phase, number('--pods', 5000), work)
    const file = readdirSync(work).find((name) => name.endsWith('.cpuprofile'))
    if (file === undefined) throw new Error('the server wrote no profile')
    const samples = samplesOf(join(work, file), from, to).filter((sample) => !isIdle(sample))
    const perOperation = (ms: number): string => (ms / operations).toFixed(3)
    console.log(
      `${phase}: ${operations} operations, CPU ${perOperation(cpu)} ms each, main thread ${perOperation(main)}`,
    )
    const callers = rest[rest.indexOf('--callers') + 1]
    const tables = rest.includes('--callers')
      ? [shares(samples, (sample) => callersOf(sample, callers ?? ''))]
      : [shares(samples, stageOf), shares(samples, functionOf)]
    for (const table of tables) console.log(`\n${tableOf(table, main / operations, number('--top', 30))}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

await main()
