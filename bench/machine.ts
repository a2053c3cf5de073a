// The machine that is measured on: what it is, and whether others use it at the same time.
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { busyProcessors } from './processes.ts'

/** Processors that others may keep busy; beyond it figures are not worth keeping. */
export const MAX_OTHERS = 0.7
const LOOK_MS = 1_000

/** Looks at the machine before each phase and remembers the worst. */
export class Machine {
  #worst = 0

  /** How many processors others kept busy at most, before any phase. */
  get worst(): number {
    return this.#worst
  }

  /** While nothing of ours works: whoever is busy now is somebody else. */
  async look(phase: string): Promise<void> {
    const others = await busyProcessors(LOOK_MS)
    this.#worst = Math.max(this.#worst, others)
    const load = (loadavg()[0] ?? 0).toFixed(2)
    console.error(`${phase}  (load average ${load}; others keep ${others.toFixed(2)} processors busy)`)
  }
}

export function machineText(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}, ${memory} GiB, Linux ${release()}`
}

/** The first line that a program prints of its version; "unknown" where it does not. */
export function versionOf(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8' }).split('\n', 1)[0]?.trim() ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
