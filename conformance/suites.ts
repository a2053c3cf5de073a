// Runs the test suites of well-known Go modules that use envtest, unchanged, through the folder that `dinghy envtest`
// prints. suites.json names modules, versions and packages.
//
//	make suites ARGS="--filter pkg/client"
//	   --filter TEXT   packages whose module and name have it   --failed       what failed, again
//	   --assets DIR    instead of ours: upstream's programs     --fresh        everything again
//	   --timeout N     minutes for a package (30)
//
// The modules come by Go's proxy into a folder of .cache/suites, where their tests may write. What has finished is not
// run again on the next call. The last line is `N passed, N failed`; without Go nothing is run, and that is said.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/schema/facts.ts'

const ROOT = packageRoot()
const OUTPUT = join(ROOT, '.cache/suites')
const RESULTS = join(OUTPUT, 'results.json')

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
}

interface Outcome {
  readonly passed: boolean
  readonly seconds: number
}

type Results = Record<string, Outcome>

function main(): number {
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
  const chosen = suites.flatMap((suite) =>
    suite.packages.map((name) => ({ suite, name, id: idOf(suite, name) })),
  )
  const wanted = chosen.filter(({ id }) => id.includes(options.filter))
  for (const { suite, name, id } of wanted) {
    if (results[id] && (results[id].passed || !options.failed)) continue
    results[id] = run(suite, name, assets)
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
    console.log(`${results[id].passed ? 'passed' : 'failed'} ${results[id].seconds} s  ${id}`)
  }
  const failed = wanted.filter(({ id }) => !results[id]?.passed)
  for (const { id } of failed) console.log(`failed: ${id}; see ${logOf(id)}`)
  console.log(`${wanted.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 ? 1 : 0
}

const idOf = ({ module, version }: Suite, name: string): string =>
  `${module}@${version} ${name}${options.assets === undefined ? '' : ` with ${options.assets}`}`

const logOf = (id: string): string => join(OUTPUT, 'logs', `${id.replaceAll(/[^\w.-]+/g, '_')}.txt`)

function run(suite: Suite, name: string, assets: string): Outcome {
  const folder = sourcesOf(suite)
  const began = performance.now()
  const ran = spawnSync('go', ['test', '-count=1', '-p=1', `-timeout=${options.timeout}m`, name], {
    cwd: folder,
    env: { ...process.env, KUBEBUILDER_ASSETS: assets },
    encoding: 'utf8',
    maxBuffer: Infinity,
  })
  writeFileSync(logOf(idOf(suite, name)), `${ran.stdout}\n${ran.stderr}`)
  return { passed: ran.status === 0, seconds: Math.round((performance.now() - began) / 1000) }
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

process.exit(main())
