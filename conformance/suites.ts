// Runs the test suites of well-known Go modules that use envtest, unchanged, through the folder that `dinghy envtest`
// prints. suites.json names modules, versions and packages. A suite that would download its programs is told of a running
// API server instead (`definitions`), by KUBECONFIG.
//
//	make suites ARGS="--filter pkg/client"
//	   --filter TEXT   packages whose module and name have it   --failed       what failed, again
//	   --assets DIR    instead of ours: upstream's programs     --fresh        everything again
//	   --timeout N     minutes for a package (30)
//
// The modules come by Go's proxy into a folder of .cache/suites, where their tests may write. What has finished is not
// run again on the next call. The last line is `N passed, N failed`; without Go nothing is run, and that is said.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'

const ROOT = packageRoot()
const OUTPUT = join(ROOT, '.cache/suites')
const RESULTS = join(OUTPUT, 'results.json')
const SERVER_WITHIN_MS = 20_000

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    assets: { type: 'string' },
    timeout: { type: 'string', default: '30' },
    failed: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
  },
})

interface Suite {
  readonly module: string
  readonly version: string
  readonly packages: readonly string[]
  /** Go's build tags. */
  readonly tags?: string
  /** Folder of the module with the CustomResourceDefinitions that the API server of KUBECONFIG has. */
  readonly definitions?: string
  /** Tests that are not run, as patterns of Go's -skip, by the reason. */
  readonly left?: Readonly<Record<string, readonly string[]>>
}

interface Outcome {
  readonly passed: boolean
  readonly seconds: number
}

type Results = Record<string, Outcome>

async function main(): Promise<number> {
  if (spawnSync('go', ['version']).status !== 0) {
    console.log('there is no go: nothing is run')
    return 0
  }
  if (options.fresh) rmSync(RESULTS, { force: true })
  mkdirSync(join(OUTPUT, 'logs'), { recursive: true })
  const results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : {}
  const suites = JSON.parse(readFileSync(join(ROOT, 'conformance/suites.json'), 'utf8')) as Suite[]
  const assets =
    options.assets ?? spawnSync(join(ROOT, 'bin/dinghy'), ['envtest'], { encoding: 'utf8' }).stdout.trim()
  // Upstream's programs cannot be started as `dinghy up` is.
  const possible = suites.filter((suite) => options.assets === undefined || suite.definitions === undefined)
  const chosen = possible.flatMap((suite) =>
    suite.packages.map((name) => ({ suite, name, id: idOf(suite, name) })),
  )
  const wanted = chosen.filter(({ id }) => id.includes(options.filter))
  for (const { suite, name, id } of wanted) {
    if (results[id] && (results[id].passed || !options.failed)) continue
    results[id] = await run(suite, name, assets)
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
    console.log(`${results[id].passed ? 'passed' : 'failed'} ${results[id].seconds} s  ${id}`)
  }
  const failed = wanted.filter(({ id }) => !results[id]?.passed)
  for (const { id } of failed) console.log(`failed: ${id}; see ${logOf(id)}`)
  console.log(`${wanted.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 ? 1 : 0
}

const idOf = ({ module, version, tags }: Suite, name: string): string =>
  `${module}@${version} ${name}${tags === undefined ? '' : ` of ${tags}`}${options.assets === undefined ? '' : ` with ${options.assets}`}`

const logOf = (id: string): string => join(OUTPUT, 'logs', `${id.replaceAll(/[^\w.-]+/g, '_')}.txt`)

async function run(suite: Suite, name: string, assets: string): Promise<Outcome> {
  const folder = sourcesOf(suite)
  const began = performance.now()
  const server =
    suite.definitions === undefined ? undefined : await startServer(join(folder, suite.definitions), assets)
  try {
    const tags = suite.tags === undefined ? [] : [`-tags=${suite.tags}`]
    const left = Object.values(suite.left ?? {}).flat()
    const skipped = left.length === 0 ? [] : [`-skip=${left.join('|')}`]
    const flags = ['-count=1', '-p=1', `-timeout=${options.timeout}m`, ...tags, ...skipped]
    const ran = spawnSync('go', ['test', ...flags, name], {
      cwd: folder,
      env: { ...process.env, KUBEBUILDER_ASSETS: assets, ...server?.environment },
      encoding: 'utf8',
      maxBuffer: Infinity,
    })
    writeFileSync(logOf(idOf(suite, name)), `${ran.stdout}\n${ran.stderr}`)
    return { passed: ran.status === 0, seconds: Math.round((performance.now() - began) / 1000) }
  } finally {
    server?.stop()
  }
}

/** An API server in memory that has these definitions; kubectl of `assets`, or of the PATH, brings them to it. */
async function startServer(
  definitions: string,
  assets: string,
): Promise<{ environment: Readonly<Record<string, string>>; stop: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'suites-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const flags = ['--parts', 'apiserver', '--nodes', '0', '--memory', '--port', '0']
  const places = ['--data-dir', join(folder, 'data'), '--kubeconfig', kubeconfig]
  const child = spawn(join(ROOT, 'bin/dinghy'), ['up', ...flags, ...places], { stdio: 'ignore' })
  child.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const stop = (): void => void child.kill('SIGTERM')
  const environment = { KUBECONFIG: kubeconfig }
  try {
    await written(kubeconfig, child)
    const own = join(assets, 'kubectl')
    const files = readdirSync(definitions).filter(
      (name) => /\.yaml$/.test(name) && name !== 'kustomization.yaml',
    )
    const args = ['create', ...files.flatMap((name) => ['-f', join(definitions, name)])]
    const env = { ...process.env, ...environment }
    const ran = spawnSync(existsSync(own) ? own : 'kubectl', args, { env, encoding: 'utf8' })
    if (ran.status !== 0)
      throw new Error(`the definitions cannot be made: ${ran.stderr ?? 'there is no kubectl'}`)
  } catch (error) {
    stop()
    throw error
  }
  return { environment, stop }
}

/** Until the program that is to write the file has done so. */
async function written(file: string, program: ChildProcess): Promise<void> {
  const until = Date.now() + SERVER_WITHIN_MS
  while (!existsSync(file)) {
    if (program.exitCode !== null || Date.now() > until) throw new Error('the API server does not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** A copy of the module: that of Go may not be written to, and its scripts may not be run. */
function sourcesOf({ module, version }: Suite): string {
  const folder = join(OUTPUT, `${module}@${version}`.replaceAll('/', '_'))
  if (existsSync(join(folder, '.complete'))) return folder
  const loaded = spawnSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: OUTPUT,
    encoding: 'utf8',
  })
  const { Dir: source, Error: why } = JSON.parse(loaded.stdout) as { Dir?: string; Error?: string }
  if (source === undefined) throw new Error(`${module}@${version} cannot be had: ${why ?? loaded.stderr}`)
  rmSync(folder, { recursive: true, force: true })
  cpSync(source, folder, { recursive: true })
  spawnSync('chmod', ['-R', 'u+w', folder])
  spawnSync('find', [folder, '-name', '*.sh', '-exec', 'chmod', 'u+x', '{}', '+'])
  writeFileSync(join(folder, '.complete'), '')
  return folder
}

process.exitCode = await main()
