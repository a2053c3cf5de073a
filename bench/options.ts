// What the harness was asked to do.

export interface BenchOptions {
  readonly quick: boolean
  readonly force: boolean
  readonly rounds: number
  readonly pods: number
  readonly watchers: number
  readonly events: number
  /** Parts of a round to leave it at; empty: all. */
  readonly only: readonly string[]
}

export const USAGE = `make bench ARGS="[--quick] [--force] [--rounds N] [--pods N] [--only PART,…]"
  --quick   one round, few pods: a look, written nowhere
  --only    of start, rates, cpu, rules, flood, rights, operators: written nowhere
  --force   write docs/benchmarks.md although others load the machine
`

/** Reads the arguments; undefined: print the usage. */
export function benchOptions(args: readonly string[]): BenchOptions | undefined {
  const quick = args.includes('--quick')
  const number = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`)
    return at < 0 ? otherwise : Number(args[at + 1])
  }
  const options = {
    quick,
    force: args.includes('--force'),
    rounds: number('rounds', quick ? 1 : 3),
    pods: number('pods', quick ? 1000 : 5000),
    watchers: quick ? 50 : 200,
    events: quick ? 100 : 200,
    only: args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '').split(',') : [],
  }
  const known = new Set(['--quick', '--force', '--rounds', '--pods', '--only'])
  const unknown = args.some((arg) => arg.startsWith('-') && !known.has(arg))
  return unknown || !(options.rounds >= 1) || !(options.pods >= 1) ? undefined : options
}
