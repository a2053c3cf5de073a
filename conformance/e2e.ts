// Runs upstream's conformance tests (e2e.test of the pinned release) against a cluster of simulated nodes that it starts
// itself. e2e.json names every conformance test: those that run, and why the others are left out.
//
//	make e2e ARGS="--workers 6 --filter sig-apps"
//	   --filter TEXT   tests whose name has it      --group NAME     those of one group of e2e.json
//	   --workers N     tests at a time (4)          --timeout N      seconds for a test (900)
//	   --failed        what failed, again           --fresh          everything again
//	   --kubeconfig F  a cluster that runs already  --programs DIR   where e2e.test and kubectl are (~/.cache/peers)
//	   --batch N       tests to a process (8)       --wide           tests beyond conformance, of e2e-wide.json
//	   --check         only say whether the lists speak of every test that there is
//
// Slow tests have a process each. A test that is cut short, since another one of its process hung, is run again alone.
// Those that say [Serial] run after the others, one at a time. Results stay in .cache/e2e, or .cache/e2e-wide: what has
// finished is not run again on the next call. There are junit.xml, and
// what each test printed. The last line is `N passed, N failed`; without e2e.test and kubectl nothing is run, and that is
// said.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'
import { declareMissingImages, startCluster } from './e2e-cluster.ts'
import { tellCoverage } from './e2e-coverage.ts'
import { readReport } from './e2e-report.ts'
import { type Group, Results, readGroups, type TestResult } from './e2e-results.ts'

const ROOT = packageRoot()
/** A test that was told to end cleans up for that long; then it is killed. */
const CLEANUP_MS = 60_000
const USED_IN_MESSAGES = 300

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    group: { type: 'string' },
    workers: { type: 'string', default: '4' },
    timeout: { type: 'string', default: '900' },
    failed: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    programs: { type: 'string', default: join(homedir(), '.cache/peers') },
    wide: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    batch: { type: 'string', default: '8' },
  },
})
const LIST = options.wide ? 'e2e-wide' : 'e2e'
const OUTPUT = join(ROOT, '.cache', LIST)

async function main(): Promise<number> {
  const groups = groupsOf(LIST).filter(({ why }) => why === undefined)
  const missing = ['e2e.test', 'kubectl'].filter((name) => !existsSync(join(options.programs, name)))
  if (missing.length > 0) {
    console.log(`there is no ${missing.join(', no ')} in ${options.programs}: nothing is run`)
    return 0
  }
  if (options.check)
    return tellCoverage(join(options.programs, 'e2e.test'), ['e2e', 'e2e-wide'].flatMap(groupsOf))
  if (options.fresh) rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(join(OUTPUT, 'logs'), { recursive: true })
  const results = new Results(OUTPUT)
  const names = chosen(groups)
  const waiting = names.filter((name) => isWanted(results.get(name)))
  if (waiting.length < names.length) console.log(`${names.length - waiting.length} have finished before`)
  if (waiting.length > 0) await runAll(waiting, results)
  return results.report(groups, names)
}

const groupsOf = (list: string): Group[] => readGroups(join(ROOT, `conformance/${list}.json`))

const chosen = (groups: readonly Group[]): string[] =>
  groups
    .filter(({ name }) => options.group === undefined || name === options.group)
    .flatMap(({ tests }) => tests)
    .filter((name) => name.includes(options.filter))

const isWanted = (result: TestResult | undefined): boolean =>
  result === undefined || (options.failed && result.outcome === 'failed')

async function runAll(names: readonly string[], results: Results): Promise<void> {
  const cluster = await startCluster(ROOT, OUTPUT, options.kubeconfig)
  declareMissingImages(join(options.programs, 'kubectl'), cluster.kubeconfig)
  const running = new Set<ChildProcess>()
  const stop = (): void => {
    for (const child of running) child.kill('SIGKILL')
    cluster.stop()
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  try {
    const alone = names.filter((name) => /\[(Serial|Disruptive)\]/.test(name))
    const together = names.filter((name) => !alone.includes(name))
    const run = (batch: readonly string[]): Promise<Map<string, TestResult>> =>
      runTests(batch, cluster.kubeconfig, running)
    await runSome(together, Number(options.workers), results, run)
    await runSome(alone, 1, results, run)
  } finally {
    cluster.stop()
  }
}

const isSlow = (name: string): boolean => /\[Slow\]|CronJob|compacted/.test(name)

async function runSome(
  names: readonly string[],
  workers: number,
  results: Results,
  run: (names: readonly string[]) => Promise<Map<string, TestResult>>,
): Promise<void> {
  const queue = batches(names)
  const work = async (): Promise<void> => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      const found = await run(batch)
      for (const [name, result] of found) tell(name, result, results)
      // Those that one of the others kept from an end have a process each.
      if (found.size < batch.length)
        queue.unshift(...batch.filter((one) => !found.has(one)).map((one) => [one]))
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

/** As many to a process as the options say; those that take minutes have one each. */
function batches(names: readonly string[]): string[][] {
  const slow = names.filter(isSlow)
  const quick = names.filter((name) => !isSlow(name))
  const size = Number(options.batch)
  const groups = Array.from({ length: Math.ceil(quick.length / size) }, (_, at) =>
    quick.slice(at * size, (at + 1) * size),
  )
  // Those that take minutes first: the end then waits for none of them.
  return [...slow.map((name) => [name]), ...groups]
}

function tell(name: string, result: TestResult, results: Results): void {
  results.add(name, result)
  const { outcome, seconds, message } = result
  const first = message?.trim().split('\n')[0]?.slice(0, USED_IN_MESSAGES)
  console.log(`${outcome} ${seconds.toFixed(0)} s  ${name}${first === undefined ? '' : `\n  ${first}`}`)
}

/** A process for some tests. What it leaves no result of ended with it; one that had it for itself has failed then. */
async function runTests(
  names: readonly string[],
  kubeconfig: string,
  running: Set<ChildProcess>,
): Promise<Map<string, TestResult>> {
  const [first = ''] = names
  const base = join(OUTPUT, 'logs', slug(first))
  const report = `${base}.xml`
  rmSync(report, { force: true })
  const log = openSync(`${base}.txt`, 'w')
  const began = performance.now()
  const child = spawn(join(options.programs, 'e2e.test'), flags(names, kubeconfig, report), {
    cwd: OUTPUT,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  running.add(child)
  const limit = setTimeout(() => child.kill('SIGKILL'), Number(options.timeout) * 1000 + CLEANUP_MS)
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve))
  clearTimeout(limit)
  running.delete(child)
  const found = readReport(report, names)
  const seconds = (performance.now() - began) / 1000
  if (names.length === 1 && found.size === 0)
    found.set(first, { outcome: 'failed', seconds, message: `it came to no end; see ${base}.txt` })
  return found
}

function flags(names: readonly string[], kubeconfig: string, report: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--provider=skeleton',
    '--dump-logs-on-failure=false',
    `--kubectl-path=${join(options.programs, 'kubectl')}`,
    `--ginkgo.focus=(${names.map((name) => name.replace(/[\\[\](){}.*+?^$|]/g, '\\$&')).join('|')})$`,
    `--ginkgo.junit-report=${report}`,
    `--ginkgo.timeout=${options.timeout}s`,
    '--ginkgo.no-color',
    '--ginkgo.silence-skips',
  ]
}

const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 200)

process.exitCode = await main()
