// The server as a process of its own, for tests that kill, flood or question it. The program is bundled for the test,
// so that it is always the one of the sources.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { guarded } from '../../src/storage/testing.guard.suite.ts'

const root = resolve(import.meta.dirname, '../..')

/** A start waits this long for the server: far beyond what the slowest machine needs. */
const START_MS = 120_000

export interface Program {
  /** The bundled entry of the command line. */
  readonly file: string
  remove(): void
}

/** Bundles src/cmd/main.ts. It stays below the repository, where it finds its facts and packages. */
export async function bundleProgram(): Promise<Program> {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'dinghy-test-'))
  await build({
    entryPoints: { dinghy: join(root, 'src/cmd/main.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['lmdb', 'etcd3', '@grpc/grpc-js', '@kubernetes/client-node'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  })
  return { file: join(folder, 'dinghy.mjs'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** How a process ended, with all that it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout(): string
  stderr(): string
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly nodeFlags?: readonly string[]
  /** No file may grow beyond these blocks of half a KiB. */
  readonly fileBlocks?: number
  /** How long a server may take until it is ready. */
  readonly readyMs?: number
}

/** Has the shell set a limit, and become what it is told to run. */
const LIMITED = 'ulimit -f "$0"; exec "$@"'

/** Starts `dinghy ARGS`. */
export function run(program: Program, args: readonly string[], options: RunOptions = {}): Running {
  const command = [process.execPath, ...(options.nodeFlags ?? []), program.file, ...args]
  const limit = options.fileBlocks === undefined ? [] : ['/bin/sh', '-c', LIMITED, String(options.fileBlocks)]
  const [file = '', ...rest] = [...limit, ...command]
  const child = guarded(
    spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    }),
  )
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => void out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => void err.push(chunk))
  const stdout = (): string => Buffer.concat(out).toString()
  const stderr = (): string => Buffer.concat(err).toString()
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed)
    child.once('close', (code, signal) => done({ code, signal, stdout: stdout(), stderr: stderr() }))
  })
  return { child, ended, stdout, stderr }
}

/** Where a server is, and how its administrator comes in. All PEM. */
export interface Access {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Server extends Running, Access {
  readonly pid: number
  /** kill -9, and the end of the process. */
  kill(): Promise<void>
  /** SIGTERM, and how it ended. */
  stop(): Promise<Ended>
}

/**
 * Starts `dinghy up ARGS` on a free port (unless they name one) and waits until it is ready. The API server alone, unless
 * they name other parts: what is counted and compared must not be mixed with what others write.
 */
export async function startServer(
  program: Program,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-kubeconfig-'))
  const file = join(folder, 'config')
  const port = args.includes('--port') ? [] : ['--port', '0']
  const parts = args.includes('--parts') ? [] : ['--parts', 'apiserver']
  const running = run(program, ['up', ...port, ...parts, '--kubeconfig', file, ...args], options)
  try {
    await ready(running, options.readyMs ?? START_MS)
    const access = readAccess(readFileSync(file, 'utf8'))
    const pid = running.child.pid as number
    const end = (signal: NodeJS.Signals): Promise<Ended> => {
      running.child.kill(signal)
      return running.ended
    }
    const kill = (): Promise<void> => end('SIGKILL').then(() => undefined)
    return { ...running, ...access, pid, kill, stop: () => end('SIGTERM') }
  } catch (error) {
    running.child.kill('SIGKILL')
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ready(running: Running, withinMs: number): Promise<void> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`not ready in time: ${running.stderr()}`)), withinMs)
    const look = (): void => {
      if (!/try {6}kubectl/.test(running.stdout())) return
      clearTimeout(timer)
      running.child.stdout?.off('data', look)
      done()
    }
    running.child.stdout?.on('data', look)
    running.ended.then((end) => {
      clearTimeout(timer)
      failed(new Error(`ended with code ${end.code} before it was ready: ${end.stderr}`))
    }, failed)
  })
}

/** Reads what a kubeconfig of ours says. */
export function readAccess(kubeconfig: string): Access {
  const [, host = '', port = ''] = /server: "?https:\/\/([^"\s]+):(\d+)/.exec(kubeconfig) ?? []
  const pem = (field: string): string => {
    const [, data = ''] = new RegExp(`${field}: (\\S+)`).exec(kubeconfig) ?? []
    return Buffer.from(data, 'base64').toString()
  }
  return {
    host,
    port: Number(port),
    ca: pem('certificate-authority-data'),
    cert: pem('client-certificate-data'),
    key: pem('client-key-data'),
  }
}

/** The process's memory in MiB, where the system tells (Linux); undefined elsewhere. */
export function residentMiB(pid: number): number | undefined {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kib === undefined ? undefined : Math.round(Number(kib) / 1024)
  } catch {
    return undefined
  }
}
