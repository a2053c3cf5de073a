// `make bench`: dinghy beside kube-apiserver and etcd, in the same run, on the same machine, by the same client.
// One server after the other, several rounds in turn; medians go to the terminal and into docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Machine, MAX_OTHERS, machineText, versionOf } from './machine.ts'
import { EXTENSIONS, type Findings, measures, medians } from './measures.ts'
import { type BenchOptions, benchOptions, USAGE } from './options.ts'
import { PHASES } from './phases.ts'
import { endAllAtExit } from './processes.ts'
import { measure } from './rounds.ts'
import { type Contender, dinghy, upstream } from './servers.ts'
import { markdownTable, plainFindings, plainTable, rowsOf } from './table.ts'

const root = resolve('.')
const PEERS_SOURCE = resolve('../shared/bench/build-peers')
const PEERS = process.env['BIN'] ?? join(homedir(), '.cache/peers')

/** The folder of upstream's programs, built where they are missing; undefined where there is nothing to build from. */
function peers(): string | undefined {
  const names = ['etcd', 'kube-apiserver', 'loadgen']
  const built = (): boolean => names.every((name) => existsSync(join(PEERS, name)))
  if (!built() && existsSync(PEERS_SOURCE)) execFileSync(PEERS_SOURCE, names, { stdio: 'inherit' })
  return built() ? PEERS : undefined
}

interface Results {
  readonly ours: Findings
  readonly theirs: Findings | undefined
}

async function measureAll(
  options: BenchOptions,
  programs: string | undefined,
  machine: Machine,
): Promise<Results> {
  const work = mkdtempSync(join(tmpdir(), 'dinghy-bench-'))
  const loadgen = programs === undefined ? undefined : join(programs, 'loadgen')
  const contenders: Contender[] = [dinghy(root), ...(programs === undefined ? [] : [upstream(programs)])]
  const found = contenders.map((): Findings[] => [])
  try {
    for (let round = 1; round <= options.rounds; round++) {
      console.error(`round ${round} of ${options.rounds}`)
      // In turn, each goes first: what warms up with time favours nobody.
      const order = [...contenders.keys()]
      if (round % 2 === 0) order.reverse()
      for (const i of order) {
        const contender = contenders[i] as Contender
        const findings = await measure({ contender, options, machine, work, loadgen })
        console.error(plainFindings(findings))
        found[i]?.push(findings)
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const [ours = [], theirs] = found
  return { ours: medians(ours), theirs: theirs && medians(theirs) }
}

function documentOf(
  options: BenchOptions,
  programs: string | undefined,
  tables: readonly string[],
  machine: Machine,
): string {
  const version = (name: string): string => versionOf(join(programs ?? '', name), '--version')
  const client =
    programs === undefined
      ? 'Upstream was not measured: its programs are built from ../shared, which is not here. Rates are by our own client.'
      : `Beside ${version('kube-apiserver')} and ${version('etcd')}; rates by client-go 0.36.`
  return `<!-- Written by make bench; do not edit. -->

# Benchmarks

Dinghy (${versionOf(join(root, 'bin/dinghy'), 'version')}) on Node ${process.version}. ${client}

- Command: \`make bench ARGS="--rounds ${options.rounds} --pods ${options.pods}"\`, ${new Date().toISOString().slice(0, 10)}.
- Machine: ${machineText()}. Client and server share it. Others kept at most ${machine.worst.toFixed(2)} processors busy.
- One server at a time, in turn; medians of ${options.rounds} rounds. Both with TLS, authentication, RBAC and admission;
  dinghy's store is lmdb, and a write is acknowledged when it is synced to the disk.
- Rates are those of the second pass over a server, but where the row says "just started": the first pass counts the
  time in which code is compiled.
- Memory and CPU are of all processes of a server. ${options.pods + 200} pods are loaded.
  Watches: ${options.watchers} watchers, ${options.events} events. CPU is user and system time, by our own client, JSON.

${tables.join('\n\n## For operators\n\nBy our own client, eight at a time; the webhook is a server of the client, asked over TLS, one create after another.\n\n')}

Where the time goes is in [performance.md](performance.md).
`
}

async function main(): Promise<void> {
  const options = benchOptions(process.argv.slice(2))
  if (!options) return void process.stdout.write(USAGE)
  endAllAtExit()
  const programs = peers()
  if (programs === undefined) console.error('no upstream here (../shared is missing): measuring dinghy alone')
  const machine = new Machine()
  const results = await measureAll(options, programs, machine)
  const tables = [rowsOf(measures(PHASES), results), rowsOf(EXTENSIONS, results)]
  for (const rows of tables) console.log(`${plainTable(rows)}\n`)
  if (options.quick || options.only.length > 0) return
  if (machine.worst > MAX_OTHERS && !options.force) {
    const busy = machine.worst.toFixed(2)
    console.error(
      `others kept ${busy} processors busy: docs/benchmarks.md is left as it was (--force writes it)`,
    )
    return
  }
  const document = documentOf(options, programs, tables.map(markdownTable), machine)
  writeFileSync(join(root, 'docs/benchmarks.md'), document)
  console.error('wrote docs/benchmarks.md')
}

await main()
