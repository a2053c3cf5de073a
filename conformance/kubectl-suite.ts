// Runs upstream's own kubectl suite (test/cmd of the Kubernetes module) with stock kubectl against the built program: the
// API server and the controllers, with the flags that hack/make-rules/test-cmd.sh gives upstream's, and one node object.
//
//	make kubectl-suite ARGS="--filter apply"
//	   --filter REGEX  functions whose name matches  --timeout N   seconds for a function (600)
//	   --failed        what failed, again            --fresh       everything again
//
// The suite comes from the Go module; of kubectl-convert, which no package has, --programs DIR tells where it is
// (~/.cache/peers). Each function is a process of its own (kubectl-suite.sh), one after the other, since they share the
// cluster. Results and logs stay in .cache/kubectl-suite: what has finished is not run again on the next call.
// kubectl-suite.json names what is left out, and why. The last line is `N passed, N failed, N left out`; without Go or the
// programs that the suite needs nothing is run, and that is said.
import { spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'
import { kubectlPath } from '../tools/kubectl/programs.ts'
import { type SuiteCluster, startSuiteCluster } from './kubectl-suite-cluster.ts'
import { functionsOf, moduleFolder, prepareSuite } from './kubectl-suite-files.ts'

const ROOT = packageRoot()
const OUTPUT = join(ROOT, '.cache/kubectl-suite')
/** What the suite's scripts call. */
const NEEDED = ['go', 'bash', 'curl', 'jq', 'openssl', 'tput']
const CONVERT = 'run_convert_tests'

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    timeout: { type: 'string', default: '600' },
    failed: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    programs: { type: 'string', default: join(homedir(), '.cache/peers') },
  },
})

interface Plan {
  readonly module: string
  readonly leftOut: Readonly<Record<string, string>>
}

type Results = Record<string, { readonly passed: boolean; readonly seconds: number }>

async function main(): Promise<number> {
  const missing = NEEDED.filter((name) => !isOnPath(name))
  if (missing.length > 0) {
    console.log(`there is no ${missing.join(', no ')}: nothing is run`)
    return 0
  }
  if (options.fresh) rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(join(OUTPUT, 'logs'), { recursive: true })
  const plan = JSON.parse(readFileSync(join(ROOT, 'conformance/kubectl-suite.json'), 'utf8')) as Plan
  const convert = join(options.programs, 'kubectl-convert')
  const suite = join(OUTPUT, 'suite')
  const kubectl = await kubectlPath('1.36')
  prepareSuite(moduleFolder(plan.module), suite, { kubectl, 'kubectl-convert': convert })
  const leftOut = { ...plan.leftOut }
  if (!existsSync(convert)) leftOut[CONVERT] = `there is no ${convert}`
  return report(await runAll(suite, leftOut), leftOut)
}

const isOnPath = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)))

async function runAll(suite: string, leftOut: Readonly<Record<string, string>>): Promise<Results> {
  const file = join(OUTPUT, 'results.json')
  const results = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Results
  const filter = new RegExp(options.filter)
  const names = functionsOf(suite).filter((name) => filter.test(name) && !(name in leftOut))
  const isWanted = (name: string): boolean => !results[name] || (options.failed && !results[name].passed)
  const waiting = names.filter(isWanted)
  if (waiting.length < names.length) console.log(`${names.length - waiting.length} have finished before`)
  if (waiting.length > 0) {
    const cluster = await startSuiteCluster(ROOT, suite, join(OUTPUT, 'logs'))
    for (const name of waiting) {
      const result = await run(name, suite, cluster)
      results[name] = result
      writeFileSync(file, JSON.stringify(results, null, 1))
      console.log(`${result.passed ? 'passed' : 'FAILED'} ${result.seconds.toFixed(0)} s  ${name}`)
    }
    await cluster.stop()
  }
  return Object.fromEntries(names.flatMap((name) => (results[name] ? [[name, results[name]]] : [])))
}

/** A function in a process group of its own, which is ended with it, whatever it has started. */
async function run(name: string, suite: string, cluster: SuiteCluster): Promise<Results[string]> {
  const log = openSync(join(OUTPUT, 'logs', `${name}.txt`), 'w')
  const work = mkdtempSync(join(tmpdir(), 'dinghy-suite-'))
  // Upstream's server keeps its certificate where the suite's temporary files are, and the suite looks for it there.
  copyFileSync(cluster.certificate, join(work, 'apiserver.crt'))
  const began = performance.now()
  const child = spawn('bash', [join(ROOT, 'conformance/kubectl-suite.sh'), name], {
    cwd: suite,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, SECURE_API_PORT: String(cluster.port), WORK: work },
  })
  closeSync(log)
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // None of the group is left.
    }
  }
  const clean = (): void => {
    end()
    rmSync(work, { recursive: true, force: true })
  }
  process.once('exit', clean)
  const limit = setTimeout(end, Number(options.timeout) * 1000)
  const code = await new Promise((resolve) => child.once('close', resolve).once('error', resolve))
  clearTimeout(limit)
  process.off('exit', clean)
  clean()
  return { passed: code === 0, seconds: (performance.now() - began) / 1000 }
}

function report(results: Results, leftOut: Readonly<Record<string, string>>): number {
  for (const [name, why] of Object.entries(leftOut)) console.log(`left out: ${name}: ${why}`)
  const failed = Object.keys(results).filter((name) => !results[name]?.passed)
  for (const name of failed) console.log(`failed: ${name}; see ${join(OUTPUT, 'logs', `${name}.txt`)}`)
  const passed = Object.keys(results).length - failed.length
  console.log(`${passed} passed, ${failed.length} failed, ${Object.keys(leftOut).length} left out`)
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await main()
