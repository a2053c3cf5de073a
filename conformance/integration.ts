// Runs upstream's own integration tests (k8s.io/kubernetes/test/integration, and those of apiextensions-apiserver) against
// the built API server, unchanged: where they start a kube-apiserver in their own process, a package of integration/ is
// compiled in that starts this one. integration.json names the packages, what passes, and why the rest is left out.
//
//	make integration ARGS="--filter apiserver/apply"
//	   --filter TEXT   packages whose name has it        --failed      what failed, again
//	   --all           every test of the packages        --fresh       everything again
//	   --timeout N     minutes for a package (30)        --programs D  where etcd is (~/.cache/peers)
//
// Needed: Go, to have the modules and to compile, and etcd. What has finished is not run again on the next call. Results
// and logs are in .cache/integration. The last line is `N passed, N failed`; without Go or etcd nothing is run.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'
import { compiled, sources } from './integration-sources.ts'

const ROOT = packageRoot()
const OUTPUT = join(ROOT, '.cache/integration')
const RESULTS = join(OUTPUT, 'results.json')
const ETCD_WITHIN_MS = 20_000

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    all: { type: 'boolean', default: false },
    failed: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '30' },
    programs: { type: 'string', default: join(homedir(), '.cache/peers') },
  },
})

interface Suite {
  readonly package: string
  /** Tests that pass, by name. */
  readonly passes: readonly string[]
  /** Tests that are not run, by the reason. */
  readonly left?: Readonly<Record<string, readonly string[]>>
}

type Outcome = 'passed' | 'failed' | 'skipped'
type Results = Record<string, Record<string, Outcome>>

async function main(): Promise<number> {
  const etcd = join(options.programs, 'etcd')
  if (spawnSync('go', ['version']).status !== 0 || !existsSync(etcd)) {
    console.log(`there is no go, or no ${etcd}: nothing is run`)
    return 0
  }
  mkdirSync(join(OUTPUT, 'logs/servers'), { recursive: true })
  if (options.fresh) rmSync(RESULTS, { force: true })
  const results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : {}
  const list = JSON.parse(readFileSync(join(ROOT, 'conformance/integration.json'), 'utf8')) as {
    suites: Suite[]
  }
  const suites = list.suites.filter((suite) => suite.package.includes(options.filter))
  const port = await freePort()
  const store = await startEtcd(etcd, port)
  try {
    for (const suite of suites) await runSuite(suite, results, port)
  } finally {
    store.kill('SIGTERM')
  }
  return report(suites, results)
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

async function startEtcd(program: string, port: number): Promise<ChildProcess> {
  const url = `http://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'integration-etcd-'))
  const flags = ['--data-dir', folder, '--listen-client-urls', url, '--advertise-client-urls', url]
  const quiet = ['--listen-peer-urls', 'http://127.0.0.1:0', '-log-level', 'error', '--unsafe-no-fsync']
  const child = spawn(program, [...flags, ...quiet], { stdio: 'ignore' })
  child.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const until = Date.now() + ETCD_WITHIN_MS
  while (!(await answers(port))) {
    if (Date.now() > until) throw new Error('etcd does not answer')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return child
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
  })

const isWanted = (outcome: Outcome | undefined): boolean =>
  outcome === undefined || (options.failed && outcome !== 'passed')

async function runSuite(suite: Suite, results: Results, port: number): Promise<void> {
  const known = (results[suite.package] ??= {})
  const wanted = suite.passes.filter((name) => isWanted(known[name]))
  if (wanted.length === 0 && !options.all) return
  const { cache, module } = sources(ROOT, OUTPUT)
  const program = compiled(suite.package, { output: OUTPUT, cache, module })
  const log = join(OUTPUT, 'logs', `${suite.package.replaceAll('/', '_')}.txt`)
  const only = options.all ? [] : ['-test.run', `^(${[...new Set(wanted.map(topOf))].join('|')})$`]
  const args = [...only, '-test.v', `-test.timeout=${options.timeout}m`]
  await run(program.file, args, { folder: program.folder, log, port })
  const found = outcomesIn(readFileSync(log, 'utf8'))
  for (const name of wanted) known[name] = found.get(name) ?? 'failed'
  if (options.all) for (const [name, outcome] of found) known[name] = outcome
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`)
  const outcomes = suite.passes.map((name) => known[name])
  console.log(
    `${suite.package}: ${outcomes.filter((one) => one === 'passed').length} of ${outcomes.length} pass`,
  )
  if (options.all) tellOthers(suite, found)
}

/** What the list does not know of, or left out and passes now. */
function tellOthers(suite: Suite, found: ReadonlyMap<string, Outcome>): void {
  const left = new Set(Object.values(suite.left ?? {}).flat())
  for (const [name, outcome] of found) {
    if (name.includes('/') || suite.passes.includes(name)) continue
    if (outcome === 'passed') console.log(`  passes, and is not in the list: ${name}`)
    else if (!left.has(name)) console.log(`  ${outcome}, and nobody says why: ${name}`)
  }
}

const topOf = (name: string): string => name.split('/')[0] as string

/** In a group of its own, so that no server outlives it. */
async function run(
  file: string,
  args: readonly string[],
  { folder, log, port }: { folder: string; log: string; port: number },
): Promise<void> {
  const output = openSync(log, 'w')
  const env = {
    ...process.env,
    PATH: `${process.env['PATH']}:${options.programs}`,
    KUBE_INTEGRATION_ETCD_URL: `http://127.0.0.1:${port}`,
    INTEGRATION_SERVER: join(ROOT, 'bin/dinghy'),
    INTEGRATION_ARGUMENTS: 'apiserver',
    INTEGRATION_LOGS: join(OUTPUT, 'logs/servers'),
  }
  const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // All of them have ended.
    }
  }
  const interrupted = (): void => {
    stop()
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve))
  process.off('SIGINT', interrupted)
  stop()
}

/** Of each test and subtest that has ended. */
function outcomesIn(log: string): Map<string, Outcome> {
  const words = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const
  const found = new Map<string, Outcome>()
  for (const [, word, name] of log.matchAll(/^\s*--- (PASS|FAIL|SKIP): (\S.*) \([\d.]+s\)$/gm))
    found.set(name as string, words[word as keyof typeof words])
  return found
}

function report(suites: readonly Suite[], results: Results): number {
  const all = suites.flatMap((suite) =>
    suite.passes.map((name) => ({
      name: `${suite.package} ${name}`,
      outcome: results[suite.package]?.[name],
    })),
  )
  const failed = all.filter(({ outcome }) => outcome !== 'passed')
  for (const { name, outcome } of failed) console.log(`${outcome ?? 'not run'}: ${name}`)
  console.log(`${all.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 ? 1 : 0
}

if (!existsSync(join(ROOT, 'dist'))) execFileSync('make', ['build'], { cwd: ROOT, stdio: 'inherit' })
process.exitCode = await main()
