// Programs under measurement: starts them, reads what they use from /proc, and ends each one by its pid.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** How long a program may take to end by itself. */
const STOP_MS = 10_000
/** Clock ticks a second in /proc, the same on every Linux that node runs on. */
const TICKS_PER_SECOND = 100
/** Fields of /proc/PID/stat after the program's name, counted from 0: user and system time. */
const UTIME = 11
const STIME = 12

/** CPU time in ms: the main thread, and all others together. */
export interface CpuTime {
  readonly main: number
  readonly others: number
}

export interface Program {
  readonly name: string
  readonly pid: number
  /** Rejects when the program ends before it is stopped; says how. */
  readonly ended: Promise<never>
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()

/** Ends what is still running, when the harness itself ends, in whatever way. */
export function endAllAtExit(): void {
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL')
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
}

/** Starts a program with its output in `logFile`. */
export function start(command: readonly string[], logFile: string): Program {
  const log = openSync(logFile, 'a')
  const [file, ...args] = command as [string, ...string[]]
  const child = spawn(file, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  running.add(child)
  let [over, stopping] = [false, false]
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`code ${code ?? signal}`))
  }).then((how) => {
    running.delete(child)
    over = true
    return how
  })
  const ended = gone.then((how) => {
    if (stopping) return new Promise<never>(() => undefined)
    throw new Error(`${file} ended with ${how}:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  })
  ended.catch(() => undefined)
  return {
    name: file.slice(file.lastIndexOf('/') + 1),
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (over) return
      stopping = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Resident memory in MiB. */
export function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
}

export function cpuTime(pid: number): CpuTime {
  const main = ticksOf(`/proc/${pid}/task/${pid}/stat`)
  return { main: main * MS_PER_TICK, others: (ticksOf(`/proc/${pid}/stat`) - main) * MS_PER_TICK }
}

const MS_PER_TICK = 1000 / TICKS_PER_SECOND

function ticksOf(file: string): number {
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[UTIME]) + Number(fields[STIME])
}

/** How many processors were busy between two readings of /proc/stat. */
export async function busyProcessors(ms: number): Promise<number> {
  const [before, startedAt] = [busyTicks(), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, ms))
  const elapsed = (performance.now() - startedAt) / 1000
  return (busyTicks() - before) / TICKS_PER_SECOND / elapsed
}

/** user, nice, system, irq, softirq and steal of all processors together. */
function busyTicks(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/) ?? []
  return [1, 2, 3, 6, 7, 8].reduce((sum, i) => sum + Number(fields[i] ?? 0), 0)
}
