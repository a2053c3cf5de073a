// Drives stock kubectl against a cluster in this process: what the tests of this folder stand on. A test says what it
// would type; what kubectl printed comes back. Every kubectl has a home folder of its own, so its caches are too.
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from '../../src/cmd/cluster.ts'
import { kubectlOnPath, kubectlPath, type KubectlRelease } from '../../tools/kubectl/programs.ts'

/** A kubectl that takes longer than this hangs; it is ended, and the test fails with what it said so far. */
const KUBECTL_TIMEOUT_MS = 120_000
const MAX_OUTPUT = 64 * 1024 * 1024

export interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CallOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

/** kubectl, bound to a cluster and mostly to a namespace. Command lines are split at blanks; '…' keeps them together. */
export interface Kubectl {
  /** What it printed to stdout; rejects where it fails. */
  (line: string, options?: CallOptions): Promise<string>
  /** Exit code and both streams, whatever they are. */
  run(line: string, options?: CallOptions): Promise<Result>
  /** What it printed to stderr; rejects where it succeeds. */
  fails(line: string, options?: CallOptions): Promise<string>
  /** Starts it and leaves it running; the caller ends it. */
  start(line: string): ChildProcessWithoutNullStreams
  /** Makes a namespace with its default service account, and gives a kubectl that works in it. */
  namespace(name: string): Promise<Kubectl>
  /** Writes a file into the folder of this cluster's test, and gives its path. */
  file(name: string, text: string): string
  cluster(): Cluster
}

/** kubectl of that release, else the one on the PATH, else undefined; says on stderr what is not there. */
export async function findKubectl(release: KubectlRelease): Promise<string | undefined> {
  try {
    return await kubectlPath(release)
  } catch (error) {
    const path = kubectlOnPath()
    const instead = path === undefined ? 'its tests are skipped' : `${path} is used`
    console.warn(`no kubectl ${release}: ${String(error)}; ${instead}`)
    return path
  }
}

/** Starts one cluster for the tests of a `describe`, before them; the kubectl given works on it from then on. */
export function useKubectl(program: string | undefined, options: ClusterOptions = {}): Kubectl {
  let folder = ''
  let cluster: Cluster | undefined
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dinghy-kubectl-'))
    cluster = await startCluster(options)
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig, { mode: 0o600 })
  })
  afterAll(async () => {
    await cluster?.stop()
    if (folder !== '') rmSync(folder, { recursive: true, force: true })
  })
  const running = (): Cluster => {
    if (!cluster) throw new Error('the cluster runs within tests only')
    return cluster
  }
  return kubectlFor({
    program: program ?? 'kubectl',
    get folder() {
      return folder
    },
    flags: [],
    hasControllers: options.parts?.includes('controller-manager') ?? false,
    cluster: running,
  })
}

interface Binding {
  readonly program: string
  readonly folder: string
  readonly flags: readonly string[]
  readonly hasControllers: boolean
  cluster(): Cluster
}

function kubectlFor(binding: Binding): Kubectl {
  const run = (line: string, options: CallOptions = {}) => call(binding, line, options)
  const succeeds = async (line: string, options?: CallOptions): Promise<string> => {
    const { code, stdout, stderr } = await run(line, options)
    if (code !== 0) throw new Error(`kubectl ${line}: exit code ${code}\n${stdout}${stderr}`)
    return stdout
  }
  return Object.assign(succeeds, {
    run,
    fails: async (line: string, options?: CallOptions): Promise<string> => {
      const { code, stdout, stderr } = await run(line, options)
      if (code === 0) throw new Error(`kubectl ${line} should fail, and printed\n${stdout}${stderr}`)
      return stderr
    },
    start: (line: string) => {
      const args = [...binding.flags, ...words(line)]
      return spawn(binding.program, args, { cwd: binding.folder, env: environment(binding) })
    },
    namespace: async (name: string): Promise<Kubectl> => {
      const own = kubectlFor({ ...binding, flags: ['--namespace', name] })
      if (binding.hasControllers) {
        await succeeds(`create namespace ${name}`)
        await own('wait --for=create serviceaccount/default --timeout=90s')
      } else await succeeds('create -f -', { stdin: namespaceObject(name) + defaultAccount(name) })
      return own
    },
    file: (name: string, text: string): string => {
      const path = join(binding.folder, name)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, text)
      return path
    },
    cluster: () => binding.cluster(),
  })
}

function call(binding: Binding, line: string, { stdin = '', env = {} }: CallOptions): Promise<Result> {
  const args = [...binding.flags, ...words(line)]
  const options = {
    cwd: binding.folder,
    env: { ...environment(binding), ...env },
    timeout: KUBECTL_TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT,
  }
  return new Promise((resolve, reject) => {
    const child = execFile(binding.program, args, options, (error, stdout, stderr) => {
      if (error?.killed) return reject(new Error(`kubectl ${line} hangs\n${stdout}${stderr}`))
      if (error && typeof error.code !== 'number') return reject(error)
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(stdin)
  })
}

function environment({ folder }: Binding): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, 'kubeconfig'), TZ: 'UTC' }
}

/** Splits a command line at blanks outside of single quotes, which it takes off. */
function words(line: string): string[] {
  return (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''))
}

// A stream of JSON: older kubectls take what begins with a brace for that.
const namespaceObject = (name: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
/** What the service account controller does where it runs; pods are not admitted without. */
const defaultAccount = (namespace: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })

/** A printed table as cells; ages, which depend on the clock, as AGE. */
export function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/\s{2,}/))
    .map((cells) => cells.map((cell) => (/^(?:\d+[dhms])+$/.test(cell) ? 'AGE' : cell)))
}

/**
 * Resolves with what kubectl printed from now on as soon as it has `wanted`; rejects when it ends or time is up before.
 * Lines come in pieces: what is wanted should go on to the line's end.
 */
export function printed(child: ChildProcessWithoutNullStreams, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(
      () => done(new Error(`kubectl printed no more than\n${text}`)),
      KUBECTL_TIMEOUT_MS,
    )
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      if (wanted.test(text)) done()
    }
    const ended = (): void => done(new Error(`kubectl ended, having printed\n${text}`))
    const done = (error?: Error): void => {
      clearTimeout(timer)
      child.stdout.off('data', read)
      child.off('exit', ended)
      if (error) reject(error)
      else resolve(text)
    }
    child.stdout.on('data', read)
    child.on('exit', ended)
  })
}

/** Whether the build took the descriptions of fields, which `kubectl explain` prints. */
export const DESCRIPTIONS = existsSync('dist/descriptions.json')
