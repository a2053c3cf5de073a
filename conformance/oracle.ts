// Asks the built program what a real kube-apiserver was asked, and compares with its recorded answers. The recordings
// and their checker are beside the repository; where they are absent there is nothing to do.
//
//	node tools/run.js conformance/oracle.ts -- [--raise] [--verbose] [FILE...]     FILE: a scenario file's name
//
// oracle-floor.json says how many scenarios of each file pass; fewer is a failure, and --raise writes what passed now.
// Without FILE the files of the floor are asked. The last line is `N passed, N failed`. Scenarios that differ in nothing
// but the prose of table columns are counted by themselves: upstream's text is not ours to commit.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse } from 'yaml'
import { packageRoot } from '../src/schema/facts.ts'

const ROOT = packageRoot()
const ORACLE = join(ROOT, '../shared/oracle')
const FLOOR = join(ROOT, 'conformance/oracle-floor.json')

/** Scenarios that pass, by file. */
type Floor = Record<string, number>

interface Outcome {
  readonly passed: number
  readonly all: number
  /** Of those that did not pass: how many differ in descriptions of columns alone. */
  readonly proseOnly: number
}

/** A difference that `check --verbose` prints, and one of them that is a column's description. */
const DIFFERENCE = /^ {4}\//
const COLUMN_PROSE = /^ {4}\/\S*columnDefinitions\/\d+\/description:/

async function main(argv: readonly string[]): Promise<number> {
  if (!existsSync(ORACLE)) {
    console.log('the recorded answers are not here (../shared/oracle): nothing is compared')
    return 0
  }
  const floor = JSON.parse(readFileSync(FLOOR, 'utf8')) as Floor
  const named = argv.filter((argument) => !argument.startsWith('--'))
  const files = named.length > 0 ? named : Object.keys(floor)
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-oracle-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const server = await start(kubeconfig)
  try {
    placeKubectl(folder, kubeconfig)
    const outcomes = files.map((file) => [file, ask(file, folder, argv.includes('--verbose'))] as const)
    if (argv.includes('--raise')) raise(floor, outcomes)
    return report(floor, outcomes)
  } finally {
    server.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts the program on a free port; resolves when it is ready. */
async function start(kubeconfig: string): Promise<ChildProcess> {
  const tokens = join(ORACLE, 'tokens.csv')
  const flags = ['--memory', '--parts', 'apiserver', '--port', '0', '--kubeconfig', kubeconfig]
  const server = spawn(join(ROOT, 'bin/dinghy'), ['up', ...flags, '--token-auth-file', tokens], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes('ready in')) return server
  }
  throw new Error('the server did not start')
}

/** The oracle asks kubectl for nothing but the kubeconfig as JSON; this stand-in gives it, so that none is needed. */
function placeKubectl(folder: string, kubeconfig: string): void {
  const json = join(folder, 'kubeconfig.json')
  writeFileSync(json, JSON.stringify(parse(readFileSync(kubeconfig, 'utf8'))))
  writeFileSync(join(folder, 'kubectl'), `#!/bin/sh\nexec cat '${json}'\n`, { mode: 0o755 })
}

function ask(file: string, folder: string, verbose: boolean): Outcome {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(ORACLE, 'oracle.mjs'),
      'check',
      ...['--kubeconfig', join(folder, 'kubeconfig'), '--token', 'secret'],
      ...['--recorded', join(ORACLE, 'recorded')],
      '--verbose',
      join(ORACLE, 'scenarios', file),
    ],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` },
    },
  )
  process.stdout.write(verbose ? stdout : stdout.replace(/^ {2,}.*\n/gm, ''))
  const totals = /^scenarios: (\d+) passed, (\d+) failed/m.exec(stdout)
  if (!totals) throw new Error(`${file}: ${stderr.trim() || 'the oracle gave no totals'}`)
  const passed = Number(totals[1])
  return { passed, all: passed + Number(totals[2]), proseOnly: proseOnly(stdout) }
}

function proseOnly(output: string): number {
  const failures = output.split(/^FAIL /m).slice(1)
  return failures.filter((text) => {
    const differences = text.split('\n').filter((line) => DIFFERENCE.test(line))
    return differences.length > 0 && differences.every((line) => COLUMN_PROSE.test(line))
  }).length
}

function raise(floor: Floor, outcomes: readonly (readonly [string, Outcome])[]): void {
  for (const [file, { passed }] of outcomes) floor[file] = passed
  writeFileSync(FLOOR, `${JSON.stringify(floor, null, 2)}\n`)
}

/** Failed are the scenarios that the floor says should pass; the others that differ are known. */
function report(floor: Floor, outcomes: readonly (readonly [string, Outcome])[]): number {
  let [passed, failed, different, prose] = [0, 0, 0, 0]
  for (const [file, outcome] of outcomes) {
    const missing = Math.max(0, (floor[file] ?? 0) - outcome.passed)
    if (missing > 0) console.log(`${file}: ${outcome.passed} pass; the floor is ${floor[file]}`)
    passed += outcome.passed
    failed += missing
    different += outcome.all - outcome.passed - missing
    prose += outcome.proseOnly
  }
  const all = passed + failed + different
  console.log(`known differences: ${different} of ${all}, ${prose} of them in descriptions of columns alone`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
