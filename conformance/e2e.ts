// Runs upstream's conformance tests (e2e.test of the pinned release) against a cluster of simulated nodes that it starts
// itself. e2e.json names every conformance test: those that run, and why the others are left out.
//
//	make e2e ARGS="--workers 6 --filter sig-apps"
//	   --filter TEXT   tests whose name has it      --group NAME     those of one group of e2e.json
//	   --workers N     tests at a time (4)          --timeout N      seconds for a test (900)
//	   --failed        what failed, again           --fresh          everything again
//	   --kubeconfig F  a cluster that runs already  --programs DIR   where e2e.test and kubectl are (~/.cache/peers)
//
// Each test is a process of its own, so that one that hangs ends alone; those that say [Serial] run after the others, one
// at a time. Results stay in .cache/e2e: what has finished is not run again on the next call. There are junit.xml, and
// what each test printed. The last line is `N passed, N failed`; without e2e.test and kubectl nothing is run, and that is
// said.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, closeSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'
import { declareMissingImages, startCluster } from './e2e-cluster.ts'
import { type Group, Results, readGroups, type TestResult } from './e2e-results.ts'

const ROOT = packageRoot()
const OUTPUT = join(ROOT, '.cache/e2e')
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
  },
})

async function main(): Promise<number> {
  const groups = readGroups(join(ROOT, 'conformance/e2e.json')).filter(({ why }) => why === undefined)
  const missing = ['e2e.test', 'kubectl'].filter((name) => !existsSync(join(options.programs, name)))
  if (missing.length > 0) {
    console.log(`there is no ${missing.join(', no ')} in ${options.programs}: nothing is run`)
    return 0
  }
  if (options.fresh) rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(join(OUTPUT, 'logs'), { recursive: true })
  const results = new Results(OUTPUT)
  const names = chosen(groups)
  const waiting = names.filter((name) => isWanted(results.get(name)))
  if (waiting.length < names.length) console.log(`${names.length - waiting.length} have finished before`)
  if (waiting.length > 0) await runAll(waiting, results)
  return results.report(groups, names)
}

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
    // Those that take minutes first: the end then waits for none of them.
    const together = names.filter((name) => !alone.includes(name)).sort((a, b) => weight(b) - weight(a))
    const run = (name: string): Promise<TestResult> => runTest(name, cluster.kubeconfig, running)
    await runSome(together, Number(options.workers), results, run)
    await runSome(alone, 1, results, run)
  } finally {
    cluster.stop()
  }
}

const weight = (name: string): number => Number(/\[Slow\]|CronJob|compacted/.test(name))

async function runSome(
  names: readonly string[],
  workers: number,
  results: Results,
  run: (name: string) => Promise<TestResult>,
): Promise<void> {
  const queue = [...names]
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await run(name)
      results.add(name, result)
      const { outcome, seconds, message } = result
      const first = message?.trim().split('\n')[0]?.slice(0, USED_IN_MESSAGES)
      console.log(`${outcome} ${seconds.toFixed(0)} s  ${name}${first === undefined ? '' : `\n  ${first}`}`)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

/** A process for one test. It fails by what its report says, by hanging, and where it leaves no report. */
async function runTest(name: string, kubeconfig: string, running: Set<ChildProcess>): Promise<TestResult> {
  const base = join(OUTPUT, 'logs', slug(name))
  const report = `${base}.xml`
  rmSync(report, { force: true })
  const log = openSync(`${base}.txt`, 'w')
  const began = performance.now()
  const child = spawn(join(options.programs, 'e2e.test'), flags(name, kubeconfig, report), {
    cwd: OUTPUT,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  running.add(child)
  const limit = setTimeout(() => child.kill('SIGKILL'), Number(options.timeout) * 1000 + CLEANUP_MS)
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve))
  clearTimeout(limit)
  running.delete(child)
  const seconds = (performance.now() - began) / 1000
  if (!existsSync(report)) return { outcome: 'failed', seconds, message: `no report; see ${base}.txt` }
  return { ...readReport(readFileSync(report, 'utf8')), seconds }
}

function flags(name: string, kubeconfig: string, report: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--provider=skeleton',
    '--dump-logs-on-failure=false',
    `--kubectl-path=${join(options.programs, 'kubectl')}`,
    `--ginkgo.focus=${name.replace(/[\\[\](){}.*+?^$|]/g, '\\$&')}$`,
    `--ginkgo.junit-report=${report}`,
    `--ginkgo.timeout=${options.timeout}s`,
    '--ginkgo.no-color',
    '--ginkgo.silence-skips',
  ]
}

/** A test's own case in its JUnit report; others in it are the suite's set-up and every test that was not meant. */
function readReport(text: string): Pick<TestResult, 'outcome' | 'message'> {
  const [, status, rest] =
    /<testcase name="\[It\][^>]* status="(?!skipped)(\w+)"([^]*?)<\/testcase>/.exec(text) ?? []
  if (status === 'passed') return { outcome: 'passed' }
  const message = /<(?:failure|error|skipped) message="([^"]*)"/.exec(rest ?? '')?.[1]
  return { outcome: 'failed', message: plain(message ?? status ?? 'it did not run') }
}

const plain = (text: string): string =>
  text
    .replace(/&#x([0-9A-F]+);|&#(\d+);/gi, (_, hex: string | undefined, decimal: string) =>
      String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16)),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 200)

process.exitCode = await main()
