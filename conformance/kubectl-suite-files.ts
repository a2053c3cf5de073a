// The files of upstream's kubectl suite: found in the Go module, copied to where it can write, and made to run there.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** What the scripts source or read. */
const FOLDERS = [
  ...['test/cmd', 'test/fixtures', 'test/e2e/testing-manifests', 'hack/lib', 'hack/testdata'],
  'third_party/forked/shell2junit',
]
/** The files of this address are those of `hack/testdata` in the module: no network is asked for them. */
const REMOTE = 'https://raw.githubusercontent.com/kubernetes/kubernetes/master/'
/** Archives of Go modules do not keep which files are programs. */
const PROGRAM = /\.sh$|\/plugins\/.*kubectl-[\w-]+$/
const DOWNLOAD_TIMEOUT_MS = 600_000

/** Where the module ("path@version") is, downloaded if need be. Throws where Go cannot have it. */
export function moduleFolder(module: string): string {
  const text = execFileSync('go', ['mod', 'download', '-json', module], {
    cwd: '/',
    encoding: 'utf8',
    timeout: DOWNLOAD_TIMEOUT_MS,
  })
  return (JSON.parse(text) as { Dir: string }).Dir
}

/** Copies the suite out of the module into `target`, and links the programs where its scripts look for them. */
export function prepareSuite(
  source: string,
  target: string,
  programs: Readonly<Record<string, string>>,
): void {
  const bin = join(target, '_output/bin')
  if (existsSync(bin)) return
  for (const folder of FOLDERS) copy(join(source, folder), join(target, folder))
  const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).map((path) => join(target, path))
  for (const file of files.filter((path) => PROGRAM.test(path))) chmodSync(file, 0o755)
  for (const file of files.filter((path) => /\/test\/cmd\/.*\.sh$/.test(path))) {
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(REMOTE, ''))
  }
  mkdirSync(bin, { recursive: true })
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(bin, name))
}

/** The module's files are for reading only; the suite writes beside them. */
function copy(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true })
  cpSync(source, target, { recursive: true })
  execFileSync('chmod', ['-R', 'u+w', target])
}

/** The functions in the order in which the suite runs them, and `inline`: what stands between them. */
export function functionsOf(suite: string): string[] {
  const script = readFileSync(join(suite, 'test/cmd/legacy-script.sh'), 'utf8')
  const names = [...script.matchAll(/^ *record_command (run_\w+)$/gm)].map(([, name]) => name as string)
  return ['inline', ...new Set(names)]
}
