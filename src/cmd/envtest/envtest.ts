// `dinghy envtest`: a folder to use as KUBEBUILDER_ASSETS. Its programs take the flags that envtest of controller-runtime
// starts etcd and kube-apiserver with, and keep everything in memory.
// Follows sigs.k8s.io/controller-runtime/pkg/internal/testing/controlplane, from the other side.
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { packageRoot } from '../../schema/facts.ts'
import { StartError } from '../options.ts'

const HELP = `dinghy envtest: a control plane for the tests of operators

Prints a folder to use as KUBEBUILDER_ASSETS:

  KUBEBUILDER_ASSETS=$(dinghy envtest) go test ./...

Its kube-apiserver is this API server, in memory; its etcd answers health checks and keeps nothing.
`

export async function envtest(argv: readonly string[]): Promise<void> {
  const [program, ...rest] = argv
  switch (program) {
    case undefined:
      return void process.stdout.write(`${assets()}\n`)
    case '--help':
    case '-h':
      return void process.stdout.write(HELP)
    case 'etcd':
      return (await import('./etcd.ts')).standInEtcd(rest)
    case 'kube-apiserver':
      return (await import('./apiserver.ts')).envtestApiServer(rest)
    default:
      throw new StartError(`unknown program ${JSON.stringify(program)}; try dinghy envtest --help`)
  }
}

/** Writes the programs where they are not there yet; several that start at once do not disturb each other. */
function assets(): string {
  const dinghy = join(packageRoot(), 'bin', 'dinghy')
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  // Each installation has a folder of its own: the programs lead back to it.
  const folder = join(
    cache,
    'dinghy',
    `envtest-${createHash('sha256').update(dinghy).digest('hex').slice(0, 12)}`,
  )
  try {
    mkdirSync(folder, { recursive: true })
    for (const name of ['etcd', 'kube-apiserver']) {
      const text = `#!/bin/sh\nexec ${quoted(dinghy)} envtest ${name} "$@"\n`
      const draft = join(folder, `.${name}.${process.pid}`)
      writeFileSync(draft, text, { mode: 0o755 })
      renameSync(draft, join(folder, name))
    }
    linkKubectl(folder)
  } catch (error) {
    throw new StartError(`${folder}: ${(error as Error).message}`, error)
  }
  return folder
}

function linkKubectl(folder: string): void {
  const link = join(folder, 'kubectl')
  if (existsSync(link)) return
  const found = (process.env['PATH'] ?? '').split(delimiter).find((path) => isProgram(join(path, 'kubectl')))
  if (found === undefined) return
  try {
    symlinkSync(join(found, 'kubectl'), link)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
